"""The flipbooks in the built site: moved by mouse, touch and keyboard, and what stands in for them.

And what the pages weigh, since it is the flipbooks that make them heavy.
"""

import gzip
import json
from pathlib import Path

import pytest

CHAPTERS = Path(__file__).resolve().parent.parent / "chapters"
WIDGETS = "application/vnd.jupyter.widget-state+json"
FRAMES = "figure .jupyter-widgets img"
# What a page may weigh, compressed, with all that it loads. The manager of the widgets alone
# takes 0.6 MB of the larger sum.
HEAVIEST = {True: 2_000_000, False: 1_000_000}
PATIENCE = 20_000  # milliseconds; spent only where a widget is never drawn


def chapters_with_flipbooks():
    """The chapters, and how many sliders the flipbooks of each have."""
    found = {}
    for path in sorted(CHAPTERS.glob("*.ipynb")):
        state = json.loads(path.read_text(encoding="utf-8"))["metadata"].get("widgets", {})
        models = [model["model_name"] for model in state.get(WIDGETS, {}).get("state", {}).values()]
        if models:
            found[path.stem] = models.count("SelectionSliderModel")
    return found


WITH_FLIPBOOKS = chapters_with_flipbooks()


def visible(page, selector=FRAMES):
    """The text alternatives of the pictures that can be seen."""
    return page.eval_on_selector_all(
        selector, "images => images.filter(image => image.offsetParent).map(image => image.alt)"
    )


def changed(page, before):
    """Whether other frames can be seen now than before, waiting for it."""
    for _ in range(40):
        if visible(page) != before:
            return True
        page.wait_for_timeout(50)
    return False


def by_keyboard(page, slider, to_end):
    slider.press("End" if to_end else "Home")


def on_the_track(slider, to_end):
    """A point near one end of the slider's track, in the window."""
    slider.scroll_into_view_if_needed()
    box = slider.locator("xpath=ancestor::*[contains(@class,'noUi-target')]").bounding_box()
    return box["x"] + box["width"] * (0.97 if to_end else 0.03), box["y"] + box["height"] / 2


def by_mouse(page, slider, to_end):
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(*on_the_track(slider, to_end), steps=4)
    page.mouse.up()


def by_touch(page, slider, to_end):
    page.touchscreen.tap(*on_the_track(slider, to_end))


def opened(browser, url, **options):
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, service_workers="block", **options
    )
    page = context.new_page()
    page.goto(url, wait_until="load")
    return page


def test_the_chapters_that_the_argument_needs_have_flipbooks():
    assert {stem[:2] for stem in WITH_FLIPBOOKS} >= {"01", "03", "04", "05", "06", "08", "09", "10"}


@pytest.mark.parametrize("stem", WITH_FLIPBOOKS)
def test_every_slider_turns_its_flipbook_by_keyboard_mouse_and_touch(stem, address, browser):
    page = opened(browser, f"{address}chapters/{stem}.html", has_touch=True)
    page.wait_for_selector(FRAMES, timeout=PATIENCE)
    sliders = page.locator("figure .jupyter-widgets [role=slider]").all()
    assert len(sliders) == WITH_FLIPBOOKS[stem]
    for slider in sliders:
        name = slider.get_attribute("aria-label")
        for move in (by_keyboard, by_mouse, by_touch):
            by_keyboard(page, slider, to_end=False)
            changed(page, None)
            before = visible(page)
            move(page, slider, to_end=True)
            assert changed(page, before), f"{move.__name__}, {name}"
            assert all(visible(page)), "a frame without a text alternative"
    page.context.close()


@pytest.mark.parametrize("stem", WITH_FLIPBOOKS)
def test_a_still_stands_in_on_paper_and_without_scripts(stem, address, browser):
    stills, url = ".flipbook-still img", f"{address}chapters/{stem}.html"
    page = opened(browser, url)
    page.wait_for_selector(FRAMES, timeout=PATIENCE)
    assert visible(page)
    assert visible(page, stills) == []
    page.emulate_media(media="print")
    assert visible(page) == []
    assert all(visible(page, stills))
    assert len(visible(page, stills)) == page.locator("figure:has(.jupyter-widgets)").count()
    page.context.close()
    page = opened(browser, url, java_script_enabled=False)
    assert page.locator(stills).first.is_visible()
    assert page.locator(FRAMES).count() == 0
    page.context.close()


def test_no_page_is_too_heavy(page_path, address, browser):
    page, weight = opened(browser, "about:blank"), []
    page.on("response", lambda response: weight.append(response))
    page.goto(address + page_path, wait_until="networkidle")
    total = sum(len(gzip.compress(response.body(), 6)) for response in weight)
    limit = HEAVIEST[Path(page_path).stem in WITH_FLIPBOOKS]
    assert total < limit, f"{page_path}: {total / 1e6:.2f} MB compressed"
    page.context.close()
