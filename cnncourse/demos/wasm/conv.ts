// Weighted sums over shifted copies of an image: one map of a convolution, four pixels at a time.
//
// The compiled module is committed as text in js/conv_wasm.js: after a change here, run
// `python tools/build_wasm.py`.
// All pointers are byte addresses in the memory that JavaScript lays out:
//   x        float32 input, zero-padded, `width` values per row (all its maps one after the other)
//   offsets  int32, one per tap: how many values after the window's corner the tap reads
//   weights  float32, one per tap
//   out      float32 output, (rows, columns)

export function conv(
  x: usize, width: i32, offsets: usize, weights: usize, taps: i32, bias: f32,
  out: usize, rows: i32, columns: i32, stride: i32,
): void {
  for (let i = 0; i < rows; i++) {
    const row: usize = x + (<usize>(i * stride * width) << 2);
    let j = 0;
    if (stride == 1) {
      for (; j + 16 <= columns; j += 16) {
        const corner: usize = row + (<usize>j << 2);
        let a = f32x4.splat(bias), b = a, c = a, d = a;
        for (let t = 0; t < taps; t++) {
          const p = corner + (<usize>load<i32>(offsets + (<usize>t << 2)) << 2);
          const w = v128.load32_splat(weights + (<usize>t << 2));
          a = f32x4.add(a, f32x4.mul(w, v128.load(p)));
          b = f32x4.add(b, f32x4.mul(w, v128.load(p, 16)));
          c = f32x4.add(c, f32x4.mul(w, v128.load(p, 32)));
          d = f32x4.add(d, f32x4.mul(w, v128.load(p, 48)));
        }
        v128.store(out, a);
        v128.store(out, b, 16);
        v128.store(out, c, 32);
        v128.store(out, d, 48);
        out += 64;
      }
    }
    for (; j < columns; j++) {
      const corner: usize = row + (<usize>(j * stride) << 2);
      let sum = bias;
      for (let t = 0; t < taps; t++) {
        const p = corner + (<usize>load<i32>(offsets + (<usize>t << 2)) << 2);
        sum += load<f32>(weights + (<usize>t << 2)) * load<f32>(p);
      }
      store<f32>(out, sum);
      out += 4;
    }
  }
}
