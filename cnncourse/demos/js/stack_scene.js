// The picture of StackDemo: photo, maps of layer 1 and maps of layer 2 as stacks of planes.

const SPACE = 20; // pixels between two planes of a stack, with room for a name
const NAMES = [
  ["photo"],
  ["0: brighter →", "1: brighter ↓", "2: brighter ↘", "3: red"],
  ["0: corners", "1: upright edges", "2: red + edges"],
];

// A plane's place: where its cell (row, column) lies on the screen, and back.
function plane(map, x, y, look) {
  const { side, shear, squash } = look;
  const unit = side / map.width;
  const at = (row, column) => [
    x + unit * (column + shear * (map.height - row)),
    y + unit * squash * row,
  ];
  const cell = (px, py) => {
    const row = (py - y) / (unit * squash);
    const column = (px - x) / unit - shear * (map.height - row);
    const inside = row >= 0 && column >= 0 && row < map.height && column < map.width;
    return inside ? [Math.floor(row), Math.floor(column)] : null;
  };
  return { map, at, cell, unit, look };
}

// levels: three lists of picture maps {height, width, pixels}; returns planes and the height.
export function arrange(levels, width) {
  const narrow = width < 560;
  const gap = narrow ? 16 : 56;
  const look = narrow ? { shear: 0.15, squash: 0.95 } : { shear: 0.4, squash: 0.55 };
  const column = (width - 2 * gap) / 3;
  look.side = column / (1 + look.shear);
  const step = look.side * look.squash + SPACE;
  const most = Math.max(...levels.map((maps) => maps.length));
  const planes = levels.map((maps, level) => {
    const top = ((most - maps.length) * step) / 2 + 22;
    return maps.map((map, n) => plane(map, level * (column + gap), top + n * step, look));
  });
  return { planes, height: Math.ceil(most * step + 22), column, gap };
}

function polygon(ctx, points) {
  ctx.beginPath();
  points.forEach(([x, y], n) => (n ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
  ctx.closePath();
}

const corners = ({ at }, [row, column, side]) => [
  at(row, column),
  at(row, column + side),
  at(row + side, column + side),
  at(row + side, column),
];

function drawPlane(ctx, place) {
  const { map, at, unit, look } = place;
  const [x, y] = at(0, 0);
  ctx.save();
  ctx.transform(unit, 0, -unit * look.shear, unit * look.squash, x, y);
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(map.picture, 0, 0);
  ctx.restore();
  ctx.strokeStyle = "#808080";
  ctx.lineWidth = 1;
  polygon(ctx, corners(place, [0, 0, map.width]));
  ctx.stroke();
}

// The beam from a box in one plane to a box in a plane further right.
function beam(ctx, from, to) {
  polygon(ctx, [from[1], to[0], to[3], from[2]]);
  ctx.fill();
  ctx.stroke();
}

function outlineBox(ctx, points) {
  for (const [colour, width] of [["#ffffff", 5], ["#d55e00", 2.5]]) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    polygon(ctx, points);
    ctx.stroke();
  }
}

// boxes: [row, column, side] in the photo and in layer 1; neuron: [row, column, map].
export function paint(canvas, { planes, height, column, gap }, width, boxes, neuron) {
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const ctx = canvas.getContext("2d");
  ctx.scale(scale, scale);
  ctx.fillStyle = getComputedStyle(canvas).color;
  ctx.lineJoin = "round";
  ctx.font = "600 13px system-ui, sans-serif";
  const titles = ["input", "layer 1", "layer 2"];
  titles.forEach((title, n) => ctx.fillText(title, n * (column + gap), 14));
  ctx.font = "12px system-ui, sans-serif";
  planes.forEach((places, level) => {
    places.forEach((place, n) => {
      drawPlane(ctx, place);
      const [x, y] = place.at(place.map.height, 0);
      ctx.fillText(NAMES[level][n], x, y + 13);
    });
  });

  const [photo, first, second] = planes;
  const seen = corners(photo[0], boxes.image);
  const read = first.map((place) => corners(place, boxes.layer_1));
  const cell = corners(second[neuron[2]], [neuron[0], neuron[1], 1]);
  ctx.fillStyle = "rgba(230, 159, 0, 0.10)";
  ctx.strokeStyle = "rgba(213, 94, 0, 0.45)";
  ctx.lineWidth = 1;
  for (const box of read) {
    beam(ctx, seen, box);
    beam(ctx, box, cell);
  }
  for (const box of [seen, ...read, cell]) outlineBox(ctx, box);
}

// A map as a small picture: black is 0, white the largest value of this map.
export function grayPicture(map, channel) {
  const values = map.data.filter((_, n) => n % map.channels === channel);
  const largest = values.reduce((a, b) => Math.max(a, b), 1e-9);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [map.width, map.height];
  const image = new ImageData(map.width, map.height);
  for (let n = 0; n < map.width * map.height; n++) {
    const value = Math.round((255 * values[n]) / largest);
    image.data.set([value, value, value, 255], 4 * n);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return { height: map.height, width: map.width, picture: canvas };
}

export function colourPicture(map) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [map.width, map.height];
  const image = new ImageData(map.width, map.height);
  for (let n = 0; n < map.width * map.height; n++) {
    for (let c = 0; c < 3; c++) image.data[4 * n + c] = Math.round(255 * map.data[3 * n + c]);
    image.data[4 * n + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return { height: map.height, width: map.width, picture: canvas };
}
