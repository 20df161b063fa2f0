// A lab in a lesson or on a slide: its own page in a frame, in place of the still picture, when it is asked for.
const follow = frame => {
  const inner = frame.contentDocument, lab = inner.querySelector(".ee-lab[data-live]");
  inner.documentElement.classList.add("ee-embedded");
  new ResizeObserver(() => { frame.style.height = `${Math.ceil(lab.getBoundingClientRect().height)}px`; }).observe(lab);
  const dress = () => { inner.body.dataset.theme = document.body.dataset.theme ?? "light"; }; // slides have one theme
  dress();
  new MutationObserver(dress).observe(document.body, { attributeFilter: ["data-theme"] });
};

for (const place of document.querySelectorAll(".ee-embed")) {
  const link = place.querySelector("a"), before = place.previousElementSibling;
  const still = before?.matches(".output") ? before : before?.querySelector(".cell_output");
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Move it here" });
  place.prepend(button);
  button.addEventListener("click", () => {
    const frame = Object.assign(document.createElement("iframe"), { title: link.dataset.lab, src: link.href });
    frame.addEventListener("load", () => { follow(frame); frame.contentWindow.focus(); });
    button.replaceWith(frame);
    if (still) still.hidden = true;
    link.textContent = "Open it in a page of its own";
  });
}
