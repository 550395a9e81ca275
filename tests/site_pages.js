// What test_site_pages.py asks of a page from the inside. Complaints are strings.
window.bookCheck = {
    // Maths set and flipbooks shown, as they are when one has come near: whether that came within
    // the time.
    async ready(patience) {
        const asked = 'script[type="application/vnd.jupyter.widget-view+json"]';
        const settled = (async () => {
            await window.maths?.all();
            for (const { parentElement: place } of document.querySelectorAll(asked)) {
                while (!place.querySelector(".flipbook")) {
                    place.scrollIntoView();
                    await new Promise(requestAnimationFrame);
                }
            }
            scrollTo(0, 0);
            return true;
        })();
        return Promise.race([settled, new Promise(done => setTimeout(done, patience, false))]);
    },

    // Where something hidden sticks out, one can scroll past the end of the page.
    belowTheEnd() {
        const page = document.documentElement;
        const end = Math.max(page.getBoundingClientRect().bottom, page.clientHeight);
        const below = page.scrollHeight - end;
        return below > 1 ? [`${below} px below the end of the page`] : [];  // a pixel for rounding
    },

    // What is folded away is read too, once it is opened.
    async unfold() {
        document.querySelectorAll("details").forEach(fold => { fold.open = true; });
        document.querySelectorAll("button.toggle-button-hidden").forEach(button => button.click());
        // The theme lets the keyboard into boxes that scroll, 300 ms after something has changed.
        const late = () => [...document.querySelectorAll('[tabindex="-1"]')].some(
            box => box.scrollWidth > box.clientWidth);
        await new Promise(done => setTimeout(done, 300));  // formulas wait until the width is settled
        await window.maths?.all();
        for (const end = performance.now() + 1000; late() && performance.now() < end;)
            await new Promise(requestAnimationFrame);
    },

    look() {
        const complaints = [];
        const all = selector => [...document.querySelectorAll(selector)];
        const say = (what, element) =>
            complaints.push(element ? `${what}: ${element.outerHTML.slice(0, 200)}` : what);

        if (!document.title.trim()) say("no title");
        if (!document.documentElement.lang) say("no language");
        // The theme keeps a second main heading for paper.
        const headings = all("h1").filter(heading => heading.checkVisibility());
        if (headings.length !== 1) say(`${headings.length} main headings`);

        all(".math").filter(math => !math.querySelector("mjx-container"))
            .forEach(math => say("formula not set", math));
        all("mjx-merror, [data-mjx-error]").forEach(math => say("formula with an error", math));
        // MathJax shows a macro that it doesn't know in red, and the target of a reference
        // that it doesn't know as "???".
        all('mjx-mtext[style*="color: red"]').forEach(math => say("unknown macro", math));
        all("mjx-mtext").filter(text => text.innerText.includes("???"))
            .forEach(math => say("unresolved reference", math));
        const notProse =
            "code, pre, kbd, script, style, noscript, textarea, .math, mjx-container";
        const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) {
            const text = texts.currentNode.data, parent = texts.currentNode.parentElement;
            if (parent.closest(notProse)) continue;
            const raw = /\\\(|\\\[|\$[^$]+\$|\\begin\{|\\(eq)?ref\{/.exec(text);
            if (raw) say(`raw formula ${raw[0]}`, parent);
            if (text.includes("??")) say("unresolved reference", parent);
        }

        for (const image of document.images) {
            if (image.matches('[role="presentation"], [role="none"]')) continue;
            if (!image.alt.trim()) say("image without a text alternative", image);
            if (!image.complete || !image.naturalWidth) say("image that shows nothing", image);
            // Badges (links), the frames of a slider and the buttons of the module index stand in
            // the text; every other picture there is a figure.
            const free = image.closest("a:not(figure a), .flipbook, .toggler");
            if (image.closest("article") && !free && !image.closest("figure"))
                say("image that is not a figure", image);
        }
        all("figure").filter(figure => !figure.querySelector("figcaption")?.innerText.trim())
            .forEach(figure => say("figure without a caption", figure));
        return complaints;
    },

    // What sticks out of a narrow page must be in something that scrolls, or it is cut off.
    cutOff() {
        const page = document.documentElement, complaints = [];
        if (page.scrollWidth > page.clientWidth)
            complaints.push(`the page scrolls sideways: it is ${page.scrollWidth} px wide`);
        const scrolls = element => element
            && (/auto|scroll/.test(getComputedStyle(element).overflowX)
                || scrolls(element.parentElement));
        const out = [...document.querySelectorAll("article *")].filter(element =>
            element.getBoundingClientRect().right > page.clientWidth + 1  // a pixel for rounding
            && element.checkVisibility() && !element.closest("mjx-assistive-mml")
            && !scrolls(element));
        for (const element of out)
            if (!out.includes(element.parentElement))
                complaints.push(`cut off at the right: ${element.outerHTML.slice(0, 200)}`);
        return complaints;
    },

    // On a phone: figures and formulas too small to read, and formulas that neither fit nor scroll.
    async tooSmall() {
        const complaints = [], visible = { visibilityProperty: true };
        const say = (what, size, element) =>
            complaints.push(`${what}, ${size.toFixed(1)} px: ${element.outerHTML.slice(0, 200)}`);
        for (const image of document.querySelectorAll("article figure img")) {
            if (!image.checkVisibility(visible) || !image.naturalWidth) continue;
            // Matplotlib draws a string of 10 points at a tenth of its letters' size.
            const drawing = await (await fetch(image.currentSrc)).text();
            const points = [...drawing.matchAll(/scale\((0?\.\d+) -/g)].map(each => 100 * each[1]);
            const width = drawing.match(/viewBox=["']0 0 ([\d.]+)/)?.[1] ?? image.naturalWidth;
            const size = Math.min(...points) * image.clientWidth / width;
            if (size < 9) say("small type in a figure", size, image);
        }
        for (const formula of document.querySelectorAll("div.math > mjx-container")) {
            if (!formula.checkVisibility(visible)) continue;
            const hidden = formula.scrollWidth - formula.clientWidth;
            const size = parseFloat(getComputedStyle(formula).fontSize);
            // A pixel for rounding.
            if (hidden > 1 && !formula.matches(".too-wide")) say("hidden formula", hidden, formula);
            if (size < 14) say("small formula", size, formula);  // the size of a caption
        }
        return complaints;
    },

    // MathJax's glyphs are two thirds of the elements of a page, and are for the eye alone: what a
    // formula says stands beside them. A box of the same size is as good, and faster.
    emptyFormulas() {
        const glyphs = [...document.querySelectorAll('mjx-math[aria-hidden="true"]')];
        const boxes = glyphs.map(each => each.getBoundingClientRect());
        glyphs.forEach((each, k) => {
            each.replaceChildren();
            Object.assign(each.style, {
                display: "inline-block", width: `${boxes[k].width}px`, height: `${boxes[k].height}px`,
            });
        });
    },

    // As the theme's own button does it; and wait, since colours on their way from light to dark
    // have the contrast of neither.
    async setMode(mode) {
        document.documentElement.dataset.mode = document.documentElement.dataset.theme = mode;
        const moves = document.getAnimations().filter(
            move => move.effect.getComputedTiming().endTime < Infinity);
        await Promise.allSettled(moves.map(move => move.finished));
    },

    // What axe-core finds; of colours alone, if that is all that has changed since it last looked.
    async axe(coloursOnly) {
        // The contrast of one word costs axe a millisecond, and a chapter has thousands, in a few
        // dozen colours: of the texts with the same style all the way up, it is shown one.
        // (MathJax's glyphs are no text, so it would skip them itself, but slowly.)
        const styles = new Map(), styleOf = new Map(), shown = new Set();
        for (const element of document.querySelectorAll("body, body :not(mjx-container *)")) {
            const style = getComputedStyle(element);
            const key = [
                styleOf.get(element.parentElement), style.color, style.backgroundColor,
                style.backgroundImage, style.opacity, style.fontSize, style.fontWeight,
            ].join();
            if (!styles.has(key)) styles.set(key, styles.size);
            styleOf.set(element, styles.get(key));
            const text = [...element.childNodes].filter(node => node.nodeType === Node.TEXT_NODE)
                .map(node => node.data.trim()).join("");
            // Of a single letter, and of what is clipped to a pixel for those who only listen, it
            // says nothing: they can't stand for others.
            const visible = element.checkVisibility({ visibilityProperty: true })
                && element.offsetWidth > 1;
            element.toggleAttribute("data-shown",
                text.length === 1 || visible && shown.has(styles.get(key)));
            if (visible && text.length > 1) shown.add(styles.get(key));
        }
        const selector = "*:not([data-shown], mjx-container *)";
        axe.configure({ rules: [{ id: "color-contrast", selector }] });
        // No preload: it requests the style sheets again, and those requests aren't the page's.
        const options = { resultTypes: ["violations"], preload: false };
        if (coloursOnly) options.runOnly = ["color-contrast", "link-in-text-block"];
        return (await axe.run(options)).violations;
    },
};
