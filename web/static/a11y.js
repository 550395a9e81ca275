// Mends what axe-core finds in the theme. Nothing here is needed to read.

(() => {
  "use strict";
  const each = (selector, mend) => document.querySelectorAll(selector).forEach(mend);

  function mendTheme() {
    // It says "Search Ctrl+K" but was named "Search": who speaks what they see must reach it.
    each(".search-button-field", (button) => {
      button.setAttribute("aria-label", button.textContent.replace(/\s+/g, " ").trim());
    });
    // The book's title, beside the logo, lay outside of every landmark.
    each(".bd-sidebar-primary", (sidebar) => {
      sidebar.setAttribute("role", "navigation");
      sidebar.setAttribute("aria-label", "Book");
    });
    // In a list there are list items; the role they had is deprecated.
    each(".citation-list > [role=doc-biblioentry]", (entry) => {
      entry.setAttribute("role", "listitem");
    });
  }

  // What scrolls can be scrolled from the keyboard, at once when the window gets narrower. The theme
  // says so too, but measures and changes one box after the other, and so lays out a phone's page
  // again for each; after this it has nothing to change.
  function focusScrollers() {
    const boxes = [...document.querySelectorAll(
      "pre, .cell_output > .output, .pst-scrollable-table-container, .wide-figure")];
    const scrolls = boxes.map((box) =>
      box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight);
    boxes.forEach((box, number) => { box.tabIndex = scrolls[number] ? 0 : -1; });
  }

  // Sphinx takes Escape for itself, to unmark what was searched for.
  function closeMenu(event) {
    if (event.key === "Escape") document.querySelector(":popover-open")?.hidePopover();
  }

  window.addEventListener("load", focusScrollers);
  window.addEventListener("resize", focusScrollers);
  document.addEventListener("DOMContentLoaded", () => {
    mendTheme();
    document.addEventListener("keydown", closeMenu);
  });
})();
