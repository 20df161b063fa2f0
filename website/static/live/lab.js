// The page's half of a live lab: controls in, picture and numbers out. What counts is Python, in worker.js.
const lab = document.querySelector(".ee-lab[data-live]");
const find = name => lab.querySelector(name);
const fields = [...lab.querySelectorAll("[data-setting]")];
const status = find(".ee-status");
const start = Object.fromEntries(fields.map(field => [field.dataset.setting, field.value]));
let pinned = null;
let setting = start;
let wanted = null;
let busy = false;

const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });

// One question is under way at a time; of those that come meanwhile, the last one wins.
const ask = changed => {
  wanted = { setting, changed, pinned };
  if (busy) return;
  busy = true;
  worker.postMessage(wanted);
  wanted = null;
};

const put = values => {
  setting = values;
  for (const field of fields)
    if (field !== document.activeElement || Number(field.value) !== Number(values[field.dataset.setting]))
      field.value = values[field.dataset.setting];
  for (const slider of lab.querySelectorAll("[type=range]")) slider.setAttribute("aria-valuetext", slider.value);
};

worker.onerror = () => give_up();
worker.onmessage = ({ data }) => {
  if (data.failed) return give_up();
  if (data.ready) {
    for (const part of lab.querySelectorAll("fieldset, button")) part.disabled = false;
    status.textContent = "Live: move a slider. Everything is counted here, in your browser.";
    lab.dataset.live = "ready";
    return;
  }
  busy = false;
  if (wanted) return ask(wanted.changed);
  if (data.refused) {
    status.textContent = data.refused;
    return;
  }
  put(data.shown.setting);
  find(".ee-screen").innerHTML = data.shown.screen;
  find(".ee-code").textContent = data.shown.code;
  status.textContent = data.shown.words;
};

const give_up = () => {
  status.textContent = "Python could not be loaded here, so the picture stays still. The lesson has the whole lab.";
  lab.dataset.live = "still";
};

for (const field of fields) {
  field.addEventListener("input", () => {
    if (field.value === "" || !field.checkValidity()) return;
    setting = { ...setting, [field.dataset.setting]: field.value };
    for (const twin of fields)
      if (twin !== field && twin.dataset.setting === field.dataset.setting) twin.value = field.value;
    ask(field.dataset.setting);
  });
}
find(".ee-button-pin").addEventListener("click", event => {
  pinned = pinned ? null : setting;
  event.target.textContent = pinned ? "Forget A" : "Pin as A";
  ask("");
});
find(".ee-button-reset").addEventListener("click", () => {
  put({ ...start });
  ask("");
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
