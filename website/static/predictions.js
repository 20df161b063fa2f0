// Predictions in a lesson's page: a guess is committed, then the answer opens. What a guess is worth is kept in
// this browser alone. A notebook's own judge is effnet_edu/ground/guesses.py; tests hold the two together.
import { change, record } from "./progress.js";

const CLOSE_FACTOR = 1.25, CLOSE_POINTS = 10, WIDEST_RANGE = 4, RIGHT_FACTOR = 1.005, TIMES_FROM = 2;
const MEASURES = ["times", "points", "ms", "s", "images/s", "million", "billion"];
const SCALES = {
  "": 1, k: 1e3, thousand: 1e3, m: 1e6, million: 1e6, g: 1e9, b: 1e9, bn: 1e9, billion: 1e9, x: 1, times: 1, "%": 1,
};

// A number as people write it, or NaN: "1,7", "385 M", "about 2.5 times".
function number(text) {
  const found = /^(?:about|around|roughly|~)?\s*([+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:[.,]\d+)?|\.\d+)\s*([a-z%]*)/i.exec(text.trim());
  if (!found || found[0].length !== text.trim().length) return NaN;
  const digits = /,\d{3}(?!\d)/.test(found[1]) ? found[1].replaceAll(",", "") : found[1].replace(",", ".");
  return Number(digits) * (SCALES[found[2].toLowerCase()] ?? NaN);
}

// How far off a guess is: what is said, whether it is close, and by which factor; null where it is no guess.
export function judge(asked, guess) {
  const found = (said, close, factor = null) => ({ said, close, factor });
  if (asked.choices.length)
    return guess === asked.truth ? found(`Yes: ${asked.answer}.`, true) : found(`No. The answer: ${asked.answer}.`, false);
  const ends = /^(?:between\s+)?(.*?\d.*?)\s*(?:\bto\b|\band\b|–|\.\.|(?<=[\w.])-)\s*(.*\d.*)$/i.exec(guess.trim());
  const [low, high] = Number.isNaN(number(guess)) && ends ? [number(ends[1]), number(ends[2])] : [number(guess), number(guess)];
  if (!(low <= high)) return null;
  if (low <= asked.truth && asked.truth <= high) {
    const factor = Math.min(low, asked.truth) > 0 ? 1 : null;
    if (high > WIDEST_RANGE * low) {
      const wide = "your range holds it, but is too wide to count as close";
      return found(`It is ${asked.answer}; ${wide}: its end may be at most ${WIDEST_RANGE} times its start.`, false, factor);
    }
    return found(`${low === high ? "Your guess is right" : "Your range holds it"}: it is ${asked.answer}.`, true, factor);
  }
  const [near, side] = low > asked.truth ? [low, "high"] : [high, "low"];
  if (Math.min(near, asked.truth) <= 0) return found(`It is ${asked.answer}; your guess is too ${side}.`, false);
  const factor = Math.max(near / asked.truth, asked.truth / near);
  if (low === high && factor < RIGHT_FACTOR) return found(`Your guess is right: it is ${asked.answer}.`, true, factor);
  const [count, ...unit] = asked.answer.split(" ");
  const isCount = low === high && Number.isInteger(asked.truth) && count === asked.truth.toLocaleString("en") && !MEASURES.includes(unit.join(" "));
  const off = isCount ? Number(Math.abs(near - asked.truth).toPrecision(10)).toLocaleString("en") : distance(near, asked.truth, asked.answer.endsWith("%"));
  return found(`It is ${asked.answer}; your guess is ${off} too ${side}.`, isClose((low + high) / 2, asked), factor);
}

function isClose(guess, { truth, answer }) {
  const within = Math.max(guess / truth, truth / guess) <= CLOSE_FACTOR;
  return within && !(answer.endsWith("%") && Math.abs(guess - truth) > CLOSE_POINTS);
}

// How far apart two numbers above 0 are: in times, or below two times in percent, or in points where they are shares.
function distance(near, truth, isShare) {
  const factor = Math.max(near / truth, truth / near), percent = 100 * Math.abs(near / truth - 1);
  if (factor >= TIMES_FROM) return `${Number(factor.toPrecision(2)).toLocaleString("en")} times`;
  if (isShare) return `${Number(Math.abs(near - truth).toPrecision(2))} points`;
  return percent >= 1 ? `${percent.toFixed(0)}%` : "less than 1%";
}

function ask(place) {
  const asked = JSON.parse(place.dataset.prediction), answer = place.querySelector("details");
  const form = document.createElement("form"), fields = document.createElement("fieldset");
  const legend = document.createElement("legend"), verdict = document.createElement("p"), button = document.createElement("button");
  legend.textContent = `Your guess: ${asked.label}`;
  verdict.setAttribute("role", "status");
  button.textContent = "Commit";
  fields.append(legend);
  for (const choice of asked.choices.length ? asked.choices : [""]) {
    const label = document.createElement("label"), field = document.createElement("input");
    field.name = "guess";
    if (choice) Object.assign(field, { type: "radio", value: choice });
    else Object.assign(field, { type: "text", placeholder: "a number, or a range: 2 to 3", ariaLabel: legend.textContent });
    label.append(field, choice);
    fields.append(label);
  }
  fields.append(button);
  form.append(fields, verdict);
  const show = guess => {
    const found = judge(asked, guess);
    verdict.textContent = found?.said ?? "A number or a range is expected.";
    if (found) answer.open = true;
    return found;
  };
  form.addEventListener("submit", event => {
    event.preventDefault();
    const guess = new FormData(form).get("guess");
    const found = guess && show(guess);
    if (!guess) verdict.textContent = asked.choices.length ? "Choose one first." : "A number or a range is expected.";
    if (found)
      change(kept => { // the first guess counts
        const at = new Date().toISOString().replace(/\.\d+Z/, "+00:00");
        (kept.predictions[asked.lesson] ??= {})[asked.what] ??= { at, close: found.close, factor: found.factor, guess };
      });
  });
  place.prepend(form);
  const before = record().predictions[asked.lesson]?.[asked.what]?.guess;
  if (typeof before === "string") {
    for (const field of form.elements.guess.length ? form.elements.guess : [form.elements.guess]) {
      if (field.type === "radio") field.checked = field.value === before;
      else field.value = before;
    }
    show(before);
  }
}

for (const place of document.querySelectorAll("[data-prediction]")) ask(place);
