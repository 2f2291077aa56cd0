// The arithmetic of StackDemo: two small convolution layers, the same as in stack.py.
const ANGLES = [0, 90, 45];
const RED = [1, -0.5, -0.5];
const MIX = [[1, 1, 0.3], [1, -1, 0.3], [-1, -0.5, 0.3], [0, 0, 1]];

// A block of numbers (height, width, channels), or of weights (k, k, in, out), stored flat.
export function block(height, width, channels) {
  return { height, width, channels, data: new Float64Array(height * width * channels) };
}

// Weights of one filter from f(x, y), where x and y count from the kernel's centre;
// divided by the sum of their sizes.
function patch(k, f) {
  const centre = (k - 1) / 2;
  const values = Array.from({ length: k * k }, (_, n) => {
    const [y, x] = [Math.floor(n / k) - centre, (n % k) - centre];
    return Math.exp(-(x * x + y * y) / (2 * (k / 3) ** 2)) * f(x, y);
  });
  const sum = values.reduce((total, value) => total + Math.abs(value), 0);
  return values.map((value) => value / sum);
}

export function firstFilters(k) {
  const patches = ANGLES.map((degrees) => {
    const angle = (degrees * Math.PI) / 180;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    return patch(k, (x, y) => Math.sin((2 * Math.PI * (x * c + y * s)) / (k + 1)));
  });
  patches.push(patch(k, () => 1));
  // weight of offset n, channel c, filter m
  return (n, c, m) => patches[m][n] * (m === 3 ? RED[c] : 1);
}

export function secondFilters(k) {
  const window = patch(k, () => 1);
  return (n, c, m) => window[n] * MIX[c][m];
}

// ReLU(convolution), no padding.
export function layer(input, k, stride, weight, count) {
  const out = block(
    Math.floor((input.height - k) / stride) + 1,
    Math.floor((input.width - k) / stride) + 1,
    count,
  );
  const depth = input.channels;
  const weights = Float64Array.from({ length: k * k * depth * count }, (_, index) => {
    const m = index % count;
    const c = Math.floor(index / count) % depth;
    return weight(Math.floor(index / count / depth), c, m);
  });
  for (let i = 0; i < out.height; i++) {
    for (let j = 0; j < out.width; j++) {
      const to = (i * out.width + j) * count;
      for (let n = 0; n < k * k; n++) {
        const row = i * stride + Math.floor(n / k);
        const from = (row * input.width + j * stride + (n % k)) * depth;
        for (let c = 0; c < depth; c++) {
          const value = input.data[from + c];
          for (let m = 0; m < count; m++) {
            out.data[to + m] += value * weights[(n * depth + c) * count + m];
          }
        }
      }
      for (let m = 0; m < count; m++) out.data[to + m] = Math.max(0, out.data[to + m]);
    }
  }
  return out;
}

// (size, jump) after a stack of [kernel, stride] pairs.
export function receptiveField(layers) {
  let [size, jump] = [1, 1];
  for (const [k, s] of layers) {
    size += (k - 1) * jump;
    jump *= s;
  }
  return [size, jump];
}
