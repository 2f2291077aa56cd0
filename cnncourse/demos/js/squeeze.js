// SqueezeExciteDemo: six maps, two neurons that summarise them, and six gates.
import { bar } from "./bars.js";
import { group, node, put, slider, watch } from "./ui.js";

const MAPS = ["mouth", "nose", "eyes", "wheel", "lamp", "plate"];
// The weights are set by hand, as in squeeze.py.
const REDUCE = [
  [2, 2, 1, -1, 0, -1], // the face neuron reads the six maps
  [-1, -1, 0, 2, 1, 2], // the car neuron
];
const SCENES = {
  "a face": [0.9, 0.8, 0.35, 0.05, 0.35, 0.1],
  "a car": [0.05, 0.1, 0.35, 0.9, 0.35, 0.8],
  "only round things": [0, 0, 0.35, 0, 0.35, 0],
};

function recalibrate(means) {
  // One mean per map -> the squeeze, the gates and the means after the block.
  const squeezed = REDUCE.map((row) => {
    const sum = row.reduce((total, weight, i) => total + weight * means[i], -1);
    return Math.max(0, sum);
  });
  const [face, car] = squeezed;
  const gates = MAPS.map((_, i) => {
    const logit = 1.2 * (i < 3 ? face - car : car - face) - 0.5;
    return 1 / (1 + Math.exp(-logit));
  });
  return { squeezed, gates, output: means.map((mean, i) => mean * gates[i]) };
}

function sentence(means, { squeezed, gates, output }) {
  const [face, car] = squeezed.map((value) => value.toFixed(2));
  const [eyes, lamp] = [output[2], output[4]].map((value) => value.toFixed(2));
  const kept = [gates[2], gates[4]].map((gate) => `${Math.round(100 * gate)} %`);
  return (
    `Squeeze: the face neuron says ${face}, the car neuron ${car}. Of the eyes ${kept[0]} are ` +
    `left, of the lamp ${kept[1]}: ${means[2].toFixed(2)} against ${means[4].toFixed(2)} has ` +
    `become ${eyes} against ${lamp}. No map has grown.`
  );
}

export function render({ model, el }) {
  const rows = MAPS.map((name) => ({ name, gate: bar("gate"), after: bar("after") }));
  const report = node("p", { "aria-live": "polite" });
  const draw = () => {
    const means = MAPS.map((name) => model.get(name));
    const result = recalibrate(means);
    rows.forEach(({ gate, after }, i) => {
      gate.set([result.gates[i]], `× ${result.gates[i].toFixed(2)}`);
      after.set([result.output[i]], result.output[i].toFixed(2));
    });
    report.textContent = sentence(means, result);
    root.cnSqueeze = result;
  };
  const scene = ([words, values]) =>
    node(
      "button",
      {
        type: "button",
        onclick: () => put(model, Object.fromEntries(MAPS.map((name, i) => [name, values[i]]))),
      },
      words,
    );
  const root = node(
    "div",
    { class: "cn-demo" },
    group(
      "Six maps: before, gate, after",
      node("div", { class: "cb-row" }, ...["before", "gate", "after"].map((w) => node("span", {}, w))),
      ...rows.map(({ name, gate, after }) =>
        node(
          "div",
          { class: "cb-row" },
          slider(model, name, { label: name, min: 0, max: 1, step: 0.05 }),
          gate.element,
          after.element,
        ),
      ),
    ),
    node("section", { class: "cn-readout cb-readout", "aria-label": "what the block does" }, report),
    node("div", { class: "cn-arrows" }, ...Object.entries(SCENES).map(scene)),
  );
  el.append(root);
  draw();
  return watch(model, MAPS, draw);
}

export default { render };
