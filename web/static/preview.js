// A reference shows what it refers to when it is pointed at, or reached from the keyboard: a
// statement, an equation, a figure, a cited work. Escape or moving on takes it away.

(() => {
  "use strict";
  const DELAY = 300; // milliseconds: pointing, not passing by
  const SHOWN = "div.proof, div.exercise, div.math, figure, div.citation, dt";
  const pages = new Map();
  let timer, box, wanted;

  // The page that a link leads to; this one is already there.
  function fetchPage(address) {
    if (address === location.href.split("#")[0]) return document;
    if (!pages.has(address)) {
      const page = fetch(address).then((answer) => answer.text())
        .then((html) => new DOMParser().parseFromString(html, "text/html"));
      pages.set(address, page);
    }
    return pages.get(address);
  }

  async function show(link) {
    const [address, id] = link.href.split("#");
    const target = (await fetchPage(address)).getElementById(decodeURIComponent(id));
    const source = target?.closest(SHOWN) ?? target?.querySelector(":scope > :is(figure, div.math)");
    if (!source || wanted !== link) return;
    const copy = document.importNode(source, true);
    copy.querySelectorAll("script, .headerlink, .flipbook").forEach((each) => each.remove());
    for (const each of [copy, ...copy.querySelectorAll("[id]")]) each.removeAttribute("id");
    for (const image of copy.querySelectorAll("img"))
      image.src = new URL(image.getAttribute("src"), address).href;
    hide();
    box = document.createElement("div");
    box.className = "preview bd-article";
    box.inert = true; // the link itself leads there
    box.append(copy);
    document.body.append(box);
    const place = link.getBoundingClientRect();
    const below = place.bottom + 8 + box.offsetHeight < innerHeight;
    const left = Math.min(place.left, document.documentElement.clientWidth - box.offsetWidth - 12);
    box.style.left = `${scrollX + Math.max(8, left)}px`;
    box.style.top = `${scrollY + (below ? place.bottom + 8 : place.top - box.offsetHeight - 8)}px`;
    window.maths?.within(copy);
  }

  function hide() {
    box?.remove();
    box = undefined;
  }

  function point({ target }) {
    const link = target.closest?.("article a.internal[href*='#']:not(.headerlink)");
    if (link === wanted) return;
    clearTimeout(timer);
    wanted = link;
    if (link) timer = setTimeout(() => show(link).catch(() => {}), DELAY); // no page, no preview
    else hide();
  }

  if (location.protocol !== "file:") {
    if (matchMedia("(hover: hover)").matches) document.addEventListener("mouseover", point);
    document.addEventListener("focusin", point);
    document.addEventListener("keydown", ({ key }) => { if (key === "Escape") hide(); });
  }
})();
