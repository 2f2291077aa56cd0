// ChooseModelDemo: which pretrained network is the right one, within one's limits?
import { choice, group, node, put, tick, uniqueId, watch } from "./ui.js";
import { drawScatter } from "./choose_model_scene.js";

const LIMITS = [
  // trait, column, label, unit, least and most of the slider
  ["max_mib", "size_mib", "size ≤", " MiB", 10, 300],
  ["max_cpu_ms", "cpu_ms", "CPU ≤", " ms", 20, 2000],
  ["max_gpu_ms", "gpu_ms", "GPU ≤", " ms", 3, 70],
];

export function fitting(rows, limits) {
  const most = LIMITS.map(([trait, column]) => [column, limits[trait]]);
  return rows.filter((row) => most.every(([column, limit]) => row[column] <= limit));
}

export function paretoFront(rows, cost, gain) {
  // Those that no other row beats, cheapest first.
  const front = [];
  for (const row of [...rows].sort((a, b) => a[cost] - b[cost] || b[gain] - a[gain])) {
    const last = front.at(-1);
    const same = last && row[cost] === last[cost] && row[gain] === last[gain];
    if (!last || row[gain] > last[gain] || same) front.push(row);
  }
  return front;
}

export function bestOf(rows, gain) {
  const better = (a, b) => b[gain] > a[gain] || (b[gain] === a[gain] && b.size_mib < a.size_mib);
  return rows.reduce((a, b) => (a === null || better(a, b) ? b : a), null);
}

function limitSlider(model, [name, , label, unit, least, most]) {
  // Equal steps multiply the limit by the same factor; it is rounded to two digits.
  const id = uniqueId(name);
  const input = node("input", { type: "range", id, min: 0, max: 100, step: 1 });
  const value = node("output", { for: id });
  const show = () => {
    const limit = model.get(name);
    input.value = Math.round((100 * Math.log(limit / least)) / Math.log(most / least));
    value.textContent = `${limit}${unit}`;
    input.setAttribute("aria-valuetext", `at most ${value.textContent}`);
  };
  input.addEventListener("input", () => {
    const limit = least * (most / least) ** (Number(input.value) / 100);
    put(model, { [name]: Number(limit.toPrecision(2)) });
  });
  model.on(`change:${name}`, show);
  show();
  return node("div", { class: "cn-field ch-limit" }, node("label", { for: id }, label), input, value);
}

const written = (row, column) =>
  column === "size_mib" || column === "side" ? String(row[column]) : row[column].toFixed(1);

const NUMBERS = [
  ["top1", "top-1 %"],
  ["top5", "top-5 %"],
  ["size_mib", "MiB"],
  ["parameters_m", "parameters, M"],
  ["cpu_ms", "CPU ms"],
  ["gpu_ms", "GPU ms"],
  ["side", "side px"],
];

function table(rows, standing, cost) {
  const sorted = [...rows].sort((a, b) => a[cost] - b[cost]);
  const most = (column) => column.startsWith("top");
  const extreme = Object.fromEntries(
    NUMBERS.map(([column]) => {
      const values = rows.map((row) => row[column]);
      return [column, most(column) ? Math.max(...values) : Math.min(...values)];
    }),
  );
  const cell = (row, column) => {
    const text = written(row, column);
    return node("td", {}, row[column] === extreme[column] && column !== "side" ? node("strong", {}, text) : text);
  };
  const lines = sorted.map((row) =>
    node(
      "tr",
      {},
      node("th", { scope: "row" }, row.name),
      node("td", {}, standing(row)),
      ...NUMBERS.map(([column]) => cell(row, column)),
    ));
  const heads = ["network", "standing", ...NUMBERS.map(([, text]) => text)];
  return [
    node("thead", {}, node("tr", {}, ...heads.map((text) => node("th", { scope: "col" }, text)))),
    node("tbody", {}, ...lines),
  ];
}

function sentence(best, front, fits, all, gain) {
  if (!best) return "No network keeps all limits.";
  const names = front.map((row) => row.name).join(", ");
  return (
    `${fits.length} of ${all.length} networks keep the limits. The most accurate of them: ` +
    `${best.name}, ${written(best, gain)} %. On the Pareto front: ${names}.`
  );
}

export function render({ model, el }) {
  const [rows, costs, gains] = ["rows", "costs", "gains"].map((name) => model.get(name));
  const scene = node("div", { class: "ch-scene" });
  const pointed = node("p", { class: "ch-pointed", "aria-live": "polite" });
  const report = node("p", { "aria-live": "polite" });
  const twin = node("table", { class: "ch-table" });
  const draw = () => {
    const limits = Object.fromEntries(LIMITS.map(([trait]) => [trait, model.get(trait)]));
    const [cost, gain] = [model.get("cost"), model.get("gain")];
    const fits = fitting(rows, limits);
    const front = paretoFront(fits, cost, gain);
    const best = bestOf(fits, gain);
    const standing = (row) => {
      if (!fits.includes(row)) return "over a limit";
      if (row === best) return "most accurate";
      return front.includes(row) ? "on the front" : "beaten";
    };
    const words = (row) =>
      `${row.name}: ${written(row, gain)} % ${gain === "top1" ? "top-1" : "top-5"}, ` +
      `${row.size_mib} MiB, ${written(row, "parameters_m")} M parameters, ` +
      `CPU ${written(row, "cpu_ms")} ms, GPU ${written(row, "gpu_ms")} ms; ${standing(row)}`;
    const point = (row) => (pointed.textContent = row ? words(row) : "Point at a network, or reach it with Tab and arrow keys.");
    drawScatter(scene, {
      rows, front, best, standing, words, point, cost, gain,
      log: model.get("logarithmic"),
      titles: [costs[cost], gains[gain]],
    });
    point(null);
    twin.replaceChildren(...table(rows, standing, cost));
    report.textContent = sentence(best, front, fits, rows, gain);
  };
  const scroll = { class: "ch-scroll", tabindex: 0, role: "region", "aria-label": "all networks" };
  el.append(
    node(
      "div",
      { class: "cn-demo ch" },
      scene,
      pointed,
      node(
        "div",
        { class: "cn-controls" },
        group(
          "Axes",
          choice(model, "gain", { label: "upwards", options: Object.entries(gains) }),
          choice(model, "cost", { label: "to the right", options: Object.entries(costs) }),
          tick(model, "logarithmic", { label: "logarithmic axis to the right" }),
        ),
        group("Limits", ...LIMITS.map((limit) => limitSlider(model, limit))),
      ),
      node("section", { class: "cn-readout", "aria-label": "what is left" }, report),
      node("details", { open: true }, node("summary", {}, "The same as a table"), node("div", scroll, twin)),
      node("p", { class: "cn-note" }, "Times: ms per batch of 32 on a 92-core AMD EPYC and a Tesla A100, from Keras' documentation."),
    ),
  );
  const names = ["cost", "gain", "logarithmic", ...LIMITS.map(([trait]) => trait)];
  const undo = watch(model, names, draw);
  draw();
  return undo;
}

export default { render };
