// A quiz in a lesson's page: what is chosen opens its explanation, and the answer is kept in this browser alone.
import { change, try_of } from "./progress.js";

for (const choice of document.querySelectorAll("[data-quiz] [data-question] > details"))
  choice.addEventListener("toggle", () => {
    if (!choice.open) return;
    const { quiz } = choice.closest("[data-quiz]").dataset, { question } = choice.parentElement.dataset;
    change(kept => try_of((kept.answers[quiz] ??= {})[question] ??= {}, choice.dataset.state === "right"));
  });
