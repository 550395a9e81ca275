"""What does it look like when one turns a knob?"""

import html
import itertools
import zlib
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import ipywidgets
import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.figure import Figure

from distill_lib import _svg

# A page holds several flipbooks, and a phone has to load it: as servers send it, compressed.
# Frames are much alike, so that a dozen of them take little more than one.
MOST_FRAMES = 60
MOST_BYTES = 400_000
# A line of text is as large as on the page.
DPI = 110
# What an address may not hold as it is. (Single quotes are easier to store than double ones.)
QUOTED = str.maketrans({'"': "'", "%": "%25", "#": "%23", "<": "%3C", ">": "%3E"})

# A frame: its size in inches, its picture as SVG, and what is seen in words.
Frame: TypeAlias = tuple[Any, str, str]
Place: TypeAlias = tuple[Any, ...]


def flipbook(
    draw: Callable[..., Figure],
    *,
    alt: Callable[..., str],
    start: Mapping[str, Any] | None = None,
    names: Mapping[str, str] | None = None,
    **knobs: Sequence[Any],
) -> None:
    """Show pictures that were drawn beforehand, one for each place of a slider, or of two.

    Moving a slider runs no code: all pictures lie in the notebook. So it works in a page without
    a server as well as in a running notebook. The output also holds the picture at `start` as an
    ordinary image, for whatever can't show a widget: paper, or a reader without scripts.

    Parameters
    ----------
    draw : callable
        ``draw(n=3)`` draws the frame at n = 3 and returns its Figure. All must have one size.
    alt : callable
        ``alt(n=3)`` returns that frame's text alternative: what is seen there, in words.
    start : dict, optional
        The place shown first, such as ``{"n": 3}``; left out, the first of each slider.
    names : dict, optional
        What a reader sees beside a slider, such as ``{"n": "inputs n"}``; left out, its own name.
    **knobs : sequence
        One or two sliders: their names and values, such as ``n=[1, 2, 3]``. A value is a number,
        a word, or whatever else a dict takes as a key.

    Raises
    ------
    ValueError
        If there aren't one or two sliders with at most 60 places together, `start` is none of
        them, `names` names what is no slider, or any of these is of another kind; if `draw`
        returns no figure or figures of several sizes, `alt` returns no text, or the frames take
        more than 400 kB, compressed.

    See Also
    --------
    distill_lib.plots : What frames are drawn with.

    Examples
    --------
    In a notebook the last line shows the flipbook; elsewhere it prints what would be shown.

    >>> from contextlib import redirect_stdout
    >>> from io import StringIO
    >>> from matplotlib.figure import Figure
    >>> def draw(n):
    ...     figure = Figure(figsize=(2, 1))
    ...     figure.add_subplot().plot([0, 1], [0, n])
    ...     return figure
    >>> with redirect_stdout(StringIO()):
    ...     dl.flipbook.flipbook(draw, alt=lambda n: f"A line of slope {n}.", n=[1, 2])
    """
    values = [_places(name, places) for name, places in knobs.items()]
    start, names = _of_sliders("start", start), _of_sliders("names", names)
    first = _check(draw, alt, start, names, dict(zip(knobs, values, strict=True)))
    frames = {}
    for place in itertools.product(*values):
        chosen = dict(zip(knobs, place, strict=True))
        figure, text = draw(**chosen), alt(**chosen)
        if not isinstance(figure, Figure):
            raise ValueError(f"draw must return its Figure; at {chosen} it returned {figure!r}")
        if not (isinstance(text, str) and text.strip()):
            raise ValueError(f"alt must return what is seen, in words; at {chosen} it was {text!r}")
        frames[place] = figure.get_size_inches(), _svg.svg(figure, dpi=DPI), text
        plt.close(figure)
    _check_frames(frames.values())
    leaves = {place: _frame(*frame) for place, frame in frames.items()}
    shown = [names.get(name, name) for name in knobs]
    book = _book(shown, values, first, leaves)
    _, still, _ = frames[first]
    show: Any = display  # IPython has no types for it
    show(book._repr_mimebundle_() | {"image/svg+xml": still}, raw=True)


