// The scatter of ChooseModelDemo: points with names, a front, axes; hover and arrow keys.
const NS = "http://www.w3.org/2000/svg";
const [W, H] = [640, 380];
const EDGE = { left: 52, right: 26, top: 28, bottom: 46 };

export function shape(tag, attributes, ...children) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function ticksOf(low, high, log) {
  // Round numbers between low and high: 1, 2, 5 times powers of ten, or equal steps.
  if (log) {
    const found = [];
    for (let power = 0.1; power <= high; power *= 10) {
      for (const step of [1, 2, 5]) found.push(Number((step * power).toPrecision(2)));
    }
    return found.filter((value) => value >= low && value <= high);
  }
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((n) => n * power >= rough);
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: count }, (_, n) => Number(((first + n) * step).toPrecision(6)));
}

function scale(values, from, to, log, margin) {
  const f = log ? Math.log : (value) => value;
  const ends = [Math.min(...values), Math.max(...values)].map(f);
  const room = margin * (ends[1] - ends[0] || 1);
  const [low, high] = [ends[0] - room, ends[1] + room];
  const place = (value) => from + ((f(value) - low) / (high - low)) * (to - from);
  const back = log ? Math.exp : (value) => value;
  return { place, ticks: ticksOf(back(low), back(high), log) };
}

function axes(x, y, titles) {
  const floor = H - EDGE.bottom;
  const parts = [];
  const text = (words, at) => parts.push(shape("text", at, words));
  for (const value of x.ticks) {
    const at = x.place(value);
    parts.push(shape("line", { x1: at, x2: at, y1: EDGE.top, y2: floor, class: "ch-grid" }));
    text(String(value), { x: at, y: floor + 16, "text-anchor": "middle" });
  }
  for (const value of y.ticks) {
    const at = y.place(value);
    parts.push(shape("line", { x1: EDGE.left, x2: W - EDGE.right, y1: at, y2: at, class: "ch-grid" }));
    text(String(value), { x: EDGE.left - 6, y: at + 4, "text-anchor": "end" });
  }
  text(titles[0], { x: (EDGE.left + W - EDGE.right) / 2, y: H - 6, "text-anchor": "middle" });
  text(titles[1], { x: 4, y: 18 });
  return shape("g", { "aria-hidden": "true" }, ...parts);
}

function mark(kind, at) {
  // Shape and colour both tell how a network stands.
  const [x, y] = at;
  if (kind === "over a limit") {
    return shape("path", { d: `M${x - 5} ${y - 5}l10 10m0 -10l-10 10`, class: "ch-over" });
  }
  if (kind === "beaten") {
    return shape("rect", { x: x - 5, y: y - 5, width: 10, height: 10, class: "ch-beaten" });
  }
  return shape("circle", { cx: x, cy: y, r: kind === "most accurate" ? 9 : 6, class: "ch-front" });
}

export function drawScatter(scene, view) {
  const { rows, front, best, standing, words, point, cost, gain } = view;
  const x = scale(rows.map((row) => row[cost]), EDGE.left, W - EDGE.right, view.log, 0.05);
  const y = scale(rows.map((row) => row[gain]), H - EDGE.bottom, EDGE.top, false, 0.07);
  const at = (row) => [x.place(row[cost]), y.place(row[gain])];
  const label = shape("text", { class: "ch-label", "aria-hidden": "true" });
  const name = (row) => {
    label.textContent = row?.name ?? "";
    if (!row) return;
    const [px, py] = at(row);
    const end = px > W / 2;
    label.setAttribute("x", px + (end ? -12 : 12));
    label.setAttribute("y", py - 10 < 36 ? py + 22 : py - 10);
    label.setAttribute("text-anchor", end ? "end" : "start");
  };
  const sorted = [...rows].sort((a, b) => a[cost] - b[cost] || a[gain] - b[gain]);
  const tell = (row) => {
    name(row ?? best);
    point(row);
  };
  const points = sorted.map((row, n) => {
    const hit = shape("circle", { cx: at(row)[0], cy: at(row)[1], r: 12, class: "ch-hit" });
    const group = shape(
      "g",
      {
        tabindex: n ? -1 : 0,
        role: "img",
        class: "ch-point",
        "aria-label": words(row),
        "data-name": row.name,
        "data-lm-suppress-shortcuts": "true",
      },
      hit,
      mark(standing(row), at(row)),
    );
    group.addEventListener("pointerenter", () => tell(row));
    group.addEventListener("pointerleave", () => tell(null));
    group.addEventListener("focus", () => tell(row));
    group.addEventListener("blur", () => tell(null));
    group.addEventListener("keydown", (event) => {
      const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
      const ends = { Home: 0, End: points.length - 1 };
      const next = ends[event.key] ?? n + (steps[event.key] ?? 0);
      if (next === n || !points[next]) return;
      event.preventDefault();
      event.stopPropagation();
      group.setAttribute("tabindex", -1);
      points[next].setAttribute("tabindex", 0);
      points[next].focus();
    });
    return group;
  });
  const line = front.map((row) => at(row).join(",")).join(" ");
  const svg = shape(
    "svg",
    { viewBox: `0 0 ${W} ${H}`, role: "group", "aria-label": `${view.titles[1]} against ${view.titles[0]}; arrow keys go from network to network` },
    axes(x, y, view.titles),
    shape("polyline", { points: line, class: "ch-line", "aria-hidden": "true" }),
    ...points,
    label,
  );
  name(best);
  scene.replaceChildren(svg);
}
