// Small pieces of interface that demos share. Native inputs with labels, so that keyboard and
// screen reader work; data-lm-suppress-shortcuts keeps JupyterLab from stealing their arrow keys.

export function node(tag, attributes = {}, ...children) {
  // node("p", { class: "x", onclick: f }, "text", otherNode) -> element
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  if (element.matches("input, select, button, summary, textarea, [tabindex]")) {
    element.setAttribute("data-lm-suppress-shortcuts", "true");
  }
  element.append(...children);
  return element;
}

export function watch(model, names, listener) {
  // Calls listener once after any number of changes made by one event; returns the undo.
  let waiting = false;
  const later = () => {
    if (waiting) return;
    waiting = true;
    queueMicrotask(() => {
      waiting = false;
      listener();
    });
  };
  for (const name of names) model.on(`change:${name}`, later);
  return () => names.forEach((name) => model.off(`change:${name}`, later));
}

export function put(model, values) {
  // Sets traits by name and sends them to Python, where there is one.
  for (const [name, value] of Object.entries(values)) model.set(name, value);
  model.save_changes();
}

let idCounter = 0;

export function uniqueId(stem) {
  return `cn-${stem}-${(idCounter += 1)}-${Math.random().toString(36).slice(2, 7)}`;
}

export function slider(model, name, { label, min, max, step = 1, unit = "", change }) {
  const id = uniqueId(name);
  const input = node("input", { type: "range", id, min, max, step });
  const value = node("output", { for: id });
  const show = () => {
    input.value = model.get(name);
    value.textContent = `${model.get(name)}${unit}`;
  };
  input.addEventListener("input", () => {
    const number = Number(input.value);
    if (change) change(number);
    else put(model, { [name]: number });
    show();
  });
  model.on(`change:${name}`, show);
  show();
  return node("div", { class: "cn-field" }, node("label", { for: id }, label), input, value);
}

export function choice(model, name, { label, options, change }) {
  // options: [[value, text], ...]
  const id = uniqueId(name);
  const select = node("select", { id });
  for (const [value, text] of options) select.append(node("option", { value }, text));
  const show = () => (select.value = model.get(name));
  select.addEventListener("change", () => {
    if (change) change(select.value);
    else put(model, { [name]: select.value });
    show();
  });
  model.on(`change:${name}`, show);
  show();
  return node("div", { class: "cn-field" }, node("label", { for: id }, label), select);
}

export function tick(model, name, { label }) {
  const id = uniqueId(name);
  const input = node("input", { type: "checkbox", id });
  const show = () => (input.checked = model.get(name));
  input.addEventListener("change", () => put(model, { [name]: input.checked }));
  model.on(`change:${name}`, show);
  show();
  return node("div", { class: "cn-field cn-tick" }, input, node("label", { for: id }, label));
}

export function group(title, ...fields) {
  return node("fieldset", { class: "cn-group" }, node("legend", {}, title), ...fields);
}
