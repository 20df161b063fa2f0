// Runs when the style sheet of a lab arrives in a page. What ipywidgets leaves out: names of slider handles for
// screen readers, a way to the clipboard, and keys for a presenter: P over a lab, or in it, shows it for a projector,
// and Escape leaves. Where scripts are not allowed, everything else still works.
(style => {
  const start = lab => {
    if (lab.dataset.eeReady) return;
    lab.dataset.eeReady = "yes";
    lab.setAttribute("role", "group");
    lab.setAttribute("aria-label", lab.querySelector(".ee-title").textContent);
    let count = 0;
    const name = () => {
      for (const status of lab.querySelectorAll(":is(.ee-status, .ee-told):not([role])")) status.setAttribute("role", "status");
      for (const field of lab.querySelectorAll(".ee-asking input:not([aria-labelledby])")) {
        const words = [...field.closest(".ee-asking").querySelectorAll(".widget-html-content")];
        words.forEach((part, n) => { part.id = `${field.id}-asked-${n}`; });
        field.setAttribute("aria-labelledby", words.map(part => part.id).join(" "));
      }
      for (const bar of lab.querySelectorAll(".ee-bar:not([aria-hidden])")) bar.setAttribute("aria-hidden", "true");
      for (const control of lab.querySelectorAll(".ee-control")) {
        const label = control.querySelector("label");
        const unit = control.querySelector(".ee-unit");
        const help = control.querySelector(".ee-helped");
        if (!label) continue;
        if (help && !help.id) help.id = `${label.htmlFor || "ee"}-help-${count++}`;
        const called = label.textContent + (unit ? `, ${unit.textContent}` : "");
        for (const handle of control.querySelectorAll("[role=slider]:not([aria-label])"))
          handle.setAttribute("aria-label", called);
        if (help)
          for (const part of control.querySelectorAll(":is([role=slider], input, select):not([aria-describedby])"))
            part.setAttribute("aria-describedby", help.id);
      }
    };
    name();
    // Pictures and words change with each setting, and nothing in them is named here.
    const isControl = ({ target }) => !target.closest(".ee-picture, .widget-html-content");
    new MutationObserver(changes => { if (changes.some(isControl)) name(); })
      .observe(lab, { childList: true, subtree: true });
    lab.addEventListener("click", event => {
      const button = event.target.closest("[data-ee-copy]");
      if (button) copy(button, lab.querySelector(button.dataset.eeCopy)?.textContent ?? "");
    });
  };
  // Notebook 7 looks for its own commands before a key reaches a slider: bare keys in a lab are the lab's.
  const keep = event => {
    const lab = style.closest(".ee-lab");
    if (!lab) return window.removeEventListener("keydown", keep, true);
    const isBare = !(event.ctrlKey || event.metaKey || event.altKey || event.shiftKey);
    if (lab.contains(event.target)) event.target.toggleAttribute("data-lm-suppress-shortcuts", isBare);
  };
  const present = event => {
    const lab = style.closest(".ee-lab");
    if (!lab) return document.removeEventListener("keydown", present);
    const isLarge = lab.classList.contains("ee-large");
    const isHere = lab.contains(event.target) || lab.matches(":hover");
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    const asks = event.key === "Escape" ? isLarge : event.key.toLowerCase() === "p" && isHere;
    if (!isPlain || !asks || event.target.closest("input:not([type=range]), textarea, select, .cm-editor")) return;
    event.preventDefault();
    lab.querySelector(".ee-button-size")?.click();
  };
  const copy = async (button, text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {  // no permission, or a page without https
      const area = document.createElement("textarea");
      area.value = text;
      button.after(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    const words = button.dataset.eeWords ??= button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = words; }, 2000);
  };
  const find = frames => {
    const lab = style.closest(".ee-lab");
    if (lab) {
      start(lab);
      document.addEventListener("keydown", present);
      window.addEventListener("keydown", keep, true);
    } else if (frames > 0) requestAnimationFrame(() => find(frames - 1));
  };
  find(600);
})(this);
