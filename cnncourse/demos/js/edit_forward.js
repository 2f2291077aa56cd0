// A small network's forward pass. Arrays are flat, (height, width, maps) in this order.
import { outputSize, zerosBefore } from "./conv.js";

function convolve(x, [height, width, channels], layer, kernel) {
  const [rowsK, columnsK, , filters] = layer.shape;
  const rows = outputSize(height, rowsK, 1, layer.padding, 1);
  const columns = outputSize(width, columnsK, 1, layer.padding, 1);
  const top = zerosBefore(height, rowsK, 1, layer.padding, 1);
  const left = zerosBefore(width, columnsK, 1, layer.padding, 1);
  const y = [];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      for (let f = 0; f < filters; f++) {
        let sum = layer.bias[f];
        for (let u = 0; u < rowsK; u++) {
          const row = i + u - top;
          if (row < 0 || row >= height) continue;
          for (let v = 0; v < columnsK; v++) {
            const column = j + v - left;
            if (column < 0 || column >= width) continue;
            for (let c = 0; c < channels; c++) {
              const w = kernel[((u * columnsK + v) * channels + c) * filters + f];
              sum += w * x[(row * width + column) * channels + c];
            }
          }
        }
        y.push(sum);
      }
    }
  }
  return { data: y, shape: [rows, columns, filters] };
}

function maxPool(x, [height, width, maps], [tall, wide]) {
  const [rows, columns] = [Math.floor(height / tall), Math.floor(width / wide)];
  const y = Array(rows * columns * maps).fill(-Infinity);
  for (let i = 0; i < rows * tall; i++) {
    for (let j = 0; j < columns * wide; j++) {
      for (let m = 0; m < maps; m++) {
        const o = (Math.floor(i / tall) * columns + Math.floor(j / wide)) * maps + m;
        y[o] = Math.max(y[o], x[(i * width + j) * maps + m]);
      }
    }
  }
  return { data: y, shape: [rows, columns, maps] };
}

function softmax(z) {
  const most = Math.max(...z);
  const e = z.map((value) => Math.exp(value - most));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((value) => value / sum);
}

export function edited(network, edits) {
  // -> the kernels of the layers with weights, flat, with the edits made
  const kernels = network.filter((layer) => layer.kernel).map((layer) => [...layer.kernel]);
  for (const [layer, place, value] of edits) kernels[layer][place] = value;
  return kernels;
}

export function forward(network, kernels, picture) {
  // picture: rows of numbers -> for each layer {data, shape}
  let now = { data: picture.flat(), shape: [picture.length, picture[0].length, 1] };
  let weighted = 0;
  return network.map((layer) => {
    if (layer.kind === "flatten") now = { data: now.data, shape: [now.data.length] };
    else if (layer.kind === "pool") now = maxPool(now.data, now.shape, layer.size);
    else {
      const shape = layer.kind === "dense" ? [1, 1, now.data.length] : now.shape;
      const { data, shape: made } = convolve(now.data, shape, layer, kernels[weighted]);
      weighted += 1;
      now = { data, shape: layer.kind === "dense" ? [data.length] : made };
      if (layer.activation === "relu") now.data = data.map((value) => Math.max(0, value));
      if (layer.activation === "softmax") now.data = softmax(data);
    }
    return now;
  });
}
