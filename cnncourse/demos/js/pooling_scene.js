// What PoolingDemo draws: maps of grey cells, and bars for every move.
import { resize } from "./colour.js";
import { REACH } from "./pool.js";
import { node } from "./ui.js";

const ACCENT = "#d55e00";

export function drawCells(canvas, rows, columns, side, { value, faded, marked, text, lines }) {
  // Grey squares of `side` canvas pixels; text(i, j) writes into them.
  const small = node("canvas", { width: columns, height: rows });
  const image = new ImageData(columns, rows);
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      image.data.fill(value(i, j), at, at + 3);
      image.data[at + 3] = faded?.(i, j) ? 25 : 255;
      at += 4;
    }
  }
  small.getContext("2d").putImageData(image, 0, 0);
  resize(canvas, columns * side, rows * side);
  const c = canvas.getContext("2d");
  c.clearRect(0, 0, canvas.width, canvas.height);
  c.imageSmoothingEnabled = false;
  c.drawImage(small, 0, 0, canvas.width, canvas.height);
  c.textAlign = "center";
  c.textBaseline = "middle";
  c.font = "30px system-ui, sans-serif";
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const [x, y] = [(j + 0.5) * side, (i + 0.5) * side];
      if (text && !faded?.(i, j)) {
        c.fillStyle = value(i, j) > 117 ? "#000" : "#fff";
        c.fillText(text(i, j), x, y);
      }
      if (marked?.(i, j)) mark(c, x, y, side);
    }
  }
  if (lines) drawLines(c, lines * side);
}

function mark(c, x, y, side) {
  if (side > 40) {
    c.strokeStyle = ACCENT;
    c.lineWidth = 8;
    c.strokeRect(x - side / 2 + 6, y - side / 2 + 6, side - 12, side - 12);
  } else {
    c.fillStyle = ACCENT;
    c.fillRect(x - 3, y - 3, 6, 6);
  }
}

function drawLines(c, step) {
  c.fillStyle = "#56b4e9";
  for (let x = step; x < c.canvas.width; x += step) c.fillRect(x - 2, 0, 4, c.canvas.height);
  for (let y = step; y < c.canvas.height; y += step) c.fillRect(0, y - 2, c.canvas.width, 4);
}

export function drawPhase(canvas, values, now) {
  // Bars for −8 … 8; the present move in orange, with a line under it.
  const [cell, height] = [22, 70];
  const sharp = window.devicePixelRatio || 1;
  canvas.width = values.length * cell * sharp;
  canvas.height = (height + 18) * sharp;
  const c = canvas.getContext("2d");
  c.scale(sharp, sharp);
  c.textAlign = "center";
  c.font = "11px system-ui, sans-serif";
  const ink = getComputedStyle(canvas).color;
  const largest = Math.max(...values.filter((v) => !Number.isNaN(v)), 1e-9);
  values.forEach((value, i) => {
    const move = i - REACH;
    const tall = ((value || 0) / largest) * (height - 4);
    c.fillStyle = move === now ? ACCENT : "#0072b2";
    c.fillRect(i * cell + 3, height - tall, cell - 6, tall);
    c.fillStyle = ink;
    c.fillRect(i * cell + 3, height, cell - 6, 1);
    c.fillText(String(move).replace("-", "−"), (i + 0.5) * cell, height + 13);
    if (move === now) c.fillRect(i * cell + 5, height + 16, cell - 10, 2);
  });
}
