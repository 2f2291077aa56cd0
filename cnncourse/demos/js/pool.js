// The arithmetic of PoolingDemo; pooling.py is the same in Python.

export const REACH = 8;
export const SIDES = { picture: 96, numbers: 8, row: 8 };
const SPIKE = 2;

export function reader(model, photo) {
  // -> f(row, column, down, right): grey level of a pixel of the window; zeros outside
  if (model.get("view") === "row") {
    return (i, j, down, right) => (i === 0 && j - right === SPIKE ? 255 : 0);
  }
  const side = SIDES[model.get("view")];
  const { grey, width, height } = photo;
  const top = Math.floor((height - side) / 2);
  const left = Math.floor((width - side) / 2);
  return (i, j, down, right) => {
    const [y, x] = [top + i - down, left + j - right];
    return y >= 0 && x >= 0 && y < height && x < width ? 255 * grey[y * width + x] : 0;
  };
}

function binomial(n) {
  let row = [1];
  for (let i = 1; i < n; i++) {
    row = [...row, 0].map((v, j) => (v + (row[j - 1] ?? 0)) / 2);
  }
  return row;
}

const SUMS = {
  // One output from read(u, v) and the window's height and width; blur reads past its window.
  max(read, h, w) {
    let largest = -Infinity;
    for (let u = 0; u < h; u++) for (let v = 0; v < w; v++) largest = Math.max(largest, read(u, v));
    return largest;
  },
  average(read, h, w) {
    let sum = 0;
    for (let u = 0; u < h; u++) for (let v = 0; v < w; v++) sum += read(u, v);
    return sum / (h * w);
  },
  stride(read) {
    return read(0, 0);
  },
  blur(read, h, w) {
    const across = binomial(w + 1);
    const along = h === 1 ? [1] : across;
    const [top, left] = [Math.floor(h / 2), Math.floor(w / 2)];
    let sum = 0;
    along.forEach((a, u) => across.forEach((b, v) => (sum += a * b * read(u - top, v - left))));
    return sum;
  },
};

export function pool(model, pixel, down, right) {
  // -> rows of outputs, for the picture moved by (down, right)
  const p = model.get("pool_size");
  const count = Math.floor(SIDES[model.get("view")] / p);
  const h = model.get("view") === "row" ? 1 : p;
  const combine = SUMS[model.get("mode")];
  return Array.from({ length: h === 1 ? 1 : count }, (_, i) =>
    Array.from({ length: count }, (_, j) =>
      combine((u, v) => pixel(i * h + u, j * p + v, down, right), h, p),
    ),
  );
}

export function nearest(move, p) {
  return Math.sign(move) * Math.floor((2 * Math.abs(move) + p - 1) / (2 * p));
}

export function differences(now, before, down, right) {
  // |now − the old map moved by (down, right) outputs|, where both exist
  const found = [];
  now.forEach((row, i) =>
    row.forEach((value, j) => {
      const old = before[i - down]?.[j - right];
      if (old !== undefined) found.push(Math.abs(value - old));
    }),
  );
  return found;
}

export function meanOf(list) {
  return list.reduce((a, b) => a + b, 0) / list.length; // NaN for none
}

export function kept(model, pixel, down, right) {
  // -> f(i, j): does anything of this pixel reach the output?
  const p = model.get("pool_size");
  const mode = model.get("mode");
  const h = model.get("view") === "row" ? 1 : p;
  if (mode === "average" || mode === "blur") return () => true;
  if (mode === "stride") return (i, j) => i % h === 0 && j % p === 0;
  return (i, j) => {
    const [top, left] = [i - (i % h), j - (j % p)];
    let [best, value] = [[top, left], -1];
    for (let u = top; u < top + h; u++) {
      for (let v = left; v < left + p; v++) {
        const x = pixel(u, v, down, right);
        if (x > value) [best, value] = [[u, v], x];
      }
    }
    return best[0] === i && best[1] === j;
  };
}
