// KernelLearnDemo: gradient descent finds a hidden kernel from one picture and one map.
import { drawGrid, paintMap, resize, signed } from "./colour.js";
import { preset } from "./kernels.js";
import { player } from "./player.js";
import { choice, group, node, put, slider, watch } from "./ui.js";

const MOST_STEPS = 400;
const TOO_LARGE = 1e4;
const CHART = [300, 150];

function correlate(x, w) {
  // "valid", both as rows of numbers
  const size = x.length - w.length + 1;
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j) => {
      let sum = 0;
      for (let u = 0; u < w.length; u++) {
        for (let v = 0; v < w.length; v++) sum += w[u][v] * x[i + u][j + v];
      }
      return sum;
    }),
  );
}

export function learnPath(x, start, goal, rate, steps) {
  // -> {kernels, losses}: after 0, 1, …, steps steps, or up to the first loss that is too large
  const target = correlate(x, preset(goal, 3));
  const [kernels, losses] = [[], []];
  let w = start;
  for (;;) {
    const error = correlate(x, w).map((row, i) => row.map((y, j) => y - target[i][j]));
    const count = error.length ** 2;
    const loss = error.flat().reduce((sum, e) => sum + e * e, 0) / count;
    kernels.push(w);
    losses.push(loss);
    if (losses.length > steps || loss > TOO_LARGE) return { kernels, losses, target };
    const gradient = correlate(x, error);
    w = w.map((row, u) => row.map((value, v) => value - (rate * 2 * gradient[u][v]) / count));
  }
}

function drawLosses(canvas, losses) {
  // The curve on a logarithmic scale, 10,000 at the top, a millionth at the bottom.
  const [width, height] = CHART;
  const sharp = window.devicePixelRatio || 1;
  resize(canvas, Math.round(width * sharp), Math.round(height * sharp));
  const c = canvas.getContext("2d");
  c.setTransform(sharp, 0, 0, sharp, 0, 0);
  c.clearRect(0, 0, width, height);
  const ink = getComputedStyle(canvas).color;
  const y = (loss) => 6 + ((4 - Math.log10(Math.max(loss, 1e-6))) / 10) * (height - 12);
  c.font = "11px system-ui, sans-serif";
  c.textBaseline = "middle";
  for (const [loss, text] of [[100, "100"], [1, "1"], [0.01, "0.01"], [1e-4, "0.0001"]]) {
    c.globalAlpha = 0.25;
    c.fillStyle = ink;
    c.fillRect(44, y(loss), width - 44, 1);
    c.globalAlpha = 1;
    c.fillText(text, 2, y(loss));
  }
  c.strokeStyle = "#d55e00";
  c.lineWidth = 2;
  c.beginPath();
  const span = Math.max(50, losses.length - 1);
  losses.forEach((loss, i) => c.lineTo(46 + (i / span) * (width - 52), y(loss)));
  c.stroke();
  c.fillStyle = "#d55e00";
  const last = losses.length - 1;
  c.fillRect(44 + (last / span) * (width - 52), y(losses[last]) - 2, 5, 5);
}

const map = (label) => node("canvas", { class: "cn-pixels", role: "img", "aria-label": label });

function figure(canvas, text) {
  return node("figure", {}, canvas, node("figcaption", {}, text));
}

export function render({ model, el }) {
  const input = map("the picture");
  const wanted = map("the wanted map");
  const now = map("the map of the kernel that learns");
  for (const canvas of [input, wanted, now]) canvas.style.imageRendering = "pixelated";
  const grid = (label) => node("canvas", { role: "img", "aria-label": label });
  const learning = grid("the kernel that learns");
  const hidden = grid("the hidden kernel");
  const chart = map("the loss after each step, on a logarithmic scale");
  chart.style.maxWidth = `${CHART[0]}px`;
  const report = node("p", { class: "cl-report", "aria-live": "polite" });
  const message = node("p", { class: "cn-message", role: "status" });

  const run = (steps) => {
    const [x, start] = [model.get("pictures")[model.get("picture")], model.get("start")];
    return learnPath(x, start, model.get("goal"), model.get("learning_rate"), steps);
  };
  const move = (by) => {
    const steps = Math.max(0, Math.min(MOST_STEPS, model.get("steps") + by));
    const made = run(steps).losses.length - 1; // fewer where the loss has exploded
    if (made === model.get("steps")) buttons.stop();
    put(model, { steps: made });
  };
  const buttons = player(move, () => MOST_STEPS);
  const again = () => {
    buttons.stop();
    put(model, { steps: 0 });
  };
  buttons.bar.prepend(node("button", { type: "button", onclick: again }, "Restart"));

  const draw = () => {
    const x = model.get("pictures")[model.get("picture")];
    const { kernels, losses, target } = run(model.get("steps"));
    const kernel = kernels[kernels.length - 1];
    const loss = losses[losses.length - 1];
    const goal = preset(model.get("goal"), 3);
    paintMap(input, x.flat(), x.length, x.length);
    paintMap(wanted, target.flat(), target.length, target.length);
    paintMap(now, correlate(x, kernel).flat(), target.length, target.length);
    const scale = Math.max(...goal.flat().map(Math.abs));
    const text = (value) => signed(value, 1);
    drawGrid(learning, kernel, { cell: 46, scale, text });
    drawGrid(hidden, goal, { cell: 46, scale, text });
    drawLosses(chart, losses);
    root.cnOutput = { kernel, losses };
    const gaps = kernel.flatMap((row, u) => row.map((w, v) => Math.abs(w - goal[u][v])));
    const shown = [loss, Math.max(...gaps)].map((value) => Number(value.toPrecision(3)));
    report.textContent =
      `Step ${losses.length - 1}: loss ${shown[0]}; ` +
      `the weights are off by ${shown[1]} at most.`;
    const grows = losses.length > 3 && loss > losses[0];
    message.textContent = grows
      ? "The loss grows: each step leaps over the valley. Take a smaller learning rate."
      : "";
  };

  const afresh = (name) => (value) => {
    buttons.stop();
    put(model, { [name]: value, steps: 0 });
  };
  const words = (name) => name.replace("_", " ");
  const goals = ["sobel_x", "sobel_y", "laplacian", "sharpen", "box"].map((n) => [n, words(n)]);
  const root = node(
    "div",
    { class: "cn-demo cl" },
    node(
      "div",
      { class: "cl-maps" },
      figure(input, "picture x"),
      figure(wanted, "wanted map t"),
      figure(now, "present map y"),
    ),
    buttons.bar,
    message,
    node("div", { class: "cn-readout" }, report),
    node(
      "div",
      { class: "cl-maps" },
      figure(learning, "kernel that learns"),
      figure(hidden, "hidden kernel"),
      figure(chart, "loss by step"),
    ),
    node(
      "div",
      { class: "cn-controls" },
      group(
        "Descent",
        slider(model, "learning_rate", {
          label: "learning rate",
          min: 0.01,
          max: 1.2,
          step: 0.01,
          change: afresh("learning_rate"),
        }),
      ),
      group(
        "Task",
        choice(model, "picture", {
          label: "picture",
          options: [
            ["noise", "noise"],
            ["photo", "photograph"],
          ],
          change: afresh("picture"),
        }),
        choice(model, "goal", { label: "hidden", options: goals, change: afresh("goal") }),
      ),
    ),
  );
  el.append(root);
  buttons.enable(true);
  draw();
  const undo = watch(model, ["picture", "goal", "learning_rate", "steps"], draw);
  return () => {
    buttons.stop();
    undo();
  };
}

export default { render };
