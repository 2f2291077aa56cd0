// Small drawings as SVG text. Colours come from chart.css: classes say what a mark is.

// A drawing that is as wide as its place allows; `label` is what a screen reader says.
export function drawing(place, width, height, label, parts) {
  const words = label.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
  place.innerHTML =
    `<svg class="cc-svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${words}">` +
    `${parts.join("")}</svg>`;
}

// Maps a range of values to a range of pixels.
export function scale([low, high], [from, to]) {
  return (value) => from + ((value - low) / (high - low)) * (to - from);
}

export const line = (x1, y1, x2, y2, kind) =>
  `<line class="${kind}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;

export const rect = (x, y, width, height, kind) =>
  `<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${Math.max(0, height)}"/>`;

export const dot = (x, y, radius, kind) =>
  `<circle class="${kind}" cx="${x}" cy="${y}" r="${radius}"/>`;

export const text = (x, y, words, anchor = "middle") =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}">${words}</text>`;

export const path = (points, kind) =>
  `<polyline class="${kind}" points="${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ")}"/>`;

// A number with a real minus sign.
export const shown = (value, digits = 2) => value.toFixed(digits).replace("-", "−");
