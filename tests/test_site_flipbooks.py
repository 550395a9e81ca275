"""The flipbooks, moved by mouse, touch and keyboard; and what stands in for them."""

import json
import re
from pathlib import Path

import pytest
from test_site_pages import PHONE, record

CHAPTERS = Path(__file__).resolve().parent.parent / "chapters"
WIDGETS = "application/vnd.jupyter.widget-state+json"
FRAMES, STILLS = "figure .flipbook img", ".flipbook-still img"
VIEWS = 'script[type="application/vnd.jupyter.widget-view+json"]'
PATIENCE = 20_000  # milliseconds; spent only where a flipbook is never shown


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
    box = slider.bounding_box()
    return box["x"] + box["width"] * (0.97 if to_end else 0.03), box["y"] + box["height"] / 2


def by_mouse(page, slider, to_end):
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    page.mouse.move(box["x"] + 8, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(*on_the_track(slider, to_end), steps=4)
    page.mouse.up()


def by_touch(page, slider, to_end):
    page.touchscreen.tap(*on_the_track(slider, to_end))


def settle(page):
    """Wait until what a slider has asked for is drawn."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.fixture(scope="module", params=WITH_FLIPBOOKS)
def stem(request):
    """The name of a chapter with flipbooks."""
    return request.param


@pytest.fixture(scope="module")
def chapter(stem, address, browser):
    """Its page, with the flipbooks drawn."""
    page = browser.new_page(viewport=PHONE, has_touch=True, service_workers="block")
    page.goto(f"{address}chapters/{stem}.html", wait_until="load")
    for script in page.locator(VIEWS).all():  # a flipbook is made when it comes near
        script.locator("xpath=..").scroll_into_view_if_needed()
    page.wait_for_function(
        "views => [...document.querySelectorAll(views)].every("
        "view => view.nextElementSibling.matches('.flipbook'))",
        arg=VIEWS,
        timeout=PATIENCE,
    )
    yield page
    page.close()


def test_the_chapters_that_the_argument_needs_have_flipbooks():
    needed = ("01", "02", "03", "04", "05", "06", "08", "09", "10")
    assert {stem[:2] for stem in WITH_FLIPBOOKS} >= set(needed)


def test_every_slider_turns_its_flipbook_by_keyboard_mouse_and_touch(stem, chapter):
    complaints = []
    record(chapter, complaints)
    sliders = chapter.locator("figure .flipbook input[type=range]").all()
    assert len(sliders) == WITH_FLIPBOOKS[stem]
    for slider in sliders:
        name = slider.get_attribute("id")
        for move in (by_keyboard, by_mouse, by_touch):
            by_keyboard(chapter, slider, to_end=False)
            settle(chapter)
            before = visible(chapter)
            move(chapter, slider, to_end=True)
            assert changed(chapter, before), f"{move.__name__}, {name}"
            assert all(visible(chapter)), "a frame without a text alternative"
            heard = slider.get_attribute("aria-valuetext")
            assert any(heard.endswith(alt) and heard != alt for alt in visible(chapter))
    assert not complaints


def test_every_slider_has_a_name_a_size_and_shows_where_the_keyboard_is(chapter):
    for slider in chapter.locator("figure .flipbook input[type=range]").all():
        words = slider.get_attribute("aria-labelledby").split()
        name = [chapter.locator(f"[id='{word}']").inner_text() for word in words]
        assert all(part.strip() for part in name)
        assert re.search(r"\d", name[-1]), "which figure it turns"
        assert slider.bounding_box()["height"] >= 44
        slider.press("Tab")
        slider.focus()
        outline = slider.evaluate("slider => getComputedStyle(slider).outlineStyle")
        assert outline == "solid"


def test_a_still_stands_in_on_paper(chapter):
    assert visible(chapter)
    assert visible(chapter, STILLS) == []
    chapter.emulate_media(media="print")
    assert visible(chapter) == []
    assert all(visible(chapter, STILLS))
    figures = chapter.locator("figure:has(.flipbook)").count()
    assert len(visible(chapter, STILLS)) == figures
    chapter.emulate_media(media="screen")


def test_a_still_stands_in_without_scripts(stem, address, browser):
    page = browser.new_page(viewport=PHONE, java_script_enabled=False)
    page.goto(f"{address}chapters/{stem}.html", wait_until="load")
    assert page.locator(STILLS).first.is_visible()
    assert page.locator(FRAMES).count() == 0
    page.close()
