// onnxruntime, loaded when it is first wanted.
const FILES = { WASM: ["ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"],
  WebGPU: ["ort.webgpu.bundle.min.mjs", "ort-wasm-simd-threaded.asyncify.wasm"] };
const place = name => new URL(`../onnxruntime/${name}`, import.meta.url).href;

const runtimes = {};
export const runtime = async engine => {
  if (!runtimes[engine]) {
    const [script, wasm] = FILES[engine];
    const ort = await import(place(script));
    ort.env.logLevel = "error";
    ort.env.wasm.wasmPaths = { wasm: place(wasm) };
    ort.env.wasm.numThreads = 1;  // more need a page that is isolated from all others
    runtimes[engine] = ort;
  }
  return runtimes[engine];
};
