// A photograph in, what a trained network says of it out. The network is fetched when the reader asks for it.
import { browser, percent, ranked } from "./answers.js";
import { pixels_of } from "./pixels.js";

const root = document.querySelector(".ee-sight");
const find = name => root.querySelector(name);
const [said, took, share, seen, canvas, look, answers, choice, way] =
  [".ee-said", ".ee-took", "progress", ".ee-seen", "canvas", ".ee-look", ".ee-answers", ".ee-choice", ".ee-way"].map(find);
const SHOWN = 5;
const place = name => new URL(`../photograph/${name}`, import.meta.url).href;

let worker = null, about = null, picture = null, found = null;

const fail = reason => {
  share.hidden = true;
  find(".ee-button-fetch").disabled = false;
  said.textContent = `That did not work: ${String(reason).slice(0, 200)}.`;
};

const fetch_network = async () => {
  find(".ee-button-fetch").disabled = true;
  share.hidden = false;
  said.textContent = "The network and onnxruntime are on their way ...";
  about = await (await fetch(place("about.json"))).json();
  worker = new Worker(new URL("photograph_worker.js", import.meta.url), { type: "module" });
  worker.onerror = event => fail(event.message || "onnxruntime could not be loaded");
  worker.onmessage = ({ data }) => {
    if (data.failed) return fail(data.failed);
    if ("share" in data) {
      share.value = data.share;
      if (data.share === 1) said.textContent = "The network is being set up ...";
    } else if (data.ready) {
      find(".ee-fetching").hidden = true;
      choice.disabled = false;
      root.dataset.live = "ready";
      said.textContent = "Ready: choose a photograph.";
    } else show(data.found);
  };
  worker.postMessage({ url: place("lite0.onnx"), bytes: about.bytes });
};

const ask = () => {
  if (!picture) return;
  root.dataset.live = "busy";
  said.textContent = "The network looks ...";
  const chosen = way.selectedIndex;
  worker.postMessage({ picture: picture.pixels, ways: chosen ? [about.ways[0], about.ways[chosen]] : [about.ways[0]] });
};

const show = results => {
  found = results.at(-1);
  const [right] = ranked(results[0].logits), best = ranked(found.logits).slice(0, SHOWN);
  root.found = found;  // for who wants more digits than are shown
  root.dataset.live = "ready";
  const says = ({ index, share: sure }) => `${about.classes[index]}, ${percent(sure)}`;
  said.textContent = results.length === 1 ? `${picture.name}: ${says(best[0])}.`
    : `${picture.name}, prepared ${way.value}: ${says(best[0])}. Prepared rightly: ${says(right)}.`;
  took.textContent = `The network took ${found.ms.toFixed(0)} ms, WASM, in ${browser()}; its class maps are in that time.`;
  answers.replaceChildren(answers.firstElementChild, ...best.map(({ index, share: sure }, n) => {
    const row = document.createElement("label"), radio = document.createElement("input"), bar = document.createElement("span");
    Object.assign(radio, { type: "radio", name: "ee-answer", value: index, checked: n === 0 });
    radio.addEventListener("change", paint);
    bar.className = "ee-bar";
    bar.style.setProperty("--share", sure);
    row.append(radio, ` ${about.classes[index]} `, Object.assign(document.createElement("b"), { textContent: percent(sure) }), bar);
    return row;
  }));
  seen.hidden = false;
  paint();
};

// Draws what the network saw, and over it what each place adds to the chosen class.
const paint = () => {
  const pen = canvas.getContext("2d"), { width: side } = canvas;
  pen.putImageData(new ImageData(found.shown, side, side), 0, 0);
  const index = Number(answers.querySelector("input:checked").value), [high, wide] = found.places;
  const adds = found.maps.subarray(index * high * wide, (index + 1) * high * wide), most = Math.max(...adds);
  const deepest = adds.indexOf(most), [row, column] = [Math.floor(deepest / wide), deepest % wide];
  const words = (n, length, names) => names[Math.min(2, Math.floor(3 * n / length))];
  const where = `${words(row, high, ["top", "middle", "bottom"])} ${words(column, wide, ["left", "centre", "right"])}`;
  canvas.setAttribute("aria-label", `${picture.name}, as the network sees it. ${about.classes[index]}: `
    + `most comes from the ${where} of the picture.`);
  if (!look.checked || most <= 0) return;
  const map = new OffscreenCanvas(wide, high), dots = new ImageData(wide, high);
  adds.forEach((add, n) => dots.data.set([204, 0, 120, 210 * (Math.max(0, add) / most) ** 2], 4 * n));
  map.getContext("2d").putImageData(dots, 0, 0);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(map, 0, 0, side, side);
};

const take = async (file, name) => {
  try {
    picture = { name, pixels: await pixels_of(file) };
    ask();
  } catch {
    said.textContent = `${name} could not be read as a picture.`;
  }
};

find(".ee-button-fetch").addEventListener("click", () => fetch_network().catch(error => fail(error.message)));
for (const button of root.querySelectorAll("[data-sample]"))
  button.addEventListener("click", async () => {
    const answer = await fetch(place(`${button.dataset.sample}.png`));
    take(await answer.blob(), button.textContent);
  });
find("[type=file]").addEventListener("change", ({ target }) => {
  if (target.files.length) take(target.files[0], target.files[0].name);
});
way.addEventListener("change", ask);
look.addEventListener("change", () => { if (found) paint(); });
