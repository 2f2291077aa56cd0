// The model neurons of CortexDemo. cortex.py is the same arithmetic in Python.
import { gabor } from "./kernels.js";

export const SIDE = 63; // pixels of the field of view
export const ANGLES = [0, 45, 90, 135];
export const AWAKE = 0.45;
export const PATTERNS = [[0, 2], [1, 3]];
export const LAYERS = ["simple", "complex", "pattern"];
export const FIELDS = {
  // size and jump of the receptive fields in pixels, neurons per side, neurons per place
  simple: { size: 23, jump: 4, side: 11, kinds: 4 },
  complex: { size: 39, jump: 12, side: 3, kinds: 4 },
  pattern: { size: 51, jump: 12, side: 2, kinds: 2 },
};
const WIDTH = 4; // of the bar
const STROKES = {
  bar: [[0, -1, 1]],
  corner: [[0, 0, 1], [90, 0, 1]],
  cross: [[0, -1, 1], [90, -1, 1]],
};

const clip = (value) => Math.min(1, Math.max(0, value));

export function see({ stimulus, column, row, angle, length }) {
  // The picture: SIDE × SIDE values from 0 to 1, row after row.
  const image = new Float64Array(SIDE * SIDE);
  for (const [turn, start, stop] of STROKES[stimulus]) {
    const radians = ((angle + turn) * Math.PI) / 180;
    const [cosine, sine] = [Math.cos(radians), Math.sin(radians)];
    for (let i = 0; i < SIDE; i++) {
      for (let j = 0; j < SIDE; j++) {
        const [x, y] = [j - column, i - row];
        const along = x * cosine - y * sine;
        const across = Math.abs(x * sine + y * cosine);
        const first = clip(along - (start * length) / 2 + 0.5);
        const value = first * clip((stop * length) / 2 - along + 0.5) * clip(WIDTH / 2 - across + 0.5);
        image[i * SIDE + j] = Math.max(image[i * SIDE + j], value);
      }
    }
  }
  return image;
}

function gaborFilters() {
  // One kernel per angle, scaled so that a long bar in the best place gives 1.
  const { size } = FIELDS.simple;
  const bank = ANGLES.map((angle) => gabor(size, angle, 12));
  const middle = (size - 1) / 2;
  let best = 0;
  bank[0].forEach((line, i) => {
    for (const weight of line) best += weight * clip(WIDTH / 2 - Math.abs(i - middle) + 0.5);
  });
  return bank.map((kernel) => kernel.map((line) => line.map((weight) => weight / best)));
}

const FILTERS = gaborFilters();

function simpleAnswer(image, row, column, kernel) {
  let sum = 0;
  kernel.forEach((line, u) => {
    const start = (row + u) * SIDE + column;
    line.forEach((weight, v) => (sum += weight * image[start + v]));
  });
  return Math.max(0, sum);
}

function poolMax(answers, window, stride) {
  // answers[row][column][kind] -> the largest of each window
  const places = Math.floor((answers.length - window) / stride) + 1;
  return grid(places, (i, j) =>
    answers[0][0].map((_, kind) => {
      let best = -Infinity;
      for (let u = 0; u < window; u++) {
        for (let v = 0; v < window; v++) {
          best = Math.max(best, answers[i * stride + u][j * stride + v][kind]);
        }
      }
      return best;
    }),
  );
}

function grid(side, value) {
  return Array.from({ length: side }, (_, i) => Array.from({ length: side }, (_, j) => value(i, j)));
}

export function answer(image) {
  // The answers of the three layers, each as [row][column][kind].
  const { side, jump } = FIELDS.simple;
  const simple = grid(side, (i, j) =>
    FILTERS.map((kernel) => simpleAnswer(image, i * jump, j * jump, kernel)),
  );
  const complex = poolMax(simple, 5, 3);
  const pattern = poolMax(complex, 2, 1).map((line) =>
    line.map((kinds) => PATTERNS.map(([a, b]) => Math.min(kinds[a], kinds[b]))),
  );
  return { simple, complex, pattern };
}

export function strongest(answers) {
  // The neuron that answers most: its place, kind and value.
  let best = { value: -1 };
  answers.forEach((line, row) =>
    line.forEach((kinds, column) =>
      kinds.forEach((value, kind) => {
        if (value > best.value + 1e-9) best = { row, column, kind, value };
      }),
    ),
  );
  return best;
}