def _places(name: str, value: Any) -> list[Any]:
    """Return the places of a slider, which are in order and can be told apart."""
    try:
        if isinstance(value, str | bytes | set | frozenset):
            raise TypeError
        places = list(value)
        hash(tuple(places))  # each becomes a part of its frame's key
    except TypeError:
        raise ValueError(
            f"{name} must be a sequence of places, such as [1, 2], that a dict takes as its keys; "
            f"got {value!r:.80}"
        ) from None
    return places


def _of_sliders(name: str, value: Any) -> Mapping[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise ValueError(f"{name} must be a dict with sliders as its keys; got {value!r:.80}")
    return value or {}


def _check(
    draw: Any,
    alt: Any,
    start: Mapping[str, Any],
    names: Mapping[str, str],
    knobs: Mapping[str, list[Any]],
) -> Place:
    """Refuse what can't become a flipbook; return the place that is shown first."""
    for name, function in (("draw", draw), ("alt", alt)):
        if not callable(function):
            raise ValueError(f"{name} must be a function of the sliders' values; got {function!r}")
    if len(knobs) not in (1, 2):
        raise ValueError(f"knobs must be one or two sliders, such as n=[1, 2]; got {len(knobs)}")
    for name, places in knobs.items():
        if not places:
            raise ValueError(f"{name} must have at least one place")
    count = len(list(itertools.product(*knobs.values())))
    if count > MOST_FRAMES:
        raise ValueError(f"knobs must have {MOST_FRAMES} places at most, in all; got {count}")
    for name, words in names.items():
        if name not in knobs or not (isinstance(words, str) and words.strip()):
            raise ValueError(
                f"names must give sliders words, such as inputs n; got {name}={words!r}"
            )
    start = {name: places[0] for name, places in knobs.items()} | dict(start)
    # An array is equal to nothing, or to many: only what could be a place is looked for.
    there = start.keys() == knobs.keys() and all(
        isinstance(start[name], Hashable) and start[name] in knobs[name] for name in knobs
    )
    if not there:
        raise ValueError(f"start must be a place of the sliders; got {start}")
    return tuple(start[name] for name in knobs)


def _check_frames(frames: Collection[Frame]) -> None:
    sizes = {tuple(DPI * inches) for inches, _, _ in frames}
    if len(sizes) > 1:
        found = sorted((round(width), round(height)) for width, height in sizes)
        raise ValueError(f"draw must return figures of one size; got {found} pixels")
    weight = len(zlib.compress("".join(picture for _, picture, _ in frames).encode()))
    if weight > MOST_BYTES:
        raise ValueError(
            f"draw must make {MOST_BYTES // 1000} kB of frames at most, compressed; got "
            f"{weight // 1000}: draw fewer or simpler ones, or pass rasterized=True where there "
            "are many points"
        )


def _frame(inches: Iterable[float], picture: str, text: str) -> Any:
    width, height = (round(DPI * length) for length in inches)
    return ipywidgets.HTML(
        f'<img alt="{html.escape(text)}" width="{width}" height="{height}" '
        f'src="data:image/svg+xml,{picture.translate(QUOTED)}">'
    )


def _book(
    names: Sequence[str], values: Sequence[list[Any]], first: Place, frames: Mapping[Place, Any]
) -> Any:
    """The frames in a stack, or in a stack of stacks; above it the sliders that turn them."""
    if len(values) == 1:
        pages = _stack(frames.values(), values[0].index(first[0]))
        stacks = [[pages]]
    else:
        inner = [
            _stack([frames[one, other] for other in values[1]], values[1].index(first[1]))
            for one in values[0]
        ]
        pages = _stack(inner, values[0].index(first[0]))
        stacks = [[pages], inner]
    sliders = []
    for name, places, value, turned in zip(names, values, first, stacks, strict=True):
        slider = ipywidgets.SelectionSlider(
            options=[(str(place), i) for i, place in enumerate(places)],
            value=places.index(value),
            description=name,
            style={"description_width": "initial"},
        )
        for stack in turned:
            ipywidgets.jslink((slider, "index"), (stack, "selected_index"))
        sliders.append(slider)
    return ipywidgets.VBox([*sliders, pages])


def _stack(children: Iterable[Any], selected: int) -> Any:
    return ipywidgets.Stack(list(children), selected_index=selected)
