// TimelineDemo: the ImageNet challenge, year by year.
import { node, put, slider, watch } from "./ui.js";

const ROLES = {
  winner: "Winner",
  "runner-up": "Second place",
  entry: "Entry, ranked lower",
  "not an entry": "Not an entry of the challenge",
};

const percent = (entry) => `${entry.top5} %`;

function card(entry) {
  const facts = [
    ["top-5 error", percent(entry)],
    ["layers with weights", entry.layers],
    ["parameters of one network", entry.parameters],
    ["measured with", entry.measured_with],
  ];
  const list = facts.flatMap(([term, value]) => [
    node("dt", {}, term),
    node("dd", { class: value === "not stated" ? "ct-unknown" : "" }, value),
  ]);
  return node(
    "div",
    { class: "ct-card" },
    node("p", { class: "ct-role" }, ROLES[entry.role]),
    node("p", { class: "ct-name" }, entry.name),
    node("dl", {}, ...list),
    node("p", { class: "ct-note" }, entry.note),
  );
}

// One bar; the first of each year is a button, so that pointer and Tab reach every year.
function bar(model, entry, first, largest) {
  const kind = entry.role.replaceAll(" ", "-");
  const fill = node("span", { class: `ct-bar ct-${kind}` });
  fill.style.width = `${(100 * entry.top5) / largest}%`;
  const words = `${entry.year} ${entry.name}, ${ROLES[entry.role]}, ${percent(entry)}`;
  const parts = [
    node("span", { class: "ct-year" }, first ? String(entry.year) : ""),
    node("span", { class: "ct-label" }, entry.name),
    node("span", { class: "ct-track" }, fill, node("span", { class: "ct-value" }, percent(entry))),
  ];
  const choose = () => put(model, { year: entry.year });
  const line = { class: "ct-line", type: "button", "aria-label": words, onclick: choose };
  return node("li", { "data-year": entry.year }, node("button", line, ...parts));
}

export function render({ model, el }) {
  const entries = model.get("entries");
  const years = entries.map((entry) => entry.year);
  const largest = Math.max(...entries.map((entry) => entry.top5));
  const bars = entries.map((entry, k) => bar(model, entry, years[k - 1] !== entry.year, largest));
  const cards = node("div", { class: "ct-cards", "aria-live": "polite" });
  const draw = () => {
    const year = model.get("year");
    for (const line of bars) {
      const chosen = Number(line.dataset.year) === year;
      line.classList.toggle("ct-chosen", chosen);
      line.firstChild.setAttribute("aria-pressed", chosen);
    }
    cards.replaceChildren(...entries.filter((entry) => entry.year === year).map(card));
  };
  const range = { min: Math.min(...years), max: Math.max(...years) };
  el.append(
    node(
      "div",
      { class: "cn-demo ct" },
      slider(model, "year", { label: "year", ...range }),
      cards,
      node("p", { class: "ct-caption" }, "Top-5 error on the test set, in percent: shorter is better. ",
        "Full bars won, pale bars came second or lower, the striped bar did not take part."),
      node("ul", { class: "ct-chart", "aria-label": "All years" }, ...bars),
    ),
  );
  draw();
  return watch(model, ["year"], draw);
}

export default { render };
