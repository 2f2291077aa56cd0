// LadderDemo: sprites, and how many of them four trained networks name rightly.
import { choice, group, node, put, uniqueId, watch } from "./ui.js";

const SIDE = 32; // of a sprite
const CLASSES = ["tree", "car"];
const NAMES = ["trained_on", "shift", "rotation", "clutter"];

export function settingOf(table, { shift, rotation, clutter }) {
  // Which row of the table and of the sheet belongs to the sliders.
  const { scales } = table;
  const place = (name, value) => scales[name].indexOf(value);
  const row = place("shift", shift) * scales.rotation.length + place("rotation", rotation);
  return row * scales.clutter.length + place("clutter", clutter);
}

const meanOf = (values) => values.reduce((a, b) => a + b, 0) / values.length;

function stepped(model, name, { label, values, unit }) {
  // A slider over the few values that were measured.
  const id = uniqueId(name);
  const input = node("input", { type: "range", id, min: 0, max: values.length - 1, step: 1 });
  const value = node("output", { for: id });
  const show = () => {
    input.value = values.indexOf(model.get(name));
    value.textContent = `${model.get(name)}${unit}`;
    input.setAttribute("aria-valuetext", `up to ${value.textContent}`);
  };
  input.addEventListener("input", () => put(model, { [name]: values[Number(input.value)] }));
  model.on(`change:${name}`, show);
  show();
  return node("div", { class: "cn-field" }, node("label", { for: id }, label), input, value);
}

function bar(name, runs) {
  // The mean as a bar, a tick for each training run, and a line at guessing.
  const mean = meanOf(runs);
  const fill = node("span", { class: "cl-fill" });
  fill.style.width = `${mean}%`;
  const ticks = runs.map((run) => {
    const mark = node("span", { class: "cl-run" });
    mark.style.left = `${run}%`;
    return mark;
  });
  const range = `${Math.min(...runs).toFixed(1)} to ${Math.max(...runs).toFixed(1)}`;
  return node(
    "li",
    { class: "cl-line" },
    node("span", { class: "cl-name" }, name),
    node("span", { class: "cl-track", "aria-hidden": "true" }, fill, ...ticks, node("span", { class: "cl-guess" })),
    node("span", { class: "cl-value" }, `${mean.toFixed(1)} % (${range})`),
  );
}

function answers(table, kind, setting) {
  // What the first run of each network says to the sprites that are shown.
  const labels = [...table.labels[setting]];
  const head = labels.map((label) => node("th", { scope: "col" }, CLASSES[label]));
  const rows = table.networks.map((name, k) => {
    const said = [...table.answers[kind][setting][k]];
    const cells = said.map((answer, n) => {
      const right = answer === labels[n];
      return node("td", { class: right ? "" : "cl-wrong" }, right ? "✓" : `✗ ${CLASSES[answer]}`);
    });
    return node("tr", {}, node("th", { scope: "row" }, name), ...cells);
  });
  return [
    node("thead", {}, node("tr", {}, node("th", { scope: "col" }, "it is a"), ...head)),
    node("tbody", {}, ...rows),
  ];
}

async function loadSheet(model) {
  const view = model.get("sheet");
  const bytes = new Uint8Array(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength);
  return createImageBitmap(new Blob([bytes], { type: "image/png" }));
}

function drawSprites(canvas, sheet, setting, shown) {
  const c = canvas.getContext("2d");
  c.imageSmoothingEnabled = false;
  const scale = canvas.height / SIDE;
  for (let n = 0; n < shown; n++) {
    const left = n * (SIDE * scale + 8);
    c.drawImage(sheet, n * SIDE, setting * SIDE, SIDE, SIDE, left, 0, SIDE * scale, SIDE * scale);
  }
}

export async function render({ model, el }) {
  const table = model.get("table");
  const { scales, shown, networks } = table;
  const tall = SIDE * 5;
  const canvas = node("canvas", {
    width: shown * (tall + 8) - 8,
    height: tall,
    class: "cl-sprites",
    role: "img",
    "aria-label": "six of the test sprites",
  });
  const bars = node("ul", { class: "cl-bars", "aria-label": "accuracy of the networks" });
  const said = node("table", { class: "cl-answers" });
  const report = node("p", { "aria-live": "polite" });
  let sheet = null;
  const draw = () => {
    const state = Object.fromEntries(NAMES.map((name) => [name, model.get(name)]));
    const setting = settingOf(table, state);
    const runs = table.accuracy[state.trained_on][setting];
    bars.replaceChildren(...networks.map((name, k) => bar(name, runs[k])));
    said.replaceChildren(...answers(table, state.trained_on, setting));
    const means = runs.map((run, k) => `${networks[k]} ${meanOf(run).toFixed(1)} %`);
    report.textContent = `Right answers: ${means.join(", ")}. Guessing gives 50 %.`;
    if (sheet) drawSprites(canvas, sheet, setting, shown);
  };
  el.append(
    node(
      "div",
      { class: "cn-demo cl" },
      node(
        "div",
        { class: "cl-scroll", tabindex: 0, role: "region", "aria-label": "answers to six of the test sprites" },
        canvas,
        said,
      ),
      node(
        "div",
        { class: "cn-controls" },
        group(
          "Test sprites",
          stepped(model, "shift", { label: "shift ≤", values: scales.shift, unit: " px" }),
          stepped(model, "rotation", { label: "rotation ≤", values: scales.rotation, unit: "°" }),
          stepped(model, "clutter", { label: "clutter", values: scales.clutter, unit: "" }),
        ),
        group(
          "Training sprites",
          choice(model, "trained_on", {
            label: "were",
            options: [
              ["still", "still: upright, in the middle"],
              ["varied", "varied: moved, turned, cluttered"],
            ],
          }),
          node("p", { class: "cn-note" }, "1,200 of them. What the networks are tested on is what the sliders say."),
        ),
      ),
      node("section", { class: "cn-readout", "aria-label": "accuracy" }, report, bars,
        node("p", { class: "cn-note" }, "500 new sprites; the bar is the mean of three training runs, each tick one run, the dashed line guessing.")),
    ),
  );
  const undo = watch(model, NAMES, draw);
  draw();
  sheet = await loadSheet(model);
  draw();
  return undo;
}

export default { render };
