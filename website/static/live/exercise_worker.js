// The checks of exercises in the reader's browser: Python and the course, loaded with the first question.
import { loadPyodide } from "../pyodide/pyodide.mjs";

const open = async () => {
  const answer = fetch(new URL("exercises.zip", import.meta.url));
  const python = await loadPyodide();
  const found = await answer;
  if (!found.ok) throw new Error(`exercises.zip: ${found.status}`);
  python.unpackArchive(await found.arrayBuffer(), "zip", { extractDir: "/course" });
  python.runPython("import sys; sys.path.insert(0, '/course')");
  return python.pyimport("effnet_edu.exercises.page");
};

const course = open();
onmessage = async ({ data: [lesson, name, source] }) => {
  try {
    const page = await course;
    postMessage({ loaded: true });
    postMessage(JSON.parse(page.check(lesson, name, source)));
  } catch (error) {
    postMessage({ failed: String(error) });
  }
};
