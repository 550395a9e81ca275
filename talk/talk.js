// The slides: reveal.js, with the book's formulas, flipbooks and colours.

(() => {
  "use strict";
  const page = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const onPaper = new URLSearchParams(location.search).has("print-pdf");

  // Light or dark as the site's button was last set, or else as the system is. Paper is white.
  let mode;
  try { mode = localStorage.getItem("mode"); } catch { /* a browser that keeps nothing */ }
  function colour() {
    const wanted = mode === "light" || mode === "dark" ? mode : dark.matches ? "dark" : "light";
    page.dataset.theme = onPaper ? "light" : wanted;
  }
  function otherColours() {
    mode = page.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("mode", mode); } catch { /* the same */ }
    colour();
  }
  colour();
  dark.addEventListener("change", colour);

  // A canvas of the window's shape: no edges, and on an upright phone type that can be read.
  // A figure stands beside the words or, if it is wider than there is room, below them.
  const WIDTHS = { broad: 1280, square: 1120, upright: 720, phone: 480 };
  const BELOW = { broad: ".wide", square: ".wide, .middle", upright: ".wide" };
  function canvas() {
    const ratio = onPaper ? 720 / 1280 : innerHeight / innerWidth;
    const shape = ratio < 0.7 ? "broad" : ratio < 1.25 ? "square" : "upright";
    page.dataset.shape = shape;
    for (const slide of document.querySelectorAll(".slides section"))
      slide.classList.toggle("stacked", slide.matches(BELOW[shape]));
    const width = WIDTHS[shape === "upright" && innerWidth < 600 ? "phone" : shape];
    return { width, height: Math.max(Math.round(width * ratio), 640) };
  }

  // The keys of a clicker turn slides wherever the keyboard is; a swipe on a slider moves that alone.
  function tameSliders() {
    for (const slider of document.querySelectorAll(".flipbook input")) {
      slider.dataset.preventSwipe = "";
      slider.addEventListener("keydown", (event) => {
        if (event.key === "PageDown") Reveal.next();
        else if (event.key === "PageUp") Reveal.prev();
        else if (event.key === "Escape") slider.blur();
        else return;
        event.preventDefault();
      });
    }
  }

  // A figure of several panels is wider than a phone: there its box scrolls (talk.css).
  function boxPictures() {
    for (const picture of document.querySelectorAll("figure img:not(.flipbook-still)")) {
      const box = document.createElement("div");
      box.className = "picture";
      picture.replaceWith(box);
      box.append(picture);
    }
    letScroll();
  }
  function letScroll() {
    for (const box of document.querySelectorAll(".picture")) {
      const scrolls = box.scrollWidth > box.clientWidth;
      box.tabIndex = scrolls ? 0 : -1; // for the keyboard
      box.toggleAttribute("data-prevent-swipe", scrolls);
    }
  }

  // A link that leads from this folder to that of the book leads nowhere from a sheet of paper.
  if (onPaper) document.querySelectorAll(".foot a").forEach((link) => link.removeAttribute("href"));
  const printed = onPaper && new Promise((done) => Reveal.on("pdf-ready", done));

  window.talk = { ready: Reveal.initialize({
    ...canvas(),
    margin: 0,
    minScale: 0.1,
    maxScale: 10,
    center: false,
    display: "grid",
    hash: true,
    slideNumber: "c/t",
    transition: still ? "none" : "fade",
    backgroundTransition: "none",
    transitionSpeed: "fast",
    controlsTutorial: false,
    scrollActivationWidth: null, // on a phone, too, one slide at a time
    viewDistance: 100, // all are laid out, so that formulas know how much room they have
    mobileViewDistance: 100,
    pdfSeparateFragments: false,
    totalTime: Number(document.body.dataset.seconds),
    plugins: [RevealNotes],
  }).then(async () => {
    Reveal.addKeyBinding({ keyCode: 84, key: "T", description: "Light or dark" }, otherColours);
    addEventListener("resize", () => { Reveal.configure(canvas()); letScroll(); });
    tameSliders();
    boxPictures();
    await printed;
    await window.maths.all();
  }) };
})();
