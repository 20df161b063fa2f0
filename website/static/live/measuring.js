// Times the graphs of a lab in this browser. When the setting rests, Python writes them one after the other, and a worker
// runs each with onnxruntime. One measurement at a time; the newest setting wins.
import { browser } from "./answers.js";

const REST_MS = 400;
const PATIENCE_MS = 1000;  // A run cannot be interrupted: a worker that has not stopped by then is ended.

const device_of = async engine => {
  if (engine === "WASM") return browser();
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) throw new Error("this browser has no WebGPU; choose WASM");
  const { vendor, architecture, description } = adapter.info;
  return `${browser(false)}, ${description || [vendor, architecture].filter(Boolean).join(" ") || "a GPU"}`;
};

let worker = null;
const end_worker = () => {
  worker?.terminate();
  worker = null;
};

// Returns what the worker found; what was stopped ends with an AbortError.
const run = (graph, engine, kernels, tell, signal) => new Promise((done, fail) => {
  worker ??= new Worker(new URL("measuring_worker.js", import.meta.url), { type: "module" });
  const mine = worker;
  let patience = null;
  const finish = (settle, value, keep) => {
    clearTimeout(patience);
    signal.removeEventListener("abort", stop);
    mine.onmessage = mine.onerror = null;
    if (!keep) end_worker();
    settle(value);
  };
  const stop = () => {
    mine.postMessage({ stop: true });
    patience = setTimeout(() => finish(fail, signal.reason, false), PATIENCE_MS);
  };
  signal.addEventListener("abort", stop);
  mine.onerror = event => finish(fail, new Error(event.message || "onnxruntime could not be loaded"), false);
  mine.onmessage = ({ data }) => {
    if ("share" in data) tell(data.share);
    else if (data.stopped) finish(fail, signal.reason, true);
    else if (data.failed) finish(fail, new Error(data.failed), false);
    else finish(done, data, true);
  };
  mine.postMessage({ graph, engine, kernels });
});

// `ask` gets a graph from Python, `keep` gives it what was timed, `again` asks for all of it once more. Returns what to
// call with each answer of Python.
export const measuring = (lab, ask, keep, again) => {
  const row = lab.querySelector(".ee-here");
  if (!row) return () => {};
  const [words, share, button, engines] = [".ee-time", "progress", "button", "select"].map(name => row.querySelector(name));
  let timing = null;
  let under_way = null;
  let paused = false; // cancelled or failed: nothing begins until the reader asks, or moves on
  let last = Promise.resolve();

  const say = (sentence, busy = false) => {
    words.textContent = sentence;
    share.hidden = !busy;
    share.removeAttribute("value");
    button.textContent = busy ? "Cancel" : "Measure";
  };
  const cancel = () => {
    under_way?.abort(new DOMException("stopped", "AbortError"));
    under_way = null;
  };

  const measure = async ({ engine, next: { label, place, of, kernels } }, signal) => {
    say(`Measuring ${label} here, with ${engine} ...`, true);
    let was_hidden = document.hidden;
    const notice = () => { was_hidden ||= document.hidden; };
    document.addEventListener("visibilitychange", notice);
    try {
      const device_name = await device_of(engine);
      const graph = await ask();
      signal.throwIfAborted();
      const found = await run(graph, engine, kernels, value => { share.value = (place + value) / of; }, signal);
      signal.throwIfAborted();
      under_way = null;
      keep({ ...found, device_name, was_hidden });
    } catch (error) {
      if (signal.aborted) return;
      under_way = null;
      paused = true;
      say(`Not measured here: ${String(error.message ?? error).slice(0, 200)}. The recorded times stay.`);
    } finally {
      document.removeEventListener("visibilitychange", notice);
    }
  };
  const start = delay => {
    cancel();
    const { signal } = under_way = new AbortController();
    const wanted = timing;
    say(`Next: ${wanted.next.label} here, with ${wanted.engine}.`, true);
    setTimeout(() => {
      if (!signal.aborted) last = last.then(() => signal.aborted || measure(wanted, signal));
    }, delay);
  };

  button.addEventListener("click", () => {
    if (under_way) {
      cancel();
      paused = true;
      return say(`Cancelled. ${timing.found || "Measure begins again."}`);
    }
    paused = false;
    if (timing.next) start(0);
    else again();
  });
  navigator.gpu?.requestAdapter().catch(() => null).then(adapter => adapter ?? without_webgpu()) ?? without_webgpu();
  function without_webgpu() {
    const option = [...engines.options].find(one => one.value === "WebGPU");
    if (engines.value === "WebGPU") return;  // a link asked for it: the reader is told
    option.disabled = true;
    option.label = "WebGPU (not in this browser)";
  }

  return shown => {
    const before = timing;
    timing = shown.timing;
    row.hidden = !timing;
    if (!timing) return cancel();
    const moved = before?.key !== timing.key;
    if (moved) {
      cancel();
      paused = false;
    }
    button.disabled = timing.asks || !(timing.next || timing.can_repeat);
    if (timing.asks) {
      cancel();
      say("Your guess first: it is measured as soon as you commit it.");
    } else if (under_way || paused) return;
    else if (timing.next) start(moved || before.asks ? REST_MS : 0);
    else say(timing.found);
  };
};
