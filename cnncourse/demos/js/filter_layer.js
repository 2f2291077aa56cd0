// What FilterDemo computes and paints: one convolutional layer on one photograph.
import { paintSigned, resize } from "./colour.js";
import { conv2d, outputSize } from "./conv.js";

export const GAP = 4; // white pixels between the maps of the colours

export function layer(model) {
  const names = ["strides", "padding", "dilation", "bias"];
  return Object.fromEntries(names.map((name) => [name, model.get(name)]));
}

function scaleOf(data) {
  // Where colours end: 995 of 1,000 values lie inside, or a quarter of the largest if that is more.
  let largest = 0;
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, Math.abs(data[i]));
  const counts = new Uint32Array(256);
  const step = Math.ceil(data.length / 50000); // a sample is enough
  let left = 0.005 * Math.ceil(data.length / step);
  for (let i = 0; i < data.length; i += step) counts[Math.floor((255 * Math.abs(data[i])) / largest)]++;
  let bin = 255;
  while (bin > 63 && (left -= counts[bin]) > 0) bin--;
  return (largest * (bin + 1)) / 256;
}

export function compute(model, photo, old = new Float32Array(0)) {
  // -> {data, shape: [maps, rows, columns], scale, inputs}; the memory of `old` is used again.
  const each = model.get("channels") === "each";
  const count = photo.width * photo.height;
  const inputs = each
    ? Array.from({ length: photo.maps }, (_, m) => photo.colours.subarray(m * count, (m + 1) * count))
    : [photo.grey];
  const kernel = model.get("kernel");
  const { strides, padding, dilation } = layer(model);
  const [rows, columns] = [photo.height, photo.width].map((size) =>
    outputSize(size, kernel.length, strides, padding, dilation),
  );
  const area = rows * columns;
  const data = old.length === inputs.length * area ? old : new Float32Array(inputs.length * area);
  inputs.forEach((x, m) => {
    const out = data.subarray(m * area, (m + 1) * area);
    conv2d(x, [1, photo.height, photo.width], [kernel], { ...layer(model), out });
  });
  if (model.get("relu")) for (let i = 0; i < data.length; i++) data[i] = Math.max(0, data[i]);
  return { data, shape: [inputs.length, rows, columns], scale: scaleOf(data), inputs };
}

export function kerasLine(model) {
  const each = model.get("channels") === "each";
  const size = model.get("kernel").length;
  const words = [each ? `${size}` : `1, ${size}`];
  if (model.get("strides") > 1) words.push(`strides=${model.get("strides")}`);
  words.push(`padding="${model.get("padding")}"`);
  if (model.get("dilation") > 1) words.push(`dilation_rate=${model.get("dilation")}`);
  if (model.get("relu")) words.push('activation="relu"');
  words.push(
    each
      ? "depthwise_initializer=lambda shape, dtype: " +
          "np.broadcast_to(kernel[:, :, None, None], shape)"
      : "kernel_initializer=lambda shape, dtype: kernel.reshape(shape)",
  );
  const bias = model.get("bias");
  if (bias) {
    words.push(`bias_initializer=keras.initializers.Constant(${Number(bias.toPrecision(6))})`);
  }
  return `keras.layers.${each ? "DepthwiseConv2D" : "Conv2D"}(${words.join(", ")})`;
}

export function originOf(m, [, rows, columns]) {
  // Three maps stand in two rows: red and green, blue.
  return [(m >> 1) * (rows + GAP), (m & 1) * (columns + GAP)];
}

export function paintMaps(canvas, { data, shape, scale }) {
  const [maps, rows, columns] = shape;
  const twice = (n) => (maps > 1 ? 2 * n + GAP : n);
  resize(canvas, twice(columns), twice(rows));
  const context = canvas.getContext("2d");
  for (let m = 0; m < maps; m++) {
    const values = data.subarray(m * rows * columns, (m + 1) * rows * columns);
    const [top, left] = originOf(m, shape);
    context.putImageData(paintSigned(values, rows, columns, scale), left, top);
  }
}
