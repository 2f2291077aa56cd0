// AugmentDemo: eight variants of one flower, and a slider for each kind of change.
import { player } from "./player.js";
import { uniforms } from "./random.js";
import { group, node, put, slider, tick, watch } from "./ui.js";

const [SIDE, VARIANTS, DRAWS] = [64, 8, 200];
const SIZE = SIDE * SIDE * 3;
const NAMES = ["rotation", "shift", "zoom", "contrast", "flip", "noise", "draw"];

function changes(model, n) {
  const u = uniforms(100 * model.get("draw") + n, 6).map((v) => 2 * v - 1);
  const part = (name) => model.get(name) / 100;
  return {
    angle: model.get("rotation") * u[0],
    down: part("shift") * SIDE * u[1],
    right: part("shift") * SIDE * u[2],
    zoom: 1 + part("zoom") * u[3],
    contrast: 1 + part("contrast") * u[4],
    flipped: model.get("flip") && u[5] < 0,
  };
}

// The picture between its pixels, bilinear; black outside.
function reader(pixels) {
  const at = (i, j, k) => (i < 0 || j < 0 || i >= SIDE || j >= SIDE ? 0 : pixels[(i * SIDE + j) * 3 + k]);
  return (top, left, k) => {
    const [i, j] = [Math.floor(top), Math.floor(left)];
    const [v, u] = [top - i, left - j];
    const upper = (1 - u) * at(i, j, k) + u * at(i, j + 1, k);
    const lower = (1 - u) * at(i + 1, j, k) + u * at(i + 1, j + 1, k);
    return (1 - v) * upper + v * lower;
  };
}

function variant(model, read, n) {
  const c = changes(model, n);
  const [middle, angle] = [(SIDE - 1) / 2, (c.angle * Math.PI) / 180];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const out = new Float32Array(SIZE);
  const sums = [0, 0, 0];
  for (let i = 0; i < SIDE; i += 1) {
    for (let j = 0; j < SIDE; j += 1) {
      const [y, x] = [i - middle - c.down, j - middle - c.right];
      const top = (cos * y + sin * x) / c.zoom + middle;
      const left = (cos * x - sin * y) / c.zoom;
      for (let k = 0; k < 3; k += 1) {
        const value = read(top, (c.flipped ? -left : left) + middle, k);
        out[(i * SIDE + j) * 3 + k] = value;
        sums[k] += value;
      }
    }
  }
  const noise = model.get("noise");
  const u = noise ? uniforms(100 * model.get("draw") + n + 50000, 2 * SIZE) : [];
  for (let p = 0; p < SIZE; p += 1) {
    const mean = sums[p % 3] / (SIDE * SIDE);
    let value = (out[p] - mean) * c.contrast + mean;
    if (noise) value += noise * Math.sqrt(-2 * Math.log(1 - u[2 * p])) * Math.cos(2 * Math.PI * u[2 * p + 1]);
    out[p] = Math.max(0, Math.min(255, value));
  }
  return out;
}

function words(c) {
  const signed = (v, unit) => `${v < 0 ? "−" : ""}${Math.abs(v).toFixed(0)}${unit}`;
  const place = `turned ${signed(c.angle, "°")}, moved ${signed(c.right, "")} right and ${signed(c.down, "")} down`;
  return `${place}, size ${c.zoom.toFixed(2)}, contrast ${c.contrast.toFixed(2)}${c.flipped ? ", mirrored" : ""}`;
}

function paint(canvas, values) {
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext("2d");
  const image = context.createImageData(SIDE, SIDE);
  for (let p = 0; p < SIDE * SIDE; p += 1) {
    for (let k = 0; k < 3; k += 1) image.data[4 * p + k] = values[3 * p + k];
    image.data[4 * p + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

export function render({ model, el }) {
  const { buffer, byteOffset } = model.get("pixels");
  const pixels = new Uint8Array(buffer, byteOffset, SIZE);
  const read = reader(pixels);
  const original = node("canvas", { class: "cg-tile", role: "img", "aria-label": "the photograph itself" });
  paint(original, pixels);
  const tiles = Array.from({ length: VARIANTS }, () => node("canvas", { class: "cg-tile", role: "img" }));
  const move = (by) => put(model, { draw: ((model.get("draw") - 1 + by + DRAWS) % DRAWS) + 1 });
  const buttons = player(move, () => 12);
  const root = node(
    "div",
    { class: "cn-demo" },
    node("div", { class: "cg-tiles" }, node("figure", { class: "cg-original" }, original), ...tiles),
    node("p", { class: "cn-note" }, "In the orange frame: the photograph itself. Would you notice that the others were altered?"),
    node(
      "div",
      { class: "cn-controls" },
      group(
        "Place",
        slider(model, "rotation", { label: "rotation", min: 0, max: 180, step: 5, unit: "°" }),
        slider(model, "shift", { label: "shift", min: 0, max: 50, unit: " %" }),
        slider(model, "zoom", { label: "zoom", min: 0, max: 60, unit: " %" }),
        tick(model, "flip", { label: "mirror half of them" }),
      ),
      group(
        "Colour",
        slider(model, "contrast", { label: "contrast", min: 0, max: 90, unit: " %" }),
        slider(model, "noise", { label: "noise", min: 0, max: 100, step: 5 }),
      ),
      group("Random draw", slider(model, "draw", { label: "draw", min: 1, max: DRAWS }), buttons.bar),
    ),
  );
  el.append(root);
  const draw = () => {
    const output = tiles.map((canvas, n) => {
      const values = variant(model, read, n);
      paint(canvas, values);
      canvas.setAttribute("aria-label", `variant ${n + 1}: ${words(changes(model, n))}`);
      canvas.title = words(changes(model, n));
      return values;
    });
    root.cnOutput = { output };
  };
  buttons.enable(true);
  draw();
  const undo = watch(model, NAMES, draw);
  return () => {
    buttons.stop();
    undo();
  };
}

export default { render };
