// The page's half of a live lab: controls in, picture and numbers out. What counts is Python, in worker.js.
import { measuring } from "./measuring.js";
import { create, watchWidth } from "./picture.js";

const lab = document.querySelector(".ee-lab[data-live]");
const find = name => lab.querySelector(name);
const fields = [...lab.querySelectorAll("[data-setting]")];
const status = find(".ee-status");
let changed = new Map();
let press = "";
let timed = null;
let busy = true; // Python comes
let link = null;
let room = 0; // how wide the pictures may be
let asked = 0; // the room that Python knows of
const pictures = {};
const asking = find("form.ee-asking"); // the row for a guess, where the page times something
let question = null;
let written = null; // the field that somebody writes in: an answer that arrives meanwhile leaves it alone

const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });

// One question is under way at a time; what is moved meanwhile goes with the next, the last value of each.
const ask = () => {
  if (busy || (!changed.size && !press && !timed && room === asked)) return;
  busy = true;
  asked = room;
  worker.postMessage({ changed: Object.fromEntries(changed), press, timed, room });
  changed = new Map();
  press = "";
  timed = null;
};

let on_graph = null;
const measured = measuring(
  lab,
  () => new Promise((done, fail) => {
    on_graph = ({ graph, failed }) => graph ? done(graph) : fail(new Error(failed));
    worker.postMessage({ graph: true });
  }),
  found => {
    timed = found;
    ask();
  },
  () => {
    press = "measure";
    ask();
  },
);

// The address always leads to what is on the screen, so that a setting can be sent.
let noting = null;
const note = shown => {
  if (link === null) link = shown;
  clearTimeout(noting);
  if (link !== shown) noting = setTimeout(() => history.replaceState(null, "", `#${link = shown}`), 300);
};
addEventListener("hashchange", () => { if (location.hash.includes("=")) location.reload(); });

// What was touched last is set last: it may lead others.
const change = (name, value) => {
  changed.delete(name);
  changed.set(name, value);
};

// The first picture already has the page's width.
watchWidth(find(".ee-hero"), width => {
  room = width;
  ask();
});

// A still stands where a picture will be, until Python answers.
const show = (name, scene) => {
  if (pictures[name]) return pictures[name].update(scene);
  const host = find(`.ee-${name}`);
  host.replaceChildren();
  pictures[name] = create(host, scene, {
    onSet: settings => {
      for (const [setting, value] of Object.entries(settings)) change(setting, value);
      ask();
    },
  });
};

// A number is written in several ways: an option says 1.0 where it is 1.
const choose = (list, value) => {
  list.value = [...list.options].find(one => one.value === String(value) || one.value && Number(one.value) === value)?.value ?? "";
};

const put = setting => {
  for (const field of fields) {
    const value = setting[field.dataset.setting];
    if (field === written || changed.has(field.dataset.setting)) continue;
    if ("toggle" in field.dataset) field.checked = value;
    else if (field.type === "checkbox") field.checked = value.includes(Number(field.value));
    else if (field.options) choose(field, value);
    else if (field !== document.activeElement || Number(field.value) !== Number(value)) field.value = value;
  }
  for (const slider of lab.querySelectorAll("[type=range]")) slider.setAttribute("aria-valuetext", slider.value);
  for (const part of lab.querySelectorAll("[data-while]")) part.hidden = String(setting[part.dataset.while]) !== part.dataset.is;
};

// What was written stays while it is asked for; a new setting asks anew.
const put_question = ({ predicts, asking: asked }) => {
  find(".ee-button-ask").textContent = predicts ? "Stop guessing" : "Guess first";
  asking.hidden = !asked;
  const field = asking.querySelector("input");
  if (!asked || asked.key !== question) field.value = "";
  question = asked?.key ?? null;
  if (!asked) return;
  asking.querySelector(".ee-question").textContent = asked.question;
  asking.querySelector(".ee-guess-unit").textContent = asked.unit;
  if (asked.guess !== null && field !== document.activeElement) field.value = asked.guess;
};

