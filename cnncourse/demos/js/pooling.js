// PoolingDemo: pool a photograph, move it by whole pixels, and see which outputs change.
import { loadPhoto, photoControls } from "./photo.js";
import { REACH, SIDES, differences, kept, meanOf, nearest, pool, reader } from "./pool.js";
import { drawCells, drawPhase } from "./pooling_scene.js";
import { choice, group, node, put, slider, tick, watch } from "./ui.js";

const WIDTH = 768; // canvas pixels of the input drawing

function sentences(model, changed, moved) {
  const [p, right] = [model.get("pool_size"), model.get("right")];
  const down = model.get("view") === "row" ? 0 : model.get("down");
  const count = changed.filter(Boolean).length;
  const lines = [`${count} of ${changed.length} outputs changed.`];
  const still = moved.filter((d) => d > 1e-3).length;
  const [qDown, qRight] = [nearest(down, p), nearest(right, p)];
  if (qDown || qRight) {
    const where = [qRight && `${qRight} to the right`, qDown && `${qDown} down`].filter(Boolean);
    lines.push(
      `Moving the old map along (${where.join(", ")}) leaves ${still} of ${moved.length} different.`,
    );
  }
  if (!down && !right) lines.push("Move the picture to see what changes.");
  else if (down % p === 0 && right % p === 0) {
    lines.push(`The move is a whole number of windows of ${p}: the map just moves along.`);
  } else {
    lines.push(
      `The move is not a multiple of ${p}: the windows cut the picture elsewhere (another phase). ` +
        (moved.length
          ? `Mean difference after moving along: ${meanOf(moved).toFixed(1)} grey levels.`
          : "Nothing of the old map is left to compare with."),
    );
  }
  return lines.join(" ").replaceAll("-", "−");
}

function droppedSentence(model) {
  const p = model.get("pool_size");
  const all = model.get("view") === "row" ? p : p * p;
  const share = Math.round(100 * (1 - 1 / all));
  if (model.get("mode") === "average" || model.get("mode") === "blur") {
    return `${all} values become 1, but each of them has its share in it: none is dropped outright.`;
  }
  const which = model.get("mode") === "max" ? "the largest" : "the first";
  return `Of ${all} values in a window only ${which} is kept: ${share} % are dropped.`;
}

function moveControls(model, move) {
  const arrow = (text, label, down, right) =>
    node(
      "button",
      { type: "button", "aria-label": label, class: "cn-arrow", onclick: () => move(down, right) },
      text,
    );
  const where = node("output", {});
  const show = () => {
    const text = `${model.get("right")} right, ${model.get("down")} down`;
    where.textContent = text.replaceAll("-", "−");
  };
  model.on("change:right", show);
  model.on("change:down", show);
  show();
  const arrows = [
    arrow("←", "move left", 0, -1),
    arrow("→", "move right", 0, 1),
    arrow("↑", "move up", -1, 0),
    arrow("↓", "move down", 1, 0),
  ];
  const home = () => put(model, { down: 0, right: 0 });
  return group(
    "Move the picture",
    node("div", { class: "cn-arrows" }, ...arrows, node("button", { type: "button", onclick: home }, "back")),
    node("p", {}, "moved ", where),
    node("p", { class: "cn-note" }, "Or drag the picture, or press arrow keys on it."),
  );
}

