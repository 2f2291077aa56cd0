// FilterDemo: slide a kernel over a photograph.
import { node, slider, watch } from "./ui.js";

export function render({ model, el }) {
  const text = node("output", {});
  const draw = () => (text.textContent = `strides=${model.get("strides")}`);
  el.append(
    node("div", { class: "cn-demo" }, slider(model, "strides", { label: "stride", min: 1, max: 4 }), text),
  );
  draw();
  return watch(model, ["strides"], draw);
}

export default { render };
