// The tower of ExplorerDemo: a box per stage, as tall as its maps and as wide as there are many,
// with its shares of the whole cost below. Stages are radio buttons, so that arrow keys work.
import { node, put, uniqueId } from "./ui.js";
import { BYTES, costs, inBytes, inWords } from "./explorer_numbers.js";

const TALL = 96;
const SHARES = [
  ["parameters", "parameters", "#0072b2"],
  ["macs", "MACs", "#d55e00"],
  ["results", "memory of results", "#009e73"],
];

function slab(shape, largest) {
  const side = shape.length === 3 ? shape[0] : 1;
  const tall = Math.max(4, TALL * 0.78 * Math.sqrt(side / largest));
  const wide = 2 + 6.2 * Math.log2(shape[shape.length - 1]);
  const deep = tall * 0.24;
  const points = (pairs) => pairs.map((pair) => pair.map((n) => n.toFixed(1)).join()).join(" ");
  const [y, top] = [deep + tall, deep];
  const faces = [
    [[0, top], [wide, top], [wide, y], [0, y]],
    [[0, top], [deep, 0], [wide + deep, 0], [wide, top]],
    [[wide, top], [wide + deep, 0], [wide + deep, tall], [wide, y]],
  ];
  const drawn = faces.map((face, n) => `<polygon class="ce-face-${n}" points="${points(face)}"/>`);
  const [width, height] = [wide + deep + 2, y + 2];
  const picture = node("span", { class: "ce-slab", "aria-hidden": "true" });
  picture.innerHTML =
    `<svg viewBox="-1 -1 ${width.toFixed(1)} ${height.toFixed(1)}" width="${width.toFixed(0)}" ` +
    `height="${height.toFixed(0)}">${drawn.join("")}</svg>`;
  return picture;
}

function shares(part, whole) {
  const bars = SHARES.map(([name, , colour]) => {
    const percent = whole[name] ? (100 * part[name]) / whole[name] : 0;
    return node("span", { class: "ce-bar", style: `width:${percent.toFixed(1)}%;background:${colour}` });
  });
  return node("span", { class: "ce-shares", "aria-hidden": "true" }, ...bars);
}

export const shapeText = (shape) => shape.map((n) => n.toLocaleString("en-US")).join(" × ");

export function tower(model) {
  const { input, maps, stages } = model.get("network");
  const whole = costs(maps, stages.flatMap(([, steps]) => steps));
  const group = uniqueId("stage");
  const radios = [];
  const cell = (title, shape, part, radio) =>
    node(
      radio ? "label" : "div",
      { class: "ce-stage" },
      ...(radio ? [radio] : []),
      slab(shape, Math.max(input[0], input[1])),
      node("span", { class: "ce-name" }, title),
      node("span", { class: "ce-shape" }, shapeText(shape)),
      ...(part ? [shares(part, whole)] : []),
    );
  const cells = stages.map(([name, steps], n) => {
    const radio = node("input", { type: "radio", name: group, value: n });
    radio.addEventListener("change", () => put(model, { stage: n, step: -1 }));
    radios.push(radio);
    return cell(name, maps[steps[steps.length - 1][2]][0], costs(maps, steps), radio);
  });
  const memory = node("span", {});
  const legend = SHARES.map(([name, words, colour]) =>
    node(
      "span",
      {},
      node("i", { class: "ce-key", style: `background:${colour}` }),
      `${words} `,
      name === "results" ? memory : inWords(whole[name]),
    ),
  );
  const panel = node(
    "fieldset",
    { class: "ce-tower-group" },
    node("legend", { class: "ce-hidden" }, "stage"),
    node("div", { class: "ce-tower" }, cell("input", input, null, null), ...cells),
    node("p", { class: "ce-legend" }, node("strong", {}, "the whole network"), ...legend),
  );
  const show = () => {
    radios.forEach((radio, n) => (radio.checked = n === model.get("stage")));
    memory.textContent = inBytes(whole.results * BYTES[model.get("dtype")] * model.get("batch_size"));
  };
  return { panel, show };
}