export function render({ model, el, asset }) {
  let photo = null;
  let loads = 0;
  const message = node("p", { class: "cn-message", role: "status" });
  const say = (text) => (message.textContent = text);
  const input = node("canvas", {
    class: "cn-pixels cn-grab",
    tabindex: 0,
    role: "application",
    "aria-label": "the pixels; arrow keys move the picture",
  });
  const output = node("canvas", { class: "cn-pixels", role: "img", "aria-label": "the pooled map" });
  const phase = node("canvas", { class: "cn-phase", role: "img", "aria-label": "difference by move" });
  const [inputCaption, outputCaption] = [node("span", {}), node("span", {})];
  const report = node("p", { "aria-live": "polite" });
  const drops = node("p", {});

  const move = (down, right) => {
    const clamp = (n) => Math.max(-REACH, Math.min(REACH, n));
    const row = model.get("view") === "row";
    put(model, {
      down: row ? 0 : clamp(model.get("down") + down),
      right: clamp(model.get("right") + right),
    });
  };

  const draw = () => {
    if (!photo) return;
    const [view, p, right] = ["view", "pool_size", "right"].map((n) => model.get(n));
    const down = view === "row" ? 0 : model.get("down");
    const pixel = reader(model, photo);
    const before = pool(model, pixel, 0, 0);
    const now = pool(model, pixel, down, right);
    const [rows, columns] = [now.length, now[0].length];
    root.cnOutput = { data: now.flat(), shape: [rows, columns] };
    const side = SIDES[view];
    const tall = view === "row" ? 1 : side;
    const cell = WIDTH / side;
    const reads = kept(model, pixel, down, right);
    drawCells(input, tall, side, cell, {
      value: (i, j) => pixel(i, j, down, right),
      faded: (i, j) => {
        const used = j < columns * p && (view === "row" || i < rows * p);
        return !used || (model.get("dropped") && !reads(i, j));
      },
      text: view === "picture" ? null : (i, j) => String(Math.round(pixel(i, j, down, right))),
      lines: view === "picture" ? 0 : p,
    });
    const differs = (i, j) => Math.abs(now[i][j] - before[i][j]) > 1e-3;
    const digits = ["max", "stride"].includes(model.get("mode")) ? 0 : 1;
    drawCells(output, rows, columns, cell * p, {
      value: (i, j) => now[i][j],
      text: view === "picture" ? null : (i, j) => String(Number(now[i][j].toFixed(digits))),
      marked: differs,
    });
    output.style.width = `${(100 * columns * p) / side}%`;
    inputCaption.textContent = `${tall} × ${side} pixels, grey levels 0 to 255`;
    outputCaption.textContent = `${rows} × ${columns} outputs; changed ones are marked orange`;
    const along = differences(now, before, nearest(down, p), nearest(right, p));
    const changed = now.flatMap((row, i) => row.map((_, j) => differs(i, j)));
    report.textContent = sentences(model, changed, along);
    drops.textContent = droppedSentence(model);
    const key = JSON.stringify([loads, view, model.get("mode"), p]);
    if (root.cnPhase?.key !== key) {
      const values = Array.from({ length: 2 * REACH + 1 }, (_, i) => {
        const step = i - REACH;
        const moved = pool(model, pixel, 0, step);
        return meanOf(differences(moved, before, 0, nearest(step, p)));
      });
      root.cnPhase = { key, values };
    }
    drawPhase(phase, root.cnPhase.values, right);
  };

  const load = async () => {
    try {
      photo = await loadPhoto(model, asset);
    } catch {
      say("The picture could not be loaded.");
      return;
    }
    loads += 1;
    draw();
  };

  let grip = null; // where the pointer went down, and how far the picture was moved then
  input.addEventListener("pointerdown", (event) => {
    grip = [event.clientX, event.clientY, model.get("down"), model.get("right")];
    input.setPointerCapture(event.pointerId);
  });
  input.addEventListener("pointermove", (event) => {
    if (!grip) return;
    const cell = input.getBoundingClientRect().width / SIDES[model.get("view")];
    const down = grip[2] + Math.round((event.clientY - grip[1]) / cell) - model.get("down");
    const right = grip[3] + Math.round((event.clientX - grip[0]) / cell) - model.get("right");
    if (down || right) move(down, right);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    input.addEventListener(name, () => (grip = null));
  }
  input.addEventListener("keydown", (event) => {
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (!(event.key in moves)) return;
    event.preventDefault();
    event.stopPropagation();
    move(...moves[event.key]);
  });

  const root = node(
    "div",
    { class: "cn-demo" },
    node(
      "div",
      { class: "cn-pictures" },
      node("figure", {}, input, node("figcaption", {}, inputCaption)),
      node("figure", {}, output, node("figcaption", {}, outputCaption)),
    ),
    message,
    node(
      "div",
      { class: "cn-controls" },
      group(
        "Picture",
        choice(model, "view", {
          label: "show",
          options: [
            ["picture", "96 × 96 pixels"],
            ["numbers", "8 × 8, with numbers"],
            ["row", "row with a spike"],
          ],
          change: (view) => put(model, view === "row" ? { view, down: 0 } : { view }),
        }),
        ...photoControls(model, say),
      ),
      group(
        "Pooling",
        choice(model, "mode", {
          label: "keep",
          options: [
            ["max", "the maximum"],
            ["average", "the average"],
            ["stride", "one pixel (stride)"],
            ["blur", "one pixel after a blur"],
          ],
        }),
        slider(model, "pool_size", { label: "window", min: 2, max: 4, unit: " px" }),
        tick(model, "dropped", { label: "fade dropped values" }),
        drops,
      ),
      moveControls(model, move),
    ),
    node(
      "section",
      { class: "cn-readout", "aria-label": "what changed" },
      report,
      node(
        "figure",
        {},
        phase,
        node(
          "figcaption",
          {},
          "Mean difference after moving the map along, for moves of −8 to 8 pixels to the right",
        ),
      ),
    ),
  );
  el.append(root);
  const names = ["view", "mode", "pool_size", "down", "right", "dropped"];
  const undo = [watch(model, ["photo", "picture"], load), watch(model, names, draw)];
  load();
  return () => undo.forEach((f) => f());
}

export default { render };
