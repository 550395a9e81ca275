// What the pages do beyond showing themselves. Nothing here is needed to read.

(() => {
  "use strict";
  const WIDE = 805; // pixels: more than one panel, whose type is 9 pixels high on a phone
  const each = (selector, mend) => document.querySelectorAll(selector).forEach(mend);

  // The theme learns whether it is dark outside only when the page is there, and would colour all of
  // it a second time.
  function colourEarly() {
    const page = document.documentElement.dataset;
    if (page.theme !== "auto") return;
    page.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }

  // A figure of two panels is too wide for a phone: the style sheet lets its box scroll there.
  function boxWideFigures() {
    each("figure > img", (image) => {
      if (image.naturalWidth < WIDE) return;
      const box = document.createElement("div");
      box.className = "wide-figure";
      image.replaceWith(box);
      box.append(image);
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

  colourEarly();
  window.addEventListener("load", boxWideFigures); // when their sizes are known
  document.addEventListener("DOMContentLoaded", () => {
    lightenPaper();
    removeDeadLinks();
  });
})();
