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

  // What scrolls can be scrolled from the keyboard, at once when the window gets narrower.
  function focusScrollers() {
    each("pre, .pst-scrollable-table-container, .wide-figure", (box) => {
      box.tabIndex = box.scrollWidth > box.clientWidth ? 0 : -1;
    });
  }

  // Sphinx takes Escape for itself, to unmark what was searched for.
  function closeMenu(event) {
    if (event.key === "Escape") document.querySelector(":popover-open")?.hidePopover();
  }

  document.addEventListener("DOMContentLoaded", () => {
    mendTheme();
    document.addEventListener("keydown", closeMenu);
    window.addEventListener("resize", focusScrollers);
  });
})();
