// CortexDemo: a bar that can be dragged and turned, and the model neurons that it wakes.
import { ANGLES, AWAKE, FIELDS, LAYERS, PATTERNS, SIDE, answer, see, strongest } from "./cortex_model.js";
import { choice, group, node, put, slider, watch } from "./ui.js";

const ACCENT = "#d55e00";
const RINGS = { simple: "#e69f00", complex: "#56b4e9", pattern: "#ffffff" };
const SCALE = 8; // canvas pixels per pixel of the scene
const NAMES = ["stimulus", "column", "row", "angle", "length"];
const radians = (degrees) => (degrees * Math.PI) / 180;

function drawScene(canvas, image, winners, state) {
  const c = canvas.getContext("2d");
  for (let i = 0; i < SIDE; i++) {
    for (let j = 0; j < SIDE; j++) {
      const grey = Math.round(40 + 200 * image[i * SIDE + j]);
      c.fillStyle = `rgb(${grey}, ${grey}, ${grey})`;
      c.fillRect(j * SCALE, i * SCALE, SCALE, SCALE);
    }
  }
  c.lineWidth = 4;
  c.font = "26px system-ui, sans-serif";
  LAYERS.forEach((name, number) => {
    const { size, jump } = FIELDS[name];
    const { row, column, value } = winners[name];
    if (value < AWAKE) return;
    const [x, y] = [column, row].map((n) => (n * jump + size / 2) * SCALE);
    const radius = (size / 2) * SCALE - 3;
    c.strokeStyle = c.fillStyle = RINGS[name];
    c.setLineDash([14, 10]);
    c.beginPath();
    c.arc(x, y, radius, 0, 2 * Math.PI);
    c.stroke();
    c.fillText(String(number + 1), x + radius * 0.72, y - radius * 0.72);
  });
  const [x, y] = handle(state).map((n) => (n + 0.5) * SCALE);
  c.setLineDash([]);
  c.beginPath();
  c.arc(x, y, 11, 0, 2 * Math.PI);
  c.fillStyle = ACCENT;
  c.fill();
  c.strokeStyle = "#fff";
  c.stroke();
}

function handle({ column, row, angle, length }) {
  // The knob at the stroke's end, kept inside the picture: [x, y] in pixels.
  const inside = (n) => Math.min(SIDE - 2, Math.max(1, n));
  const reach = length / 2;
  return [
    inside(column + reach * Math.cos(radians(angle))),
    inside(row - reach * Math.sin(radians(angle))),
  ];
}

function drawNeurons(canvas, answers, name) {
  // A star of strokes per place, one stroke per neuron; the stronger its answer, the thicker.
  const c = canvas.getContext("2d");
  const cell = canvas.width / FIELDS[name].side;
  const pattern = name === "pattern"; // two icons side by side, of two strokes each
  const reach = (pattern ? 0.2 : 0.4) * cell;
  c.clearRect(0, 0, canvas.width, canvas.height);
  c.lineCap = "round";
  const stroke = (x, y, turn, value) => {
    c.strokeStyle = value >= AWAKE ? ACCENT : "#8a8a8a";
    c.lineWidth = (reach / 40) * (1 + 14 * Math.min(1, value));
    const [dx, dy] = [reach * Math.cos(radians(turn)), reach * Math.sin(radians(turn))];
    c.beginPath();
    c.moveTo(x - dx, y + dy);
    c.lineTo(x + dx, y - dy);
    c.stroke();
  };
  answers.forEach((row, i) =>
    row.forEach((values, j) => {
      c.fillStyle = values.some((value) => value >= AWAKE) ? "#fbe3d2" : "#f4f4f4";
      c.fillRect(j * cell + 1, i * cell + 1, cell - 2, cell - 2);
      values.forEach((value, kind) => {
        const x = (j + (pattern ? 0.25 + kind / 2 : 0.5)) * cell;
        const turns = pattern ? PATTERNS[kind] : [kind];
        for (const k of turns) stroke(x, (i + 0.5) * cell, ANGLES[k], value);
      });
    }),
  );
}

function sentence(answers, winners) {
  const awake = LAYERS.map((name) => {
    const all = answers[name].flat(2);
    return `${all.filter((value) => value >= AWAKE).length} of ${all.length} ${name} neurons`;
  });
  const { row, column, kind, value } = winners.simple;
  const best =
    value < AWAKE
      ? "No simple neuron finds its stroke in its field."
      : `The strongest simple neuron is in row ${row}, column ${column}; it prefers ` +
        `${ANGLES[kind]}° and answers ${value.toFixed(2)}.`;
  return `Awake: ${awake.join(", ")}. ${best}`;
}

