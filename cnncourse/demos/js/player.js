// Buttons that move a window step by step, or let it run; and redrawing where the width changes.
import { node } from "./ui.js";

// move(by) makes a step; count() says how many places there are. Where the reader's system asks
// for less motion, nothing runs by itself.
export function player(move, count) {
  let timer = null;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  };
  const toggle = () => {
    if (timer) return stop();
    play.textContent = "Pause";
    timer = setInterval(() => move(1), Math.max(60, Math.min(700, 12000 / count())));
    return undefined;
  };
  const step = (by) => () => {
    stop();
    move(by);
  };
  const button = (text, onclick) => node("button", { type: "button", onclick }, text);
  const back = button("Back", step(-1));
  const play = button("Play", toggle);
  const forth = button("Step", step(1));
  const note = node("span", { class: "cn-note" });
  const enable = (possible) => {
    if (!possible || calm.matches) stop();
    back.disabled = forth.disabled = !possible;
    play.disabled = !possible || calm.matches;
    note.textContent = calm.matches ? "Your system asks for less motion: use Step." : "";
  };
  return { bar: node("div", { class: "cn-player" }, back, play, forth, note), enable, stop };
}

// Calls draw whenever the width of el changes; returns the undo.
export function onWidth(el, draw) {
  let width = el.clientWidth;
  const observer = new ResizeObserver(() => {
    if (el.clientWidth === width) return;
    width = el.clientWidth;
    draw();
  });
  observer.observe(el);
  return () => observer.disconnect();
}
