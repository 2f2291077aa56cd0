// FlipbookDemo: pictures of one thing as one number grows.
import { player } from "./player.js";
import { node, put, uniqueId, watch } from "./ui.js";

export function render({ model, el }) {
  const [sources, captions, values] = ["sources", "captions", "values"].map((n) => model.get(n));
  const last = sources.length - 1;
  const id = uniqueId("flipbook");
  const image = node("img", { class: "cf-picture" });
  const caption = node("p", { class: "cf-caption", "aria-live": "polite" });
  const input = node("input", { type: "range", id, min: 0, max: last, step: 1 });
  const value = node("output", { for: id });
  input.addEventListener("input", () => put(model, { position: Number(input.value) }));
  const move = (by) => {
    const count = sources.length;
    put(model, { position: (model.get("position") + by + count) % count });
  };
  const buttons = player(move, () => sources.length * 2);
  const draw = () => {
    const position = model.get("position");
    input.value = position;
    input.setAttribute("aria-valuetext", values[position]);
    value.textContent = values[position];
    image.src = sources[position];
    image.alt = captions[position];
    caption.textContent = captions[position];
  };
  const field = node("div", { class: "cn-field" }, node("label", { for: id }, model.get("label")));
  field.append(input, value);
  el.append(node("div", { class: "cn-demo cf" }, field, buttons.bar, image, caption));
  buttons.enable(last > 0);
  draw();
  const undo = watch(model, ["position"], draw);
  return () => {
    buttons.stop();
    undo();
  };
}

export default { render };
