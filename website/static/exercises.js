// Exercises in a lesson's page: an editor in place of the stub, and a check in Python, in a worker of this browser.
import { change, record, try_of } from "./progress.js";

const MARKS = { "not attempted": "○", wrong: "✗", right: "✓" };
//: An answer that runs for longer than this, once Python is there, does not end.
const MOST_MILLISECONDS = 60_000;
let worker = null;

// Asks the one worker of the page; resolves with its answer, or rejects with a sentence.
const ask = (question, on_loaded) => new Promise((done, fail) => {
  worker ??= new Worker(new URL("live/exercise_worker.js", import.meta.url), { type: "module" });
  let timer = null;
  const end = (finish, found) => {
    clearTimeout(timer);
    if (finish === fail) {
      worker.terminate();
      worker = null;
    }
    finish(found);
  };
  worker.onerror = () => end(fail, "Python could not be loaded here. In JupyterLab the exercise can be checked.");
  worker.onmessage = ({ data }) => {
    if (data.loaded) {
      on_loaded();
      timer = setTimeout(() => end(fail, "It was stopped after a minute. Does every loop in it come to an end?"), MOST_MILLISECONDS);
    } else if (data.failed) {
      console.error(data.failed);
      end(fail, "Python could not be loaded here. In JupyterLab the exercise can be checked.");
    } else end(done, data);
  };
  worker.postMessage(question);
});

const make = (place, stub) => {
  const { exercise, lesson } = place.dataset;
  const editor = document.createElement("textarea"), verdict = document.createElement("div");
  Object.assign(editor, { value: stub, spellcheck: false, rows: stub.split("\n").length + 2, ariaLabel: `Your answer: ${exercise}` });
  for (const [name, value] of [["autocapitalize", "off"], ["autocomplete", "off"]]) editor.setAttribute(name, value);
  const button = words => Object.assign(document.createElement("button"), { type: "button", textContent: words });
  const check = button("Check"), reset = button("Start again");
  verdict.setAttribute("aria-live", "polite");
  if (record().exercises[exercise]?.right_since) verdict.textContent = "✓ Solved before.";
  // A new line begins where the last one began, four further after a colon; Tab leaves the editor, as in every form.
  editor.addEventListener("keydown", event => {
    if (event.key === "Enter" && (event.ctrlKey || event.shiftKey)) {
      event.preventDefault();
      check.click();
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      const line = editor.value.slice(0, editor.selectionStart).split("\n").pop();
      editor.setRangeText(`\n${/^ */.exec(line)[0]}${/:\s*$/.test(line) ? "    " : ""}`, editor.selectionStart, editor.selectionEnd, "end");
    }
  });
  check.addEventListener("click", async () => {
    check.disabled = true;
    verdict.textContent = worker ? "Checking ..." : "Python is on its way (12 MB, once) ...";
    try {
      const found = await ask([lesson, exercise, editor.value], () => { verdict.textContent = "Checking ..."; });
      verdict.innerHTML = found.html;
      if (found.state !== "not attempted")
        change(kept => try_of(kept.exercises[exercise] ??= {}, found.state === "right"));
    } catch (sentence) {
      verdict.textContent = `${MARKS.wrong} ${sentence}`;
    }
    check.disabled = false;
  });
  reset.addEventListener("click", () => {
    editor.value = stub;
    verdict.replaceChildren();
    editor.focus();
  });
  place.replaceChildren(editor, check, reset, verdict);
};

for (const place of document.querySelectorAll("[data-exercise]")) make(place, place.querySelector("pre").textContent);
