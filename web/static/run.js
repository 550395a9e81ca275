// "Run": a cell, and those before it, in Python beside the page. Nothing is loaded until then.

(() => {
  "use strict";
  if (location.protocol === "file:") return; // no browser starts a worker there
  document.documentElement.classList.add("can-run");

  function element(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  let worker, answer, bar, chain = Promise.resolve();
  const ran = []; // the code of each cell that has been run, from the first on

  // One question at a time; what the worker says meanwhile goes to `hear`.
  function ask(question, hear = () => {}) {
    return new Promise((resolve, reject) => {
      answer = (message) => {
        if (message.kind === "done") resolve();
        else if (message.kind === "failed") reject(new Error(message.text));
        else if (message.kind === "step") tell(message.text);
        else hear(message);
      };
      worker.postMessage(question);
    });
  }

  function tell(text) {
    if (!bar) {
      bar = element("div", { id: "python-bar" }, element("progress", { ariaLabel: "Python" }),
        element("span", {}));
      bar.lastChild.setAttribute("role", "status");
      document.body.append(bar);
    }
    bar.hidden = !text;
    bar.lastChild.textContent = text ? `${text} …` : "";
  }

  async function start(where) {
    if (worker) return;
    const whole = (address) => new URL(address, location.href).href;
    worker = new Worker(whole(where.worker));
    worker.onmessage = ({ data }) => answer(data);
    worker.onerror = (event) => answer({ kind: "failed", text: event.message || "no Python" });
    try {
      await ask({ start: { pyodide: whole(where.pyodide), library: whole(where.library) } });
    } catch (error) {
      worker.terminate();
      worker = undefined;
      throw new Error(`Python can't be loaded. ${error.message}`);
    }
  }

  // Where a cell's own output goes, instead of the book's.
  function emptyOutput(cell) {
    cell.querySelector(":scope > .run-output")?.remove();
    const back = element("button", { type: "button", className: "run-back" },
      "Back to the book’s output");
    const output = element("div", { className: "run-output" }, back);
    back.addEventListener("click", () => { output.remove(); cell.classList.remove("has-run"); });
    cell.querySelector(".cell_input").after(output);
    cell.classList.add("has-run");
    return output;
  }

  function show(output, message) {
    const alt = "A figure that you have just drawn; its code says what it shows.";
    if (message.kind === "text") {
      if (output.lastChild.className !== "run-text")
        output.append(element("pre", { className: "run-text" }));
      output.lastChild.append(message.text);
    } else if (message.kind === "figure") {
      const src = `data:image/svg+xml,${encodeURIComponent(message.svg)}`;
      output.append(element("figure", {}, element("img", { alt, src })));
    } else if (message.kind === "flipbook") {
      output.append(element("figure", {}, window.flipbook(message.flipbook)));
    } else {
      const error = element("pre", { className: "run-text run-error" }, message.text);
      error.setAttribute("role", "alert");
      output.append(error);
    }
  }

  async function runUpTo(cells, last, where) {
    const code = cells.map((cell) => cell.querySelector(".cell_input pre").innerText);
    try {
      await start(where);
      // A change further up changes all that comes after it.
      let first = ran.findIndex((text, k) => text !== code[k]);
      if (first < 0) first = ran.length;
      first = Math.min(first, last);
      if (first < ran.length) {
        await ask({ forget: true });
        ran.length = first = 0;
      }
      for (let k = first; k <= last; k++) {
        tell(`Running cell ${k + 1} of ${last + 1}`);
        const output = emptyOutput(cells[k]);
        try {
          await ask({ code: code[k] }, (message) => show(output, message));
        } catch (error) {
          show(output, { kind: "failed", text: error.message });
          if (k < last) cells[k].scrollIntoView({ block: "center" });
          return;
        }
        ran[k] = code[k];
      }
    } catch (error) {
      show(emptyOutput(cells[last]), { kind: "failed", text: error.message });
    } finally {
      tell("");
    }
  }

  // Once Python is wanted, code can be changed.
  function makeEditable(cells) {
    for (const [k, cell] of cells.entries()) {
      const code = cell.querySelector(".cell_input pre");
      code.contentEditable = "plaintext-only";
      if (!code.isContentEditable) code.contentEditable = "true";
      code.spellcheck = false;
      code.setAttribute("role", "textbox");
      code.setAttribute("aria-multiline", "true");
      code.setAttribute("aria-label", `Code of cell ${k + 1}`);
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const link = document.querySelector("p.live[data-worker]");
    if (!link) return;
    const cells = [...document.querySelectorAll("article div.cell:has(> .cell_input)")];
    cells.forEach((cell, k) => {
      const button = cell.querySelector(".run");
      button.setAttribute("aria-label", `Run cell ${k + 1}, and those before it`);
      button.addEventListener("click", () => {
        makeEditable(cells);
        chain = chain.then(() => runUpTo(cells, k, link.dataset));
      });
    });
  });
})();
