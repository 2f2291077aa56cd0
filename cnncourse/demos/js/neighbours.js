// NeighboursDemo: pick a picture, see those that are nearest to it in each of several spaces.
import { node, put, watch } from "./ui.js";

async function loadSheet(model) {
  const view = model.get("sheet");
  const bytes = new Uint8Array(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength);
  return createImageBitmap(new Blob([bytes], { type: "image/png" }));
}

function strangers(names, choice, rows) {
  // How many neighbours, of the whole choice, show something else than it?
  return choice.flatMap((i, k) => rows[k].filter((n) => names[n] !== names[i])).length;
}

export async function render({ model, el }) {
  const [side, names, choice] = ["side", "names", "choice"].map((name) => model.get(name));
  const [spaces, found] = ["spaces", "found"].map((name) => model.get(name));
  let sheet = null;
  const picture = (number, attributes) => {
    const canvas = node("canvas", { width: side, height: side, class: "cg-picture", ...attributes });
    canvas.dataset.number = number;
    if (sheet) canvas.getContext("2d").drawImage(sheet, number * side, 0, side, side, 0, 0, side, side);
    return canvas;
  };
  const figure = (number, other) => {
    const name = names[number];
    const canvas = picture(number, { role: "img", "aria-label": name });
    const words = other === undefined ? name : `${name === other ? "✓" : "✗"} ${name}`;
    const kind = other === undefined || name === other ? "" : "cg-other";
    return node("figure", {}, canvas, node("figcaption", { class: kind }, words));
  };
  const bank = node("div", { class: "cn-bank cg-bank", role: "group", "aria-label": "pictures to pick" });
  const scene = node("div", { class: "cg-scene" });
  const report = node("p", { "aria-live": "polite" });
  const counts = spaces.map((space, s) => `${strangers(names, choice, found[s])} in ${space}`);
  const total = found[0].flat().length;
  const note = `All ${choice.length} pictures together have ${total} neighbours. Something else is on`;
  const draw = () => {
    const picked = model.get("picked");
    const name = names[choice[picked]];
    [...bank.children].forEach((button, k) => button.setAttribute("aria-pressed", k === picked));
    const rows = spaces.map((space, s) =>
      node(
        "section",
        { class: "cg-row" },
        node("p", {}, `nearest in ${space}`),
        node("div", { class: "cg-found" }, ...found[s][picked].map((i) => figure(i, name))),
      ),
    );
    scene.replaceChildren(
      node("section", { class: "cg-row cg-picked" }, node("p", {}, "picked"), figure(choice[picked])),
      ...rows,
    );
    const said = spaces.map((space, s) => `in ${space}: ${found[s][picked].map((i) => names[i]).join(", ")}`);
    report.textContent = `Picture ${picked + 1}, a ${name}. Nearest ${said.join("; ")}.`;
  };
  const fill = () =>
    bank.replaceChildren(
      ...choice.map((number, k) => {
        const label = `${names[number]}, picture ${k + 1}`;
        const canvas = picture(number, { "aria-hidden": "true" });
        return node("button", { type: "button", "aria-label": label, onclick: () => put(model, { picked: k }) }, canvas);
      }),
    );
  el.append(
    node(
      "div",
      { class: "cn-demo cg" },
      bank,
      scene,
      node("div", { class: "cn-readout" }, report, node("p", { class: "cn-note" }, `${note} ${counts.join(", ")}.`)),
    ),
  );
  const undo = watch(model, ["picked"], draw);
  sheet = await loadSheet(model);
  fill();
  draw();
  return undo;
}

export default { render };
