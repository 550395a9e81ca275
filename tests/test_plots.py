"""plots: each draws what it was given where it was told, and refuses what has no picture."""

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from distill_lib import RiskCurve, Trajectory, plots

matplotlib.use("agg")


@pytest.fixture
def ax():
    return Figure().add_subplot()


def run(weights):
    weights = np.asarray(weights, dtype=float)
    T = len(weights)
    return Trajectory(weights, np.geomspace(1, 1e-3, T), np.arange(T), (weights[-1:],), True)


def test_inputs_are_discs_or_squares_by_their_class_and_filled_by_their_label(ax):
    X = [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    plots.plot_inputs(ax, X, [1.0, 0.0, 0.5])
    discs, squares = ax.collections
    assert discs.get_offsets().tolist() == [X[0], X[2]]
    assert squares.get_offsets().tolist() == [X[1]]
    ax.figure.draw_without_rendering()
    sure, undecided = discs.get_facecolors()
    assert to_hex(sure) == "#0072b2"
    assert undecided[:3].min() > 0.99  # white, on a scale of 256 colours
    assert [to_hex(fill) for fill in squares.get_facecolors()] == ["#d55e00"]
    assert len(discs.get_paths()[0].vertices) > len(squares.get_paths()[0].vertices)


@pytest.mark.parametrize(("n", "picture"), [(3, False), (500, False), (501, True)])
def test_many_inputs_are_a_picture_few_are_shapes(ax, n, picture):
    plots.plot_inputs(ax, np.ones((n, 2)), np.ones(n))
    assert ax.collections[0].get_rasterized() is picture


def test_a_boundary_is_orthogonal_to_its_weights(ax):
    plots.plot_boundary(ax, [3.0, 4.0], **plots.SOFT)
    (line,) = ax.lines
    (x0, y0), (x1, y1) = line.get_xy1(), line.get_xy2()
    assert (x0, y0) == (0.0, 0.0)
    assert 3.0 * x1 + 4.0 * y1 == 0.0 and (x1, y1) != (0.0, 0.0)
    assert (line.get_color(), line.get_linestyle()) == ("#0072B2", "--")


def test_an_arrow_ends_where_its_vector_does_and_stands_in_the_legend(ax):
    plots.plot_arrow(ax, [1.0, 2.0], color="#009E73", label="here")
    (arrow,) = ax.texts
    assert (tuple(arrow.xy), arrow.get_position()) == ((1.0, 2.0), (0.0, 0.0))
    (line,) = ax.lines
    assert line.get_xydata().tolist() == [[0.0, 0.0], [1.0, 2.0]]
    assert line.get_label() == "here"


def test_a_path_and_a_loss_are_those_of_the_run(ax):
    trajectory = run([[1.0, 2.0], [3.0, 4.0], [3.5, 4.5]])
    plots.plot_path(ax, trajectory, ls=":")
    assert ax.lines[0].get_xydata().tolist() == trajectory.weights.tolist()
    assert ax.lines[0].get_linestyle() == ":"
    plots.plot_loss(ax, trajectory)
    assert ax.lines[1].get_xdata().tolist() == [0, 1, 2]
    assert ax.lines[1].get_ydata().tolist() == trajectory.loss.tolist()
    assert ax.get_yscale() == "log"


def test_a_risk_curve_has_bars_of_two_standard_errors(ax):
    curve = RiskCurve(np.array([1, 2]), np.array([0.5, 0.25]), np.array([0.125, 0.0625]))
    plots.plot_risk_curve(ax, curve, c="k")
    assert ax.lines[0].get_xydata().tolist() == [[1, 0.5], [2, 0.25]]
    bars = ax.collections[0].get_segments()
    assert [bar[:, 1].tolist() for bar in bars] == [[0.25, 0.75], [0.125, 0.375]]


def test_the_four_roles_differ_in_more_than_colour():
    roles = [plots.TEACHER, plots.SOFT, plots.HARD, plots.BOUND]
    for part in ("color", "linestyle", "label"):
        assert len({role[part] for role in roles}) == 4


@pytest.mark.parametrize(
    ("draw", "name"),
    [
        (lambda ax: plots.plot_inputs(ax, np.ones((2, 3)), [0, 1]), "X must have 2 columns"),
        (lambda ax: plots.plot_inputs(ax, np.ones((2, 2)), [0, 1, 1]), "labels must have shape"),
        (lambda ax: plots.plot_inputs(ax, np.ones((2, 2)), [0, 2]), r"labels must lie in \[0, 1\]"),
        (lambda ax: plots.plot_boundary(ax, [0.0, 0.0]), "w must not be the zero vector"),
        (lambda ax: plots.plot_boundary(ax, np.ones(3)), "w must have shape"),
        (lambda ax: plots.plot_arrow(ax, np.ones(3), color="k"), "w must have shape"),
        (lambda ax: plots.plot_arrow(ax, [np.nan, 1], color="k"), "w must be finite"),
        (lambda ax: plots.plot_path(ax, run(np.ones((4, 3)))), "trajectory: weights must have 2"),
    ],
)
def test_what_has_no_picture_in_the_plane_is_refused_before_anything_is_drawn(ax, draw, name):
    with pytest.raises(ValueError, match=f"^{name}"):
        draw(ax)
    assert not ax.has_data()


def drawn(artist):
    artist.figure.draw_without_rendering()
    return artist


def test_the_looks_that_are_left_out_are_the_books_and_those_given_win(ax):
    plots.plot_inputs(ax, [[0.0, 1.0], [1.0, 1.0]], [0.5, 0.25])
    plots.plot_inputs(ax, [[0.0, 1.0]], [0.75], s=9, zorder=7, linewidths=2)
    own, squares, given, _ = ax.collections
    for each in (own, squares):
        assert each.get_sizes().tolist() == [44]
        assert each.get_linewidths().tolist() == [0.8]
        assert each.get_zorder() == 3
        assert [to_hex(edge) for edge in each.get_edgecolors()] == ["#333333"]
        assert each.get_clim() == (0, 1)
    assert (given.get_sizes().tolist(), given.get_zorder()) == ([9], 7)
    assert given.get_linewidths().tolist() == [2]
    assert [to_hex(edge) for edge in given.get_edgecolors()] == ["#333333"]


def test_an_arrow_has_one_look_with_its_line_and_lies_above_it(ax):
    plots.plot_arrow(ax, [3.0, 2.0], color="#009E73", linestyle="--")
    plots.plot_arrow(ax, [3.0, 2.0], color="#009E73", lw=5, shrinkB=4)
    arrow, given = ax.texts
    line, solid = ax.lines
    assert line.get_xydata().tolist() == [[0.0, 0.0], [3.0, 2.0]]
    assert (line.get_color(), line.get_linestyle(), line.get_zorder()) == ("#009E73", "--", 2)
    assert solid.get_linestyle() == "-"
    assert (arrow.get_text(), arrow.get_zorder()) == ("", 4)
    patch = drawn(arrow).arrow_patch
    assert to_hex(patch.get_edgecolor()) == "#009e73"
    assert (patch.get_linestyle(), patch.get_linewidth()) == ("--", 1.8)
    assert (patch.shrinkA, patch.shrinkB, patch.get_mutation_scale()) == (0, 0, 13)
    assert type(patch.get_arrowstyle()).__name__ == "CurveFilledB"
    patch = drawn(given).arrow_patch
    assert (patch.get_linewidth(), patch.shrinkA, patch.shrinkB) == (5, 0, 4)


def test_a_path_has_marks_unless_it_is_told_otherwise(ax):
    trajectory = run([[1.0, 2.0], [3.0, 4.0]])
    plots.plot_path(ax, trajectory, c="k")
    plots.plot_path(ax, trajectory, ms=9, lw=3, marker="s")
    own, given = ax.lines
    assert (own.get_marker(), own.get_markersize(), own.get_linewidth()) == ("o", 3, 1.2)
    assert (given.get_marker(), given.get_markersize(), given.get_linewidth()) == ("s", 9, 3)


def test_a_loss_stands_over_its_steps_and_the_axes_say_what_they_are(ax):
    trajectory = Trajectory(
        np.ones((3, 2)), np.array([1.0, 0.5, 0.25]), np.array([0, 5, 9]), (), True
    )
    plots.plot_loss(ax, trajectory, color="#0072B2")
    assert ax.lines[0].get_xdata().tolist() == [0, 5, 9]
    assert ax.lines[0].get_color() == "#0072B2"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step $k$", "distillation loss $L(w_k)$")


def test_a_risk_curve_has_marks_and_caps_and_the_axes_say_what_they_are(ax):
    curve = RiskCurve(np.array([1, 2]), np.array([0.5, 0.25]), np.array([0.125, 0.0625]))
    plots.plot_risk_curve(ax, curve)
    plots.plot_risk_curve(ax, curve, ls=":", ms=7, c="#D55E00")
    own, given = (container[0] for container in ax.containers)
    caps = [container[1] for container in ax.containers]
    assert (own.get_marker(), own.get_markersize(), own.get_linestyle()) == ("o", 4, "-")
    assert [cap.get_markersize() for cap in caps[0]] == [4.0, 4.0]  # twice the capsize, in points
    assert (given.get_marker(), given.get_markersize(), given.get_linestyle()) == ("o", 7, ":")
    assert given.get_color() == "#D55E00"
    assert ax.get_xlabel() == "size of the transfer set $n$"
    assert ax.get_ylabel() == "expected transfer risk"


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: plots.plot_inputs(ax, np.ones((2, 3)), [0.5, 0.5]),
        lambda ax: plots.plot_boundary(ax, [1.0, 2.0, 3.0]),
        lambda ax: plots.plot_arrow(ax, [1.0, 2.0, 3.0], color="k"),
        lambda ax: plots.plot_path(ax, run([[1.0, 2.0, 3.0]])),
    ],
)
def test_what_is_not_in_the_plane_is_refused_in_these_words(ax, draw):
    with pytest.raises(ValueError, match="to match the plane; got shape"):
        draw(ax)
    assert not ax.lines and not ax.collections


