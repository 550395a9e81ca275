// Formulas are set when they come near, a few at a time: a chapter has a thousand, and a phone
// would be busy with them for seconds. Until then they stand as they were written, in TeX.

(() => {
  "use strict";
  const AT_ONCE = 4;
  const NEAR = "100% 0px"; // a screen above and below
  // Letters that MathJax brings only when they are first needed, so that a print needn't wait.
  const RARE = "\\mathbb{E R 1}\\mathcal{N L}\\boldsymbol{x}\\mathrm{d}\\mathsf{x}\\mathtt{x}";
  const waiting = new Set();
  const near = new Set();
  let ready, observer, busy = false;

  const pause = () => new Promise((done) => setTimeout(done));
  const isSet = (formula) => formula.querySelector("mjx-container");

  async function set(formulas) {
    for (const formula of formulas) {
      waiting.delete(formula);
      near.delete(formula);
      observer.unobserve(formula);
    }
    await MathJax.typesetPromise(formulas);
    await pause();
    finish(formulas);
  }

  function finish(formulas) {
    for (const item of MathJax.startup.document.getMathItemsWithin(formulas)) {
      const mark = item.display ? "$$" : "$", tex = item.math.trim();
      if (item.display) breakAtGaps(item);
      item.typesetRoot.dataset.tex = `${mark}${tex}${mark}`; // for whoever copies it
    }
    fit(formulas);
  }

  // Two formulas side by side that don't fit stand one below the other. By itself MathJax breaks
  // such a line wherever it is full, which may be before the second one's equals sign.
  function breakAtGaps(item) {
    const { math, typesetRoot } = item;
    const broken = typesetRoot.querySelector("mjx-linebox ~ mjx-linebox");
    if (!broken || !math.includes("\\qquad") || math.includes("&")) return; // & aligns: leave that
    item.math = math.replaceAll("\\qquad", "\\\\");
    item.rerender(MathJax.startup.document, 20); // anew from its TeX
    item.math = math; // as it was, for another width
  }

  // A line may break on either side of a formula, whatever stands there. So what belongs to it, a
  // full stop, a hyphen or a bracket, is kept beside it.
  function bind(formula) {
    const before = formula.previousSibling, after = formula.nextSibling;
    const opening = before?.nodeType === Node.TEXT_NODE ? before.data.match(/[([“‘]*$/)[0].length : 0;
    const closing = after?.nodeType === Node.TEXT_NODE ? after.data.match(/^(-(th\b)?)?[.,;:!?)\]”’]*/)[0].length : 0;
    if (!opening && !closing) return;
    const bound = document.createElement("span");
    bound.className = "bound-math";
    formula.replaceWith(bound);
    bound.append(
      opening ? before.splitText(before.length - opening) : "",
      formula,
      closing ? (after.splitText(closing), after) : "",
    );
  }

  function wait(formula) {
    waiting.add(formula);
    observer.observe(formula);
  }

  async function setNear() {
    if (busy) return;
    busy = true;
    await ready;
    while (near.size) {
      await set([...near].slice(0, AT_ONCE));
      await pause(); // whoever scrolls or types goes first
    }
    busy = false;
  }

  // A formula that is copied is its TeX: without this it would be nothing, or letters in disorder.
  function copyTeX(event) {
    const selected = getSelection();
    if (!selected.rangeCount || selected.isCollapsed) return;
    const range = selected.getRangeAt(0).cloneRange();
    const inside = (node) => node.parentElement?.closest("mjx-container");
    const first = inside(range.startContainer), end = inside(range.endContainer);
    if (first) range.setStartBefore(first);
    if (end) range.setEndAfter(end);
    const copy = document.createElement("div");
    copy.append(range.cloneContents());
    const formulas = copy.querySelectorAll("mjx-container");
    if (!formulas.length) return;
    formulas.forEach((formula) => formula.replaceWith(formula.dataset.tex ?? ""));
    copy.querySelectorAll(".headerlink").forEach((link) => link.remove());
    Object.assign(copy.style, { position: "fixed", top: "-9999px", width: "40em" });
    document.body.append(copy); // line breaks are where they are shown
    event.clipboardData.setData("text/plain", copy.innerText);
    event.clipboardData.setData("text/html", copy.innerHTML);
    copy.remove();
    event.preventDefault();
  }

  // What can't be broken, a matrix for instance, is set a little smaller, or scrolls. All are
  // measured before any is changed: the page is then laid out once, not once for each.
  const SMALLEST = 0.75; // of the size of a formula: then it is that of a caption
  function fit(formulas) {
    const boxes = formulas.map((each) => each.querySelector("mjx-container")).filter(Boolean);
    for (const box of boxes) {
      if (box.classList.contains("too-wide")) box.classList.remove("too-wide");
      box.removeAttribute("tabindex");
      box.style.removeProperty("font-size");
      box.parentElement.classList.remove("long");
    }
    const sizes = boxes.map((box) => {
      const display = box.hasAttribute("display");
      const outer = display ? box : box.closest("p, li, dt, dd, td, th, figcaption, h1, h2, h3");
      const wanted = display ? box.scrollWidth : box.offsetWidth;
      const room = outer?.clientWidth ?? Infinity;
      const { paddingLeft, paddingRight } = getComputedStyle(outer ?? box);
      const long = !display && wanted > room - parseFloat(paddingLeft) - parseFloat(paddingRight) - 1;
      return [wanted > room + 1 ? room / wanted : 1, getComputedStyle(box).fontSize, long];
    });
    boxes.forEach((box, number) => {
      const [share, size, long] = sizes[number];
      if (share < SMALLEST) {
        box.classList.add("too-wide");
        box.tabIndex = 0; // for the keyboard
      } else if (share < 1) {
        box.style.fontSize = `calc(${share - 0.01} * ${size})`;
      } else if (long) {
        box.parentElement.classList.add("long");
      }
    });
  }

  // Lines break elsewhere when the window gets another width.
  let width = window.innerWidth, last;
  function onResize() {
    if (window.innerWidth === width) return; // a phone's bar that comes and goes
    width = window.innerWidth;
    clearTimeout(last);
    last = setTimeout(() => window.maths.again(), 200);
  }

  window.maths = {
    // Set every formula of the page; for print, and for the tests.
    async all() {
      await ready;
      while (waiting.size) await set([...waiting].slice(0, 50));
      await document.fonts.ready;
    },
    // Set what stands in an element that was added.
    async within(element) {
      if (!ready) return;
      await ready;
      const formulas = [...element.querySelectorAll(".math"), element];
      await MathJax.typesetPromise(formulas.filter((each) =>
        each.matches(".math") && !isSet(each)));
    },
    // Set those again that stand in a line of their own, for the width that there is now.
    async again() {
      await ready;
      const displays = [...document.querySelectorAll("div.math")].filter(isSet);
      const items = MathJax.startup.document.getMathItemsWithin(displays);
      MathJax.typesetClear(displays);
      items.forEach((item) => item.removeFromDocument(true));
      fit([...document.querySelectorAll("span.math")]);
      displays.forEach(wait);
    },
  };

  document.addEventListener("DOMContentLoaded", () => {
    const formulas = document.querySelectorAll(".math");
    if (!formulas.length) return;
    ready = (async () => {
      while (!window.MathJax?.startup?.promise) await pause();
      await MathJax.startup.promise;
      MathJax.startup.output.font.constructor.addFontURLs = () => {}; // maths.css has them already
      await pause(); // to start and to set are long enough, each by itself
    })();
    observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) near.add(target);
        else near.delete(target);
      }
      setNear();
    }, { rootMargin: NEAR });
    document.querySelectorAll("span.math").forEach(bind);
    formulas.forEach(wait);
    window.addEventListener("resize", onResize);
    document.addEventListener("copy", copyTeX);
    ready.then(() => requestIdleCallback?.(() => MathJax.tex2chtmlPromise(RARE)));
    // Paper shows all of them, and doesn't wait.
    window.addEventListener("beforeprint", () => {
      const rest = [...waiting];
      for (const each of [waiting, near]) each.clear();
      if (rest.length) MathJax.typeset(rest);
      finish(rest);
    });
  });
})();
