// EditWeightDemo: change one weight of a trained network and see every map and the answer move.
import { css, diverging, inkOn, paintMap, resize, short, signed } from "./colour.js";
import { edited, forward } from "./edit_forward.js";
import { group, node, put, uniqueId, watch } from "./ui.js";

const LARGEST = 4;
const MAP_WIDTH = 560;
const PLACES = ["row", "column", "channel", "unit"];

function chosen(model) {
  // -> {layers, number, layer, at, place}: the weight that is to be edited
  const layers = model.get("network").filter((layer) => layer.kernel);
  const number = Math.min(model.get("layer"), layers.length - 1);
  const layer = layers[number];
  const at = PLACES.map((name, axis) => Math.min(model.get(name), layer.shape[axis] - 1));
  const place = at.reduce((sum, i, axis) => sum * layer.shape[axis] + i, 0);
  return { layers, number, layer, at, place };
}

function differs(a, b, map, maps) {
  for (let i = map; i < a.length; i += maps) if (Math.abs(a[i] - b[i]) > 1e-6) return true;
  return false;
}

function drawMaps(canvas, { data, shape }, before) {
  // All maps of one layer side by side; those that changed have an orange frame. -> their number
  const [rows, columns, maps] = shape.length === 3 ? shape : [1, 1, shape[0]];
  const across = Math.min(maps, 16);
  const cell = Math.max(1, Math.floor((MAP_WIDTH / across - 6) / columns));
  const [wide, tall] = [Math.min(cell, 14) * columns + 6, Math.min(cell, 14) * rows + 6];
  const side = Math.min(cell, 14);
  resize(canvas, wide * across, tall * Math.ceil(maps / across));
  const c = canvas.getContext("2d");
  c.clearRect(0, 0, canvas.width, canvas.height);
  const scale = Math.max(...before.data.map(Math.abs), 1e-9);
  let changed = 0;
  for (let m = 0; m < maps; m++) {
    const [x, y] = [(m % across) * wide + 3, Math.floor(m / across) * tall + 3];
    if (differs(data, before.data, m, maps)) {
      changed += 1;
      c.fillStyle = "#d55e00";
      c.fillRect(x - 3, y - 3, columns * side + 6, rows * side + 6);
    }
    for (let i = 0; i < rows * columns; i++) {
      const place = [x + (i % columns) * side, y + Math.floor(i / columns) * side];
      c.fillStyle = css(diverging(data[i * maps + m] / scale));
      c.fillRect(...place, side, side);
    }
  }
  return changed;
}

function range(model, name, label, most, words = String) {
  // A slider whose end depends on the layer. -> {field, show}
  const id = uniqueId(name);
  const input = node("input", { type: "range", id, min: 0, step: 1 });
  const value = node("output", { for: id });
  input.addEventListener("input", () => put(model, { [name]: Number(input.value) }));
  const field = node("div", { class: "cn-field" }, node("label", { for: id }, label), input, value);
  const show = () => {
    input.max = most();
    input.value = Math.min(model.get(name), most());
    value.textContent = words(Number(input.value));
    input.setAttribute("aria-valuetext", value.textContent);
    field.hidden = most() === 0;
  };
  return { field, show };
}

function answers(names) {
  // A table of the answers with bars. -> {table, show}
  const bars = names.map(() => node("span", { class: "ce-bar" }));
  const cells = names.map(() => [node("td", {}), node("td", {})]);
  const head = ["class", "now", "", "trained"].map((text) =>
    text ? node("th", { scope: "col" }, text) : node("td", {}),
  );
  const rows = names.map((name, i) =>
    node(
      "tr",
      {},
      node("th", { scope: "row" }, name),
      cells[i][0],
      node("td", { class: "ce-track" }, bars[i]),
      cells[i][1],
    ),
  );
  const body = node("tbody", {}, ...rows);
  const table = node("table", { class: "ce-answers" }, node("thead", {}, node("tr", {}, ...head)));
  table.append(body);
  const show = (now, before) =>
    names.forEach((_, i) => {
      bars[i].style.width = `${100 * now[i]}%`;
      cells[i][0].textContent = `${(100 * now[i]).toFixed(1)} %`;
      cells[i][1].textContent = `${(100 * before[i]).toFixed(1)} %`;
    });
  return { table, show };
}

