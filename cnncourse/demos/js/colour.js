// The diverging scale for signed values: blue negative, white zero, red positive.

const ANCHORS = [[5, 48, 97], [67, 147, 195], [255, 255, 255], [214, 96, 77], [103, 0, 31]];
const STEPS = 2000; // colours on each side of white

export function diverging(t) {
  // t from -1 to 1 -> [red, green, blue]
  const place = (Math.min(1, Math.max(-1, t)) + 1) * 2;
  const i = Math.min(3, Math.floor(place));
  return ANCHORS[i].map((a, c) => Math.round(a + (place - i) * (ANCHORS[i + 1][c] - a)));
}

export function css([red, green, blue]) {
  return `rgb(${red}, ${green}, ${blue})`;
}

export function inkOn([red, green, blue]) {
  // Black or white, whichever is easier to read on the colour.
  const linear = [red, green, blue].map((v) => (v / 255) ** 2.2);
  const light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  return light > 0.18 ? "#000" : "#fff";
}

const table = new Uint32Array(2 * STEPS + 1); // one RGBA pixel per step
for (let i = 0; i < table.length; i++) {
  table.set(new Uint32Array(new Uint8Array([...diverging(i / STEPS - 1), 255]).buffer), i);
}

let reused = null; // the last picture's memory: a megabyte less to collect per key press

export function paintSigned(values, rows, columns, scale) {
  // A map of signed values -> ImageData, valid until the next call; beyond ±scale the colours
  // stay at their ends.
  if (reused?.width !== columns || reused.height !== rows) reused = new ImageData(columns, rows);
  const image = reused;
  const pixels = new Uint32Array(image.data.buffer);
  const factor = scale > 0 ? STEPS / scale : 0;
  const last = 2 * STEPS;
  for (let i = 0; i < values.length; i++) {
    const step = (values[i] * factor + STEPS + 0.5) | 0;
    pixels[i] = table[step < 0 ? 0 : step > last ? last : step];
  }
  return image;
}

export function resize(canvas, width, height) {
  // A canvas that already has the size keeps its memory: that saves a millisecond.
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}

export function paintMap(canvas, values, rows, columns) {
  // Makes canvas the picture of one map, as large as the map.
  resize(canvas, columns, rows);
  const scale = Math.max(...values.map(Math.abs));
  canvas.getContext("2d").putImageData(paintSigned(values, rows, columns, scale), 0, 0);
}

export const scaleCss = `linear-gradient(to right, ${ANCHORS.map(css).join(", ")})`;

export function signed(value, digits = 2) {
  // -0.5 -> "−0.50", with a true minus sign; what rounds to zero has none.
  const text = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(text) !== 0 ? "−" : "") + text;
}

export function short(value) {
  // 0.25 -> ".25", -1 -> "−1": what fits into a small square.
  return String(Number(value.toFixed(2))).replace("-", "−").replace(/^(−?)0\./, "$1.");
}

export function cellSide(count) {
  // Side of one square, for `count` of them in a row.
  return count > 9 ? 21 : count > 7 ? 25 : 32;
}

export function drawGrid(canvas, rows, { cell, scale, colour, text = short }) {
  // Draws rows of numbers as coloured squares, with the numbers where they fit.
  const sharp = window.devicePixelRatio || 1;
  const height = rows.length * cell;
  const width = rows[0].length * cell;
  resize(canvas, Math.round(width * sharp), Math.round(height * sharp));
  canvas.style.width = `${width}px`;
  const c = canvas.getContext("2d");
  c.setTransform(sharp, 0, 0, sharp, 0, 0);
  c.clearRect(0, 0, width, height);
  c.textAlign = "center";
  c.textBaseline = "middle";
  c.font = `${Math.round(cell * 0.36)}px system-ui, sans-serif`;
  rows.forEach((row, i) =>
    row.forEach((value, j) => {
      const shade = colour ? colour(value, i, j) : diverging(scale ? value / scale : 0);
      c.fillStyle = css(shade);
      c.fillRect(j * cell, i * cell, cell - 1, cell - 1);
      if (cell < 20) return;
      c.fillStyle = inkOn(shade);
      c.fillText(text(value), (j + 0.5) * cell - 0.5, (i + 0.5) * cell);
    }),
  );
}
