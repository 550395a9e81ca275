// What the pages do beyond showing themselves. Nothing here is needed to read.

(() => {
  "use strict";
  const SMALLEST = 0.75; // of the size of a formula: then it is that of a caption
  const WIDE = 850; // pixels: one panel has 800
  const each = (selector, mend) => document.querySelectorAll(selector).forEach(mend);

  // A line may break after a formula, but not between it and its full stop.
  function keepPunctuation() {
    each("span.math", (formula) => {
      const after = formula.nextSibling;
      const marks = after?.nodeType === Node.TEXT_NODE && after.data.match(/^[.,;:!?)\]’”-]+/);
      if (!marks) return;
      after.splitText(marks[0].length);
      const together = document.createElement("span");
      together.style.whiteSpace = "nowrap";
      formula.replaceWith(together);
      together.append(formula, after);
    });
  }

  // A formula that is a little wider than a phone is set a little smaller; one that is wider
  // still scrolls in a box of its own.
  function fitFormulas() {
    each("mjx-container", (formula) => {
      const display = formula.hasAttribute("display");
      const box = display ? formula : formula.closest("p, li, dt, dd, td, th, figcaption, h1, h2, h3");
      formula.dataset.size ??= formula.style.fontSize;
      formula.style.fontSize = formula.dataset.size;
      formula.classList.remove("too-wide");
      const share = box?.clientWidth / (display ? formula.scrollWidth : formula.offsetWidth);
      if (share < SMALLEST) formula.classList.add("too-wide");
      else if (share < 1) formula.style.fontSize = `calc(${share - 0.01} * ${formula.dataset.size})`;
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
    if (!window.MathJax?.startup) return; // a page without formulas
    MathJax.startup.promise.then(fitFormulas);
    window.addEventListener("resize", fitFormulas);
    // What is folded away may have another width once it is opened.
    document.addEventListener("click", ({ target }) => {
      if (target.closest(".toggle > .admonition-title")) fitFormulas();
    });
  });
})();
