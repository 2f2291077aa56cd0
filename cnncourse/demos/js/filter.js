// FilterDemo: slide a kernel over a photograph and read off what one neuron computes.
import { cellSide, drawGrid, scaleCss, signed } from "./colour.js";
import { zerosBefore } from "./conv.js";
import { GAP, compute, kerasLine, layer, originOf, paintMaps } from "./filter_layer.js";
import { kernelControls, kernelEditor } from "./kernel_editor.js";
import { sumOf } from "./kernels.js";
import { loadPhoto, photoControls } from "./photo.js";
import { choice, group, node, put, slider, tick, uniqueId, watch } from "./ui.js";

function layerControls(model, say) {
  const other = { strides: "dilation", dilation: "strides" };
  const exclusive = (name) => (value) => {
    const clash = value > 1 && model.get(other[name]) > 1;
    put(model, clash ? { [name]: value, [other[name]]: 1 } : { [name]: value });
    say(
      clash
        ? `Keras refuses strides and dilation above 1 together, so ${other[name]} is 1 again.`
        : "",
    );
  };
  return group(
    "Layer",
    slider(model, "strides", { label: "stride", min: 1, max: 4, change: exclusive("strides") }),
    choice(model, "padding", { label: "padding", options: [["same", "same"], ["valid", "valid"]] }),
    slider(model, "dilation", { label: "dilation", min: 1, max: 4, change: exclusive("dilation") }),
    slider(model, "bias", { label: "bias", min: -5, max: 5, step: 0.1 }),
    choice(model, "channels", {
      label: "input",
      options: [["grey", "grey"], ["each", "each colour"]],
    }),
    tick(model, "relu", { label: "ReLU: negative becomes 0" }),
  );
}

