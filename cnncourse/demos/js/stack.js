// StackDemo: what one neuron of the second layer sees, through every map, down to the photo.
import { choice, group, node, put, slider, watch } from "./ui.js";
import { onWidth, player } from "./player.js";
import { block, firstFilters, layer, receptiveField, secondFilters } from "./stack_network.js";
import { arrange, colourPicture, grayPicture, paint } from "./stack_scene.js";
import { drawNumbers, numbersShape } from "./stack_numbers.js";

const SIDE = 40;
const PHOTOS = ["china", "flower"];
const LAYERS = ["photo", "kernel_size_1", "strides_1", "kernel_size_2", "strides_2"];
const NEURON = ["row", "column", "feature_map"];
const HELP = "Arrow keys move the chosen neuron, Page Up and Page Down change its map.";
const MOVES = {
  ArrowUp: [-1, 0, 0],
  ArrowDown: [1, 0, 0],
  ArrowLeft: [0, -1, 0],
  ArrowRight: [0, 1, 0],
  PageUp: [0, 0, -1],
  PageDown: [0, 0, 1],
};

function cropOf(model) {
  const crop = block(SIDE, SIDE, 3);
  const start = PHOTOS.indexOf(model.get("photo")) * crop.data.length;
  const { buffer, byteOffset } = model.get("pixels");
  const bytes = new Uint8Array(buffer, byteOffset + start, crop.data.length);
  bytes.forEach((value, n) => (crop.data[n] = value / 255));
  return crop;
}

export function computeMaps(model) {
  const [, k1, s1, k2, s2] = LAYERS.map((name) => model.get(name));
  const image = cropOf(model);
  const first = layer(image, k1, s1, firstFilters(k1), 4);
  return [image, first, layer(first, k2, s2, secondFilters(k2), 3)];
}

function picturesOf([image, first, second]) {
  const gray = (map) => {
    return Array.from({ length: map.channels }, (_, n) => grayPicture(map, n));
  };
  return [[colourPicture(image)], gray(first), gray(second)];
}

// Choosing from a list of numbers: a select whose values are numbers in the model.
function numberChoice(model, name, label, numbers) {
  const options = numbers.map((n) => [n, `${n} × ${n}`]);
  const change = (text) => put(model, { [name]: Number(text) });
  return choice(model, name, { label, options, change });
}

function controls(model) {
  const modes = [["photo", "photo"], ["numbers", "small numbers"]];
  const photo = choice(model, "photo", { label: "photo", options: PHOTOS.map((p) => [p, p]) });
  const layers = [1, 2].map((n) =>
    group(
      `Layer ${n}`,
      numberChoice(model, `kernel_size_${n}`, "kernel", n === 1 ? [3, 5, 7] : [1, 3, 5]),
      slider(model, `strides_${n}`, { label: "stride", min: 1, max: 3 }),
    ));
  const neuron = [
    slider(model, "feature_map", { label: "map", min: 0, max: 2 }),
    slider(model, "row", { label: "row", min: 0, max: 1 }),
    slider(model, "column", { label: "column", min: 0, max: 1 }),
  ];
  const panel = node(
    "div",
    { class: "cn-controls" },
    group("Picture", choice(model, "mode", { label: "view", options: modes }), photo),
    ...layers,
    group("Output neuron", ...neuron),
  );
  const limit = ([rows, columns, maps]) => {
    [maps, rows, columns].forEach((size, n) => {
      const input = neuron[n].querySelector("input");
      input.max = size - 1;
      input.value = model.get(["feature_map", "row", "column"][n]);
      neuron[n].querySelector("output").textContent = input.value;
    });
    for (const part of [photo, ...layers]) part.hidden = model.get("mode") !== "photo";
  };
  return { panel, limit };
}

// What the neuron reads on each level: [first row, first column, side].
function boxesOf([row, column], [k1, s1, k2, s2]) {
  const [size, jump] = receptiveField([[k1, s1], [k2, s2]]);
  return { layer_1: [row * s2, column * s2, k2], image: [row * jump, column * jump, size] };
}

