// MemoryDemo: how many bytes a stack of convolutions takes, and which knob brings it down.
import { bars, human, layerTable, partTable, remedyTable } from "./memory_scene.js";
import { choice, group, node, put, slider, tick, watch } from "./ui.js";

const PRECISIONS = { float32: [4, 4], mixed: [4, 2], float16: [2, 2] }; // weights, maps
const SLOTS = { sgd: 0, momentum: 1, adam: 2 };
const NAMES = ["height", "width", "depth", "maps", "double", "kernel_size", "strides",
  "batch_size", "mode", "precision", "optimizer", "device"];

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const product = (numbers) => numbers.reduce((a, b) => a * b, 1);

export function plan(s) {
  const [ofWeights, ofMaps] = PRECISIONS[s.precision];
  const k = s.kernel_size;
  const shapes = [[s.height, s.width, 3]];
  const kernels = [];
  for (let n = 0; n < s.depth; n += 1) {
    const [height, width, channels] = shapes.at(-1);
    const maps = s.maps * (s.double ? 2 ** n : 1);
    kernels.push((k * k * channels + 1) * maps * ofWeights);
    shapes.push([Math.ceil(height / s.strides), Math.ceil(width / s.strides), maps]);
  }
  const tensors = shapes.map((shape) => s.batch_size * product(shape) * ofMaps);
  const pairs = kernels.map((_, n) => tensors[n] + tensors[n + 1]);
  const training = s.mode === "training";
  const weights = sum(kernels);
  const parts = {
    maps: training ? sum(tensors) : Math.max(...pairs),
    weights,
    copies: ofWeights === ofMaps ? 0 : weights / 2,
    gradients: training ? weights : 0,
    slots: training ? weights * SLOTS[s.optimizer] : 0,
  };
  const pair = pairs.indexOf(Math.max(...pairs));
  return { shapes, tensors, kernels, pair, ...parts, total: sum(Object.values(parts)) };
}

export function remedies(s) {
  // [what to change, the changed settings, total bytes after it] for every knob that can turn
  const [height, width] = [Math.floor(s.height / 2), Math.floor(s.width / 2)];
  const training = s.mode === "training";
  const changes = [
    [s.batch_size > 1, "half the batch", { batch_size: Math.floor(s.batch_size / 2) }],
    [Math.min(height, width) >= 16, "half the image, each side", { height, width }],
    [s.strides < 3, "a stride larger by 1", { strides: s.strides + 1 }],
    [s.maps > 1, "half the maps", { maps: Math.floor(s.maps / 2) }],
    [s.depth > 1, "one layer less", { depth: s.depth - 1 }],
    [s.precision === "float32", "mixed precision", { precision: "mixed" }],
    [training && s.optimizer !== "sgd", "plain SGD", { optimizer: "sgd" }],
  ];
  return changes
    .filter(([possible]) => possible)
    .map(([, name, change]) => [name, change, plan({ ...s, ...change }).total]);
}

export function largestBatch(s) {
  const [one, two] = [1, 2].map((n) => plan({ ...s, batch_size: n }).total);
  return Math.max(0, Math.floor((s.device * 1e9 - one) / (two - one)) + 1);
}

function controls(model) {
  const kernels = [1, 3, 5, 7].map((k) => [k, `${k} × ${k}`]);
  const setKernel = (text) => put(model, { kernel_size: Number(text) });
  const formats = [["float32", "32 bits"], ["mixed", "mixed: weights 32, maps 16 bits"],
    ["float16", "16 bits for all"]];
  const modes = [["training", "one training step"], ["prediction", "one prediction"]];
  const optimizers = [["sgd", "SGD"], ["momentum", "SGD with momentum"], ["adam", "Adam"]];
  return node(
    "div",
    { class: "cn-controls" },
    group(
      "Image and batch",
      slider(model, "height", { label: "height", min: 16, max: 512 }),
      slider(model, "width", { label: "width", min: 16, max: 512 }),
      slider(model, "batch_size", { label: "batch", min: 1, max: 256 }),
    ),
    group(
      "Network",
      slider(model, "depth", { label: "layers", min: 1, max: 5 }),
      slider(model, "maps", { label: "maps", min: 1, max: 256 }),
      tick(model, "double", { label: "twice as many in each further layer" }),
      choice(model, "kernel_size", { label: "kernel", options: kernels, change: setKernel }),
      slider(model, "strides", { label: "stride", min: 1, max: 3 }),
    ),
    group(
      "Work",
      choice(model, "mode", { label: "what for", options: modes }),
      choice(model, "precision", { label: "numbers", options: formats }),
      choice(model, "optimizer", { label: "optimizer", options: optimizers }),
      slider(model, "device", { label: "device", min: 1, max: 80, unit: " GB" }),
    ),
  );
}

function verdict(s, total) {
  const most = largestBatch(s);
  const fits = total <= s.device * 1e9 ? "That fits" : "That does not fit";
  const largest = most
    ? `the largest batch that does is ${most.toLocaleString("en")}`
    : "not even one image does";
  return `${fits} into ${s.device} GB; ${largest}.`;
}

export function render({ model, el }) {
  const scene = node("div", { class: "cm-scene" });
  const total = node("output", {});
  const report = node("p", { class: "cm-total", "aria-live": "polite" });
  const remedyBox = node("div", {});
  const draw = () => {
    const s = Object.fromEntries(NAMES.map((name) => [name, model.get(name)]));
    const numbers = plan(s);
    const training = s.mode === "training";
    total.textContent = human(numbers.total);
    report.replaceChildren(
      training ? "A training step needs at least " : "A prediction needs at least ",
      total,
      ` (${human(numbers.total, 1024)}). ${verdict(s, numbers.total)}`,
    );
    scene.replaceChildren(bars(numbers), partTable(numbers), layerTable(numbers, training));
    const focused = remedyBox.querySelector("button:focus")?.textContent;
    remedyBox.replaceChildren(
      remedyTable(remedies(s), numbers.total, (change) => put(model, change)),
    );
    if (focused) {
      const same = [...remedyBox.querySelectorAll("button")].find((b) => b.textContent === focused);
      (same ?? remedyBox.querySelector("button"))?.focus();
    }
  };
  el.append(node("div", { class: "cn-demo cm" }, controls(model), report, scene, remedyBox));
  const undo = watch(model, NAMES, draw);
  draw();
  return undo;
}

export default { render };
