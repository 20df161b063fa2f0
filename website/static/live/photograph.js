// A photograph in, what a trained network says of it out. The network is fetched when the reader asks for it.
import { browser, percent, ranked } from "./answers.js";
import { pixels_of } from "./pixels.js";

const root = document.querySelector(".ee-sight");
const find = name => root.querySelector(name);
const [said, took, share, seen, canvas, look, answers, choice, networks, fetching, camera, video] = [".ee-said", ".ee-took",
  "progress", ".ee-seen", "canvas", ".ee-look", ".ee-answers", ".ee-choice", ".ee-network", ".ee-button-fetch", ".ee-camera",
  "video"].map(find);
const mistakes = [...root.querySelectorAll("[data-way]")];
const SHOWN = 5;
const place = name => new URL(`../photograph/${name}`, import.meta.url).href;

const samples = {};
let worker = null, about = null, network = null, picture = null, found = null;
let waiting = 0; // pictures that were sent and have no answer yet

// An answer stands until the next one, grey, and is no answer of the picture that is named above it.
const be_busy = busy => {
  answers.disabled = busy;
  seen.setAttribute("aria-busy", busy);
  if (busy) took.textContent = "";
};

const fail = reason => {
  network = null;
  waiting = 0;
  be_busy(true);
  share.hidden = true;
  fetching.disabled = networks.disabled = false;
  choice.disabled = true;
  root.dataset.live = "still";
  offer();
  said.textContent = `That did not work: ${String(reason).slice(0, 200)}.`;
};

// The network that is chosen is fetched by the button, which is there while another one, or none, is set up.
const offer = () => {
  fetching.hidden = network !== null && network === about.networks[networks.selectedIndex];
  fetching.textContent = `Fetch ${networks.value.replace(/, ([^,]*)$/, " ($1)")}`;
};

const fetch_network = async () => {
  fetching.disabled = networks.disabled = true;
  choice.disabled = true;
  share.value = 0;
  share.hidden = false;
  root.dataset.live = "fetching";
  said.textContent = "The network and onnxruntime are on their way ...";
  about ??= await (await fetch(place("about.json"))).json();
  network = about.networks[networks.selectedIndex];
  if (!worker) start();
  for (const { dataset: { sample } } of root.querySelectorAll("[data-sample]"))  // for when the network is off
    samples[sample] ??= fetch(place(`${sample}.png`)).then(answer => answer.blob());
  worker.postMessage({ url: place(network.file), bytes: network.bytes });
};

const start = () => {
  worker = new Worker(new URL("photograph_worker.js", import.meta.url), { type: "module" });
  worker.onerror = event => fail(event.message || "onnxruntime could not be loaded");
  worker.onmessage = ({ data }) => {
    if (data.failed) return fail(data.failed);
    if ("share" in data) {
      share.value = data.share;
      if (data.share === 1) said.textContent = "The network is being set up ...";
    } else if (data.ready) {
      share.hidden = true;
      fetching.disabled = networks.disabled = choice.disabled = false;
      offer();
      root.dataset.live = "ready";
      said.textContent = `${network.title} is ready: choose a photograph.`;
      ask();
    } else if (--waiting <= 0) show(data.found);
  };
};

// Which mistake is switched on; 0 is none.
const wrongly = () => Number(mistakes.find(button => button.getAttribute("aria-pressed") === "true")?.dataset.way ?? 0);

const ask = () => {
  if (!picture) return;
  root.dataset.live = "busy";
  said.textContent = `The network looks at ${picture.name} ...`;
  waiting += 1;
  be_busy(true);
  const chosen = wrongly();
  worker.postMessage({ picture: picture.pixels, ways: network.ways.filter((_, n) => n === 0 || n === chosen) });
};

const show = results => {
  found = results.at(-1);
  const [right] = ranked(results[0].logits), best = ranked(found.logits).slice(0, SHOWN);
  root.found = found;  // for who wants more digits than are shown
  root.dataset.live = "ready";
  const says = ({ index, share: sure }) => `${about.classes[index]}, ${percent(sure)}`;
  said.textContent = results.length === 1 ? `${picture.name}: ${says(best[0])}.`
    : `${picture.name}, prepared ${network.ways[wrongly()].name}: ${says(best[0])}. Prepared correctly: ${says(right)}.`;
  took.textContent = `${network.title} took ${found.ms.toFixed(0)} ms, WASM, in ${browser()}; its class maps are in that time.`;
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
  be_busy(false);
  paint();
};

// Draws what the network saw, and over it what each place adds to the chosen class.
const paint = () => {
  const side = Math.sqrt(found.shown.length / 4), pen = canvas.getContext("2d");
  canvas.width = canvas.height = side;
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
    picture = { name, pixels: await pixels_of(await file) };
    ask();
  } catch {
    said.textContent = `${name} could not be read as a picture.`;
  }
};

// The camera is asked for by a button, and let go as soon as a picture is taken or the reader closes it.
const close_camera = () => {
  video.srcObject?.getTracks().forEach(track => track.stop());
  video.srcObject = null;
  camera.hidden = true;
};
find(".ee-button-camera").hidden = !navigator.mediaDevices?.getUserMedia;  // none on pages without https
const shoot = find(".ee-button-shoot");
find(".ee-button-camera").addEventListener("click", async () => {
  close_camera();
  let stream = null;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    close_camera();
    video.srcObject = stream;
    camera.hidden = false;
    shoot.disabled = true; // until there is a picture to take
    await video.play();
    shoot.disabled = false;
  } catch (error) {
    if (stream && video.srcObject !== stream) return; // the reader closed it meanwhile, or asked once more
    close_camera();
    said.textContent = error.name === "NotAllowedError" ? "The camera was not allowed; allow it in the browser, or choose a file."
      : "No camera could be opened.";
  }
});
shoot.addEventListener("click", () => take(video, "what the camera saw").finally(close_camera));
find(".ee-button-close").addEventListener("click", close_camera);

fetching.addEventListener("click", () => fetch_network().catch(error => fail(error.message)));
for (const button of root.querySelectorAll("[data-sample]"))
  button.addEventListener("click", () => take(samples[button.dataset.sample], button.textContent));
find("[type=file]").addEventListener("change", ({ target }) => {
  if (target.files.length) take(target.files[0], target.files[0].name);
});
mistakes.forEach(button => button.addEventListener("click", () => {
  const pressed = button.getAttribute("aria-pressed") === "true";
  mistakes.forEach(other => other.setAttribute("aria-pressed", other === button && !pressed));
  ask();
}));
networks.addEventListener("change", offer);
offer();
look.addEventListener("change", () => { if (found) paint(); });
