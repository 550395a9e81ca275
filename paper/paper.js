// What is done to the page of the whole book before it is printed.

// The text is set in the letters of the formulas, so these need no adapting to it.
MathJax.chtml = { matchFontHeight: false };
MathJax.options = {
    processHtmlClass: "math",
    enableAssistiveMml: false,
    menuOptions: { settings: { assistiveMml: false } },
};

// Those that leave room for the number of a page.
const numberedLinks = () => [...document.querySelectorAll(".contents a, .to-solution")];

window.paper = {
    // Letters and pictures are there; formulas are set, described, and no wider than the page.
    async ready() {
        await MathJax.startup.promise;
        await document.fonts.ready;
        await Promise.all([...document.images].map(image => image.decode()));
        this.shrink(document.querySelectorAll("mjx-container"), formula => [
            formula.closest("div.math, p, li, dd, td, figcaption").clientWidth,
            formula.firstElementChild.getBoundingClientRect().width,
        ]);
        document.body.classList.add("unwrapped");
        this.shrink(document.querySelectorAll("pre"), code => [
            code.parentElement.clientWidth,
            code.getBoundingClientRect().width,
        ]);
        document.body.classList.remove("unwrapped");
        this.describe(MathJax.startup.document.math);
        this.write(document.querySelectorAll(":is(mjx-mi, mjx-mn, mjx-mo, mjx-mtext) > mjx-c"));
    },

    // Make smaller what needs more room than there is, unless it would be too small to read.
    shrink(boxes, measure) {
        const sizes = [...boxes].map(measure);
        boxes.forEach((box, i) => {
            const [room, wanted] = sizes[i];
            // A little smaller than that, since letters don't grow quite evenly with their size.
            const size = 0.98 * room / wanted;
            if (wanted > room && size > 0.75) box.style.fontSize = `${size}em`;
        });
    },

    // Let each formula be heard as the TeX it was written in.
    describe(formulas) {
        for (const { math, typesetRoot } of formulas) {
            typesetRoot.setAttribute("role", "img");
            typesetRoot.setAttribute("aria-label", `Formula: ${math.trim()}`);
            typesetRoot.firstElementChild.removeAttribute("aria-hidden");
        }
    },

    // MathJax lets its style sheet draw the letters, and what isn't text has no place in the
    // structure of a PDF. Make them text, where they stand.
    write(boxes) {
        const drawn = [...boxes].map(box => {
            const { content, padding } = getComputedStyle(box, "::before");
            return { letter: JSON.parse(content), padding };
        });
        boxes.forEach((box, i) => {
            const text = document.createElement("span");
            text.textContent = drawn[i].letter;
            text.style.padding = drawn[i].padding;
            box.classList.add("written");
            box.append(text);
        });
    },

    // Write the number of its page behind each link.
    number(pages) {
        for (const link of numberedLinks()) link.dataset.page = pages[link.hash.slice(1)];
    },

    // Whether these numbers are those that are written.
    numbered(pages) {
        return numberedLinks().every(({ dataset, hash }) => dataset.page === `${pages[hash.slice(1)]}`);
    },
};
