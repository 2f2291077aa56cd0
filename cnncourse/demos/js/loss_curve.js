// LossCurveDemo: read the curves of real trainings, and say what went wrong.
import { drawing, line, path, scale, shown, text } from "./chart.js";
import { choice, group, node, put, tick, watch } from "./ui.js";

const LETTERS = "ABCDEF";
const DIAGNOSES = {
  good: "healthy",
  overfit: "overfits",
  underfit: "underfits",
  "too large": "learning rate too large",
  "too small": "learning rate too small",
};
// What a reader who chose this has overlooked, when it is not so.
const LOOK_AGAIN = {
  good: "A healthy training ends with both curves low, close together and nearly level.",
  overfit: "Overfitting shows as a gap: the training loss goes towards 0 while the validation loss stays well above, or rises.",
  underfit: "Underfitting: both curves are level, close together, and high. More epochs would not help.",
  "too large": "A learning rate that is too large makes the loss jump from epoch to epoch, or settle high.",
  "too small": "A learning rate that is too small gives smooth curves that still fall at the end, far from where they could be.",
};

function summary(chosen) {
  const { training, validation } = chosen;
  const lowest = Math.min(...validation);
  return {
    epoch: validation.indexOf(lowest) + 1,
    lowest,
    training: training.at(-1),
    validation: validation.at(-1),
    gap: validation.at(-1) - training.at(-1),
  };
}

function drawCurves(place, chosen, log) {
  const values = [...chosen.training, ...chosen.validation];
  const most = Math.max(...values);
  const height = (v) => (log ? Math.log10(Math.max(v, 1e-3)) : v);
  const ticks = log ? [0.001, 0.01, 0.1, 1, 10, 100].filter((v) => v < most * 10) : [0, 0.25, 0.5, 0.75, 1].map((s) => s * most);
  const y = scale([height(ticks[0]), height(ticks.at(-1))], [250, 12]);
  const x = scale([1, chosen.training.length], [58, 620]);
  const parts = [line(52, 250, 632, 250, "cc-axis"), line(52, 12, 52, 250, "cc-axis")];
  for (const v of ticks) parts.push(text(46, y(height(v)) + 4, log ? v : shown(v), "end"));
  for (let n = 10; n <= chosen.training.length; n += 10) parts.push(text(x(n), 268, n));
  parts.push(text(341, 286, "epoch"));
  const points = (curve) => curve.map((v, n) => [x(n + 1), y(height(v))]);
  parts.push(path(points(chosen.training), "cc-blue"), path(points(chosen.validation), "cc-orange"));
  const s = summary(chosen);
  drawing(place, 640, 292, `Loss per epoch: training ends at ${shown(s.training)}, validation at ${shown(s.validation)}`, parts);
}

function verdict(chosen, guess) {
  if (!guess) return [node("p", {}, "Look at the curves, then choose a diagnosis.")];
  if (guess !== chosen.diagnosis) {
    return [node("p", { class: "cc-verdict" }, "Look again."), node("p", {}, LOOK_AGAIN[guess])];
  }
  const { images, hidden, learning_rate: rate, dropout, l2, accuracy } = chosen;
  const settings =
    `${images} training images, hidden units ${hidden.join(" and ")}, learning rate ${rate}, ` +
    `dropout ${dropout}, L2 ${l2}. Validation accuracy at the end: ${(100 * accuracy).toFixed(1)} %.`;
  return [
    node("p", { class: "cc-verdict" }, `Right: ${DIAGNOSES[guess]}.`),
    node("p", {}, settings),
    node("p", {}, chosen.remedy),
  ];
}

export function render({ model, el }) {
  const cases = model.get("cases");
  const picture = node("div", {});
  const facts = node("p", {});
  const answer = node("section", { class: "cn-readout", role: "status", "aria-label": "diagnosis" });
  const options = Object.entries(DIAGNOSES);
  const root = node(
    "div",
    { class: "cn-demo" },
    node(
      "div",
      { class: "cn-controls" },
      group(
        "Training",
        choice(model, "case", {
          label: "show",
          options: cases.map((_, n) => [n, LETTERS[n]]),
          change: (n) => put(model, { case: Number(n), guess: "" }),
        }),
        tick(model, "log", { label: "logarithmic scale" }),
      ),
      group(
        "Your diagnosis",
        choice(model, "guess", { label: "it is", options: [["", "choose …"], ...options] }),
      ),
    ),
    node("p", { class: "cc-key" }, "Solid, blue: training loss. Dashed, orange: validation loss."),
    picture,
    facts,
    answer,
  );
  el.append(root);
  const draw = () => {
    const chosen = cases[model.get("case")];
    const s = summary(chosen);
    root.cnOutput = s;
    drawCurves(picture, chosen, model.get("log"));
    facts.textContent =
      `At the end: training ${shown(s.training, 4)}, validation ${shown(s.validation, 4)}, ` +
      `gap ${shown(s.gap, 4)}. Lowest validation loss: ${shown(s.lowest, 4)} in epoch ${s.epoch}.`;
    answer.replaceChildren(...verdict(chosen, model.get("guess")));
  };
  draw();
  return watch(model, ["case", "guess", "log"], draw);
}

export default { render };
