// SeparableCostDemo: what a separable convolution costs beside a regular one.
import { bar } from "./bars.js";
import { group, node, put, slider, uniqueId, watch } from "./ui.js";

const STOPS = [1, 3, 8, 16, 32, 64, 128, 256, 512, 728, 1024, 2048];
const words = (number) => number.toLocaleString("en-GB");

function count(k, cIn, cOut) {
  const [regular, depthwise, pointwise] = [k * k * cIn * cOut, k * k * cIn, cIn * cOut];
  return { regular, depthwise, pointwise, ratio: (depthwise + pointwise) / regular };
}

function steps(model, name, label) {
  // A slider over STOPS, since what matters is how often a number doubles.
  const id = uniqueId(name);
  const input = node("input", { type: "range", id, min: 0, max: STOPS.length - 1 });
  const value = node("output", { for: id });
  const show = () => {
    const now = model.get(name);
    const gaps = STOPS.map((stop) => Math.abs(Math.log(stop / now)));
    input.value = gaps.indexOf(Math.min(...gaps));
    input.setAttribute("aria-valuetext", `${now} maps`);
    value.textContent = now;
  };
  input.addEventListener("input", () => put(model, { [name]: STOPS[Number(input.value)] }));
  model.on(`change:${name}`, show);
  show();
  return node("div", { class: "cn-field" }, node("label", { for: id }, label), input, value);
}

function sentence(k, cIn, cOut, { ratio }) {
  const percent = (100 * ratio).toFixed(1);
  const verdict =
    ratio < 1
      ? `The separable convolution costs ${percent} % of the regular one`
      : `The separable convolution is no cheaper here: ${percent} % of the regular one`;
  const filters = cIn === 1 ? "one spatial filter" : `${cIn} spatial filters, one per map`;
  return (
    `${verdict}: 1/${cOut} + 1/${k * k}. It has ${filters}; the regular one has ` +
    `${cIn} × ${cOut} = ${words(cIn * cOut)}.`
  );
}

export function render({ model, el }) {
  const [regular, separable] = [bar("regular"), bar("separable")];
  const report = node("p", { "aria-live": "polite" });
  const draw = () => {
    const [k, cIn, cOut] = ["kernel_size", "c_in", "c_out"].map((name) => model.get(name));
    const cost = count(k, cIn, cOut);
    const longest = Math.max(cost.regular, cost.depthwise + cost.pointwise);
    regular.set(
      [cost.regular / longest],
      `Regular: ${k} × ${k} × ${cIn} × ${cOut} = ${words(cost.regular)} weights`,
    );
    separable.set(
      [cost.depthwise / longest, cost.pointwise / longest],
      `Separable: depthwise ${words(cost.depthwise)} + pointwise ${words(cost.pointwise)} = ` +
        `${words(cost.depthwise + cost.pointwise)} weights`,
    );
    report.textContent = sentence(k, cIn, cOut, cost);
    root.cnCost = cost;
  };
  const root = node(
    "div",
    { class: "cn-demo" },
    node("div", { class: "cb-costs" }, regular.element, separable.element),
    node("section", { class: "cn-readout cb-readout", "aria-label": "the comparison" }, report),
    node(
      "div",
      { class: "cn-controls" },
      group(
        "The layer",
        slider(model, "kernel_size", { label: "kernel side", min: 1, max: 7, step: 2 }),
        steps(model, "c_in", "maps in"),
        steps(model, "c_out", "maps out"),
      ),
    ),
  );
  el.append(root);
  draw();
  return watch(model, ["kernel_size", "c_in", "c_out"], draw);
}

export default { render };
