// What scrolls must be reached by Tab.
for (const part of document.querySelectorAll("article :is(pre, details, figure, .wide, .cell_output, .table-wrapper)"))
  new ResizeObserver(() => {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  }).observe(part);
