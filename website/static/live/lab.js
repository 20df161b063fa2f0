// The page's half of a live lab: controls in, picture and numbers out. What counts is Python, in worker.js.
const lab = document.querySelector(".ee-lab[data-live]");
const find = name => lab.querySelector(name);
const fields = [...lab.querySelectorAll("[data-setting]")];
const status = find(".ee-status");
let changed = new Map();
let press = "";
let busy = false;

const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });

// One question is under way at a time; what is moved meanwhile goes with the next, the last value of each.
const ask = () => {
  if (busy || (!changed.size && !press)) return;
  busy = true;
  worker.postMessage({ changed: Object.fromEntries(changed), press });
  changed = new Map();
  press = "";
};

const put = setting => {
  for (const field of fields) {
    const value = setting[field.dataset.setting];
    if (changed.has(field.dataset.setting)) continue;
    if (field.type === "checkbox") field.checked = value.includes(Number(field.value));
    else if (field !== document.activeElement || Number(field.value) !== Number(value)) field.value = value;
  }
  for (const slider of lab.querySelectorAll("[type=range]")) slider.setAttribute("aria-valuetext", slider.value);
  for (const part of lab.querySelectorAll("[data-while]")) part.hidden = String(setting[part.dataset.while]) !== part.dataset.is;
};

const give_up = () => {
  status.textContent = lab.dataset.live === "ready"
    ? "The lab has stopped: load the page again."
    : "Python could not be loaded here, so the picture stays still. The lesson has the whole lab.";
  lab.dataset.live = "still";
};

worker.onerror = give_up;
worker.onmessage = ({ data }) => {
  if (data.failed) {
    console.error(data.failed);
    return give_up();
  }
  if (data.ready) {
    for (const part of lab.querySelectorAll(".ee-controls, button")) part.disabled = false;
    status.textContent = "Live: change something. It is counted here, in your browser.";
    lab.dataset.live = "ready";
    return;
  }
  busy = false;
  put(data.setting);
  status.textContent = data.refused ?? data.words;
  if (!data.refused) {
    find(".ee-screen").innerHTML = data.screen;
    find(".ee-code").textContent = data.code;
    find(".ee-button-pin").textContent = data.pinned ? "Forget A" : "Pin as A";
    for (const field of fields)
      if (field.type === "checkbox") field.disabled = (data.barred[field.dataset.setting] ?? []).includes(Number(field.value));
  }
  ask();
};
worker.postMessage({ open: lab.dataset.lab });

const value_of = field => field.type === "checkbox"
  ? fields.filter(twin => twin.dataset.setting === field.dataset.setting && twin.checked).map(twin => twin.value)
  : field.value;

for (const field of fields) {
  field.addEventListener("input", () => {
    if (field.value === "" || !field.checkValidity()) return;
    const name = field.dataset.setting;
    changed.delete(name);  // what was moved last is set last: it may lead others
    changed.set(name, value_of(field));
    if (field.type !== "checkbox")
      for (const twin of fields) if (twin !== field && twin.dataset.setting === name) twin.value = field.value;
    ask();
  });
}
for (const name of ["pin", "reset"])
  find(`.ee-button-${name}`).addEventListener("click", () => {
    press = name;
    if (name === "reset") changed = new Map();
    ask();
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
