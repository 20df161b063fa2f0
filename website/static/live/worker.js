// Python in the reader's browser: loads Pyodide and the library once, then answers what the page asks.
import { loadPyodide } from "../pyodide/pyodide.mjs";

const library = async () => {
  const answer = await fetch(new URL("effnet_edu.zip", import.meta.url));
  if (!answer.ok) throw new Error(`effnet_edu.zip: ${answer.status}`);
  return answer.arrayBuffer();
};

const open = async (name, link) => {
  const [python, course] = await Promise.all([loadPyodide(), library()]);
  python.unpackArchive(course, "zip", { extractDir: "/course" });
  python.runPython("import sys; sys.path.insert(0, '/course')");
  return python.pyimport("effnet_edu.labs.frame.page").Page(name, link);
};

const graph = () => {
  const made = lab.graph();
  try {
    return made.toJs();
  } finally {
    made.destroy();
  }
};

let lab = null;
onmessage = async ({ data }) => {
  if (data.graph) {
    try {
      postMessage({ graph: graph() });
    } catch (error) {
      postMessage({ graph: null, failed: String(error).trim().split("\n").pop() }); // Python's last line says what
    }
    return;
  }
  try {
    if (data.open) {
      lab = await open(data.open, data.link);
      postMessage({ opened: true });
    } else if (data.first) {
      postMessage({ ...JSON.parse(lab.first(data.room)), ready: true });
    } else {
      postMessage(JSON.parse(lab.answer(JSON.stringify(data))));
    }
  } catch (error) {
    postMessage({ failed: String(error) });
  }
};