function report(maps, [row, column, n], boxes, settings) {
  const [k1, s1, k2, s2] = settings;
  const [image, first, second] = maps;
  const value = second.data[(row * second.width + column) * 3 + n];
  const shape = (map) => `${map.height} × ${map.width} × ${map.channels}`;
  const rows = ([from, , side]) => `${from} to ${from + side - 1}`;
  const columns = ([, from, side]) => `${from} to ${from + side - 1}`;
  const [r1, j1] = receptiveField([[k1, s1]]);
  const [r2, j2] = receptiveField([[k1, s1], [k2, s2]]);
  return [
    node("p", {}, `Shapes: ${shape(image)} → ${shape(first)} → ${shape(second)}.`),
    node("p", {}, `Neuron (${row}, ${column}) of map ${n} = `,
      node("output", { class: "cs-value" }, value.toFixed(4)),
      `. It reads rows ${rows(boxes.layer_1)} and columns ${columns(boxes.layer_1)} of all four ` +
        `maps of layer 1 and, through them, rows ${rows(boxes.image)} and columns ` +
        `${columns(boxes.image)} of the photo.`),
    node("p", {}, `Receptive field: 1 + (${k1} − 1)·1 = ${r1}, then ${r1} + (${k2} − 1)·${j1} = `,
      node("strong", { class: "cs-field" }, String(r2)),
      ` pixels a side. Jump to the neighbour's field: ${s1}·${s2} = ${j2} pixels.`),
  ];
}

// The photo, the maps of both layers, and what the chosen neuron reads.
function photoView(model, { neuron, choose }) {
  const canvas = node("canvas", { tabindex: 0, role: "application", class: "cs-canvas" });
  const hint = node("p", { class: "cn-note" }, `Point at a neuron of layer 2, or focus the picture: ${HELP}`);
  const text = node("div", { class: "cs-report" });
  const panel = node("div", {}, canvas, hint, text);
  let maps;
  let pictures;
  let scene;
  const pick = (event) => {
    scene.planes[2].forEach((place, n) => {
      const cell = place.cell(event.offsetX, event.offsetY);
      if (cell) choose(...cell, n);
    });
  };
  canvas.addEventListener("pointermove", pick);
  canvas.addEventListener("pointerdown", pick);
  canvas.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    choose(...neuron().map((index, n) => index + move[n]));
  });
  const compute = () => {
    maps = computeMaps(model);
    pictures = picturesOf(maps);
  };
  const draw = () => {
    const chosen = neuron();
    const settings = LAYERS.slice(1).map((name) => model.get(name));
    const boxes = boxesOf(chosen, settings);
    const width = panel.clientWidth || 340;
    scene = arrange(pictures, width);
    paint(canvas, scene, width, boxes, chosen);
    const [row, column, n] = chosen;
    const seen = `${boxes.image[2]} × ${boxes.image[2]} pixels`;
    canvas.setAttribute("aria-label", `Neuron (${row}, ${column}) of map ${n} of layer 2 and the ` +
      `${seen} that it sees. ${HELP}`);
    text.replaceChildren(...report(maps, chosen, boxes, settings));
  };
  return { panel, compute, draw, shape: () => [maps[2].height, maps[2].width, maps[2].channels] };
}

// Two filters over small integers; the buttons go row by row through the places.
function numbersView(model, { neuron, choose }) {
  const tables = node("div", {});
  const shape = () => numbersShape(model.get("example"));
  const places = () => shape()[0] * shape()[1];
  const step = (by) => {
    const [row, column, n] = neuron();
    const place = (row * shape()[1] + column + by + places()) % places();
    choose(Math.floor(place / shape()[1]), place % shape()[1], n);
  };
  const buttons = player(step, places);
  const draw = () => drawNumbers(tables, model.get("example"), neuron(), choose);
  return { panel: node("div", {}, buttons.bar, tables), draw, shape, buttons };
}

export function render({ model, el }) {
  const inPhoto = () => model.get("mode") === "photo";
  const shape = () => (inPhoto() ? photo : numbers).shape();
  const neuron = () => NEURON.map((name, n) => Math.min(model.get(name), shape()[n] - 1));
  const choose = (...wanted) => {
    const chosen = wanted.map((index, n) => Math.max(0, Math.min(index, shape()[n] - 1)));
    if (chosen.every((index, n) => index === model.get(NEURON[n]))) return;
    put(model, Object.fromEntries(chosen.map((index, n) => [NEURON[n], index])));
  };
  const photo = photoView(model, { neuron, choose });
  const numbers = numbersView(model, { neuron, choose });
  const { panel, limit } = controls(model);
  el.append(node("div", { class: "cn-demo cs" }, panel, photo.panel, numbers.panel));

  const draw = () => {
    limit(shape());
    photo.panel.hidden = !inPhoto();
    numbers.panel.hidden = inPhoto();
    numbers.buttons.enable(!inPhoto());
    (inPhoto() ? photo : numbers).draw();
  };
  const drawAll = () => {
    photo.compute();
    draw();
  };
  const undo = [watch(model, LAYERS, drawAll), watch(model, ["mode", ...NEURON], draw)];
  undo.push(onWidth(el, draw), numbers.buttons.stop);
  drawAll();
  return () => undo.forEach((f) => f());
}

export default { render };
