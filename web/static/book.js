// What the pages do beyond showing themselves. Nothing here is needed to read.

(() => {
  "use strict";
  const WIDE = 805; // pixels: more than one panel, whose type is 9 pixels high on a phone
  const each = (selector, mend) => document.querySelectorAll(selector).forEach(mend);

  // A line may break after a formula, but not between it and its full stop.
  function keepPunctuation() {
    each("span.math", (formula) => {
      const after = formula.nextSibling;
      const marks = after?.nodeType === Node.TEXT_NODE && after.data.match(/^[.,;:!?)\]’”-]+/);
      if (!marks || formula.textContent.length > 24) return; // a long formula may break
      after.splitText(marks[0].length);
      const together = document.createElement("span");
      together.style.whiteSpace = "nowrap";
      formula.replaceWith(together);
      together.append(formula, after);
    });
  }

  // A figure of two panels is too wide for a phone: the style sheet lets its box scroll there.
  function boxWideFigures() {
    each("figure > img", (image) => {
      if (image.naturalWidth < WIDE) return;
      const box = document.createElement("div");
      box.className = "wide-figure";
      image.replaceWith(box);
      box.append(image);
      box.tabIndex = box.scrollWidth > box.clientWidth ? 0 : -1; // for the keyboard
    });
  }

  // Where the pages are opened as files, without a server, no notebook can start.
  function removeDeadLinks() {
    if (location.protocol === "file:") each(".live", (link) => link.remove());
  }

  // Paper is white: what is printed is what the page looks like in the light.
  function lightenPaper() {
    const page = document.documentElement.dataset;
    let theme;
    window.addEventListener("beforeprint", () => { theme = page.theme; page.theme = "light"; });
    window.addEventListener("afterprint", () => { page.theme = theme; });
  }

  window.addEventListener("load", boxWideFigures); // when their sizes are known
  document.addEventListener("DOMContentLoaded", () => {
    keepPunctuation();
    lightenPaper();
    removeDeadLinks();
  });
})();