SIZES, HALVES = np.array([1, 2]), np.array([0.5, 0.25])


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (
            lambda ax: plots.plot_path(ax, 3),
            "trajectory must be a Trajectory, such as gradient_descent returns; got 3",
        ),
        (
            lambda ax: plots.plot_loss(ax, 3),
            "trajectory must be a Trajectory, such as gradient_descent returns; got 3",
        ),
        (
            lambda ax: plots.plot_risk_curve(ax, 3),
            "curve must be a RiskCurve, such as risk_curve returns; got 3",
        ),
        (
            lambda ax: plots.plot_loss(ax, Trajectory(np.ones((2, 2)), HALVES, [0], (), True)),
            "trajectory: loss must have shape (1,) to match its steps; got shape (2,)",
        ),
        (
            lambda ax: plots.plot_loss(ax, Trajectory(np.ones((2, 2)), HALVES, 0, (), True)),
            "trajectory: steps must have shape (d,), d >= 1; got shape ()",
        ),
        (
            lambda ax: plots.plot_risk_curve(ax, RiskCurve(1, HALVES, HALVES)),
            "curve: sizes must have shape (d,), d >= 1; got shape ()",
        ),
        (
            lambda ax: plots.plot_risk_curve(ax, RiskCurve(SIZES, HALVES[:1], HALVES)),
            "curve: mean must have shape (2,) to match its sizes; got shape (1,)",
        ),
        (
            lambda ax: plots.plot_risk_curve(ax, RiskCurve(SIZES, HALVES, HALVES[:1])),
            "curve: standard_error must have shape (2,) to match its sizes; got shape (1,)",
        ),
        (
            lambda ax: plots.plot_risk_curve(ax, RiskCurve(SIZES, HALVES, -HALVES)),
            "curve: standard_error must be >= 0; got -0.5",
        ),
    ],
)
def test_a_result_that_is_none_is_refused_in_these_words(ax, draw, said):
    with pytest.raises(ValueError, match="must") as error:
        draw(ax)
    assert str(error.value) == said
    assert not ax.lines and not ax.collections
