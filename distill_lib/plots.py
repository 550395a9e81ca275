"""What does it look like?

Every function draws a result on an Axes that it is given; it computes nothing, shows nothing
and saves nothing. The four roles have one look each through the whole book, and differ in line
style or marker as well as in colour. Use them as ``plot_boundary(ax, w, **plots.SOFT)``.
"""

from typing import Any, TypeVar

from matplotlib import cbook
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, is_color_like
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from distill_lib import _arguments
from distill_lib.risk import RiskCurve
from distill_lib.training import Trajectory

TEACHER = {"color": "#1a1a1a", "linestyle": "-", "label": "teacher"}
SOFT = {"color": "#0072B2", "linestyle": "--", "label": "student, soft labels"}
HARD = {"color": "#D55E00", "linestyle": "-.", "label": "student, hard labels"}
BOUND = {"color": "#009E73", "linestyle": ":", "label": "bound"}
# Points that are drawn one by one; as a picture more of them are lighter.
MANY = 500

_Result = TypeVar("_Result", Trajectory, RiskCurve)


def plot_inputs(ax: Axes, X: ArrayLike, labels: ArrayLike, **scatter_kwargs: Any) -> None:
    """Draw two-dimensional inputs with their labels.

    Class 1 (label >= 1/2) is drawn as discs, class 0 as squares; the fill goes from vermillion
    at label 0 through white at 1/2 to blue at 1.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    X : array_like, shape (n, 2)
        Inputs, one per row.
    labels : array_like, shape (n,)
        Labels in [0, 1].
    **scatter_kwargs
        Passed on to `Axes.scatter`.

    Raises
    ------
    ValueError
        If an argument can't be used; the message names it.

    See Also
    --------
    plot_boundary : Where the decision changes.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().add_subplot()
    >>> dl.plots.plot_inputs(ax, [[1.0, 0.0], [-1.0, 1.0]], [0.9, 0.2])
    >>> len(ax.collections)
    2
    """
    ax = _axes(ax)
    X = _arguments.matrix("X", X, columns=2, like="the plane")
    labels = _arguments.labels(labels, X)
    fills = LinearSegmentedColormap.from_list("labels", ["#D55E00", "#ffffff", "#0072B2"])
    look: dict[str, Any] = {
        "edgecolors": "#333333",
        "linewidths": 0.8,
        "s": 44,
        "zorder": 3,
        "rasterized": len(X) > MANY,
    } | scatter_kwargs
    for marker, chosen in (("o", labels >= 0.5), ("s", labels < 0.5)):
        x, y = X[chosen].T
        ax.scatter(x, y, c=labels[chosen], cmap=fills, vmin=0, vmax=1, marker=marker, **look)


def plot_boundary(ax: Axes, w: ArrayLike, **line_kwargs: Any) -> None:
    """Draw the decision boundary w . x = 0 of a two-dimensional weight vector.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    w : array_like, shape (2,)
        Weight vector, not zero.
    **line_kwargs
        Passed on to `Axes.axline`.

    Raises
    ------
    ValueError
        If an argument can't be used; the message names it.

    See Also
    --------
    plot_arrow : The weights themselves.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().add_subplot()
    >>> dl.plots.plot_boundary(ax, [3.0, 4.0], **dl.plots.TEACHER)
    >>> ax.lines[0].get_label()
    'teacher'
    """
    ax = _axes(ax)
    w = _arguments.vector("w", w, size=2, like="the plane", nonzero=True)
    ax.axline((0.0, 0.0), (-w[1], w[0]), **line_kwargs)


def plot_arrow(
    ax: Axes,
    w: ArrayLike,
    *,
    color: str,
    label: str | None = None,
    linestyle: str = "-",
    **arrow_kwargs: Any,
) -> None:
    """Draw a two-dimensional vector as an arrow from the origin.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    w : array_like, shape (2,)
        The vector.
    color : str
        Its colour.
    label : str, optional
        What the legend calls it.
    linestyle : str
        Of its shaft.
    **arrow_kwargs
        Passed on to `Axes.annotate` as properties of the arrow.

    Raises
    ------
    ValueError
        If an argument can't be used; the message names it.

    See Also
    --------
    plot_boundary : What is orthogonal to it.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().add_subplot()
    >>> dl.plots.plot_arrow(ax, [3.0, 4.0], color="#0072B2", label="student")
    >>> ax.lines[0].get_label()
    'student'
    """
    ax = _axes(ax)
    w = _arguments.vector("w", w, size=2, like="the plane")
    if not is_color_like(color):
        raise ValueError(f"color must be one of matplotlib's, such as '#0072B2'; got {color!r}")
    if not isinstance(label, str | None):
        raise ValueError(f"label must be a text; got {label!r}")
    linestyle = _linestyle(linestyle)
    look: dict[str, Any] = {"arrowstyle": "-|>", "color": color, "linestyle": linestyle, "lw": 1.8}
    look |= {"shrinkA": 0, "shrinkB": 0, "mutation_scale": 13} | arrow_kwargs
    ax.annotate("", xy=tuple(w), xytext=(0.0, 0.0), arrowprops=look, zorder=4)
    # An annotation has no place in a legend and doesn't widen the axes: a line does both.
    ax.plot([0.0, w[0]], [0.0, w[1]], color=color, linestyle=linestyle, label=label, zorder=2)


