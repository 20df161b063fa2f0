// A page that holds a fine-tuned network and what runs it: a picture in, its classes out. `browser_page.py` puts it together.
import { browser, percent, ranked } from "./answers.js";
import { pixels_of, prepared } from "./pixels.js";

const SHOWN = 10;
const find = name => document.querySelector(name);
const [said, steps, chosen, drop, seen, canvas, list, took] =
  ["[role=status]", "progress", "[type=file]", ".drop", ".found", "canvas", "ol", ".took"].map(find);
const about = JSON.parse(find("#about").textContent);

// What the page holds under a name: base64 of gzip.
const held = async name => {
  const part = find(`#${name}`), letters = atob(part.textContent), bytes = new Uint8Array(letters.length);
  for (let n = 0; n < letters.length; n++) bytes[n] = letters.charCodeAt(n);
  part.remove();
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
};

let ort = null, session = null;

const step = async words => {
  said.textContent = words;
  await new Promise(go_on => { setTimeout(go_on, 50); });  // what was said is drawn before the page is busy
  steps.value += 1;
};

const set_up = async () => {
  await step(`onnxruntime (${about.runtime} MB) is unpacked ...`);
  const address = URL.createObjectURL(new Blob([await held("script")], { type: "text/javascript" }));
  ort = await import(address);
  URL.revokeObjectURL(address);
  ort.env.logLevel = "error";
  ort.env.wasm.wasmBinary = await held("wasm");
  ort.env.wasm.numThreads = 1;  // more need a page that is isolated from all others
  await step(`The network (${about.network} MB) is unpacked ...`);
  const graph = new Uint8Array(await held("graph"));
  await step("The network is set up ...");
  session = await ort.InferenceSession.create(graph, { executionProviders: ["wasm"] });
  const { resolution: side } = about.how;
  await answered(new Float32Array(about.channels * side * side));  // the first run is slow
  steps.hidden = true;
  said.textContent = "Ready: choose a picture.";
};

const answered = async input => {
  const { resolution: side } = about.how;
  const begun = performance.now();
  const { logits } = await session.run({ images: new ort.Tensor("float32", input, [1, about.channels, side, side]) });
  return { logits: logits.data, ms: performance.now() - begun };
};

// The same grey in all three colours, as Pillow weighs them.
const greyed = picture => {
  const { data } = picture;
  for (let n = 0; n < data.length; n += 4)
    data.fill((19595 * data[n] + 38470 * data[n + 1] + 7471 * data[n + 2] + 0x8000) >> 16, n, n + 3);
  return picture;
};

const show = (name, { shown }, { logits, ms }) => {
  const { resolution: side } = about.how;
  Object.assign(canvas, { width: side, height: side });
  canvas.getContext("2d").putImageData(new ImageData(shown, side, side), 0, 0);
  canvas.setAttribute("aria-label", `${name}, as the network sees it`);
  const all = ranked(logits), [best] = all;
  said.textContent = `${name}: ${about.classes[best.index]}, ${percent(best.share)}.`;
  list.replaceChildren(...all.slice(0, SHOWN).map(({ index, share }) => {
    const row = document.createElement("li"), words = document.createElement("span"), bar = document.createElement("span");
    words.textContent = about.classes[index];
    bar.className = "bar";
    bar.style.setProperty("--share", share);
    row.dataset.probability = share;
    row.append(words, Object.assign(document.createElement("b"), { textContent: percent(share) }), bar);
    return row;
  }));
  const others = all.length - list.children.length;
  took.textContent = `${others > 0 ? `${others} more classes are less likely. ` : ""}`
    + `The network took ${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms, WASM, in ${browser()}.`;
  seen.hidden = false;
};

const look = async file => {
  said.textContent = `The network looks at ${file.name} ...`;
  let picture;
  try {
    picture = await pixels_of(file);
  } catch {
    said.textContent = `${file.name} could not be read as a picture.`;
    return;
  }
  const input = prepared(about.channels === 1 ? greyed(picture) : picture, about.how);
  show(file.name, input, await answered(input.input.subarray(0, about.channels * about.how.resolution ** 2)));
};

const fail = error => { said.textContent = `That did not work: ${String(error?.message ?? error).slice(0, 200)}.`; };

let last = set_up().catch(fail);
const take = ([file]) => { if (file) last = last.then(() => session && look(file)).catch(fail); };

chosen.addEventListener("change", () => take(chosen.files));
for (const [kind, over] of [["dragover", true], ["dragleave", false], ["drop", false]])
  document.addEventListener(kind, event => {
    event.preventDefault();
    drop.classList.toggle("over", over);
    if (kind !== "drop") return;
    chosen.value = "";  // its name would stand beside another picture
    take(event.dataTransfer.files);
  });
