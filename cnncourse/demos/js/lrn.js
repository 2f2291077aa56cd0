// LrnDemo: drag the bars of sixteen maps; each holds down its neighbours.
import { group, node, put, slider, uniqueId, watch } from "./ui.js";
import { onWidth } from "./player.js";

const MAPS = 16;
const TOP = 100;
const NAMES = ["activations", "chosen", "n", "k", "alpha", "beta"];
const START = [30, 42, 55, 38, 50, 34, 46, 60, 52, 40, 28, 44, 36, 56, 48, 32];
const ALEXNET = { n: 5, k: 2, alpha: 1e-4, beta: 0.75 };
const TENSORFLOW = { n: 11, k: 1, alpha: 1, beta: 0.5 };
const HEIGHT = 280;
const GROUND = 212; // canvas y of a bar of height 0
const [BEFORE, FILL, AFTER] = ["#0072b2", "rgba(86, 180, 233, 0.3)", "#d55e00"];

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const ends = (i, half) => [Math.max(0, i - half), Math.min(MAPS - 1, i + half)];

export function normalise(a, half, { k, alpha, beta }) {
  // half: maps on either side that a map's sum takes in.
  return a.map((value, i) => {
    const [first, last] = ends(i, half);
    const sum = a.slice(first, last + 1).reduce((total, x) => total + x * x, 0);
    return value / (k + alpha * sum) ** beta;
  });
}

function bracket(c, [from, to], column, y, colour, dashes) {
  const [left, right] = [from * column + 4, (to + 1) * column - 4];
  c.strokeStyle = colour;
  c.lineWidth = 2.5;
  c.setLineDash(dashes);
  c.beginPath();
  c.moveTo(left, y - 5);
  c.lineTo(left, y);
  c.lineTo(right, y);
  c.lineTo(right, y - 5);
  c.stroke();
  c.setLineDash([]);
}

function paint(canvas, state, after) {
  const width = canvas.parentElement.clientWidth - 2;
  const scale = window.devicePixelRatio || 1;
  [canvas.width, canvas.height] = [Math.round(width * scale), HEIGHT * scale];
  canvas.style.height = `${HEIGHT}px`;
  const c = canvas.getContext("2d");
  c.scale(scale, scale);
  const ink = getComputedStyle(canvas).color;
  const column = width / MAPS;
  const y = (value) => GROUND - (value / TOP) * (GROUND - 10);
  c.textAlign = "center";
  state.activations.forEach((value, i) => {
    const [left, room] = [i * column, column];
    c.fillStyle = FILL;
    c.strokeStyle = BEFORE;
    c.lineWidth = 1.5;
    c.fillRect(left + room * 0.1, y(value), room * 0.8, GROUND - y(value));
    c.strokeRect(left + room * 0.1, y(value), room * 0.8, GROUND - y(value));
    c.fillStyle = AFTER;
    c.fillRect(left + room * 0.3, y(after[i]), room * 0.4, GROUND - y(after[i]));
    c.fillStyle = ink;
    c.font = `${i === state.chosen ? "700 " : ""}12px system-ui, sans-serif`;
    c.fillText(String(i), left + room / 2, GROUND + 16);
  });
  bracket(c, ends(state.chosen, Math.floor(state.n / 2)), column, GROUND + 34, AFTER, []);
  bracket(c, ends(state.chosen, state.n), column, GROUND + 56, ink, [5, 4]);
}

function report(state, after) {
  const { chosen: i, n, activations: a } = state;
  const half = Math.floor(n / 2);
  const [first, last] = ends(i, half);
  const [wideFirst, wideLast] = ends(i, n);
  const wrong = normalise(a, n, state)[i];
  const short = (value) => String(Number(value.toPrecision(4)));
  return [
    node("p", {}, `Map ${i}: ${short(a[i])} becomes `, node("strong", {}, short(after[i])),
      `. Its sum takes in maps ${first} to ${last}.`),
    node("p", {}, `Full width n = ${n} means ${half} on either side: write `,
      node("code", {}, `depth_radius=${half}`), ` in TensorFlow. With `,
      node("code", {}, `depth_radius=${n}`), ` the sum would take in maps ${wideFirst} to ` +
        `${wideLast} (dashed), and map ${i} would become ${short(wrong)}.`),
  ];
}

// A slider for α in powers of ten, in quarters of a power.
function powers(model) {
  const id = uniqueId("alpha");
  const input = node("input", { type: "range", id, min: -6, max: 0, step: 0.25 });
  const output = node("output", { for: id });
  const show = () => {
    const alpha = model.get("alpha");
    input.value = Math.log10(alpha);
    output.textContent = alpha.toExponential(1).replace(".0e", "e");
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => put(model, { alpha: 10 ** Number(input.value) }));
  model.on("change:alpha", show);
  show();
  return node("div", { class: "cn-field" }, node("label", { for: id }, "α"), input, output);
}