export function render({ model, el, asset }) {
  let photo = null;
  let result = null;
  let probe = null; // [map, row, column] of the neuron that is read
  const message = node("p", { class: "cn-message", role: "status" });
  const say = (text) => (message.textContent = text);

  const photoCanvas = node("canvas", { role: "img", "aria-label": "the photograph" });
  const patchBox = node("div", { class: "cn-box" });
  const helpId = uniqueId("help");
  const mapCanvas = node("canvas", {
    class: "cn-map",
    tabindex: 0,
    role: "application",
    "aria-label": "the feature map; arrow keys choose a neuron",
    "aria-describedby": helpId,
  });
  const neuronBox = node("div", { class: "cn-box" });
  const photoCaption = node("span", {});
  const mapCaption = node("span", {});
  const ends = [node("span", {}), node("span", {}, "0"), node("span", {})];
  const legend = node("div", { class: "cn-scale" }, node("div", { class: "cn-ramp" }), ...ends);
  legend.firstChild.style.background = scaleCss;
  const sums = node("p", { id: helpId, class: "cn-sum", "aria-live": "polite" });
  const grids = ["patch", "products"].map((text) => {
    const canvas = node("canvas", { "aria-hidden": "true" });
    return { canvas, figure: node("figure", {}, node("figcaption", {}, text), canvas) };
  });
  const kernel = kernelEditor(model);
  const code = node("code", {});

  const readNeuron = () => {
    const [m, row, column] = probe;
    const kernel = model.get("kernel");
    const k = kernel.length;
    const { strides, padding, dilation, bias } = layer(model);
    const top = row * strides - zerosBefore(photo.height, k, strides, padding, dilation);
    const left = column * strides - zerosBefore(photo.width, k, strides, padding, dilation);
    const x = result.inputs[m];
    const patch = kernel.map((line, u) =>
      line.map((_, v) => {
        const [i, j] = [top + u * dilation, left + v * dilation];
        const inside = i >= 0 && j >= 0 && i < photo.height && j < photo.width;
        return inside ? x[i * photo.width + j] : 0;
      }),
    );
    const products = kernel.map((line, u) => line.map((w, v) => w * patch[u][v]));
    return { patch, products, top, left, span: (k - 1) * dilation + 1, bias };
  };

  const place = (box, top, left, height, width, canvas) => {
    // Outlines a rectangle of picture pixels; never smaller than 7 screen pixels.
    const percent = (value, whole) => `${(100 * value) / whole}%`;
    box.style.top = percent(top + height / 2, canvas.height);
    box.style.left = percent(left + width / 2, canvas.width);
    box.style.height = `max(7px, ${percent(height, canvas.height)})`;
    box.style.width = `max(7px, ${percent(width, canvas.width)})`;
  };

  const drawProbe = () => {
    const [m, row, column] = probe;
    const { patch, products, top, left, span, bias } = readNeuron();
    const [mapTop, mapLeft] = originOf(m, result.shape);
    place(patchBox, top, left, span, span, photoCanvas);
    place(neuronBox, mapTop + row, mapLeft + column, 1, 1, mapCanvas);
    const k = patch.length;
    const cell = cellSide(k);
    const scale = Math.max(...products.flat().map(Math.abs));
    const grey = (v) => [v, v, v].map((c) => Math.round(255 * c));
    drawGrid(grids[0].canvas, patch, { cell, colour: grey });
    drawGrid(grids[1].canvas, products, { cell, scale });
    const sum = sumOf(products);
    const z = sum + bias;
    let line =
      `Neuron (${row}, ${column}) reads rows ${top} to ${top + span - 1}, columns ${left} to ` +
      `${left + span - 1}. Sum of ${k * k} products: ${signed(sum, 4)}`;
    if (bias) line += `, with bias ${signed(bias, 2)}: ${signed(z, 4)}`;
    if (model.get("relu")) line += `, after ReLU: ${signed(Math.max(0, z), 4)}`;
    sums.textContent = `${line}.`;
  };

  const draw = () => {
    if (!photo) return;
    result = compute(model, photo, result?.data);
    const [maps, rows, columns] = result.shape;
    root.cnOutput = result; // for those who look from outside: {data, shape, scale}
    code.textContent = kerasLine(model);
    const fits = rows > 0 && columns > 0;
    readout.hidden = mapBox.hidden = !fits;
    if (!fits) {
      const span = (model.get("kernel").length - 1) * model.get("dilation") + 1;
      mapCaption.textContent =
        `No neuron fits: the kernel covers ${span} × ${span} pixels, the picture has only ` +
        `${photo.height} × ${photo.width}. Choose padding "same".`;
      return;
    }
    paintMaps(mapCanvas, result);
    const names =
      maps > 1 ? "maps of red, green and (below) blue" : "map of the mean of red, green and blue";
    mapCaption.textContent = `${photo.maps > 1 ? names : "map"}: ${rows} × ${columns}`;
    ends[0].textContent = `≤ ${signed(-result.scale)}`;
    ends[2].textContent = `≥ ${signed(result.scale)}`;
    const limits = [maps, rows, columns];
    probe ??= [0, Math.floor(rows / 2), Math.floor(columns / 2)];
    probe = probe.map((n, axis) => Math.min(n, limits[axis] - 1));
    drawProbe();
  };

  let loads = 0;
  const load = async () => {
    const mine = (loads += 1);
    let loaded;
    try {
      loaded = await loadPhoto(model, asset);
    } catch {
      say("The picture could not be loaded.");
      return;
    }
    if (mine !== loads) return; // a newer picture is on its way
    photo = loaded;
    photoCanvas.width = photo.width;
    photoCanvas.height = photo.height;
    photoCanvas.getContext("2d").putImageData(photo.pixels, 0, 0);
    photoCaption.textContent = `photograph: ${photo.height} × ${photo.width}, values 0 to 1`;
    draw();
  };

  const moveProbe = (next) => {
    probe = next.map((n, axis) => Math.max(0, Math.min(n, result.shape[axis] - 1)));
    drawProbe();
  };
  const point = (event) => {
    const box = mapCanvas.getBoundingClientRect();
    const [maps, rows, columns] = result.shape;
    const x = Math.floor(((event.clientX - box.left) / box.width) * mapCanvas.width);
    const y = Math.floor(((event.clientY - box.top) / box.height) * mapCanvas.height);
    const m = Math.min(maps - 1, 2 * Number(y >= rows + GAP) + Number(x >= columns + GAP));
    const [top, left] = originOf(m, result.shape);
    moveProbe([m, y - top, x - left]);
  };
  mapCanvas.addEventListener("pointermove", point);
  mapCanvas.addEventListener("pointerdown", point);
  mapCanvas.addEventListener("keydown", (event) => {
    const moves = { ArrowUp: [0, -1, 0], ArrowDown: [0, 1, 0], ArrowLeft: [0, 0, -1], ArrowRight: [0, 0, 1] };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    const step = event.shiftKey ? 10 : 1;
    moveProbe(probe.map((n, axis) => n + step * move[axis]));
  });

  const photoBox = node("div", { class: "cn-frame" }, photoCanvas, patchBox);
  const mapBox = node("div", { class: "cn-frame" }, mapCanvas, neuronBox);
  const readout = node(
    "section",
    { class: "cn-readout", "aria-label": "one neuron" },
    node(
      "div",
      { class: "cn-grids" },
      grids[0].figure,
      "×",
      node("figure", {}, node("figcaption", {}, "kernel"), kernel.grid),
      "=",
      grids[1].figure,
    ),
    sums,
  );
  const root = node(
    "div",
    { class: "cn-demo" },
    node(
      "div",
      { class: "cn-pictures" },
      node("figure", {}, photoBox, node("figcaption", {}, photoCaption)),
      node("figure", {}, mapBox, node("figcaption", {}, mapCaption, legend)),
    ),
    message,
    node(
      "div",
      { class: "cn-controls" },
      group("Picture", ...photoControls(model, say)),
      kernelControls(model, ...kernel.tools),
      layerControls(model, say),
    ),
    readout,
    node("p", { class: "cn-note" }, "The same layer in Keras, with this kernel as an array:"),
    node("pre", { class: "cn-code", tabindex: 0, "aria-label": "Keras code" }, code),
  );
  el.append(root);
  const undo = [
    watch(model, ["photo", "picture"], load),
    watch(model, ["kernel", "strides", "padding", "dilation", "bias", "relu", "channels"], draw),
  ];
  load();
  return () => undo.forEach((f) => f());
}

export default { render };
