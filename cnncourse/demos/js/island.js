// Brings the book's demos to life without a kernel: finds each island in the page, and when it
// comes near the screen runs the same module that JupyterLab runs. Where that fails, the still
// picture stays and a sentence says why.

class IslandModel {
  // The part of the widget model that demos use, kept in the page instead of in a kernel.
  constructor(state) {
    this.state = state;
    this.listeners = {};
  }
  get(name) {
    return this.state[name];
  }
  set(name, value) {
    if (this.state[name] === value) return;
    this.state[name] = value;
    for (const event of [`change:${name}`, "change"]) {
      for (const listener of [...(this.listeners[event] ?? [])]) listener();
    }
  }
  on(event, listener) {
    (this.listeners[event] ??= new Set()).add(listener);
  }
  off(event, listener) {
    if (listener) this.listeners[event]?.delete(listener);
    else delete this.listeners[event];
  }
  save_changes() {}
  send() {}
}

function revive(key, value) {
  const text = value?.$bytes;
  if (text === undefined) return value;
  return new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
}

async function mount(island) {
  const still = [...island.childNodes];
  const el = document.createElement("div");
  const asset = (name) => new URL(`demos/${name}`, import.meta.url).href;
  try {
    const state = JSON.parse(island.dataset.state, revive);
    const module = await import(asset(`${island.dataset.esm}.js`));
    island.replaceChildren(el);
    await module.default.render({ model: new IslandModel(state), el, asset });
    island.dataset.live = "yes";
  } catch (error) {
    console.error(error);
    const sentence = document.createElement("p");
    sentence.textContent =
      `This demo could not start here (${error.message}), so you see a still picture of it. ` +
      "It also runs in JupyterLab, from the chapter's notebook.";
    island.replaceChildren(...still, sentence);
    island.dataset.live = "no";
  }
}

const islands = document.querySelectorAll(".cn-island");
if (islands.length) {
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = new URL("demo.css", import.meta.url).href;
  document.head.append(style);
}
const observer = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      observer.unobserve(target);
      mount(target);
    }
  },
  { rootMargin: "400px" },
);
islands.forEach((island) => observer.observe(island));
