"""A figure as SVG: what it draws, on every machine the same bytes, and nothing that no one sees."""

import io
import re
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawing import drawing
from matplotlib.transforms import Bbox

from distill_lib import _svg, plots


@pytest.fixture
def figure():
    plt.style.use("distill_lib.book")
    figure, ax = plt.subplots(figsize=(3, 2))
    ax.plot([1, 2, 4], [3, 1, 2], marker="o", label=r"$\hat w$")
    ax.legend()
    yield figure
    plt.close(figure)


def written(figure):
    """What matplotlib itself writes."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def test_every_rule_by_hand():
    """One SVG in which each rule has something to do, and what it becomes."""
    text = """<?xml version="1.0"?>
<!DOCTYPE svg>
<svg width="216.5pt" height="144pt" viewBox="0 0 216.5 144">
 <metadata>
  made by matplotlib
 </metadata>
 <!-- and
      so on -->
 <g id="figure">
  <path id="m0123" d="M -0.001 0.996
L -12.3456 100.0049"/>
  <clipPath id="p4567"><rect x="1.2" y="1e-3"/></clipPath>
  <use href="#m0123" x="10.000"/> <g clip-path="url(#p4567)" transform="scale(0.0156250)"/>
  <svg width="7pt" height="7pt"/>
 </g>
</svg>
"""
    assert _svg.tidy(text, dpi=144) == (
        '<svg width="433" height="288" viewBox="0 0 216.5 144"><g>'
        '<path id="n0" d="M 0 1 L -12.35 100"/>'
        '<clipPath id="n1"><rect x="1.2" y="1e-3"/></clipPath>'
        '<use href="#n0" x="10"/><g clip-path="url(#n1)" transform="scale(0.0156250)"/>'
        '<svg width="7pt" height="7pt"/></g></svg>'
    )


def test_it_is_as_large_as_so_many_pixels_to_the_inch(figure):
    root = ElementTree.fromstring(_svg.svg(figure, dpi=140))
    assert (root.get("width"), root.get("height")) == ("420", "280")
    assert root.get("viewBox") == "0 0 216 144"
    # Options are matplotlib's: here a part of the figure, 1.5 by 1 inches.
    part = Bbox([[0, 0], [1.5, 1]])
    root = ElementTree.fromstring(_svg.svg(figure, dpi=140, bbox_inches=part))
    assert (root.get("width"), root.get("height")) == ("210", "140")


def test_it_draws_what_matplotlib_draws_in_half_the_room(figure):
    tidy = _svg.svg(figure, dpi=72)
    assert len(tidy) < 0.75 * len(written(figure))
    shape = re.compile(r"<(path|use|image)")
    assert len(shape.findall(tidy)) == len(shape.findall(written(figure)))
    # Coordinates differ by rounding alone, and letters keep their size.
    places = re.compile(r'<use [^>]*?\bx="([^"]*)"')
    here, there = (np.array(places.findall(text), float) for text in (tidy, written(figure)))
    assert np.all(np.abs(here - there) <= 0.005 + 1e-9)  # half of the last decimal
    scale = re.compile(r"scale\([^)]*\)")
    assert scale.findall(tidy) == scale.findall(written(figure))


def test_twice_gives_the_same_bytes_and_every_name_is_there(figure):
    first = _svg.svg(figure, dpi=140)
    assert first == _svg.svg(figure, dpi=140) == _svg.tidy(first, dpi=140)
    assert "matplotlib" not in first.lower()
    named = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', first))
    ids = set(re.findall(r' id="([^"]+)"', first))
    assert {name for pair in named for name in pair if name} == ids


def test_rounding_elsewhere_changes_no_byte(figure):
    text = written(figure)
    shaken = re.sub(r"(\d+\.\d{4})(\d*)", lambda number: number[1] + "1" + number[2][1:], text)
    assert drawing(_svg.tidy(text, dpi=72))[0] == drawing(_svg.tidy(shaken, dpi=72))[0]


def test_many_points_are_one_picture_and_few_are_shapes():
    for count, pictures in ((20, 0), (600, 1)):
        figure, ax = plt.subplots()
        X = np.random.default_rng(0).standard_normal((count, 2))
        plots.plot_inputs(ax, X, np.arange(count) % 2)
        assert _svg.svg(figure, dpi=140).count("<image") == pictures
        plt.close(figure)
