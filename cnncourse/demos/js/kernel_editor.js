// Choosing a kernel: a preset, one of the Gabor bank, or painted cell by cell.
import { cellSide, css, diverging, inkOn, paintMap, short, signed } from "./colour.js";
import { fit, gabor, preset } from "./kernels.js";
import { choice, group, node, put, slider, uniqueId, watch } from "./ui.js";

const NAMES = [
  ["vertical_line", "vertical line"],
  ["horizontal_line", "horizontal line"],
  ["sobel_x", "Sobel x"],
  ["sobel_y", "Sobel y"],
  ["laplacian", "Laplacian"],
  ["sharpen", "sharpen"],
  ["emboss", "emboss"],
  ["box", "box blur"],
  ["gaussian", "Gaussian blur"],
  ["identity", "identity"],
  ["gabor", "Gabor"],
  ["hand", "drawn by hand"],
];

export function kernelControls(model, ...more) {
  const choose = (values) => {
    const name = values.preset ?? model.get("preset");
    const now = { size: model.get("size"), orientation: model.get("orientation") };
    const next = { ...now, wavelength: model.get("wavelength"), ...values };
    const kernel =
      name === "hand"
        ? fit(model.get("kernel"), next.size)
        : preset(name, next.size, next.orientation, next.wavelength);
    put(model, { ...values, kernel });
  };
  const turn = (name, label, options) =>
    slider(model, name, { label, ...options, change: (value) => choose({ [name]: value }) });
  const gaborFields = node(
    "div",
    {},
    turn("orientation", "direction", { min: 0, max: 180, step: 7.5, unit: "°" }),
    turn("wavelength", "wavelength", { min: 2, max: 12, step: 0.5, unit: " px" }),
    bank(model, choose),
  );
  const show = () => (gaborFields.hidden = model.get("preset") !== "gabor");
  model.on("change:preset", show);
  show();
  return group(
    "Kernel",
    choice(model, "preset", {
      label: "preset",
      options: NAMES,
      change: (value) => choose({ preset: value }),
    }),
    turn("size", "size", { min: 3, max: 11, step: 2, unit: " px" }),
    gaborFields,
    ...more,
  );
}

function bank(model, choose) {
  // Eight Gabor kernels of the chosen size and wavelength, each a button.
  const buttons = Array.from({ length: 8 }, (_, i) => {
    const canvas = node("canvas", { "aria-hidden": "true" });
    const orientation = i * 22.5;
    const label = `Gabor kernel, direction ${orientation} degrees`;
    return node(
      "button",
      { type: "button", "aria-label": label, onclick: () => choose({ orientation }) },
      canvas,
    );
  });
  const draw = () =>
    buttons.forEach((button, i) => {
      const rows = gabor(model.get("size"), i * 22.5, model.get("wavelength"));
      paintMap(button.firstChild, rows.flat(), rows.length, rows.length);
      const chosen = model.get("orientation") % 180 === i * 22.5;
      button.setAttribute("aria-pressed", String(chosen));
    });
  watch(model, ["size", "wavelength", "orientation"], draw);
  draw();
  return node("div", { class: "cn-bank", role: "group", "aria-label": "Gabor bank" }, ...buttons);
}

export function kernelEditor(model) {
  // The kernel as a grid of cells: paint with the pointer, or arrows, + and − on the keyboard.
  // -> {grid, tools}
  const brushId = uniqueId("brush");
  const brush = node("input", { type: "number", id: brushId, value: 1, step: 0.5, min: -9, max: 9 });
  const grid = node("div", { class: "cn-kernel", role: "grid", "aria-label": "kernel weights" });
  let at = [0, 0];
  let painting = null; // the value being painted, while the pointer is down

  const setCell = (i, j, value) => {
    const kernel = model.get("kernel").map((row) => [...row]);
    kernel[i][j] = Math.round(value * 1000) / 1000;
    put(model, { preset: "hand", kernel });
  };
  const cellOf = (target) => target?.closest?.("[role=gridcell]");
  const place = (cell) => [Number(cell.dataset.row), Number(cell.dataset.column)];

  const draw = () => {
    const kernel = model.get("kernel");
    const size = kernel.length;
    if (grid.children.length !== size) {
      at = at.map((n) => Math.min(n, size - 1));
      grid.replaceChildren(
        ...kernel.map((row, i) =>
          node(
            "div",
            { role: "row" },
            ...row.map((_, j) =>
              node("div", { role: "gridcell", tabindex: -1, "data-row": i, "data-column": j }),
            ),
          ),
        ),
      );
    }
    grid.style.setProperty("--cell", `${cellSide(size)}px`);
    const scale = Math.max(...kernel.flat().map(Math.abs)) || 1;
    kernel.forEach((row, i) =>
      row.forEach((w, j) => {
        const cell = grid.children[i].children[j];
        const shade = diverging(w / scale);
        cell.style.background = css(shade);
        cell.style.color = inkOn(shade);
        cell.tabIndex = i === at[0] && j === at[1] ? 0 : -1;
        cell.textContent = short(w);
        cell.setAttribute("aria-label", `row ${i + 1}, column ${j + 1}: ${signed(w, 3)}`);
      }),
    );
  };

  grid.addEventListener("keydown", (event) => {
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const steps = { "+": 0.1, "=": 0.1, "-": -0.1, "−": -0.1 };
    const [i, j] = at;
    const value = model.get("kernel")[i][j];
    if (event.key in moves) {
      const last = model.get("kernel").length - 1;
      at = at.map((n, axis) => Math.min(last, Math.max(0, n + moves[event.key][axis])));
      draw();
      grid.children[at[0]].children[at[1]].focus();
    } else if (event.key in steps) setCell(i, j, value + steps[event.key]);
    else if (event.key === "0") setCell(i, j, 0);
    else if (event.key === "Enter" || event.key === " ") setCell(i, j, Number(brush.value));
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  grid.addEventListener("pointerdown", (event) => {
    const cell = cellOf(event.target);
    if (!cell) return;
    event.preventDefault();
    at = place(cell);
    const [i, j] = at;
    painting = model.get("kernel")[i][j] === Number(brush.value) ? 0 : Number(brush.value);
    setCell(i, j, painting);
    cell.focus();
    grid.setPointerCapture(event.pointerId);
  });
  grid.addEventListener("pointermove", (event) => {
    if (painting === null) return;
    const cell = cellOf(document.elementFromPoint(event.clientX, event.clientY));
    if (!cell || !grid.contains(cell)) return;
    const [i, j] = place(cell);
    if (model.get("kernel")[i][j] !== painting) setCell(i, j, painting);
  });
  const stop = () => (painting = null);
  grid.addEventListener("pointerup", stop);
  grid.addEventListener("pointercancel", stop);
  watch(model, ["kernel"], draw);
  draw();
  const clear = () => {
    const size = model.get("size");
    put(model, { preset: "hand", kernel: Array.from({ length: size }, () => Array(size).fill(0)) });
  };
  const tools = [
    node(
      "div",
      { class: "cn-field" },
      node("label", { for: brushId }, "paint with"),
      brush,
      node("button", { type: "button", onclick: clear }, "clear"),
    ),
    node("p", { class: "cn-note" }, "Paint the kernel's cells below, or use arrow keys and + −."),
  ];
  return { grid, tools };
}
