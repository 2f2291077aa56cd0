// ArithmeticDemo: kernel, stride, padding and dilation decide the size of the output.
import { choice, group, node, put, slider, tick, uniqueId, watch } from "./ui.js";
import { onWidth, player } from "./player.js";
import { drawScene } from "./arithmetic_scene.js";
import { guessPanel } from "./arithmetic_guess.js";

const SETTINGS = ["view", "height", "width", "kernel_size", "strides", "padding", "dilation"];
const DILATION_PROBLEM =
  "Keras refuses a stride and a dilation that are both above 1: set one to 1.";

export function axisNumbers(size, kernel, strides, padding, dilation) {
  const effective = kernel + (kernel - 1) * (dilation - 1);
  const same = padding === "same";
  const output = same ? Math.ceil(size / strides) : Math.floor((size - effective) / strides) + 1;
  const reach = (output - 1) * strides + effective;
  const zeros = same ? Math.max(0, reach - size) : 0;
  const before = Math.floor(zeros / 2);
  const ignored = Math.max(0, size + zeros - reach);
  return { size, effective, output, zeros, before, after: zeros - before, ignored };
}

function problemOf(s) {
  if (s.strides > 1 && s.dilation > 1) return DILATION_PROBLEM;
  const effective = s.kernel_size + (s.kernel_size - 1) * (s.dilation - 1);
  const smallest = s.view === "row" ? s.width : Math.min(s.height, s.width);
  if (s.padding === "same" || effective <= smallest) return null;
  return (
    `The kernel spans ${effective} cells but the input has only ${smallest}: ` +
    "without zeros it fits nowhere."
  );
}

function axesOf(s) {
  const sizes = s.view === "row" ? [s.width] : [s.height, s.width];
  return sizes.map((size) => axisNumbers(size, s.kernel_size, s.strides, s.padding, s.dilation));
}

const decimal = (value) => String(Math.round(value * 100) / 100);
const minus = (value) => (value < 0 ? `−${-value}` : String(value));
const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

// What dilation makes of the kernel, with the learner's numbers.
function dilationLines({ kernel_size: k, dilation: d, view }) {
  if (d === 1) return [];
  const span = k + (k - 1) * (d - 1);
  const weights = Array.from({ length: k }, (_, v) => v + 1);
  const taps = Array.from({ length: span }, (_, v) => (v % d === 0 ? v / d + 1 : 0));
  const lines = [`the kernel spans ${k} + (${k} − 1)·(${d} − 1) = ${span}`];
  if (view === "row") lines.push(`[${weights.join(", ")}] acts as [${taps.join(", ")}]`);
  return lines;
}

// The formula of one axis with the learner's numbers, one line after the other.
function formula(axis, s, { title, start, end, cell }) {
  const { size, effective, output, zeros, before, after, ignored } = axis;
  const lines = [];
  if (s.padding === "valid") {
    const ratio = decimal((size - effective) / s.strides);
    lines.push(`${title}⌊(${size} − ${effective}) / ${s.strides}⌋ + 1 = ⌊${ratio}⌋ + 1 = ${output}`);
  } else {
    lines.push(`${title}⌈${size} / ${s.strides}⌉ = ⌈${decimal(size / s.strides)}⌉ = ${output}`);
    const reach = `(${output} − 1)·${s.strides} + ${effective} − ${size}`;
    const split = zeros > 0 ? `: ${before} ${start}, ${after} ${end}` : "";
    lines.push(`zeros ${start} and ${end}: max(0, ${reach}) = ${zeros}${split}`);
  }
  if (ignored > 0) lines.push(`ignored: the last ${ignored === 1 ? cell : plural(ignored, cell)}`);
  return lines;
}

function spanText(axis, place, strides, word) {
  const first = place * strides - axis.before;
  const last = first + axis.effective - 1;
  const zeros = Math.max(0, -first) + Math.max(0, last - axis.size + 1);
  return `${word} ${minus(first)} to ${minus(last)}${zeros ? ` (${plural(zeros, "zero")} among them)` : ""}`;
}

function sentence(axes, position, strides) {
  const horizontal = axes.at(-1);
  const j = position % horizontal.output;
  if (axes.length === 1) {
    return `Output ${j} reads ${spanText(horizontal, j, strides, "columns")}.`;
  }
  const i = Math.floor(position / horizontal.output) % axes[0].output;
  const rows = spanText(axes[0], i, strides, "rows");
  return `Output (${i}, ${j}) reads ${rows} and ${spanText(horizontal, j, strides, "columns")}.`;
}

