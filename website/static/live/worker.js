// Python in the reader's browser: loads Pyodide and the library once, then answers what the page asks.
import { loadPyodide } from "../pyodide/pyodide.mjs";

const fetched = async (name, kind) => {
  const answer = await fetch(new URL(name, import.meta.url));
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return answer[kind]();
};

const started = (async () => {
  const [python, library, recorded] = await Promise.all([
    loadPyodide(),
    fetched("effnet_edu.zip", "arrayBuffer"),
    fetched("recorded.json", "text"),
  ]);
  python.unpackArchive(library, "zip", { extractDir: "/course" });
  python.runPython("import sys; sys.path.insert(0, '/course')");
  const phi = python.pyimport("effnet_edu.labs.phi_web");
  return phi.WebPhiLab(phi.Recorded.from_json(recorded));
})();

started.then(() => postMessage({ ready: true }), error => postMessage({ failed: String(error) }));
onmessage = async ({ data }) => {
  const lab = await started;
  try {
    postMessage({ shown: JSON.parse(lab.answer(JSON.stringify(data))) });
  } catch (error) {
    postMessage({ refused: String(error).trim().split("\n").at(-1) });
  }
};
