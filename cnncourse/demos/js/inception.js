// InceptionDemo: what each branch of an inception module costs, with and without its reducers.
import { group, node, put, slider, uniqueId, watch } from "./ui.js";

const BRANCHES = ["1×1", "3×3", "5×5", "pool"];
const MAPS = ["one", "reduce3", "three", "reduce5", "five", "projection"];
const SETTINGS = ["channels", "side", ...MAPS];
const SLIDERS = {
  one: ["1×1", 512],
  reduce3: ["3×3 reduce", 512],
  three: ["3×3", 512],
  reduce5: ["5×5 reduce", 256],
  five: ["5×5", 256],
  projection: ["pool proj", 256],
};

// What a row of convolutions costs, each [kernel side, maps].
function chainCost(channels, side, chain) {
  let [weights, biases, maps] = [0, 0, channels];
  for (const [kernel, filters] of chain) {
    weights += kernel ** 2 * maps * filters;
    biases += filters;
    maps = filters;
  }
  return { maps, parameters: weights + biases, macs: weights * side ** 2 };
}

function chains([one, reduce3, three, reduce5, five, projection], reducers) {
  if (!reducers) return [[[1, one]], [[3, three]], [[5, five]], []];
  return [[[1, one]], [[1, reduce3], [3, three]], [[1, reduce5], [5, five]], [[1, projection]]];
}

export function branchCosts(channels, side, maps, reducers) {
  return chains(maps, reducers).map((chain) => chainCost(channels, side, chain));
}

function sumOf(rows) {
  const add = (key) => rows.reduce((sum, row) => sum + row[key], 0);
  return { maps: add("maps"), parameters: add("parameters"), macs: add("macs") };
}

const thousands = (n) => n.toLocaleString("en-US");

export function millions(n) {
  // Three digits and K, M or G: 128 M, 12.4 M, 301 K.
  const [factor, unit] = n >= 1e9 ? [1e9, "G"] : n >= 1e6 ? [1e6, "M"] : n >= 1e3 ? [1e3, "K"] : [1, ""];
  const value = n / factor;
  return `${factor === 1 ? value : value.toFixed(1)} ${unit}`.trim();
}

// The boxes of one branch, from the input to its maps.
function branch(index, maps, reducers, state) {
  const colour = `ci-${index}`;
  const boxes = chains(maps, reducers)[index].map(([kernel, filters], k, all) => {
    const reduces = k < all.length - 1;
    const kind = reduces ? "ci-box ci-reducer" : "ci-box";
    return node("span", { class: kind }, `${kernel}×${kernel} · ${filters}`);
  });
  if (index === 3) boxes.unshift(node("span", { class: "ci-box ci-pool" }, "3×3 max pool"));
  const line = [node("span", { class: "ci-box ci-input" }, `${state.channels}`), ...boxes];
  const steps = line.flatMap((box, k) => (k ? [node("span", { "aria-hidden": "true" }, "→"), box] : [box]));
  return node("li", { class: `ci-branch ${colour}` }, ...steps);
}

// A bar whose parts are the branches' shares; the text says the same.
function bar(rows, key, scale) {
  const parts = rows.map((row, k) => {
    const part = node("span", { class: `ci-part ci-${k}` });
    part.style.width = `${(100 * row[key]) / scale}%`;
    return part;
  });
  return node("div", { class: "ci-bar", "aria-hidden": "true" }, ...parts);
}