function kernelGrid(model) {
  // The chosen kernel as buttons, one for each weight. -> {grid, show}
  const grid = node("div", { class: "ce-kernel", role: "group", "aria-label": "kernel" });
  const show = (kernel) => {
    const { layer, at } = chosen(model);
    const [rows, columns, channels, units] = layer.shape;
    grid.style.gridTemplateColumns = `repeat(${columns}, 3.2rem)`;
    if (grid.children.length !== rows * columns) {
      const buttons = Array.from({ length: rows * columns }, (_, i) => {
        const here = { row: Math.floor(i / columns), column: i % columns };
        return node("button", { type: "button", onclick: () => put(model, here) });
      });
      grid.replaceChildren(...buttons);
    }
    const scale = Math.max(...kernel.map(Math.abs), 1e-9);
    [...grid.children].forEach((button, i) => {
      const value = kernel[(i * channels + at[2]) * units + at[3]];
      const shade = diverging(value / scale);
      button.style.background = css(shade);
      button.style.color = inkOn(shade);
      button.textContent = short(value);
      const [row, column] = [Math.floor(i / columns), i % columns];
      const name = `row ${row + 1}, column ${column + 1}: ${signed(value)}`;
      button.setAttribute("aria-label", name);
      button.setAttribute("aria-pressed", String(row === at[0] && column === at[1]));
    });
  };
  return { grid, show };
}

function weightField(model) {
  // The slider that changes the weight, and the ways back. -> {parts, show}
  const id = uniqueId("weight");
  const input = node("input", { type: "range", id, min: -LARGEST, max: LARGEST, step: 0.01 });
  const value = node("output", { for: id });
  const others = () => {
    const { number, place } = chosen(model);
    return model.get("edits").filter(([layer, i]) => layer !== number || i !== place);
  };
  input.addEventListener("input", () => {
    const { number, place } = chosen(model);
    put(model, { edits: [...others(), [number, place, Number(input.value)]] });
  });
  const button = (text, edits) =>
    node("button", { type: "button", onclick: () => put(model, { edits: edits() }) }, text);
  const back = node("p", { class: "ce-back" }, button("put this one back", others), " ");
  back.append(button("put all back", () => []));
  const label = node("label", { for: id }, "weight");
  const show = (weight) => {
    input.value = weight;
    value.textContent = signed(weight);
  };
  return { parts: [node("div", { class: "cn-field" }, label, input, value), back], show };
}

export function render({ model, el }) {
  const [network, pictures, labels] = ["network", "pictures", "labels"].map((n) => model.get(n));
  const names = model.get("class_names");
  const last = (axis) => () => chosen(model).layer.shape[axis] - 1;
  const layers = network.filter((layer) => layer.kernel);
  const fields = [
    range(model, "picture", "picture", () => pictures.length - 1, (n) => names[labels[n]]),
    range(model, "layer", "layer", () => layers.length - 1, (n) => layers[n].name),
    range(model, "unit", "filter or unit", last(3)),
    range(model, "channel", "reads map or value", last(2)),
  ];
  const kernel = kernelGrid(model);
  const weight = weightField(model);
  const table = answers(names);
  const report = node("p", { class: "ce-report", "aria-live": "polite" });
  const input = node("canvas", { class: "cn-pixels ce-input", role: "img", "aria-label": "picture" });
  const shown = network.map((layer, i) => ({ layer, i })).filter(({ layer }) => {
    return layer.kind !== "flatten" && layer.activation !== "softmax";
  });
  const levels = shown.map(({ layer, i }) => {
    const canvas = node("canvas", { class: "ce-maps", role: "img", "aria-label": layer.name });
    const caption = node("figcaption", {});
    return { i, layer, canvas, caption, figure: node("figure", {}, canvas, caption) };
  });

  const draw = () => {
    const picture = pictures[Math.min(model.get("picture"), pictures.length - 1)];
    const kernels = edited(network, model.get("edits"));
    const before = forward(network, edited(network, []), picture);
    const now = forward(network, kernels, picture);
    const { number, place } = chosen(model);
    fields.forEach((field) => field.show());
    kernel.show(kernels[number]);
    weight.show(kernels[number][place]);
    paintMap(input, picture.flat(), picture.length, picture[0].length);
    for (const { i, layer, canvas, caption } of levels) {
      const changed = drawMaps(canvas, now[i], before[i]);
      const maps = now[i].shape[now[i].shape.length - 1];
      caption.textContent = `${layer.name}: ${changed} of ${maps} changed`;
    }
    const [p, q] = [now, before].map((all) => all[all.length - 1].data);
    table.show(p, q);
    const best = (values) => values.indexOf(Math.max(...values));
    const say = (values) => `${names[best(values)]} (${(100 * Math.max(...values)).toFixed(1)} %)`;
    report.textContent = `Answer: ${say(p)}. As trained: ${say(q)}.`;
    root.cnOutput = now;
  };

  const root = node(
    "div",
    { class: "cn-demo ce" },
    node("div", { class: "cn-readout" }, report),
    node(
      "div",
      { class: "cn-controls" },
      group("Which weight?", ...fields.map(({ field }) => field), kernel.grid),
      group("Change it", ...weight.parts),
      group("Answer", table.table),
    ),
    node("figure", {}, input, node("figcaption", {}, "the picture")),
    ...levels.map(({ figure }) => figure),
  );
  el.append(root);
  draw();
  const traits = ["picture", "layer", ...PLACES, "edits"];
  return watch(model, traits, draw);
}

export { edited, forward };
export default { render };
