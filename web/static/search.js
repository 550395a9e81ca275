// The page of the search: which result comes first, and what is shown of it.

(() => {
  "use strict";
  if (DOCUMENTATION_OPTIONS.pagename !== "search") return;
  const asked = new URLSearchParams(location.search).get("q") ?? "";
  const plain = (text) => ` ${text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim()} `;

  // Sphinx's own values; then pages in the order of reading, which is that of their names, and
  // before all of them one whose word was asked for (_ext/finder.py).
  window.Scorer = {
    objNameMatch: 11, objPartialMatch: 6, objPrio: { 0: 15, 1: 5, 2: -5 }, objPrioDefault: 0,
    title: 15, partialTitle: 7, term: 5, partialTerm: 2,
    score([page, title, , , score]) {
      const words = Search.words?.[page] ?? [];
      const meant = words.some((word) => plain(asked).includes(plain(word)));
      const titled = plain(title).includes(plain(asked));
      const chapter = /\/\d/.test(page);
      const place = Search._index.docnames.indexOf(page) / Search._index.docnames.length;
      return score + 100 * meant + 10 * titled + chapter - place;
    },
  };

  // A formula in a snippet: a symbol or two can be read as they are, more can't.
  const readable = (text) => text.replace(/\\[([](.*?)\\[)\]]/gs, (_, tex) =>
    /^[\w\s=<>+\-.,()]{1,20}$/.test(tex) ? tex : "…");

  document.addEventListener("DOMContentLoaded", () => {
    const { htmlToText, _parseQuery } = Search;
    Search.htmlToText = (...page) => readable(htmlToText(...page));
    // "T squared" would mark every t.
    Search._parseQuery = (query) => {
      const [text, terms, excluded, marked, objects] = _parseQuery(query);
      const words = new Set([...marked].filter((word) => word.length > 2));
      try {
        localStorage.setItem("sphinx_highlight_terms", [...words].join(" "));
      } catch { /* nothing is kept */ }
      return [text, terms, excluded, words, objects];
    };
  });
})();