function table(title, rows) {
  const sum = sumOf(rows);
  const share = (row, key) => `${(sum[key] ? (100 * row[key]) / sum[key] : 0).toFixed(0)} %`;
  const cells = (texts) => texts.map((text) => node("td", {}, text));
  const head = ["branch", "maps", "parameters", "share", "MAC", "share"];
  const lines = rows.map((row, k) => {
    const texts = [row.maps, thousands(row.parameters), share(row, "parameters"),
      millions(row.macs), share(row, "macs")];
    const key = node("span", { class: `ci-key ci-${k}`, "aria-hidden": "true" });
    return node("tr", {}, node("th", { scope: "row" }, key, BRANCHES[k]), ...cells(texts));
  });
  const last = [sum.maps, thousands(sum.parameters), "", millions(sum.macs), ""];
  return node(
    "table",
    { class: "ci-table" },
    node("caption", {}, title),
    node("thead", {}, node("tr", {}, ...head.map((text) => node("th", { scope: "col" }, text)))),
    node("tbody", {}, ...lines),
    node("tfoot", {}, node("tr", {}, node("th", { scope: "row" }, "all"), ...cells(last))),
  );
}

function controls(model) {
  const presets = model.get("presets");
  const id = uniqueId("module");
  const menu = node("select", { id }, node("option", { value: "" }, "own numbers"));
  presets.forEach(({ name }, k) => menu.append(node("option", { value: k }, name)));
  menu.addEventListener("change", () => {
    if (menu.value === "") return;
    const { name, ...values } = presets[Number(menu.value)];
    put(model, values);
  });
  const field = node("div", { class: "cn-field" }, node("label", { for: id }, "module"), menu);
  const panel = node(
    "div",
    { class: "cn-controls" },
    group(
      "GoogLeNet's modules, and the input",
      field,
      slider(model, "channels", { label: "maps in", min: 1, max: 1024 }),
      slider(model, "side", { label: "side", min: 1, max: 56 }),
    ),
    group("Maps of the six convolutions", ...MAPS.map((name) => {
      const [label, max] = SLIDERS[name];
      return slider(model, name, { label, min: 1, max });
    })),
  );
  // The menu names the module whose settings these are, if any.
  const update = () => {
    const fits = (preset) => SETTINGS.every((name) => preset[name] === model.get(name));
    const found = presets.findIndex(fits);
    menu.value = found < 0 ? "" : String(found);
  };
  return { panel, update };
}

function sentence(state, lean, full) {
  const [a, b] = [sumOf(lean), sumOf(full)];
  const times = (key) => (b[key] / a[key]).toFixed(2);
  return `With reducers ${thousands(a.parameters)} parameters and ${millions(a.macs)} products for ` +
    `${a.maps} maps of ${state.side} × ${state.side}. Without them ${times("parameters")} times the ` +
    `parameters, ${times("macs")} times the products, and ${b.maps} maps.`;
}

export function render({ model, el }) {
  const { panel, update } = controls(model);
  const diagram = node("ul", { class: "ci-module", "aria-label": "the four branches" });
  const stacked = node("p", { class: "ci-stacked" });
  const report = node("p", { class: "ci-report", "aria-live": "polite" });
  const bars = node("div", {});
  const tables = node("div", { class: "ci-tables" });
  const draw = () => {
    const state = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
    const maps = MAPS.map((name) => state[name]);
    const [lean, full] = [true, false].map((r) => branchCosts(state.channels, state.side, maps, r));
    update();
    diagram.replaceChildren(...BRANCHES.map((_, k) => branch(k, maps, true, state)));
    const total = sumOf(lean);
    stacked.textContent = `stacked: ${lean.map((row) => row.maps).join(" + ")} = ${total.maps} maps`;
    report.textContent = sentence(state, lean, full);
    const scale = Math.max(total.macs, sumOf(full).macs);
    bars.replaceChildren(
      node("p", { class: "cn-note" }, "products with reducers"), bar(lean, "macs", scale),
      node("p", { class: "cn-note" }, "products without"), bar(full, "macs", scale),
    );
    tables.replaceChildren(table("with 1×1 reducers", lean), table("without", full));
  };
  const module_ = node("section", { class: "ci-diagram", "aria-label": "diagram of the module" }, diagram, stacked);
  const budget = node("section", { class: "cn-readout", "aria-label": "budget" }, report, bars, tables);
  el.append(node("div", { class: "cn-demo ci" }, panel, module_, budget));
  const undo = watch(model, SETTINGS, draw);
  draw();
  return undo;
}

export default { render };
