// The photograph of a demo: loading it, and letting the learner open their own.
import { choice, node, put, uniqueId } from "./ui.js";

const MAX_SIDE = 1024; // as in picture.py

export async function loadPhoto(model, asset) {
  // In the book samples lie beside the page; Python sends every picture as bytes.
  const name = model.get("photo");
  let bytes;
  if (asset && name !== "own") bytes = await (await fetch(asset(`${name}.png`))).arrayBuffer();
  else bytes = bytesOf(model.get("picture"));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }), {
    colorSpaceConversion: "none",
  });
  const { width, height } = bitmap;
  const canvas = node("canvas", { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const pixels = context.getImageData(0, 0, width, height);
  const single = new Uint8Array(bytes)[25] === 0; // the PNG's colour type: grey
  return { width, height, pixels, ...planes(pixels.data, width * height, single ? 1 : 3) };
}

function bytesOf(view) {
  return view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
}

function planes(data, count, maps) {
  // RGBA bytes -> colours: float32 planes one after the other, 0 to 1; grey: their mean.
  const colours = new Float32Array(maps * count);
  const grey = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const [r, g, b] = [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
    colours[i] = r / 255;
    if (maps === 3) {
      colours[count + i] = g / 255;
      colours[2 * count + i] = b / 255;
    }
    grey[i] = (r + g + b) / 765;
  }
  return { colours, grey, maps };
}

async function openFile(model, file, say) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    say(`${file.name} is not a picture that this browser can read. Try a PNG or a JPEG file.`);
    return;
  }
  const factor = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * factor));
  const height = Math.max(1, Math.round(bitmap.height * factor));
  const canvas = node("canvas", { width, height });
  const context = canvas.getContext("2d");
  context.fillStyle = "white"; // under transparent parts
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  put(model, { picture: new DataView(await blob.arrayBuffer()), photo: "own" });
  say(
    factor < 1
      ? `${file.name} has ${bitmap.width} × ${bitmap.height} pixels; it was reduced to ` +
          `${width} × ${height}, so that the controls stay quick.`
      : "",
  );
}

export function photoControls(model, say, samples = []) {
  const id = uniqueId("file");
  const input = node("input", { type: "file", id, accept: "image/*" });
  input.addEventListener("change", () => input.files[0] && openFile(model, input.files[0], say));
  const field = choice(model, "photo", {
    label: "photo",
    options: [["china", "temple"], ["flower", "dahlia"], ...samples, ["own", "my own"]],
  });
  const own = field.querySelector("option[value=own]");
  const show = () => (own.hidden = own.disabled = model.get("photo") !== "own");
  model.on("change:photo", show);
  show();
  return [
    field,
    node("div", { class: "cn-file" }, node("label", { for: id }, "or open my own"), input),
  ];
}
