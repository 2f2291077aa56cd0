// BatchNormDemo: a batch of numbers, normalised, scaled and shifted; training against inference.
import { dot, drawing, line, rect, scale, shown, text } from "./chart.js";
import { uniforms } from "./random.js";
import { choice, group, node, put, slider, watch } from "./ui.js";

const [EPSILON, MOMENTUM, REACH, BINS] = [1e-3, 0.99, 10, 40];
const NAMES = ["batch", "stretch", "shift", "last", "gamma", "beta", "phase", "steps"];
const meanOf = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;

function statisticsOf(values) {
  const mean = meanOf(values);
  return [mean, meanOf(values.map((v) => (v - mean) ** 2))];
}

function numbers(model) {
  const [batch, stretch, shift, last, gamma, beta, phase, steps] = NAMES.map((n) => model.get(n));
  const examples = batch === "four" ? [1, 2, 3, 4] : uniforms(5, 32).map((u) => 6 * u * u);
  const usual = examples.map((v) => stretch * v + shift);
  const values = usual.map((v, i) => (i === usual.length - 1 ? v + last : v));
  const old = MOMENTUM ** steps;
  const [m, v] = statisticsOf(usual);
  const moving = [(1 - old) * m, old + (1 - old) * v];
  const own = statisticsOf(values);
  const [mean, variance] = phase === "training" ? own : moving;
  const normal = values.map((x) => (x - mean) / Math.sqrt(variance + EPSILON));
  const output = normal.map((n) => gamma * n + beta);
  return { values, normal, output, moving, own, histograms: [values, normal, output].map(histogramOf) };
}

// How many values fall into each half unit; those beyond the reach go to the ends.
function histogramOf(values) {
  const counts = new Array(BINS).fill(0);
  for (const v of values) {
    const inside = Math.max(-REACH, Math.min(REACH, v));
    counts[Math.min(BINS - 1, Math.floor(((inside + REACH) * BINS) / (2 * REACH)))] += 1;
  }
  return counts;
}

// One dot per value and, above them, their histogram.
function row(values, counts, top, title) {
  const x = scale([-REACH, REACH], [8, 632]);
  const base = top + 74;
  const parts = [line(8, base, 632, base, "cc-axis"), text(8, top + 16, title, "start")];
  for (let tick = -REACH; tick <= REACH; tick += 5) {
    parts.push(line(x(tick), base, x(tick), base + 4, "cc-axis"));
    const anchor = { [-REACH]: "start", [REACH]: "end" }[tick] ?? "middle";
    parts.push(text(x(tick), base + 17, String(tick).replace("-", "−"), anchor));
  }
  values.forEach((v, i) => {
    const inside = Math.max(-REACH, Math.min(REACH, v));
    parts.push(dot(x(inside).toFixed(1), base - 6, i === values.length - 1 ? 6 : 4,
      i === values.length - 1 ? "cc-fill-orange" : "cc-fill-blue"));
  });
  const tall = 36 / Math.max(...counts, values.length / 4);
  const wide = 624 / BINS;
  counts.forEach((count, b) => {
    if (count) parts.push(rect(8 + b * wide, base - 14 - count * tall, wide - 1, count * tall, "cc-outline"));
  });
  return parts;
}

function sentences(model, { values, normal, output, moving, own }) {
  const phase = model.get("phase");
  const [mean, variance] = phase === "training" ? own : moving;
  const whose = phase === "training" ? "the batch's own" : `moving averages after ${model.get("steps")} steps,`;
  const spread = (v) => {
    const [m, s] = statisticsOf(v);
    return `mean ${shown(m)}, standard deviation ${shown(Math.sqrt(s))}`;
  };
  const lines = [
    `Statistics in use: ${whose} mean ${shown(mean, 4)}, variance ${shown(variance, 4)}.`,
    `In: ${spread(values)}. Normalised: ${spread(normal)}. Out: ${spread(output)}.`,
    `Moving averages: mean ${shown(moving[0], 4)}, variance ${shown(moving[1], 4)}.`,
  ];
  if (values.length === 4) {
    lines.push(`Normalised: ${normal.map((n) => shown(n, 4)).join(", ")}. Out: ${output.map((n) => shown(n, 4)).join(", ")}.`);
  }
  lines.push(
    phase === "training"
      ? "Move the last value (large, orange): all the others move too, since they share its mean and variance."
      : "Move the last value (large, orange): the others stay, since the statistics are fixed.",
  );
  return lines.map((words) => node("p", {}, words));
}

export function render({ model, el }) {
  const picture = node("div", {});
  const report = node("section", { class: "cn-readout", "aria-live": "polite", "aria-label": "numbers" });
  const number = (name, label, min, max, step = 0.1) => slider(model, name, { label, min, max, step });
  const home = { stretch: 1, shift: 0, last: 0, gamma: 1, beta: 0, phase: "training", steps: 500 };
  const reset = node("button", { type: "button", onclick: () => put(model, home) }, "Reset");
  const root = node(
    "div",
    { class: "cn-demo" },
    node(
      "div",
      { class: "cn-controls" },
      group(
        "Batch",
        choice(model, "batch", { label: "values", options: [["four", "1, 2, 3, 4"], ["many", "32, skewed"]] }),
        number("stretch", "stretch all", 0.1, 5),
        number("shift", "shift all", -10, 10),
        number("last", "move last", -10, 10),
      ),
      group("Learnt", number("gamma", "gamma", -3, 3), number("beta", "beta", -3, 3)),
      group(
        "Statistics",
        choice(model, "phase", {
          label: "phase",
          options: [["training", "training"], ["inference", "inference"]],
        }),
        number("steps", "steps seen", 0, 1000, 1),
        reset,
      ),
    ),
    node("p", { class: "cc-key" }, "A dot for each value; above them a histogram, how many in each half unit. Values beyond ±10 stand at the edge."),
    picture,
    report,
  );
  el.append(root);
  const draw = () => {
    const found = numbers(model);
    root.cnOutput = found;
    const parts = [
      ...row(found.values, found.histograms[0], 0, "in: x"),
      ...row(found.normal, found.histograms[1], 100, "normalised"),
      ...row(found.output, found.histograms[2], 200, "out: gamma · normalised + beta"),
    ];
    drawing(picture, 640, 296, "Three rows of dots, each below its histogram: values in, normalised, and out", parts);
    report.replaceChildren(...sentences(model, found));
  };
  draw();
  return watch(model, NAMES, draw);
}

export default { render };