const give_up = () => {
  status.textContent = lab.dataset.live === "ready"
    ? "The lab has stopped: load the page again."
    : "Python could not be loaded here, so the picture stays still. The lesson has the whole lab.";
  lab.dataset.live = "still";
};

worker.onerror = give_up;
worker.onmessage = ({ data }) => {
  if ("graph" in data) return on_graph(data);
  if (data.opened) return worker.postMessage({ first: true, room: asked = room });
  if (data.failed) {
    console.error(data.failed);
    return give_up();
  }
  busy = false;
  put(data.setting);
  status.textContent = data.refused || data.words;
  if (data.ready) {
    for (const part of lab.querySelectorAll(".ee-controls, .ee-here select, button")) part.disabled = false;
    if (!data.refused) status.textContent = "Live: change something. It is counted here, in your browser.";
    lab.dataset.live = "ready";
  }
  show("hero", data.picture);
  show("charts", data.charts);
  find(".ee-said").innerHTML = data.said;
  find(".ee-numbers").innerHTML = data.figures;
  find(".ee-all > div").innerHTML = data.table;
  find(".ee-code").textContent = data.code;
  find(".ee-button-pin").textContent = data.pinned ? "Forget A" : "Pin as A";
  for (const field of fields)
    if (field.type === "checkbox" && !("toggle" in field.dataset))
      field.disabled = (data.barred[field.dataset.setting] ?? []).includes(Number(field.value));
  if (asking) put_question(data);
  note(data.link);
  if (!timed) measured(data); // else the answer does not know yet what was timed: the next one does
  if (!changed.size) for (const picture of Object.values(pictures)) picture.settle();
  ask();
};
worker.postMessage({ open: lab.dataset.lab, link: location.hash.includes("=") ? location.hash.slice(1) : "" });

const value_of = field => "toggle" in field.dataset ? field.checked : field.type === "checkbox"
  ? fields.filter(twin => twin.dataset.setting === field.dataset.setting && twin.checked).map(twin => twin.value)
  : field.value;

for (const field of fields) {
  if (field.type === "text") {
    field.addEventListener("input", () => { written = field; });
    for (const done of ["change", "blur"]) field.addEventListener(done, () => { written = null; });
  }
  // A number is read when it is whole: with Enter, or when the field is left.
  field.addEventListener(field.type === "text" ? "change" : "input", () => {
    const name = field.dataset.setting;
    change(name, value_of(field));
    if (field.type !== "checkbox")
      for (const twin of fields)
        if (field.type === "range" && twin !== field && twin.dataset.setting === name) twin.value = field.value;
    ask();
  });
}
asking?.addEventListener("submit", event => {
  event.preventDefault();
  const written = asking.querySelector("input").value.trim();
  if (written) change("guess", written);
  change("commit", true);
  ask();
});
for (const name of ["pin", "reset", ...asking ? ["ask"] : []])
  find(`.ee-button-${name}`).addEventListener("click", () => {
    press = name;
    if (name === "reset") changed = new Map();
    ask();
  });

// For a projector: P shows picture, one control and one number; P or Escape leaves.
const present = find(".ee-button-size");
present.addEventListener("click", () => {
  const isLarge = lab.classList.toggle("ee-large");
  document.documentElement.classList.toggle("ee-presents", isLarge);
  present.setAttribute("aria-pressed", isLarge);
  present.textContent = isLarge ? "Normal text" : "Present";
  lab.scrollIntoView();
});
addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input:not([type=range]), textarea, select")) return;
  const asks = event.key === "Escape" ? lab.classList.contains("ee-large") : event.key.toLowerCase() === "p";
  if (asks) present.click();
});
find(".ee-button-copy").addEventListener("click", async event => {
  try {
    await navigator.clipboard.writeText(find(".ee-code").textContent);
  } catch {  // no permission, or a page without https: the reader copies what is selected
    getSelection().selectAllChildren(find(".ee-code"));
    return;
  }
  event.target.textContent = "Copied";
  setTimeout(() => { event.target.textContent = "Copy code"; }, 2000);
});
