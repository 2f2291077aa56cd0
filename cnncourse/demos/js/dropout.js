// DropoutDemo: sixteen units, a random share of them off, and the two ways to make up for it.
import { drawing, line, path, rect, scale, shown, text } from "./chart.js";
import { player } from "./player.js";
import { uniforms } from "./random.js";
import { choice, group, node, put, slider, watch } from "./ui.js";

const DRAWS = 300;
const NAMES = ["rate", "scaling", "phase", "draw"];
const meanOf = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;

// What leaves the layer in training, for one mask, and at prediction.
function layer(model) {
  const activations = model.get("activations");
  const [rate, scaling] = [model.get("rate"), model.get("scaling")];
  const keep = (100 - rate) / 100;
  const factor = scaling === "inverted" ? 1 / keep : 1;
  const trained = (draw) => {
    const drawn = uniforms(draw, activations.length);
    return activations.map((a, i) => (100 * drawn[i] < rate ? 0 : a * factor));
  };
  const predicted = activations.map((a) => a * (scaling === "classic" ? keep : 1));
  return { activations, keep, factor, trained, predicted };
}

function numbers(model) {
  const { trained, predicted } = layer(model);
  const draws = model.get("draw");
  let sum = 0;
  const running = Array.from({ length: draws }, (_, n) => (sum += meanOf(trained(n + 1))) / (n + 1));
  return { output: model.get("phase") === "training" ? trained(draws) : predicted, running };
}

function drawUnits(place, activations, output) {
  const y = scale([0, 4], [150, 10]);
  const parts = [line(8, 150, 632, 150, "cc-axis")];
  activations.forEach((before, i) => {
    const left = 16 + 38.5 * i;
    const after = Math.min(output[i], 4);
    parts.push(rect(left, y(before), 28, 150 - y(before), "cc-outline"));
    parts.push(rect(left + 6, y(after), 16, 150 - y(after), "cc-fill-blue"));
    parts.push(text(left + 14, 166, output[i] ? shown(output[i], 1) : "×"));
  });
  const off = output.filter((v) => v === 0).length;
  drawing(place, 640, 172, `Bars of 16 units before and after; ${off} are off`, parts);
}

function drawMeans(place, running, predicted) {
  const [x, y] = [scale([0, Math.max(10, running.length)], [44, 632]), scale([0, 2], [120, 14])];
  const parts = [line(44, 120, 632, 120, "cc-axis"), line(44, 8, 44, 120, "cc-axis")];
  for (const tick of [0, 1, 2]) parts.push(text(36, y(tick) + 4, tick, "end"));
  parts.push(text(338, 140, `masks drawn: ${running.length}`));
  parts.push(line(44, y(predicted), 632, y(predicted), "cc-orange"));
  const points = running.map((mean, n) => [x(n + 1), y(Math.min(mean, 2))]);
  parts.push(path(points.length > 1 ? points : [...points, [points[0][0] + 4, points[0][1]]], "cc-blue"));
  const last = shown(running.at(-1));
  drawing(place, 640, 146, `Mean output in training ${last}, at prediction ${shown(predicted)}`, parts);
}

function sentences(model, output, running) {
  const { activations, keep, factor, predicted } = layer(model);
  const [phase, scaling] = [model.get("phase"), model.get("scaling")];
  const off = output.filter((v) => v === 0).length;
  const now =
    phase === "training"
      ? `Training, mask ${model.get("draw")}: ${off} of ${activations.length} units are off, ` +
        `the others are multiplied by ${shown(factor, 4)}.`
      : `Prediction: no unit is off; all are multiplied by ${shown(scaling === "classic" ? keep : 1, 4)}.`;
  const means =
    `Mean output now ${shown(meanOf(output), 4)}; over all masks so far ${shown(running.at(-1), 4)}; ` +
    `at prediction ${shown(meanOf(predicted), 4)}.`;
  const fits = scaling !== "none" || keep === 1;
  const verdict = fits
    ? "In the long run, training and prediction agree: the next layer sees the same size."
    : `They do not agree: at prediction the next layer sees ${shown(1 / keep, 2)} times what it was trained with.`;
  return [now, means, verdict].map((words) => node("p", {}, words));
}

export function render({ model, el }) {
  const [units, means] = [node("div", {}), node("div", {})];
  const report = node("section", { class: "cn-readout", "aria-live": "polite", "aria-label": "what happens" });
  const move = (by) => put(model, { draw: ((model.get("draw") - 1 + by + DRAWS) % DRAWS) + 1 });
  const buttons = player(move, () => 60);
  const scalings = [
    ["inverted", "inverted: divide in training"],
    ["classic", "classic: multiply at prediction"],
    ["none", "forgotten"],
  ];
  const phases = [["training", "training"], ["prediction", "prediction"]];
  const root = node(
    "div",
    { class: "cn-demo" },
    node(
      "div",
      { class: "cn-controls" },
      group(
        "Dropout",
        slider(model, "rate", { label: "drop rate", min: 0, max: 90, step: 5, unit: " %" }),
        choice(model, "scaling", { label: "scaling", options: scalings }),
        choice(model, "phase", { label: "phase", options: phases }),
      ),
      group("Masks", slider(model, "draw", { label: "mask", min: 1, max: DRAWS }), buttons.bar),
    ),
    node("p", { class: "cc-key" }, "Outline: before dropout. Filled: after. ×: off."),
    units,
    node("p", { class: "cc-key" }, "Mean of the outputs. Solid: training, averaged over the masks so far. Dashed: prediction."),
    means,
    report,
  );
  el.append(root);
  const draw = () => {
    const { output, running } = numbers(model);
    const { activations, predicted } = layer(model);
    root.cnOutput = { output, running };
    drawUnits(units, activations, output);
    drawMeans(means, running, meanOf(predicted));
    report.replaceChildren(...sentences(model, output, running));
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
