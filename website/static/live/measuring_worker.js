// Runs a graph with onnxruntime and times it, by the rule of the library's own `time_repeats`: warm is when the best of
// the last three runs is at most 2% faster than all before; then about a second of runs, three at least. Below six runs
// no interval holds the median with 95%: slow networks get so many while that takes no more than some seconds.
import { runtime } from "./engine.js";

const SECONDS = 1, FEWEST = 3, ENOUGH = 6, MOST_SECONDS = 5, MOST = 500, WARM_SHARE = 0.02, WARM_RUNS = 3;
// A browser's clock moves in steps: so many of them at least lie between two looks at it, with several runs if need be.
const STEPS = 40, MOST_RUNS = 100;
// Under the profiler: seconds, the most passes, those that do not count, and into how many means they go.
const PROFILED_SECONDS = 1, MOST_PASSES = 200, UNCOUNTED = 2, MEANS = 15;

const now = () => performance.now() / 1000;
const clock_step = () => {
  const steps = Array.from({ length: 5 }, () => {
    const begun = now();
    let ended = begun;
    while (ended === begun) ended = now();
    return ended - begun;
  });
  return Math.min(...steps);
};
const is_warm = times => times.length > WARM_RUNS
  && Math.min(...times.slice(-WARM_RUNS)) > (1 - WARM_SHARE) * Math.min(...times.slice(0, -WARM_RUNS));

// onnxruntime writes its profile to the console, a line an event.
const say = console.log.bind(console);
let heard = null;
console.log = (...words) => heard ? heard.push(words.join(" ")) : say(...words);

let stopped = false;
const listen = async () => {
  await new Promise(go_on => { setTimeout(go_on); });  // a message that says stop is read meanwhile
  if (stopped) throw stopped;
};

// Calls `use` with what runs the graph `each` times and returns the seconds of one run.
const with_session = async (graph, engine, options, use) => {
  const ort = await runtime(engine);
  const session = await ort.InferenceSession.create(graph, { executionProviders: [engine.toLowerCase()], ...options });
  try {
    const [{ name, shape }] = session.inputMetadata;
    const size = shape.reduce((product, side) => product * side, 1);
    const images = new ort.Tensor("float32", Float32Array.from({ length: size }, (_, n) => n % 7 / 7), shape);
    return await use(async (each = 1) => {
      await listen();
      const begun = now();
      for (let run = 0; run < each; run++)
        for (const answer of Object.values(await session.run({ [name]: images }))) answer.dispose();
      return (now() - begun) / each;
    }, session);
  } finally {
    await session.release();
  }
};

const time = (graph, engine, tell) => with_session(graph, engine, {}, async once => {
  const step = clock_step();
  const warming = [await once()];
  for (const begun = now(); now() - begun < SECONDS / 2 && !is_warm(warming);) warming.push(await once());
  const each = Math.min(Math.ceil(STEPS * step / Math.max(Math.min(...warming), step)), MOST_RUNS);
  const seconds = [];
  const begun = now();
  const share = () => Math.min(
    seconds.length / FEWEST,
    Math.max(Math.min((now() - begun) / SECONDS, seconds.length / ENOUGH), (now() - begun) / MOST_SECONDS, seconds.length / MOST),
  );
  while (share() < 1) {
    seconds.push(await once(each));
    tell(Math.min(1, share()));
  }
  return { seconds, each, clock_step: step };
});

// A kernel may be shorter than a step of the clock, so that only the mean of many passes tells its time.
const means = seconds => {
  const count = Math.min(MEANS, seconds.length), ends = Array.from({ length: count + 1 }, (_, n) => Math.round(n * seconds.length / count));
  return ends.slice(1).map((end, n) => seconds.slice(ends[n], end).reduce((sum, one) => sum + one, 0) / (end - ends[n]));
};

const profile = (graph, engine, tell) => with_session(graph, engine, { enableProfiling: true }, async (once, session) => {
  let passes = 0;
  const begun = now();
  for (; passes < UNCOUNTED + FEWEST || (now() - begun < PROFILED_SECONDS && passes < UNCOUNTED + MOST_PASSES); passes++) {
    await once();
    tell(Math.min(1, (now() - begun) / PROFILED_SECONDS, passes / FEWEST));
  }
  heard = [];
  session.endProfiling();
  const events = heard.filter(line => line.startsWith("{")).map(line => JSON.parse(line.replace(/,\s*$/, "")));
  heard = null;
  const kernels = {};
  for (const { cat, name, dur } of events)
    if (cat === "Node" && name.endsWith("_kernel_time")) (kernels[name.slice(0, -"_kernel_time".length)] ??= []).push(dur / 1e6);
  return {
    kernels: Object.fromEntries(Object.entries(kernels).map(([name, seconds]) => [name, means(seconds.slice(UNCOUNTED))])),
    passes: passes - UNCOUNTED,
  };
});

onmessage = async ({ data }) => {
  if (data.stop) {
    stopped = true;
    return;
  }
  stopped = false;
  const { graph, engine, kernels } = data;
  const is_profiled = kernels && engine === "WASM";  // what WebGPU starts is not yet done when its kernel returns
  const part = (first, share) => value => postMessage({ share: first + share * value });
  try {
    const found = await time(graph, engine, part(0, is_profiled ? 0.5 : 1));
    postMessage(is_profiled ? { ...found, ...await profile(graph, engine, part(0.5, 0.5)) } : found);
  } catch (error) {
    heard = null;
    postMessage(stopped ? { stopped } : { failed: String(error?.message ?? error) });
  }
};
