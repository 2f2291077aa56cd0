// The learner guesses the size of the output before the picture shows it.
import { node, uniqueId } from "./ui.js";

// Why a wrong guess may look right: one sentence for the mistake that gives this number.
export function advise(guess, axis, { strides, padding, kernel_size: kernel }) {
  const { size, effective, output } = axis;
  const same = padding === "same";
  const valid = Math.floor((size - effective) / strides) + 1;
  if (guess === output) return null;
  if (strides > 1 && guess === (same ? size : size - effective + 1)) {
    return `${guess} is the size with stride 1: here the kernel jumps ${strides} cells.`;
  }
  if (!same && guess === valid - 1) {
    return "Do not forget the first field, where the kernel has not moved yet: that is the + 1.";
  }
  if (!same && guess === valid + 1) return "The last field would reach beyond the input.";
  if (!same && guess === Math.ceil(size / strides)) {
    return "That is the size with padding “same”; without zeros the kernel must stay inside.";
  }
  if (same && guess === valid) return "That is the size without zeros: here zeros are added.";
  if (guess === kernel) return "That is the size of the kernel, not the number of its places.";
  return guess > output
    ? "Too many: count the places where the whole kernel lies on the cells."
    : "Too few: put the kernel at the first cell and move it on until it no longer fits.";
}

export function guessPanel(redraw) {
  let open = false; // the answer is shown
  let current = [[], {}];
  const verdict = node("p", { class: "ca-verdict", "aria-live": "polite" });
  const fields = node("span", { class: "ca-line" });
  const reveal = (text) => {
    open = true;
    redraw();
    verdict.textContent = text;
  };
  const check = (event) => {
    event.preventDefault();
    const [axes, settings] = current;
    const guesses = [...fields.querySelectorAll("input")].map((input) => input.value.trim());
    if (!guesses.every((text) => /^\d+$/.test(text))) {
      verdict.textContent = "Type a whole number in each field.";
      return;
    }
    const titles = axes.length === 1 ? [""] : ["Rows: ", "Columns: "];
    const hints = axes.map((axis, k) => advise(Number(guesses[k]), axis, settings));
    const wrong = hints.findIndex(Boolean);
    if (wrong < 0) reveal("Right. Below is why.");
    else verdict.textContent = titles[wrong] + hints[wrong];
  };
  const form = node(
    "form",
    { class: "ca-line", onsubmit: check, novalidate: true },
    fields,
    node("button", { type: "submit" }, "Check"),
    node("button", { type: "button", onclick: () => reveal("This is the answer.") }, "Show me"),
  );
  const panel = node("div", { class: "ca-guess", hidden: true }, form, verdict);

  function show(axes, settings) {
    panel.hidden = !axes;
    form.hidden = open;
    if (!axes) return;
    current = [axes, settings];
    const names = axes.length === 1 ? ["How many outputs?"] : ["Output rows?", "Output columns?"];
    if (fields.childElementCount === names.length) return;
    fields.replaceChildren(...names.map(question));
  }
  function reset() {
    open = false;
    fields.replaceChildren();
    verdict.textContent = "";
  }
  return { panel, show, reset, solved: () => open };
}

function question(text) {
  const id = uniqueId("guess");
  const input = node("input", { id, type: "text", inputmode: "numeric", size: 4, autocomplete: "off" });
  return node("span", { class: "ca-line" }, node("label", { for: id }, text), input);
}
