// Random numbers that Python's `demos/random.py` draws too: mulberry32, a public-domain generator.

export function uniforms(seed, count) {
  // count numbers from 0 to below 1; the same seed gives the same numbers.
  let state = seed | 0;
  return Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  });
}
