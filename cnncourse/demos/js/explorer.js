// ExplorerDemo: a network as a tower of stages; what each costs, and what its neurons see.
import { choice, group, node, put, slider, uniqueId, watch } from "./ui.js";
import { loadPhoto, photoControls } from "./photo.js";
import { onWidth } from "./player.js";
import { BYTES, chosenOf, exact, inBytes, inWords } from "./explorer_numbers.js";
import { shapeText, tower } from "./explorer_tower.js";
import { photoPanel } from "./explorer_photo.js";

// Where the field lies, in words; "sees pixel rows −26 to 32".
function sight(chosen, [rows, columns]) {
  if (!chosen.field) {
    return chosen.shape.length === 3
      ? "Not all neurons see alike here, so there is no field to show."
      : "Every number here comes from all maps before it, and so from the whole photo.";
  }
  const [top, bottom, left, right] = chosen.field;
  const signed = (n) => String(n).replace("-", "−");
  const outside = top < 0 || left < 0 || bottom >= rows || right >= columns;
  return `Neuron (${chosen.neuron.join(", ")}) sees ${bottom - top + 1} × ${right - left + 1} ` +
    `pixels: rows ${signed(top)} to ${bottom}, columns ${signed(left)} to ${right}. ` +
    `Its neighbour’s field lies ${chosen.fields[0][2]} pixels further.` +
    (outside ? " What is beyond the photo is padding." : "");
}

function rowsOf(chosen, whole, batch, dtype) {
  const share = (part, all) => (all ? ` (${((100 * part) / all).toFixed(1)} %)` : "");
  const images = batch === 1 ? "1 image" : `${batch} images`;
  return [
    ["shape", shapeText(chosen.shape)],
    ["parameters", exact(chosen.parameters) + share(chosen.parameters, whole.parameters)],
    ["MACs per image", exact(chosen.macs) + share(chosen.macs, whole.macs)],
    [`weights in ${dtype}`, inBytes(chosen.weight_bytes)],
    [`results of ${images}`, inBytes(chosen.result_bytes)],
    ["steps", Object.entries(chosen.kinds).map(([kind, n]) => `${n} ${kind}`).join(", ")],
  ];
}

// The steps of a stage: radio buttons in a list that scrolls.
function stepList(model) {
  const { maps, kinds, stages } = model.get("network");
  const list = node("div", { class: "ce-steps", role: "radiogroup", "aria-label": "step" });
  const summary = node("summary", {});
  const panel = node("details", { class: "ce-details", open: model.get("step") >= 0 }, summary, list);
  const name = uniqueId("step");
  let shown = null;
  const line = (value, ...cells) => {
    const radio = node("input", { type: "radio", name, value });
    radio.addEventListener("change", () => put(model, { step: value }));
    return node("label", { class: "ce-step" }, radio, ...cells.map((text) => node("span", {}, text)));
  };
  const fill = () => {
    const [title, steps] = stages[model.get("stage")];
    const lines = steps.map(([label, kind, place, parameters, macs], n) =>
      line(n, label, kinds[kind], shapeText(maps[place][0]), parameters ? inWords(parameters) : "",
        macs ? `${inWords(macs)}` : ""));
    const head = node("div", { class: "ce-step ce-head", "aria-hidden": "true" });
    head.append(...["", "step", "kind", "shape", "parameters", "MACs"].map((text) => node("span", {}, text)));
    list.replaceChildren(head, line(-1, `all of ${title}`, "", "", "", ""), ...lines);
    shown = model.get("stage");
  };
  const draw = () => {
    const [title, steps] = stages[model.get("stage")];
    summary.textContent = `The ${steps.length} ${steps.length === 1 ? "step" : "steps"} of ${title}`;
    if (!panel.open) return;
    if (shown !== model.get("stage")) fill();
    const step = Math.min(model.get("step"), steps.length - 1);
    for (const radio of list.querySelectorAll("input")) radio.checked = Number(radio.value) === step;
  };
  panel.addEventListener("toggle", draw);
  return { panel, draw };
}

export async function render({ model, el, asset }) {
  const { name, input, maps, stages } = model.get("network");
  const whole = chosenTotals(maps, stages);
  const message = node("p", { class: "cn-message", role: "status" });
  const say = (text) => (message.textContent = text);
  const stageTower = tower(model);
  const photo = photoPanel(model, () => chosenOf(model));
  const steps = stepList(model);
  const heading = node("p", { class: "ce-title" });
  const table = node("dl", { class: "ce-numbers" });
  const words = node("p", { class: "ce-sight", "aria-live": "polite" });
  const figure = node("figure", {}, photo.canvas,
    node("figcaption", {}, "Click into the photo, or press arrow keys on it, to choose another neuron. Hatched: outside " +
        "the photo, filled by padding."));
  const settings = group(
    "Memory",
    slider(model, "batch_size", { label: "images", min: 1, max: 256 }),
    choice(model, "dtype", { label: "numbers", options: Object.keys(BYTES).map((d) => [d, d]) }),
  );
  const choices = group("Photo", ...photoControls(model, say));
  const right = node("div", {}, heading, table, words, settings, choices, message);
  const root = node(
    "div",
    { class: "cn-demo ce" },
    node("p", { class: "ce-network" }, node("strong", {}, name), " — choose a stage; the bars below it are its shares of the whole"),
    stageTower.panel,
    node("div", { class: "ce-middle" }, figure, right),
    steps.panel,
  );
  el.append(root);

  const draw = () => {
    const chosen = chosenOf(model);
    stageTower.show();
    steps.draw();
    heading.textContent = chosen.name;
    const rows = rowsOf(chosen, whole, model.get("batch_size"), model.get("dtype"));
    table.replaceChildren(...rows.flatMap(([term, text]) => [node("dt", {}, term), node("dd", {}, text)]));
    words.textContent = sight(chosen, input);
    photo.draw();
    root.cnChosen = chosen;
  };
  const load = async () => photo.load(await loadPhoto(model, asset));
  const undo = [
    watch(model, ["stage", "step", "y", "x", "batch_size", "dtype"], draw),
    watch(model, ["photo", "picture"], load),
    onWidth(el, photo.draw),
  ];
  draw();
  await load();
  return () => undo.forEach((f) => f());
}

function chosenTotals(maps, stages) {
  const steps = stages.flatMap(([, rows]) => rows);
  const add = (place) => steps.reduce((total, step) => total + step[place], 0);
  return { parameters: add(3), macs: add(4) };
}

export default { render };