function listen(canvas, model) {
  const inside = (n) => Math.min(SIDE - 1, Math.max(0, Math.round(n)));
  const turned = (degrees) => ((Math.round(degrees) % 180) + 180) % 180;
  const spot = (event) => {
    const box = canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) / box.width) * SIDE,
      ((event.clientY - box.top) / box.height) * SIDE,
    ];
  };
  const current = () => Object.fromEntries(NAMES.map((name) => [name, model.get(name)]));
  let grip = null; // "turn", or where the middle is relative to the pointer
  canvas.addEventListener("pointerdown", (event) => {
    const [x, y] = spot(event);
    const [hx, hy] = handle(current());
    canvas.setPointerCapture(event.pointerId);
    if (Math.hypot(x - hx - 0.5, y - hy - 0.5) < 4) grip = "turn";
    else grip = [model.get("column") - x, model.get("row") - y];
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!grip) return;
    const [x, y] = spot(event);
    if (grip === "turn") {
      const [dx, dy] = [x - model.get("column") - 0.5, model.get("row") + 0.5 - y];
      put(model, { angle: turned((Math.atan2(dy, dx) * 180) / Math.PI) });
    } else put(model, { column: inside(x + grip[0]), row: inside(y + grip[1]) });
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, () => (grip = null));
  }
  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
    const turns = { PageUp: 15, PageDown: -15 };
    if (event.key in moves) {
      const [dx, dy] = moves[event.key];
      put(model, { column: inside(model.get("column") + dx), row: inside(model.get("row") + dy) });
    } else if (event.key in turns) {
      put(model, { angle: turned(model.get("angle") + turns[event.key]) });
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

function controls(model) {
  return node(
    "div",
    { class: "cn-controls" },
    group(
      "What the eye sees",
      choice(model, "stimulus", {
        label: "show",
        options: [["bar", "a bar"], ["corner", "a corner"], ["cross", "a cross"]],
      }),
      slider(model, "angle", { label: "angle", min: 0, max: 179, unit: "°" }),
      slider(model, "length", { label: "length", min: 5, max: 61, unit: " px" }),
    ),
    group(
      "Where",
      slider(model, "column", { label: "column", min: 0, max: SIDE - 1 }),
      slider(model, "row", { label: "row", min: 0, max: SIDE - 1 }),
      node(
        "p",
        { class: "cn-note" },
        "Drag the bar to move it, the orange knob to turn it. Or press arrow keys on the picture, " +
          "Page Up and Page Down to turn.",
      ),
    ),
  );
}

export function render({ model, el }) {
  const scene = node("canvas", {
    width: SIDE * SCALE,
    height: SIDE * SCALE,
    class: "cn-pixels cn-grab",
    tabindex: 0,
    role: "application",
    "aria-label": "the field of view; arrow keys move the bar, Page Up and Page Down turn it",
  });
  const canvases = LAYERS.map((name) =>
    node("canvas", { width: 504, height: 504, class: "cx-layer", role: "img", "aria-label": `${name} neurons` }),
  );
  const report = node("p", { "aria-live": "polite" });
  const captions = [
    "1 · simple: 11 × 11 places, 4 angles, fields of 23 pixels",
    "2 · complex: 3 × 3 places, 4 angles, fields of 39",
    "3 · pattern: 2 × 2 places, 2 crossings, fields of 51",
  ];
  const draw = () => {
    const state = Object.fromEntries(NAMES.map((name) => [name, model.get(name)]));
    const image = see(state);
    const answers = answer(image);
    const winners = Object.fromEntries(LAYERS.map((name) => [name, strongest(answers[name])]));
    drawScene(scene, image, winners, state);
    canvases.forEach((canvas, n) => drawNeurons(canvas, answers[LAYERS[n]], LAYERS[n]));
    report.textContent = sentence(answers, winners);
    root.cnAnswers = answers;
  };
  const figure = (canvas, text) => node("figure", {}, canvas, node("figcaption", {}, text));
  const root = node(
    "div",
    { class: "cn-demo cx" },
    node(
      "div",
      { class: "cx-panels" },
      figure(scene, "the field of view; dashed: the field of the strongest neuron of each layer"),
      ...canvases.map((canvas, n) => figure(canvas, captions[n])),
    ),
    node("section", { class: "cn-readout", "aria-label": "which neurons answer" }, report),
    controls(model),
  );
  listen(scene, model);
  el.append(root);
  draw();
  return watch(model, NAMES, draw);
}

export default { render };
