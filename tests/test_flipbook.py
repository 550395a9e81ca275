"""A flipbook: the right frame at every place of its sliders, and clear refusals."""

import re
import urllib.parse
from types import SimpleNamespace
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pytest

from distill_lib import flipbook as module
from distill_lib.flipbook import flipbook

links = []  # between a slider and what it turns: they work in the page, without Python


@pytest.fixture
def shown(monkeypatch):
    """What a flipbook displays: its widget and the bundle around it, instead of a notebook."""
    kept, make = [], module._book
    monkeypatch.setattr(module.ipywidgets, "jslink", lambda *ends: links.append(ends))
    links.clear()

    def keep(*arguments):
        kept.append(make(*arguments))
        return kept[-1]

    def show(bundle, raw):
        assert raw is True  # the bundle itself is what is seen, not its words
        kept.append(bundle)

    monkeypatch.setattr(module, "_book", keep)
    monkeypatch.setattr(module, "display", show)
    return kept


def shade(number):
    """A figure that is grey all over: its number can be read off its pixels."""
    figure = plt.figure(figsize=(1, 1), facecolor=str(number / 100))
    return figure


def number_of(picture):
    """The number of a figure, read off the grey that its first shape is filled with."""
    return round(int(re.search(r"fill: #(..)\1\1", picture)[1], 16) / 255 * 100)


def frame(widget):
    """The number in a frame's picture, and its text alternative."""
    alt, data = re.fullmatch(
        r'<img alt="(.*?)" width="110" height="110" src="data:image/svg\+xml,([^"#<>]*)">',
        widget.value,
    ).groups()
    picture = urllib.parse.unquote(data)
    ElementTree.fromstring(picture)  # what a browser would show
    return number_of(picture), alt


def test_every_place_of_one_slider_has_its_frame(shown):
    flipbook(shade, alt=lambda number: f"shade <{number}>", start={"number": 40}, number=[20, 40])
    book, bundle = shown
    slider, stack = book.children
    assert [frame(child) for child in stack.children] == [
        (20, "shade &lt;20&gt;"),
        (40, "shade &lt;40&gt;"),
    ]
    assert (slider.description, slider.index, slider.label) == ("number", 1, "40")
    assert stack.selected_index == 1
    assert links == [((slider, "index"), (stack, "selected_index"))]
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert number_of(bundle["image/svg+xml"]) == 40


def test_every_pair_of_places_of_two_sliders_has_its_frame(shown):
    flipbook(
        lambda tens, ones: shade(10 * tens + ones),
        alt=lambda tens, ones: f"{tens}-{ones}",
        start={"ones": 9},
        tens=[2, 5, 7],
        ones=[0, 9],
    )
    book, bundle = shown
    one, other, pages = book.children
    for i, tens in enumerate([2, 5, 7]):
        for j, ones in enumerate([0, 9]):
            number, alt = frame(pages.children[i].children[j])
            assert (number, alt) == (10 * tens + ones, f"{tens}-{ones}")
    assert (pages.selected_index, [inner.selected_index for inner in pages.children]) == (
        0,
        [1] * 3,
    )
    assert (one.index, other.index) == (0, 1)
    turned = [(one, pages), *((other, inner) for inner in pages.children)]
    assert links == [((slider, "index"), (stack, "selected_index")) for slider, stack in turned]
    assert number_of(bundle["image/svg+xml"]) == 29


def test_a_slider_is_called_what_a_reader_would_call_it(shown):
    flipbook(
        lambda tens, ones: shade(10 * tens + ones),
        alt=lambda tens, ones: f"{tens}-{ones}",
        names={"ones": "ones o"},
        tens=[2],
        ones=[0, 9],
    )
    sliders = shown[0].children[:2]
    assert [slider.description for slider in sliders] == ["tens", "ones o"]
    # Else a name that is longer than ipywidgets expects would be cut.
    assert {slider.style.description_width for slider in sliders} == {"initial"}


def test_a_picture_is_as_large_as_its_figure(shown):
    flipbook(lambda n: plt.figure(figsize=(2, 0.5)), alt=lambda n: "white", n=[1])
    (picture,) = shown[0].children[1].children
    assert 'width="220" height="55"' in picture.value  # 110 pixels an inch


def test_no_figure_is_left_open_but_what_was_there(shown):
    mine = {number: shade(number) for number in (1, 2)}
    other = plt.figure()  # the current one
    flipbook(lambda number: mine[number], alt=lambda number: "grey", number=[1, 2])
    assert plt.get_fignums() == [other.number]
    plt.close("all")


def test_as_many_frames_and_bytes_as_there_may_be(shown, monkeypatch):
    monkeypatch.setattr(module, "MOST_FRAMES", 2)
    monkeypatch.setattr(module, "MOST_BYTES", 2000)
    monkeypatch.setattr(module, "zlib", SimpleNamespace(compress=lambda frames: bytes(2000)))
    flipbook(**GREY)
    with pytest.raises(ValueError, match="^knobs must have 2 places at most, in all; got 3"):
        flipbook(**GREY | {"number": [1, 2, 3]})
    monkeypatch.setattr(module, "MOST_BYTES", 1999)
    with pytest.raises(ValueError, match="^draw must make 1 kB of frames at most, .* got 2:"):
        flipbook(**GREY)


def noise(number):
    figure = plt.figure(figsize=(5, 5))
    figure.figimage(np.random.default_rng(number).random((500, 500)))
    return figure


GREY = {"draw": shade, "alt": lambda **at: "grey", "number": [1, 2]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"draw": None}, "draw must be a function"),
        ({"alt": "grey"}, "alt must be a function"),
        ({"number": []}, "number must have at least one place"),
        ({"number": range(61)}, "knobs must have 60 places at most, in all; got 61"),
        ({"a": [1], "b": [2]}, "knobs must be one or two sliders, .* got 3"),
        ({"start": {"number": 3}}, "start must be a place"),
        ({"start": {"size": 1}}, "start must be a place"),
        ({"names": {"size": "size"}}, "names must give sliders words, .* got size='size'"),
        ({"names": {"number": " "}}, "names must give sliders words, .* got number=' '"),
        ({"alt": lambda number: " "}, "alt must return what is seen"),
        ({"alt": lambda number: number}, "alt must return what is seen"),
        ({"draw": lambda number: None}, "draw must return its Figure"),
        (
            {"draw": lambda number: plt.figure(figsize=(number, 1))},
            r"draw must return figures of one size; got \[\(110, 110\), \(220, 110\)\]",
        ),
        ({"draw": noise}, "draw must make 400 kB of frames at most, compressed; got [0-9]+"),
    ],
)
def test_what_is_no_flipbook_is_refused(shown, changes, said):
    with pytest.raises(ValueError, match=f"^{said}"):
        flipbook(**GREY | changes)
    assert shown == []
    plt.close("all")


def test_no_sliders_at_all_are_refused():
    with pytest.raises(ValueError, match="^knobs must be one or two sliders"):
        flipbook(shade, alt=lambda: "grey")


def test_the_arguments_are_checked_before_anything_is_drawn():
    drawn = []
    with pytest.raises(ValueError, match="^start"):
        flipbook(drawn.append, alt=lambda number: "grey", start={"number": 9}, number=[1])
    assert drawn == []
