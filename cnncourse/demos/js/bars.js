// Horizontal bars with their value in words, for demos that compare amounts.
import { node } from "./ui.js";

export function bar(name) {
  // A bar that has parts: set(fractions, text) gives their widths, 0 to 1, and what it says.
  const track = node("div", { class: "cb-track", "aria-hidden": "true" });
  const value = node("span", { class: "cb-value" });
  const element = node("div", { class: `cb-bar cb-${name}` }, track, value);
  const set = (fractions, text) => {
    track.replaceChildren(
      ...fractions.map((fraction, i) => {
        const part = node("div", { class: `cb-part cb-part-${i}` });
        part.style.width = `${100 * fraction}%`;
        return part;
      }),
    );
    value.textContent = text;
  };
  return { element, set };
}
