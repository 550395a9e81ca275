// Flipbooks: sliders that turn pictures, from what the notebook has stored.
//
// distill_lib.flipbook makes widgets, so that it works in a running notebook. Here, where nothing
// runs, their stored state holds all there is to show: a box of one or two sliders and a stack of
// frames, or a stack of such stacks. It is read when a flipbook comes near, and shown with the
// browser's own sliders, which can be seen, touched, named and read aloud everywhere.

(() => {
  "use strict";
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
  let models;

  const state = (name) => {
    models ??= JSON.parse(document.querySelector(STATE).textContent).state;
    return models[name.replace("IPY_MODEL_", "")].state;
  };

  function element(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  // A flipbook's sliders and frames, as they are stored.
  function stored(view) {
    const box = state(JSON.parse(view.textContent).model_id);
    const leaves = (name) => {
      const { children, value } = state(name);
      return children ? children.map(leaves) : value;
    };
    const sliders = box.children.slice(0, -1).map(state).map((slider) => ({
      name: slider.description, labels: slider._options_labels, index: slider.index,
    }));
    return { sliders, frames: leaves(box.children.at(-1)) };
  }

  // Above the picture that is shown now, a slider for each of its coordinates.
  let made = 0;
  window.flipbook = ({ sliders, frames }, title) => {
    const number = made++;
    const place = sliders.map(({ index }) => index);
    if (title) title.id = `flipbook-${number}`;
    const frame = () => {
      const leaf = place.reduce((pages, index) => pages[index], frames);
      return new DOMParser().parseFromString(leaf, "text/html").querySelector("img");
    };
    const shown = document.importNode(frame(), true);
    const inputs = sliders.map(({ name, labels, index }, which) => {
      const id = `flipbook-${number}-${which}`;
      const input = element("input", {
        id, type: "range", min: 0, max: labels.length - 1, step: 1, value: index,
      });
      const readout = element("output", {});
      readout.htmlFor = id;
      input.addEventListener("input", () => { place[which] = Number(input.value); turn(); });
      const label = element("label", { id: `${id}-name`, htmlFor: id }, name);
      if (title) input.setAttribute("aria-labelledby", `${label.id} ${title.id}`);
      return { input, readout, labels,
        row: element("div", { className: "flipbook-slider" }, label, input, readout) };
    });

    function turn() {
      const now = frame();
      shown.alt = now.alt;
      shown.src = now.src;
      inputs.forEach(({ input, readout, labels }, which) => {
        readout.value = labels[place[which]];
        // What is heard when a slider moves: where it stands, and what is seen there.
        input.setAttribute("aria-valuetext", `${labels[place[which]]}. ${now.alt}`);
      });
    }

    turn();
    const rows = element("div", { className: "flipbook-sliders" }, ...inputs.map(({ row }) => row));
    return element("div", { className: "flipbook" }, rows, shown);
  };

  document.addEventListener("DOMContentLoaded", () => {
    // A figure of its own, whose frames stand beside it.
    document.querySelectorAll("script[data-flipbook]").forEach((script) => {
      const figure = document.getElementById(script.dataset.flipbook);
      const book = window.flipbook(
        JSON.parse(script.textContent), figure.querySelector(".caption-number"));
      const still = figure.querySelector("img");
      still.classList.add("flipbook-still");
      still.before(book);
    });
    const views = [...document.querySelectorAll(VIEW)];
    const near = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        const view = target.querySelector(VIEW);
        const title = view.closest("figure")?.querySelector(".caption-number");
        view.after(window.flipbook(stored(view), title));
      }
    }, { rootMargin: "1000px 0px" });
    views.forEach((view) => near.observe(view.parentElement));
  });
})();
