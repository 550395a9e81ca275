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
