// Runs when the style sheet of a quiz or a prediction arrives in a page. What ipywidgets leaves out: the choices of
// a question become one group with a name, a field gets its question as its name, and JupyterLab leaves the arrow
// keys to them. Without it, Tab and Space work.
(style => {
  const start = quiz => {
    window.addEventListener("keydown", event => {
      if (event.key.startsWith("Arrow") && quiz.contains(event.target)) event.stopImmediatePropagation();
    }, true);
    quiz.querySelectorAll(".effnet-question").forEach((question, index) => {
      const name = question.querySelector(".widget-html-content").textContent;
      const field = question.querySelector(".widget-text input");
      field?.setAttribute("aria-label", name);
      field?.addEventListener("keydown", event => { // what was written goes to the kernel before the Enter key does
        if (event.key === "Enter") field.dispatchEvent(new Event("change", { bubbles: true }));
      });
      const box = question.querySelector(".widget-radio-box");
      if (!box) return; // a number is asked
      box.setAttribute("role", "radiogroup");
      box.setAttribute("aria-label", name);
      const group = `ee-${Math.random().toString(36).slice(2)}-${index}`;
      for (const choice of box.querySelectorAll("input")) choice.name = group;
    });
  };
  const find = frames => {
    const quiz = style.closest(".effnet-quiz");
    if (quiz && quiz.querySelector("input")) start(quiz);
    else if (frames > 0) requestAnimationFrame(() => find(frames - 1));
  };
  find(600);
})(this);
