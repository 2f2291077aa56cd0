// The photo of ExplorerDemo at the size of the network's input, and the field of one neuron on it.
import { node, put } from "./ui.js";
import { middle } from "./explorer_numbers.js";

const MOST = 0.7; // what is shown around the photo, at most, as a share of its longer side
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

// The middle of the photo in the input's proportions, at the input's size; grey for one channel.
function fitted({ pixels, width, height }, [rows, columns, channels]) {
  const source = node("canvas", { width, height });
  source.getContext("2d").putImageData(pixels, 0, 0);
  const zoom = Math.min(width / columns, height / rows);
  const [w, h] = [columns * zoom, rows * zoom];
  const canvas = node("canvas", { width: columns, height: rows });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(source, (width - w) / 2, (height - h) / 2, w, h, 0, 0, columns, rows);
  if (channels === 1) {
    const image = context.getImageData(0, 0, columns, rows);
    for (let i = 0; i < image.data.length; i += 4) {
      const [r, g, b] = image.data.subarray(i, i + 3);
      image.data.fill((r + g + b) / 3, i, i + 3);
    }
    context.putImageData(image, 0, 0);
  }
  return canvas;
}

// What is shown along one axis: [first, last] pixel, as far as any neuron of the map sees.
function span(side, count, field, most) {
  if (!field) return [0, side];
  const [start, size, jump] = field;
  const past = start + (count - 1) * jump + size - side;
  return [-Math.min(most, Math.max(0, -start)), side + Math.min(most, Math.max(0, past))];
}

function hatch(context) {
  const tile = node("canvas", { width: 8, height: 8 });
  const c = tile.getContext("2d");
  c.fillStyle = "#efefef";
  c.fillRect(0, 0, 8, 8);
  c.strokeStyle = "#d2d2d2";
  c.beginPath();
  for (const n of [-8, 0, 8]) {
    c.moveTo(n, 8);
    c.lineTo(n + 8, 0);
  }
  c.stroke();
  return context.createPattern(tile, "repeat");
}

function outline(context, box, dark) {
  for (const [colour, width] of [["#ffffff", 5], [dark, 2.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.strokeRect(...box);
  }
}

// The sides of the field that lie beyond what is shown get an arrow and the distance to the photo.
function beyond(context, size, field, view, [rows, columns]) {
  const [top, bottom, left, right] = field;
  const [[y0, y1], [x0, x1]] = view;
  const ends = [
    [top < y0, `↑ ${-top} px`, size[0] / 2, 16, "center"],
    [bottom + 1 > y1, `↓ ${bottom + 1 - rows} px`, size[0] / 2, size[1] - 8, "center"],
    [left < x0, `← ${-left} px`, 8, size[1] / 2, "left"],
    [right + 1 > x1, `${right + 1 - columns} px →`, size[0] - 8, size[1] / 2, "right"],
  ];
  context.font = "600 13px system-ui, sans-serif";
  for (const [cut, text, x, y, align] of ends) {
    if (!cut) continue;
    context.textAlign = align;
    context.lineWidth = 4;
    context.strokeStyle = "#ffffff";
    context.strokeText(text, x, y);
    context.fillStyle = "#a84a00";
    context.fillText(text, x, y);
  }
}

export function photoPanel(model, chosen) {
  const shape = model.get("network").input;
  const canvas = node("canvas", { tabindex: 0, role: "application", class: "ce-photo" });
  let picture = null;
  let view = null;
  let unit = 1;

  const draw = () => {
    const { fields, field, neuron, shape: maps } = chosen();
    const most = MOST * Math.max(shape[0], shape[1]);
    view = [0, 1].map((axis) => span(shape[axis], maps[axis], fields?.[axis], most));
    const [[y0, y1], [x0, x1]] = view;
    const width = canvas.parentElement.clientWidth || 320;
    unit = Math.min(width / (x1 - x0), 380 / (y1 - y0));
    const size = [(x1 - x0) * unit, (y1 - y0) * unit];
    const scale = window.devicePixelRatio || 1;
    [canvas.width, canvas.height] = size.map((n) => Math.round(n * scale));
    [canvas.style.width, canvas.style.height] = size.map((n) => `${Math.round(n)}px`);
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.fillStyle = hatch(context);
    context.fillRect(0, 0, ...size);
    context.imageSmoothingEnabled = shape[1] * unit < 2.5 * shape[1];
    const at = (y, x) => [(x - x0) * unit, (y - y0) * unit];
    if (picture) context.drawImage(picture, ...at(0, 0), shape[1] * unit, shape[0] * unit);
    const box = field ?? [0, shape[0] - 1, 0, shape[1] - 1];
    const corner = at(box[0], box[2]);
    const sides = [(box[3] - box[2] + 1) * unit, (box[1] - box[0] + 1) * unit];
    context.fillStyle = "rgba(230, 159, 0, 0.22)";
    context.fillRect(...corner, ...sides);
    outline(context, [...corner, ...sides], "#d55e00");
    if (field) {
      const centre = at(middle(neuron[0], fields[0]) + 0.5, middle(neuron[1], fields[1]) + 0.5);
      context.beginPath();
      context.arc(...centre, 4, 0, 2 * Math.PI);
      context.fillStyle = "#d55e00";
      context.fill();
      context.strokeStyle = "#ffffff";
      context.lineWidth = 1.5;
      context.stroke();
      beyond(context, size, field, view, shape);
    }
    canvas.setAttribute("aria-label", field
      ? `photo with the field of neuron (${neuron.join(", ")}); arrow keys choose another neuron`
      : "photo; there is no single field to show");
  };

  const pick = (event) => {
    if (event.type === "pointermove" && !event.buttons) return;
    if (!chosen().field) return;
    put(model, { y: view[0][0] + event.offsetY / unit - 0.5, x: view[1][0] + event.offsetX / unit - 0.5 });
  };
  canvas.addEventListener("pointerdown", pick);
  canvas.addEventListener("pointermove", pick);
  canvas.addEventListener("keydown", (event) => {
    const { fields, neuron, shape: maps } = chosen();
    if (!MOVES[event.key] || !fields) return;
    event.preventDefault();
    const [y, x] = MOVES[event.key].map((by, axis) => {
      const next = Math.min(Math.max(neuron[axis] + by, 0), maps[axis] - 1);
      return middle(next, fields[axis]);
    });
    put(model, { y, x });
  });
  const load = (photo) => {
    picture = fitted(photo, shape);
    draw();
  };
  return { canvas, draw, load };
}
