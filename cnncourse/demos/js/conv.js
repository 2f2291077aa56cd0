// 2-D convolution as Keras does it (no kernel flip; "same" puts the odd zero at the end).
import { CONV_WASM } from "./conv_wasm.js";

export function outputSize(size, k, stride, padding, dilation) {
  if (padding === "same") return Math.ceil(size / stride);
  return Math.max(0, Math.floor((size - (k - 1) * dilation - 1) / stride) + 1);
}

export function zerosBefore(size, k, stride, padding, dilation) {
  if (padding === "valid") return 0;
  const output = outputSize(size, k, stride, padding, dilation);
  return Math.max(0, (output - 1) * stride + (k - 1) * dilation + 1 - size) >> 1;
}

function padded(x, [maps, height, width], [top, left], [newHeight, newWidth], out) {
  // Copies the maps into out, surrounded by zeros.
  out.fill(0);
  const rows = Math.min(height, newHeight - top);
  const columns = Math.min(width, newWidth - left);
  for (let m = 0; m < maps; m++) {
    for (let i = 0; i < rows; i++) {
      const start = (m * height + i) * width;
      out.set(
        x.subarray(start, start + columns),
        (m * newHeight + top + i) * newWidth + left,
      );
    }
  }
}

const memoryInJs = {
  // Plain JavaScript, where the browser has no WebAssembly SIMD: four neighbours at a time.
  room(values) {
    return new Float32Array(values + 16); // the last four may read past the end
  },
  run(x, width, offsets, weights, bias, rows, columns, stride, out) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j += 4) {
        const o = i * columns + j;
        const corner = (i * width + j) * stride;
        let a = bias;
        let b = bias;
        let c = bias;
        let d = bias;
        for (let t = 0; t < offsets.length; t++) {
          const w = weights[t];
          const p = corner + offsets[t];
          a += w * x[p];
          b += w * x[p + stride];
          c += w * x[p + 2 * stride];
          d += w * x[p + 3 * stride];
        }
        out[o] = a;
        if (j + 1 < columns) out[o + 1] = b;
        if (j + 2 < columns) out[o + 2] = c;
        if (j + 3 < columns) out[o + 3] = d;
      }
    }
  },
};

function startWasm() {
  // The compiled conv.ts; null where the browser cannot run it.
  try {
    const bytes = Uint8Array.from(atob(CONV_WASM), (c) => c.charCodeAt(0));
    const { conv, memory } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
    const grow = (end) => {
      const missing = end - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / 65536));
    };
    return {
      room(values) {
        grow(values * 4);
        return new Float32Array(memory.buffer, 0, values);
      },
      run(x, width, offsets, weights, bias, rows, columns, stride, out) {
        const taps = offsets.length;
        const at = { offsets: x.length * 4, weights: (x.length + taps) * 4 };
        at.out = at.weights + taps * 4;
        grow(at.out + rows * columns * 4);
        new Int32Array(memory.buffer, at.offsets, taps).set(offsets);
        new Float32Array(memory.buffer, at.weights, taps).set(weights);
        conv(0, width, at.offsets, at.weights, taps, bias, at.out, rows, columns, stride);
        out.set(new Float32Array(memory.buffer, at.out, rows * columns));
      },
    };
  } catch {
    return null;
  }
}

const memoryInWasm = startWasm();
export const engines = { js: memoryInJs, wasm: memoryInWasm };

export function conv2d(x, shape, kernel, options = {}, engine = memoryInWasm ?? memoryInJs) {
  // x: Float32Array of shape [maps, height, width]; kernel: [maps][k][k] -> {data, shape}
  // options.out: memory for the result; new memory costs more than the arithmetic.
  const { strides = 1, padding = "valid", dilation = 1, bias = 0 } = options;
  const [maps, height, width] = shape;
  const k = kernel[0].length;
  const rows = outputSize(height, k, strides, padding, dilation);
  const columns = outputSize(width, k, strides, padding, dilation);
  if (rows === 0 || columns === 0) return { data: new Float32Array(0), shape: [rows, columns] };
  const span = (k - 1) * dilation + 1;
  const before = [height, width].map((n) => zerosBefore(n, k, strides, padding, dilation));
  const size = [(rows - 1) * strides + span, (columns - 1) * strides + span];
  const area = engine.room(maps * size[0] * size[1]);
  padded(x, shape, before, size, area);
  const offsets = [];
  const weights = [];
  for (let m = 0; m < maps; m++) {
    for (let u = 0; u < k; u++) {
      for (let v = 0; v < k; v++) {
        if (kernel[m][u][v] === 0) continue;
        offsets.push((m * size[0] + u * dilation) * size[1] + v * dilation);
        weights.push(kernel[m][u][v]);
      }
    }
  }
  const data = options.out ?? new Float32Array(rows * columns);
  engine.run(area, size[1], offsets, weights, bias, rows, columns, strides, data);
  return { data, shape: [rows, columns] };
}
