// Runs a network with onnxruntime and times it, by the rule of the library's own `time_repeats`: warm is when the best of
// the last three runs is at most 2% faster than all before; then about a second of runs, three at least.
import { runtime } from "./engine.js";

const SECONDS = 1, FEWEST = 3, MOST = 500, WARM_SHARE = 0.02, WARM_RUNS = 3;

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

let stopped = false;
const time = async ({ graph, engine }) => {
  const ort = await runtime(engine);
  const session = await ort.InferenceSession.create(graph, { executionProviders: [engine.toLowerCase()] });
  try {
    const [{ name, shape }] = session.inputMetadata;
    const size = shape.reduce((product, side) => product * side, 1);
    const images = new ort.Tensor("float32", Float32Array.from({ length: size }, (_, n) => n % 7 / 7), shape);
    const once = async () => {
      await new Promise(go_on => { setTimeout(go_on); });  // a message that says stop is read meanwhile
      if (stopped) throw stopped;
      const begun = now();
      const answers = await session.run({ [name]: images });
      const taken = now() - begun;
      for (const answer of Object.values(answers)) answer.dispose();
      return taken;
    };
    const warming = [await once()];
    for (const begun = now(); now() - begun < SECONDS / 2 && !is_warm(warming);) warming.push(await once());
    const seconds = [];
    for (const begun = now(); seconds.length < FEWEST || (now() - begun < SECONDS && seconds.length < MOST);) {
      seconds.push(await once());
      postMessage({ share: Math.min(1, Math.max((now() - begun) / SECONDS, seconds.length / MOST), seconds.length / FEWEST) });
    }
    return { seconds, clock_step: clock_step() };
  } finally {
    await session.release();
  }
};

onmessage = async ({ data }) => {
  if (data.stop) {
    stopped = true;
    return;
  }
  stopped = false;
  try {
    postMessage(await time(data));
  } catch (error) {
    postMessage(stopped ? { stopped } : { failed: String(error?.message ?? error) });
  }
};
