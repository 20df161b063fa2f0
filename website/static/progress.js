// What a reader did on these pages, kept in this browser alone, in the form of a notebook's progress.json.
const KEPT = "effnet-progress";
const EMPTY = { answers: {}, exercises: {}, predictions: {} };

const is_object = found => typeof found === "object" && found !== null && !Array.isArray(found);
const is_record = found => is_object(found) && Object.keys(EMPTY).every(part => is_object(found[part] ?? {}));

export function record() {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT));
    return structuredClone(is_record(found) ? { ...EMPTY, ...found } : EMPTY);
  } catch { // a browser that keeps nothing, or something else under our name
    return structuredClone(EMPTY);
  }
}

export function change(how) {
  const kept = record();
  how(kept);
  try {
    localStorage.setItem(KEPT, JSON.stringify(kept));
  } catch {} // what was found is shown all the same
}

// Notes one more try of an exercise or a question in its entry.
export function try_of(entry, is_right) {
  const now = new Date().toISOString().replace(/\.\d+Z/, "+00:00");
  Object.assign(entry, { tries: (entry.tries ?? 0) + 1, last: now, right_since: entry.right_since ?? (is_right ? now : null) });
}

// Two records as one: an entry that only one has, or the one with the earlier success.
function merged(one, other) {
  const both = structuredClone(one);
  for (const [name, entry] of Object.entries(other.exercises))
    if (!both.exercises[name]?.right_since) both.exercises[name] = entry;
  for (const part of ["answers", "predictions"])
    for (const [lesson, entries] of Object.entries(other[part]))
      both[part][lesson] = { ...entries, ...both[part][lesson] };
  return both;
}

function offer(place) {
  const button = words => Object.assign(document.createElement("button"), { type: "button", textContent: words });
  const save = button("Save as a file"), open = button("Add from a file"), said = document.createElement("p");
  const file = Object.assign(document.createElement("input"), { type: "file", accept: ".json", hidden: true, ariaLabel: "Progress file" });
  said.setAttribute("role", "status");
  const tell = () => {
    const kept = record(), solved = Object.values(kept.exercises).filter(each => each.right_since).length;
    const [guesses, answers] = [kept.predictions, kept.answers].map(part => Object.values(part).flatMap(each => Object.values(each)));
    const right = answers.filter(each => each.right_since).length;
    said.textContent = `${solved} exercises solved and ${right} questions right on these pages; ${guesses.filter(each => each.close).length} of ${guesses.length} predictions close.`;
  };
  save.addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`${JSON.stringify(record(), null, 1)}\n`], { type: "application/json" }));
    link.download = "progress.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
  open.addEventListener("click", () => file.click());
  file.addEventListener("change", async () => {
    try {
      const found = file.files[0].size < 2 ** 22 ? JSON.parse(await file.files[0].text()) : null;
      if (!is_record(found)) throw new Error("no record");
      change(kept => Object.assign(kept, merged(kept, { ...EMPTY, ...found })));
      tell();
    } catch {
      said.textContent = "This is no progress file of the course.";
    }
    file.value = "";
  });
  place.replaceChildren(said, save, open, file);
  tell();
}

for (const place of document.querySelectorAll("[data-progress]")) offer(place);
