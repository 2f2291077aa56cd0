// The numbers mode of StackDemo: two filters over a small input with three channels, stride 2.
import { node } from "./ui.js";

const CHANNELS = ["red", "green", "blue"];
const STRIDE = 2;
const WINDOW = 3;

const signed = (value) => (value < 0 ? `−${-value}` : String(value));

function table(rows, caption, mark = () => "", choose) {
  const body = rows.map((row, i) =>
    node("tr", {}, ...row.map((value, j) => {
      const cell = node("td", { class: mark(i, j) }, signed(value));
      if (choose) cell.addEventListener("click", () => choose(i, j));
      return cell;
    })));
  return node("table", { class: "cs-table" }, node("caption", {}, caption), ...body);
}

const range = (n) => Array.from({ length: n }, (_, k) => k);
const grid = (height, width, f) => range(height).map((i) => range(width).map((j) => f(i, j)));
const total = (rows) => rows.flat().reduce((sum, value) => sum + value, 0);

// The output's (rows, columns, maps), from the sizes of the example.
export function numbersShape({ input, biases }) {
  const places = (size) => Math.floor((size - WINDOW) / STRIDE) + 1;
  return [places(input.length), places(input[0].length), biases.length];
}

function productsOf({ input, filters }, i, j, k, c) {
  return grid(WINDOW, WINDOW, (u, v) => input[STRIDE * i + u][STRIDE * j + v][c] * filters[u][v][c][k]);
}

export function weightedSum(example, i, j, k) {
  const sums = range(3).map((c) => total(productsOf(example, i, j, k, c)));
  return { sums, bias: example.biases[k], z: total([sums]) + example.biases[k] };
}

// Fills `parent` with the tables for neuron (i, j) of map k; choose(i, j, k) picks another one.
export function drawNumbers(parent, example, [i, j, k], choose) {
  const { input, filters } = example;
  const [height, width, maps] = numbersShape(example);
  const inField = (row, column) =>
    row >= STRIDE * i && row < STRIDE * i + WINDOW && column >= STRIDE * j && column < STRIDE * j + WINDOW;
  const { sums, bias, z } = weightedSum(example, i, j, k);
  const rows = CHANNELS.map((name, c) => {
    const whole = input.map((line) => line.map((pixel) => pixel[c]));
    const weights = grid(WINDOW, WINDOW, (u, v) => filters[u][v][c][k]);
    return node(
      "div",
      { class: "cs-channel" },
      table(whole, `input, ${name}`, (r, q) => (inField(r, q) ? "cs-in" : "")),
      node("span", { class: "cs-sign" }, "×"),
      table(weights, `filter ${k}, ${name}`),
      node(
        "div",
        { class: "cs-products" },
        node("span", { class: "cs-sign" }, "="),
        table(productsOf(example, i, j, k, c), `products, sum ${signed(sums[c])}`, () => "cs-in"),
      ),
    );
  });
  const outputs = range(maps).map((m) => {
    const values = grid(height, width, (a, b) => weightedSum(example, a, b, m).z);
    const mark = (a, b) => `cs-out${a === i && b === j ? (m === k ? " cs-now" : " cs-in") : ""}`;
    return table(values, `map ${m}`, mark, (a, b) => choose(a, b, m));
  });
  const sum = sums.map(signed).join(" + ").replaceAll("+ −", "− ");
  const end = `${bias < 0 ? "−" : "+"} ${Math.abs(bias)}`;
  parent.replaceChildren(
    ...rows,
    node("p", { class: "cs-sum" }, `z(${i}, ${j}, map ${k}) = ${sum} ${end} (bias) = `,
      node("strong", {}, signed(z))),
    node("div", { class: "cs-channel" }, ...outputs),
  );
}
