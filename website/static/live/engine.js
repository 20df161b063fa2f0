// onnxruntime, loaded when it is first wanted, and what a browser tells of itself.
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

const BROWSERS = [[/Firefox\/(\d+)/, "Firefox"], [/Edg\/(\d+)/, "Edge"], [/Chrome\/(\d+)/, "Chrome"],
  [/Version\/(\d+).* Safari/, "Safari"]];

// What the browser tells of itself and, where the processor computes, of that.
export const browser = (on_cpu = true) => {
  const agent = navigator.userAgent;
  const [pattern, name] = BROWSERS.find(([known]) => known.test(agent)) ?? [null, "this browser"];
  const version = pattern ? ` ${pattern.exec(agent)[1]}` : "";
  const processor = on_cpu ? `, one thread of ${navigator.hardwareConcurrency}` : "";
  return `${name}${version} on ${navigator.userAgentData?.platform || navigator.platform}${processor}`;
};
