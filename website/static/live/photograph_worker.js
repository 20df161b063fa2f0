// A trained network in the reader's browser: fetched once, then asked about photographs.
import { runtime } from "./engine.js";
import { prepared } from "./pixels.js";

let ort = null, session = null;

const fetched = async (url, bytes) => {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the network was not found (${answer.status})`);
  const graph = new Uint8Array(bytes);
  let got = 0;
  for (const reader = answer.body.getReader();;) {
    const { done, value } = await reader.read();
    if (done) return graph;
    graph.set(value, got);
    got += value.length;
    postMessage({ share: got / bytes });
  }
};

const answered = async input => {
  const side = Math.sqrt(input.length / 3);
  const begun = performance.now();
  const { logits, class_maps } = await session.run({ images: new ort.Tensor("float32", input, [1, 3, side, side]) });
  return { ms: performance.now() - begun, logits: logits.data, maps: class_maps.data, places: class_maps.dims.slice(2) };
};

onmessage = async ({ data: { url, bytes, picture, ways } }) => {
  try {
    if (url) {
      let graph;
      [ort, graph] = await Promise.all([runtime("WASM"), fetched(url, bytes)]);
      await session?.release();
      session = await ort.InferenceSession.create(graph, { executionProviders: ["wasm"] });
      const shape = session.inputMetadata[0].shape;
      await answered(new Float32Array(shape.reduce((product, side) => product * side, 1)));  // the first run is slow
      postMessage({ ready: true });
    } else {
      const found = [];
      for (const way of ways) {
        const { input, shown } = prepared(picture, way);
        found.push({ ...await answered(input), shown });
      }
      postMessage({ found });
    }
  } catch (error) {
    postMessage({ failed: String(error?.message ?? error) });
  }
};
