// What test_talk.py asks of a slide from the inside. Complaints are strings.
window.talkCheck = {
    // Turn to a slide, with all that comes one by one, and wait until it stands still.
    async turnTo(number) {
        this.show(number);
        await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
        const moves = document.getAnimations().filter(
            move => move.effect.getComputedTiming().endTime < Infinity);
        await Promise.allSettled(moves.map(move => move.finished));
        const shown = [...Reveal.getCurrentSlide().querySelectorAll("img")];
        await Promise.all(shown.map(image => image.decode().catch(() => {})));
    },

    show(number) {
        Reveal.slide(number, 0, Reveal.getSlide(number).querySelectorAll(".fragment").length - 1);
    },

    look() {
        const slide = Reveal.getCurrentSlide(), complaints = [], scale = Reveal.getScale();
        const all = selector => [...slide.querySelectorAll(selector)];
        const say = (what, element) =>
            complaints.push(`${what}: ${element.outerHTML.slice(0, 160)}`);
        const box = element => element.getBoundingClientRect();

        all(".math").filter(math => !math.querySelector("mjx-container"))
            .forEach(math => say("formula not set", math));
        all('mjx-merror, [data-mjx-error], mjx-mtext[style*="color: red"]')
            .forEach(math => say("formula with an error", math));
        const texts = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) {
            const parent = texts.currentNode.parentElement;
            if (parent.closest("script, pre, mjx-container, .notes")) continue;
            const raw = /\\\(|\\\[|\$|\{\w+\}`|\\[a-z]+/.exec(texts.currentNode.data);
            if (raw) say(`raw text ${raw[0]}`, parent);
            const size = parseFloat(getComputedStyle(parent).fontSize) * scale;
            const seen = texts.currentNode.data.trim() && !parent.closest(".visually-hidden, script");
            if (seen && size < 11.9) say(`small type, ${size.toFixed(1)} px`, parent);
        }

        // All of it is in the window, and nothing lies on anything else.
        const scrolls = element => element && element !== slide
            && (/auto|scroll/.test(getComputedStyle(element).overflowX)
                || scrolls(element.parentElement));
        for (const element of all(":not(mjx-container *)")) {
            if (element.closest(".visually-hidden, .notes, script")) continue;
            if (!element.checkVisibility({ visibilityProperty: true })) continue;
            if (scrolls(element.parentElement)) continue;
            const { left, right, top, bottom } = box(element);
            // A pixel for rounding.
            if (left < -1 || top < -1 || right > innerWidth + 1 || bottom > innerHeight + 1)
                say("outside of the window", element);
        }
        const parts = [...slide.children].filter(part => part.checkVisibility() && box(part).height);
        parts.forEach((one, k) => parts.slice(k + 1).forEach(other => {
            const a = box(one), b = box(other);
            const over = Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
                && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
            if (over) say(`${one.tagName} lies on`, other);
        }));
        for (const part of parts) {
            const over = [...part.querySelectorAll(":not(mjx-container *)")].find(element =>
                box(element).bottom > box(part).bottom + 3  // a formula's line may hang a little
                && !element.closest(".visually-hidden")
                && element.checkVisibility() && !scrolls(element.parentElement));
            if (over) say(`doesn't fit into ${part.tagName}`, over);
        }
        // The arrows in the corner hide no words.
        const arrows = box(document.querySelector(".controls .navigate-left"));
        all(".foot a").filter(link => box(link).right > arrows.left && box(link).bottom > arrows.top)
            .forEach(link => say("under the arrows", link));

        const image = all("figure img").find(each => each.checkVisibility());
        if (all("figure").length && !image?.naturalWidth) say("no picture", slide);
        if (image && !image.alt.trim()) say("no text alternative", image);
        if (image) {
            // How large a letter of 10 points is: drawings have 72 units to the inch, stored
            // pixels 140, a flipbook's frames 110.
            const file = image.getAttribute("src");
            const dots = image.closest(".flipbook") ? 110 : file.endsWith(".svg") ? 72 : 140;
            const share = Math.min(image.clientWidth / image.getAttribute("width"),
                image.clientHeight / image.getAttribute("height"));
            const size = 10 / 72 * dots * share * scale;
            if (size < (innerWidth < 600 ? 7 : 9)) say(`small type in a figure, ${size.toFixed(1)} px`, image);
        }
        return complaints;
    },

    // What axe-core finds on each slide; of colours alone, if that is all that may have changed.
    // It walks through the whole page each time, and doesn't know the ground of a text over which
    // anything lies, be it hidden: the other slides are out of the way meanwhile.
    async axe(coloursOnly, howMany) {
        const options = { resultTypes: ["violations", "incomplete"], preload: false };
        if (coloursOnly) options.runOnly = ["color-contrast", "link-in-text-block"];
        const complaints = [], slides = Reveal.getSlides(), place = slides[0].parentElement;
        for (const [number, slide] of slides.slice(0, howMany).entries()) {
            this.show(number);
            place.replaceChildren(slide);
            const { violations, incomplete } = await axe.run(options);
            // A single letter may be a drawing, for all that it knows.
            const unknown = incomplete.filter(({ id }) => id === "color-contrast").map(rule =>
                ({ ...rule, nodes: rule.nodes.filter(({ html }) => !/>.<\//u.test(html)) }));
            for (const { id, help, nodes } of [...violations, ...unknown])
                for (const { html } of nodes)
                    complaints.push(`${number + 1}: axe: ${id}: ${help}: ${html.slice(0, 160)}`);
            place.replaceChildren(...slides);
        }
        return complaints;
    },

    // Turn every slider to its other end; complain of one that changes nothing.
    move() {
        const complaints = [];
        for (const book of Reveal.getCurrentSlide().querySelectorAll(".flipbook")) {
            const shown = book.querySelector("img");
            for (const slider of book.querySelectorAll("input")) {
                const before = [shown.src, shown.alt].join();
                slider.value = slider.value === slider.max ? slider.min : slider.max;
                slider.dispatchEvent(new Event("input"));
                if (before === [shown.src, shown.alt].join())
                    complaints.push(`a slider that moves nothing: ${slider.id}`);
            }
        }
        return complaints;
    },
};