function controls(model) {
  const presets = model.get("presets");
  const id = uniqueId("preset");
  const menu = node("select", { id }, node("option", { value: "" }, "choose …"));
  presets.forEach(({ name }, index) => menu.append(node("option", { value: index }, name)));
  menu.addEventListener("change", () => {
    if (menu.value === "") return;
    const { name, ...values } = presets[Number(menu.value)];
    put(model, { ...values, position: 0 });
  });
  const size = { min: 1, max: 128 };
  const height = slider(model, "height", { label: "rows", ...size });
  const views = [["row", "a row of cells"], ["grid", "a grid of cells"]];
  const paddings = [["valid", "valid: no zeros"], ["same", "same: just enough zeros"]];
  const example = node("div", { class: "cn-field" }, node("label", { for: id }, "example"), menu);
  const panel = node(
    "div",
    { class: "cn-controls" },
    group(
      "Input",
      example,
      choice(model, "view", { label: "view", options: views }),
      height,
      slider(model, "width", { label: "columns", ...size }),
      tick(model, "guess_first", { label: "let me guess the output first" }),
    ),
    group(
      "Layer",
      slider(model, "kernel_size", { label: "kernel f", min: 1, max: 11 }),
      slider(model, "strides", { label: "stride s", min: 1, max: 8 }),
      choice(model, "padding", { label: "padding", options: paddings }),
      slider(model, "dilation", { label: "dilation d", min: 1, max: 6 }),
    ),
  );
  // The menu names the example whose settings these are, if any.
  const matches = ({ name, guess_first, ...values }) =>
    Object.entries(values).every(([key, value]) => model.get(key) === value);
  const update = () => {
    height.hidden = model.get("view") === "row";
    const current = presets[menu.value];
    if (!current || !matches(current)) menu.value = "";
  };
  return { panel, update };
}

const LEGEND = [["ca-key-field", "field of one output"], ["ca-key-zero", "added zeros"],
  ["ca-key-odd", "side with one zero more"], ["ca-key-ignored", "ignored"]];

function legend() {
  const keys = LEGEND.map(([name, text]) =>
    node("li", {}, node("span", { class: `ca-key ${name}`, "aria-hidden": "true" }), text));
  return node("ul", { class: "ca-legend", "aria-label": "Legend" }, ...keys);
}

export function render({ model, el }) {
  const frame = node("div", { class: "ca-frame" });
  frame.innerHTML = '<svg role="img" class="ca-scene"></svg>';
  const svg = frame.firstChild;
  const message = node("p", { class: "cn-message", role: "status" });
  const now = node("p", { class: "ca-now", "aria-live": "polite" });
  const answer = node("div", { class: "ca-formula" });
  const { panel, update } = controls(model);
  let axes = [];
  let drawNeuron = null; // null while there are no outputs to show
  const count = () => axes.reduce((product, axis) => product * axis.output, 1);
  const step = (by) => put(model, { position: (model.get("position") + by + count()) % count() });
  const buttons = player(step, count);
  const guess = guessPanel(() => draw());

  const drawPosition = () => {
    if (!drawNeuron) return;
    const position = model.get("position") % count();
    drawNeuron(position);
    now.textContent = sentence(axes, position, model.get("strides"));
  };
  const draw = () => {
    const s = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
    const problem = problemOf(s);
    const guessing = !problem && model.get("guess_first");
    const hidden = guessing && !guess.solved();
    axes = problem ? [] : axesOf(s);
    update();
    guess.show(guessing ? axes : null, s);
    message.textContent = problem ?? "";
    frame.hidden = Boolean(problem);
    buttons.enable(!problem && !hidden);
    now.textContent = "";
    drawNeuron = null;
    if (!problem) {
      const drawField = drawScene(svg, axes, s, el.clientWidth || 640, hidden);
      svg.setAttribute("aria-label", describe(axes, hidden));
      if (!hidden) drawNeuron = drawField;
    }
    answer.replaceChildren(...(drawNeuron ? formulaBox(axes, s) : []));
    drawPosition();
  };
  const ask = () => {
    guess.reset();
    draw();
  };
  const parts = [panel, guess.panel, message, frame, legend(), buttons.bar, now, answer];
  el.append(node("div", { class: "cn-demo ca" }, ...parts));
  const undo = [watch(model, [...SETTINGS, "guess_first"], ask)];
  undo.push(watch(model, ["position"], drawPosition), onWidth(el, draw), buttons.stop);
  ask();
  return () => undo.forEach((f) => f());
}

function describe(axes, hidden) {
  const shape = (key) => axes.map((axis) => axis[key]).join(" × ");
  const result = hidden ? "an output to be guessed" : `an output of ${shape("output")}`;
  return `An input of ${shape("size")} cells and, above it, ${result}.`;
}

function formulaBox(axes, s) {
  const row = { start: "left", end: "right", cell: "column", title: "" };
  const words = [{ start: "top", end: "bottom", cell: "row", title: "rows: " },
    { ...row, title: "columns: " }];
  const lines = axes.flatMap((axis, k) => formula(axis, s, axes.length === 1 ? row : words[k]));
  const items = [...dilationLines(s), ...lines].map((line) => node("li", {}, line));
  const shape = axes.map((axis) => axis.output).join(" × ");
  return [
    node("p", { class: "ca-result" }, "output ", node("output", {}, shape)),
    node("ul", {}, ...items),
  ];
}

export default { render };
