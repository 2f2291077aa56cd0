// Kernels worth knowing, as arrays of rows. kernels.py is the same file for Python.

const THREE_BY_THREE = {
  sobel_x: [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
  sobel_y: [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
  laplacian: [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
  sharpen: [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
  emboss: [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
};

function square(size, value) {
  // value(row, column), both counted from the middle
  const half = (size - 1) / 2;
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j) => value(i - half, j - half)),
  );
}

function scaled(kernel, factor) {
  return kernel.map((row) => row.map((w) => w * factor));
}

export function sumOf(kernel) {
  return kernel.flat().reduce((a, b) => a + b, 0);
}

export function gabor(size, orientation, wavelength) {
  const angle = (orientation * Math.PI) / 180;
  const wave = square(size, (y, x) => {
    const across = x * Math.sin(angle) + y * Math.cos(angle);
    const bell = Math.exp(-(x * x + y * y) / (2 * (size / 5) ** 2));
    return bell * Math.cos((2 * Math.PI * across) / wavelength);
  });
  const mean = sumOf(wave) / size ** 2;
  const centred = wave.map((row) => row.map((w) => w - mean));
  return scaled(centred, 2 / sumOf(centred.map((row) => row.map(Math.abs))));
}

export function fit(kernel, size) {
  const shift = (kernel.length - size) / 2;
  return square(size, (y, x) => {
    const half = (size - 1) / 2;
    return kernel[y + half + shift]?.[x + half + shift] ?? 0;
  });
}

export function preset(name, size, orientation, wavelength) {
  if (name === "gabor") return gabor(size, orientation, wavelength);
  if (name === "box") return square(size, () => 1 / size ** 2);
  if (name === "gaussian") {
    const bell = square(size, (y, x) => Math.exp(-(x * x + y * y) / (2 * (size / 6) ** 2)));
    return scaled(bell, 1 / sumOf(bell));
  }
  if (name in THREE_BY_THREE) return fit(THREE_BY_THREE[name], size);
  if (name === "vertical_line") return square(size, (y, x) => Number(x === 0));
  if (name === "horizontal_line") return square(size, (y) => Number(y === 0));
  return square(size, (y, x) => Number(x === 0 && y === 0)); // identity
}
