// Three small things that MathJax leaves to the page.

(() => {
  "use strict";
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

  // A formula in the text that is wider than a phone scrolls in a box of its own.
  function boxWideFormulas() {
    each("mjx-container:not([display])", (formula) => {
      formula.classList.remove("too-wide");
      const room = formula.closest("p, li, dt, dd, td, th, figcaption, h1, h2, h3")?.clientWidth;
      if (room && formula.offsetWidth > room) formula.classList.add("too-wide");
    });
  }

  // The widgets ask MathJax 2 to set the maths in their labels; these pages carry MathJax 3.
  function lendMathJax2() {
    MathJax.Hub ??= {
      Queue: ([, , element]) =>
        MathJax.startup.promise.then(() => MathJax.typesetPromise([element])),
    };
  }

  document.addEventListener("DOMContentLoaded", () => {
    keepPunctuation();
    if (!window.MathJax?.startup) return; // a page without formulas
    lendMathJax2();
    MathJax.startup.promise.then(boxWideFormulas);
    window.addEventListener("resize", boxWideFormulas);
  });
})();