def plot_path(ax: Axes, trajectory: Trajectory, **line_kwargs: Any) -> None:
    """Draw the path of a two-dimensional student over a run of training.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    trajectory : Trajectory
        Weights of shape (T, 2).
    **line_kwargs
        Passed on to `Axes.plot`.

    Raises
    ------
    ValueError
        If an argument can't be used; the message names it.

    See Also
    --------
    plot_loss : Its loss.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().add_subplot()
    >>> run = dl.gradient_descent([[1.0, 0.0]], [0.75], [0.0, 0.0], steps=3)
    >>> dl.plots.plot_path(ax, run, **dl.plots.SOFT)
    >>> np.shape(ax.lines[0].get_xydata())
    (4, 2)
    """
    ax = _axes(ax)
    weights = _result("trajectory", trajectory, Trajectory, "gradient_descent").weights
    weights = _arguments.matrix("trajectory: weights", weights, columns=2, like="the plane")
    look: dict[str, Any] = {"marker": "o", "markersize": 3, "linewidth": 1.2}
    look |= cbook.normalize_kwargs(line_kwargs, Line2D)
    ax.plot(*weights.T, **look)


def plot_loss(ax: Axes, trajectory: Trajectory, **line_kwargs: Any) -> None:
    """Draw the loss of a run against the step, on a logarithmic axis.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    trajectory : Trajectory
        A run of training.
    **line_kwargs
        Passed on to `Axes.semilogy`.

    Raises
    ------
    ValueError
        If an argument can't be used; the message names it.

    See Also
    --------
    plot_path : Its weights.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().add_subplot()
    >>> dl.plots.plot_loss(ax, dl.gradient_descent([[1.0]], [0.75], [0.0], steps=3))
    >>> ax.get_yscale()
    'log'
    """
    ax = _axes(ax)
    trajectory = _result("trajectory", trajectory, Trajectory, "gradient_descent")
    steps = _arguments.vector("trajectory: steps", trajectory.steps)
    loss = _arguments.vector("trajectory: loss", trajectory.loss, size=steps.size, like="its steps")
    ax.semilogy(steps, loss, **line_kwargs)
    ax.set_xlabel("step $k$")
    ax.set_ylabel("distillation loss $L(w_k)$")


def plot_risk_curve(ax: Axes, curve: RiskCurve, **line_kwargs: Any) -> None:
    """Draw expected transfer risk against n with bars of two standard errors.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    curve : RiskCurve
        The estimate. Sizes without any risk are left to the caller on a logarithmic axis.
    **line_kwargs
        Passed on to `Axes.errorbar`.

    Raises
    ------
    ValueError
        If an argument can't be used; the message names it.

    See Also
    --------
    risk_curve : Which measures one.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().add_subplot()
    >>> curve = dl.RiskCurve(np.array([1, 2]), np.array([0.4, 0.3]), np.array([0.01, 0.01]))
    >>> dl.plots.plot_risk_curve(ax, curve, label="soft")
    >>> ax.get_ylabel()
    'expected transfer risk'
    """
    ax = _axes(ax)
    curve = _result("curve", curve, RiskCurve, "risk_curve")
    sizes = _arguments.vector("curve: sizes", curve.sizes)
    mean = _arguments.vector("curve: mean", curve.mean, size=sizes.size, like="its sizes")
    error = _arguments.vector(
        "curve: standard_error", curve.standard_error, size=sizes.size, like="its sizes"
    )
    if error.min() < 0:
        raise ValueError(f"curve: standard_error must be >= 0; got {error.min():g}")
    look: dict[str, Any] = {"marker": "o", "markersize": 4, "capsize": 2}
    look |= cbook.normalize_kwargs(line_kwargs, Line2D)
    ax.errorbar(sizes, mean, yerr=2 * error, **look)
    ax.set_xlabel("size of the transfer set $n$")
    ax.set_ylabel("expected transfer risk")


def _axes(value: Any) -> Axes:
    if not isinstance(value, Axes):
        raise ValueError(
            "ax must be one Axes of matplotlib, such as the second of plt.subplots(); "
            f"got {value!r:.80}"
        )
    return value


def _result(name: str, value: Any, kind: type[_Result], maker: str) -> _Result:
    if not isinstance(value, kind):
        raise ValueError(
            f"{name} must be a {kind.__name__}, such as {maker} returns; got {value!r:.80}"
        )
    return value


def _linestyle(value: Any) -> str:
    style: Any = value  # matplotlib's types list its own; so does a line
    try:
        if not isinstance(value, str):
            raise ValueError
        Line2D([], [], linestyle=style)
    except ValueError:
        raise ValueError(
            f"linestyle must be one of matplotlib's, such as '--'; got {value!r}"
        ) from None
    return value
