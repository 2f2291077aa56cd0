// The picture of ArithmeticDemo: a plane of input cells, a plane of outputs, the field between.

const GAP = 84; // pixels between the two planes
const MARGIN = 14;
const STRIP = 1.4; // in the row view the kernel floats so many cells above the input

function shape(parent, name, attributes, text) {
  const node = document.createElementNS(parent.namespaceURI, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

// Where a point of a plane lies on the screen: planes of the grid view are seen from above.
function projection(rows, columns, width, flat) {
  const shear = flat ? 0 : 0.4;
  const squash = flat ? 1 : 0.55;
  const unit = Math.min(flat ? 40 : 46, (width - 2 * MARGIN) / (columns + shear * rows));
  const left = (width - unit * (columns + shear * rows)) / 2;
  const depth = unit * squash * rows;
  const lower = MARGIN + depth + GAP + (flat ? STRIP * unit : 0);
  const at = (top) => (row, column) => [
    left + unit * (column + shear * (rows - row)),
    top + unit * squash * row,
  ];
  return { unit, upper: at(MARGIN), lower: at(lower), height: lower + depth + MARGIN };
}

const join = (points) => `M${points.map((p) => p.map((v) => v.toFixed(1)).join(" ")).join("L")}`;

function box(at, row, column, height, width) {
  return [
    at(row, column),
    at(row, column + width),
    at(row + height, column + width),
    at(row + height, column),
  ];
}

const outline = (...parameters) => `${join(box(...parameters))}Z`;

// Lines of a region of cells: their number grows with the sides, not with the area.
function lattice(at, row, column, height, width) {
  if (height <= 0 || width <= 0) return "";
  const lines = [];
  for (let r = 0; r <= height; r++) lines.push(join([at(row + r, column), at(row + r, column + width)]));
  for (let c = 0; c <= width; c++) lines.push(join([at(row, column + c), at(row + height, column + c)]));
  return lines.join("");
}

const UNIT_AXIS = { size: 1, effective: 1, output: 1, before: 0, after: 0, ignored: 0 };

// Draws what depends on the settings; returns a function that draws one neuron's field.
export function drawScene(svg, axes, { strides, dilation, kernel_size: kernel }, width, hidden) {
  const flat = axes.length === 1;
  const [vertical, horizontal] = flat ? [UNIT_AXIS, axes[0]] : axes;
  const total = (axis) => axis.before + axis.size + axis.after;
  const rows = total(vertical);
  const columns = total(horizontal);
  const { unit, upper, lower, height } = projection(rows, columns, width, flat);
  svg.setAttribute("viewBox", `0 0 ${width} ${height.toFixed(0)}`);
  svg.setAttribute("height", height.toFixed(0));
  svg.replaceChildren();
  const path = (className, d, parent = svg) => shape(parent, "path", { class: `ca-${className}`, d });

  const { before: top } = vertical;
  const { before: left } = horizontal;
  path("plane", outline(lower, top, left, vertical.size, horizontal.size));
  path(unit < 8 ? "lines ca-dense" : "lines", lattice(lower, top, left, vertical.size, horizontal.size));
  drawZeros(path, lower, vertical, horizontal, rows, columns);
  for (let c = 0; flat && unit >= 16 && c < columns; c++) {
    if (c < left || c >= left + horizontal.size) label(svg, lower(0.5, c + 0.5), 0);
  }
  drawIgnored(path, lower, vertical, horizontal, rows, columns);

  const step = flat ? 1 : strides;
  const corner = flat ? [0, (horizontal.effective - 1) / 2] : axes.map((a) => (a.effective - 1) / 2);
  const place = (i, j) => [corner[0] + i * step, corner[1] + j * strides];
  if (hidden) {
    const [x, y] = upper(rows / 2, columns / 2);
    shape(svg, "text", { class: "ca-question", x, y: y + 16 }, "?");
    return () => {};
  }
  const cells = [];
  for (let i = 0; i < vertical.output; i++) {
    for (let j = 0; j < horizontal.output; j++) cells.push(outline(upper, ...place(i, j), 1, 1));
  }
  if (flat && horizontal.output <= 64) drawLinks(path, upper, lower, horizontal, strides);
  path(unit < 8 ? "output ca-dense" : "output", cells.join(""));
  const moving = shape(svg, "g", {});
  return (position) => {
    const i = Math.floor(position / horizontal.output) % vertical.output;
    const j = position % horizontal.output;
    moving.replaceChildren();
    const field = box(lower, i * step, j * strides, vertical.effective, horizontal.effective);
    const neuron = box(upper, ...place(i, j), 1, 1);
    const taps = [];
    for (let u = 0; u < (flat ? 1 : kernel); u++) {
      for (let v = 0; v < kernel; v++) {
        taps.push(outline(lower, i * step + u * dilation, j * strides + v * dilation, 1, 1));
      }
    }
    path("tap", taps.join(""), moving);
    path("field", `${join(field)}Z`, moving);
    if (flat) {
      const strip = box(lower, -STRIP, j * strides, 1, horizontal.effective);
      drawKernel(moving, lower, unit, j * strides, kernel, dilation);
      path("beam", `${join([neuron[3], neuron[2], strip[1], strip[0]])}Z`, moving);
    } else {
      path("edge", join([neuron[0], field[0]]) + join([neuron[1], field[1]]), moving);
      path("beam", `${join([neuron[3], neuron[2], field[2], field[3]])}Z`, moving);
    }
    path("neuron", `${join(neuron)}Z`, moving);
  };
}

function drawZeros(path, at, vertical, horizontal, rows, columns) {
  const { before: top, after: bottom, size: height } = vertical;
  const { before: left, after: right } = horizontal;
  const zeros = [
    lattice(at, 0, 0, top, columns),
    lattice(at, top + height, 0, bottom, columns),
    lattice(at, top, 0, height, left),
    lattice(at, top, columns - right, height, right),
  ];
  path("zeros", zeros.join(""));
  const odd = [];
  if (right > left) odd.push(outline(at, 0, columns - 1, rows, 1));
  if (bottom > top) odd.push(outline(at, rows - 1, 0, 1, columns));
  path("odd", odd.join(""));
}

function drawIgnored(path, at, vertical, horizontal, rows, columns) {
  const right = horizontal.ignored;
  const bottom = vertical.ignored;
  const regions = [];
  if (right > 0) regions.push(outline(at, 0, columns - right, rows, right));
  if (bottom > 0) regions.push(outline(at, rows - bottom, 0, bottom, columns - right));
  path("ignored", regions.join(""));
}

function drawLinks(path, upper, lower, axis, strides) {
  const links = [];
  for (let j = 0; j < axis.output; j++) {
    const from = j * strides;
    const middle = from + (axis.effective - 1) / 2;
    links.push(join([lower(0, from), upper(1, middle), upper(1, middle + 1), lower(0, from + axis.effective)]));
  }
  path("links", links.join(""));
}

// The kernel as it acts: its weights 1, 2, 3 … with the zeros that dilation puts between them.
function drawKernel(parent, lower, unit, from, kernel, dilation) {
  for (let v = 0; v < (kernel - 1) * dilation + 1; v++) {
    const hole = v % dilation !== 0;
    const d = outline(lower, -STRIP, from + v, 1, 1);
    shape(parent, "path", { class: hole ? "ca-hole" : "ca-weight", d });
    if (unit >= 16) label(parent, lower(-STRIP + 0.5, from + v + 0.5), hole ? 0 : v / dilation + 1);
  }
}

function label(parent, [x, y], text) {
  shape(parent, "text", { x, y: y + 4 }, text);
}