// The chosen map's height, as a slider: what dragging its bar does.
function heightSlider(model, setHeight) {
  const id = uniqueId("height");
  const input = node("input", { type: "range", id, min: 0, max: TOP });
  const output = node("output", { for: id });
  const show = () => {
    input.value = model.get("activations")[model.get("chosen")];
    output.textContent = input.value;
  };
  input.addEventListener("input", () => setHeight(model.get("chosen"), Number(input.value)));
  for (const name of ["activations", "chosen"]) model.on(`change:${name}`, show);
  show();
  return node("div", { class: "cn-field" }, node("label", { for: id }, "height"), input, output);
}

function listen(canvas, model, setHeight) {
  let held = null; // the map whose bar is dragged
  const drag = (event) => {
    const box = canvas.getBoundingClientRect();
    const value = ((GROUND - (event.clientY - box.top)) / (GROUND - 10)) * TOP;
    if (held === null) {
      held = clamp(Math.floor(((event.clientX - box.left) / box.width) * MAPS), 0, MAPS - 1);
    }
    setHeight(held, value);
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    drag(event);
  });
  canvas.addEventListener("pointermove", (event) => held !== null && drag(event));
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, () => (held = null));
  }
  canvas.addEventListener("keydown", (event) => {
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const upwards = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    const chosen = model.get("chosen");
    if (sideways) put(model, { chosen: clamp(chosen + sideways, 0, MAPS - 1) });
    else if (upwards) setHeight(chosen, model.get("activations")[chosen] + upwards);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

function controls(model, setHeight) {
  const button = (text, values) =>
    node("button", { type: "button", onclick: () => put(model, values) }, text);
  const all = (low, high) => ({ activations: START.map((_, i) => (i === 7 ? high : low)), chosen: 7 });
  return node(
    "div",
    { class: "cn-controls" },
    group(
      "The bars",
      slider(model, "chosen", { label: "map", min: 0, max: MAPS - 1 }),
      heightSlider(model, setHeight),
      node("div", { class: "ln-buttons" },
        button("one strong map", all(40, 100)), button("all alike", all(40, 40)),
        button("as at first", { activations: [...START], chosen: 7 })),
      node("p", { class: "cn-note" },
        "Drag a bar up or down. Or focus the picture: left and right choose a map, up and down " +
          "(Page Up, Page Down) change its height."),
    ),
    group(
      "The constants",
      slider(model, "n", { label: "width n", min: 1, max: 15 }),
      slider(model, "k", { label: "k", min: 1, max: 10, step: 0.5 }),
      powers(model),
      slider(model, "beta", { label: "β", min: 0, max: 1.5, step: 0.05 }),
      node("div", { class: "ln-buttons" },
        button("AlexNet's", ALEXNET), button("TensorFlow's defaults", TENSORFLOW)),
    ),
  );
}

function key() {
  const part = (style, text) => node("span", {}, node("i", { style }), text);
  return node("p", { class: "ln-key" },
    part(`background: ${FILL}; border: 1.5px solid ${BEFORE}`, "before"),
    part(`background: ${AFTER}`, "after"),
    part(`border-bottom: 3px solid ${AFTER}`, "window of n maps"),
    part("border-bottom: 2px dashed currentColor", "window of depth_radius = n"));
}

export function render({ model, el }) {
  const canvas = node("canvas", {
    class: "ln-bars",
    tabindex: 0,
    role: "application",
    "aria-label": "bars of 16 maps; left and right choose a map, up and down change its height",
  });
  const setHeight = (i, value) => {
    const activations = [...model.get("activations")];
    activations[i] = clamp(Math.round(value), 0, TOP);
    put(model, { activations, chosen: i });
  };
  const readout = node("div", { "aria-live": "polite" });
  const frame = node("div", {}, canvas);
  const root = node("div", { class: "cn-demo ln" }, frame, key(),
    node("section", { class: "cn-readout", "aria-label": "the chosen map" }, readout),
    controls(model, setHeight));
  const draw = () => {
    const state = Object.fromEntries(NAMES.map((name) => [name, model.get(name)]));
    const after = normalise(state.activations, Math.floor(state.n / 2), state);
    paint(canvas, state, after);
    readout.replaceChildren(...report(state, after));
    root.cnAfter = after;
  };
  listen(canvas, model, setHeight);
  el.append(root);
  draw();
  const undo = [watch(model, NAMES, draw), onWidth(frame, draw)];
  return () => undo.forEach((stop) => stop());
}

export default { render };
