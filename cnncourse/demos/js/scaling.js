// ScalingDemo: a network made wider, deeper, sharper-eyed, and all of it together.
import { group, node, slider, watch } from "./ui.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDE = 120;
const [SLAB_LONG, SLAB_HIGH, IMAGE] = [44, 6, 25]; // of the base

export function scaled(phi, { alpha, beta, gamma }, kinds) {
  // Factors and cost of each panel; alone: what one dimension needs to spend the whole budget.
  const budget = (alpha * beta ** 2 * gamma ** 2) ** phi;
  const needed = { w: Math.sqrt(budget), d: budget, r: Math.sqrt(budget) };
  return kinds.map(([name, changed]) => {
    const depth = changed.includes("d") ? alpha ** phi : 1;
    const width = changed.includes("w") ? beta ** phi : 1;
    const resolution = changed.includes("r") ? gamma ** phi : 1;
    const flops = depth * width ** 2 * resolution ** 2;
    return { name, depth, width, resolution, flops, alone: needed[changed] ?? null };
  });
}

function box(kind, middle, floor, long, high) {
  const rect = document.createElementNS(SVG, "rect");
  const places = { x: middle - long / 2, y: floor - high, width: long, height: high, class: kind };
  for (const [name, value] of Object.entries(places)) rect.setAttribute(name, value);
  return rect;
}

const slabs = (panel, layers) => Math.ceil(layers * panel.depth - 1e-9);

function tallOf(panel, layers) {
  return (IMAGE + SLAB_HIGH * slabs(panel, layers)) * panel.resolution + 12;
}

function drawing(panel, layers, tall) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDE} ${tall}`);
  svg.setAttribute("aria-hidden", "true"); // the table below says the same
  const side = IMAGE * panel.resolution;
  svg.append(box("cz-image", WIDE / 2, tall - 2, side, side));
  const high = SLAB_HIGH * panel.resolution;
  for (let n = 0; n < slabs(panel, layers); n++) {
    const floor = tall - side - 8 - n * high;
    svg.append(box("cz-slab", WIDE / 2, floor, SLAB_LONG * panel.width, high - 2));
  }
  return node(
    "figure",
    { class: "cz-panel" },
    svg,
    node("figcaption", {}, node("strong", {}, panel.name), node("span", {}, `FLOPs ×${panel.flops.toFixed(2)}`)),
  );
}

const HEADS = ["network", "depth", "width", "side of the images", "FLOPs", "alone it would take"];

function line(panel, base) {
  const factor = (value) => (value === 1 ? "×1" : `×${value.toFixed(2)}`);
  const pixels = Math.round(base.side * panel.resolution);
  const cells = [
    factor(panel.depth),
    factor(panel.width),
    `${factor(panel.resolution)}: ${pixels} px`,
    factor(panel.flops),
    panel.alone === null ? "" : factor(panel.alone),
  ];
  const head = node("th", { scope: "row" }, panel.name);
  return node("tr", {}, head, ...cells.map((text) => node("td", {}, text)));
}

function table(panels, base) {
  const heads = HEADS.map((text) => node("th", { scope: "col" }, text));
  return [
    node("thead", {}, node("tr", {}, ...heads)),
    node("tbody", {}, ...panels.map((panel) => line(panel, base))),
  ];
}

export function render({ model, el }) {
  const base = model.get("base");
  const pictures = node("div", { class: "cz-panels" });
  const numbers = node("table", { class: "cz-table" });
  const report = node("p", { "aria-live": "polite" });
  const draw = () => {
    const phi = model.get("phi");
    const panels = scaled(phi, base, model.get("kinds"));
    const tall = Math.max(...panels.map((panel) => tallOf(panel, base.layers)));
    pictures.replaceChildren(...panels.map((panel) => drawing(panel, base.layers, tall)));
    numbers.replaceChildren(...table(panels, base));
    const { flops } = panels.at(-1);
    const single = panels[2].alone;
    report.textContent =
      `φ = ${phi}: all together cost ${flops.toFixed(2)} times the base. ` +
      `Depth alone would take ×${single.toFixed(2)} layers for the same budget, ` +
      `width or side alone ×${Math.sqrt(single).toFixed(2)}.`;
  };
  const scroll = { class: "cz-scroll", tabindex: 0, role: "region", "aria-label": "factors and cost" };
  el.append(
    node(
      "div",
      { class: "cn-demo cz" },
      group(
        "Compound coefficient",
        slider(model, "phi", { label: "φ", min: 0, max: 7, step: 0.5 }),
      ),
      pictures,
      node("p", { class: "cn-note" }, "A slab is a layer: long as the layer is wide, high as its maps have pixels. The square is the image."),
      node("section", { class: "cn-readout", "aria-label": "what it costs" }, report,
        node("div", scroll, numbers)),
    ),
  );
  const undo = watch(model, ["phi"], draw);
  draw();
  return undo;
}

export default { render };
