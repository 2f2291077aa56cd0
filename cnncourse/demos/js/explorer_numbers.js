// What ExplorerDemo computes: as `chosen` in explorer.py.

export const BYTES = { float32: 4, bfloat16: 2, float16: 2 };

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const product = (numbers) => numbers.reduce((a, b) => a * b, 1);

// Parameters, MACs and numbers in the results of some steps.
export function costs(maps, steps) {
  return {
    parameters: sum(steps.map((step) => step[3])),
    macs: sum(steps.map((step) => step[4])),
    results: sum(steps.map((step) => product(maps[step[2]][0]))),
  };
}

// The neuron whose field has its middle nearest to a pixel, and the pixels that it sees.
function seen(side, [start, size, jump], pixel) {
  const nearest = Math.floor((pixel - start - (size - 1) / 2) / jump + 0.5);
  const neuron = Math.min(Math.max(nearest, 0), side - 1);
  const first = start + neuron * jump;
  return [neuron, first, first + size - 1];
}

export const middle = (neuron, [start, size, jump]) => start + neuron * jump + (size - 1) / 2;

export function chosenOf(model) {
  const { stages, maps, kinds } = model.get("network");
  let [name, steps] = stages[model.get("stage")];
  if (model.get("step") >= 0) {
    steps = [steps[Math.min(model.get("step"), steps.length - 1)]];
    name = steps[0][0];
  }
  const [shape, ...fields] = maps[steps[steps.length - 1][2]];
  const { parameters, macs, results } = costs(maps, steps);
  const counts = {};
  for (const step of steps) counts[kinds[step[1]]] = (counts[kinds[step[1]]] ?? 0) + 1;
  const bytes = BYTES[model.get("dtype")];
  let neuron = null;
  let field = null;
  if (fields[0]) {
    const [row, top, bottom] = seen(shape[0], fields[0], model.get("y"));
    const [column, left, right] = seen(shape[1], fields[1], model.get("x"));
    neuron = [row, column];
    field = [top, bottom, left, right];
  }
  return {
    name,
    shape,
    parameters,
    macs,
    weight_bytes: parameters * bytes,
    result_bytes: results * bytes * model.get("batch_size"),
    kinds: counts,
    neuron,
    field,
    fields: fields[0] ? fields : null,
  };
}

export const exact = (count) => count.toLocaleString("en-US");

// Three digits and K, M or G for thousands, millions, milliards.
export function inWords(count) {
  for (const [factor, unit] of [[1e9, " G"], [1e6, " M"], [1e3, " K"]]) {
    if (count < factor * 0.9995) continue;
    const value = count / factor;
    return value.toFixed(Math.max(0, 2 - Math.trunc(Math.log10(value * 1.0005)))) + unit;
  }
  return String(count);
}

export function inBytes(count) {
  const units = [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]];
  const [factor, unit] = units.find(([least]) => count >= least) ?? units[2];
  const value = count / factor;
  return `${value.toFixed(value < 100 ? 1 : 0)} ${unit}`;
}
