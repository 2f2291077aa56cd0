// What MemoryDemo shows: one stacked bar, and tables with bars in them.
import { node } from "./ui.js";

const PARTS = [
  ["maps", "input and maps"],
  ["weights", "weights"],
  ["copies", "16-bit copies of the weights"],
  ["gradients", "gradients of the weights"],
  ["slots", "optimizer"],
];

export function human(bytes, base = 1000) {
  // 12613600 -> "12.61 MB", or with base 1024 "12.03 MiB"
  const units = base === 1000 ? ["B", "kB", "MB", "GB", "TB"] : ["B", "KiB", "MiB", "GiB", "TiB"];
  let [value, n] = [bytes, 0];
  for (; value >= base && n < 4; n += 1) value /= base;
  return `${n ? value.toFixed(2) : value} ${units[n]}`;
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

function bar(key, share, faded = false) {
  const style = `width: ${Math.max(0, 100 * share)}%`;
  return node("div", { class: `cm-bar cm-${key}${faded ? " cm-freed" : ""}`, style });
}

function table(caption, headings, rows) {
  return node(
    "table",
    { class: "cm-table" },
    node("caption", {}, caption),
    node("thead", {}, node("tr", {}, ...headings.map((h) => node("th", { scope: "col" }, h)))),
    node("tbody", {}, ...rows),
  );
}

const row = (head, ...cells) =>
  node("tr", {}, node("th", { scope: "row" }, ...head), ...cells.map((c) => node("td", {}, ...c)));

export function bars(numbers) {
  const shown = PARTS.filter(([key]) => numbers[key]);
  const words = shown.map(([key, name]) => `${name} ${human(numbers[key])}`).join(", ");
  return node(
    "div",
    { class: "cm-stack", role: "img", "aria-label": `One bar: ${words}.` },
    ...shown.map(([key]) => bar(key, numbers[key] / numbers.total)),
  );
}

export function partTable(numbers) {
  const rows = PARTS.filter(([key]) => numbers[key]).map(([key, name]) =>
    row(
      [node("span", { class: `cm-key cm-${key}`, "aria-hidden": "true" }), name],
      [human(numbers[key])],
      [percent(numbers[key] / numbers.total)],
    ));
  return table("What the memory is for", ["part", "bytes", "share"], rows);
}

export function layerTable(numbers, training) {
  const most = Math.max(...numbers.tensors, ...numbers.kernels);
  const kept = (n) => training || n === numbers.pair || n === numbers.pair + 1;
  const rows = numbers.shapes.map((shape, n) => {
    const word = kept(n) ? "" : ", not there at that moment";
    const kernel = numbers.kernels[n - 1];
    return row(
      [n ? `layer ${n}` : "input"],
      [shape.join(" × ")],
      [`${human(numbers.tensors[n])}${word}`, bar("maps", numbers.tensors[n] / most, !kept(n))],
      kernel ? [human(kernel), bar("weights", kernel / most)] : ["none"],
    );
  });
  const caption = training
    ? "Layer by layer: training keeps every map for the way back"
    : "Layer by layer, at the moment when the largest pair of neighbours is there";
  return table(caption, ["layer", "one image", "maps, whole batch", "weights"], rows);
}

export function remedyTable(remedies, total, apply) {
  const least = Math.min(...remedies.map(([, , after]) => after));
  const rows = remedies.map(([name, change, after]) => {
    const button = node("button", { type: "button", onclick: () => apply(change) }, name);
    const less = percent(1 - after / total).replace("-", "−");
    const mark = after === least && after < total ? " (most)" : "";
    return row(
      [button],
      [human(after), bar("after", Math.min(1, after / total))],
      [after < total ? `${less} less${mark}` : after > total ? "more" : "no less"],
    );
  });
  return table("Which knob helps? Press one to turn it", ["change", "then", "saves"], rows);
}
