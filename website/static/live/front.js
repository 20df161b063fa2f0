// The first page's network: it grows from phi 0 to 7 until somebody touches it. What it shows, front.py wrote.
import { create } from "./picture.js";

const EACH_MS = 900;
const front = document.querySelector("[data-front]");
const stage = front.querySelector(".front-stage");
const slider = front.querySelector("input");
const said = front.querySelector("output");

const { narrow, wide, words } = await (await fetch(new URL("front.json", import.meta.url))).json();
const scenes = stage.clientWidth < 700 ? narrow : wide;
let at = 0;
stage.replaceChildren();
const picture = create(stage, scenes[at]);
const show = (n) => {
  at = n;
  picture.update(scenes[at]);
  slider.value = at;
  slider.setAttribute("aria-valuetext", words[at]);
  said.textContent = words[at];
};
slider.disabled = false;
const plays = matchMedia("(prefers-reduced-motion: reduce)").matches
  ? 0
  : setInterval(() => show((at + 1) % scenes.length), EACH_MS);
for (const touch of ["pointerdown", "keydown", "focusin"]) front.addEventListener(touch, () => clearInterval(plays));
slider.addEventListener("input", () => show(Number(slider.value)));
