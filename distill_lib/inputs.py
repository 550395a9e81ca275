r"""Where do the inputs come from, and how often are they nearly orthogonal to the teacher?

A distribution of inputs offers ``dim``, ``sample(n, rng)`` and its *angle tail*

.. math::

    p(\theta) = \Pr[\bar\alpha(x) \ge \theta], \qquad \theta \in [0, \pi/2],

where :math:`\bar\alpha(x)` is the acute angle between the input and the teacher. It is a
survival function: :math:`p(0) = 1`, and it never increases.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from distill_lib import _arguments
from distill_lib.geometry import acute_angle, power_of_two


@dataclass(frozen=True)
class IsotropicGaussian:
    r"""Standard normal inputs, :math:`x \sim N(0, I_d)`: every direction is equally likely.

    Parameters
    ----------
    dim : int
        Dimension d >= 1.

    Raises
    ------
    ValueError
        If `dim` isn't a whole number >= 1.
    """

    dim: int

    def __post_init__(self):
        object.__setattr__(self, "dim", _arguments.count("dim", self.dim))

    def sample(self, n, rng):
        """Draw n inputs, shape (n, d)."""
        n, rng = _arguments.count("n", n), _arguments.generator(rng)
        return rng.standard_normal((n, self.dim))

    def angle_tail(self, theta):
        r"""Angle tail :math:`p(\theta) = I_{\cos^2\theta}(1/2, (d-1)/2)`, any teacher."""
        theta = _arguments.angles("theta", theta)
        if self.dim == 1:
            return np.where(theta > 0, 0.0, 1.0)[()]
        # Near pi/2 the sine would have to be exactly 1 for p to vanish; the cosine decides.
        return special.betainc(0.5, (self.dim - 1) / 2, np.cos(theta) ** 2)[()]


@dataclass(frozen=True, eq=False)
class Gaussian:
    r"""Centred normal inputs, :math:`x \sim N(0, \Sigma)`.

    Parameters
    ----------
    covariance : array_like, shape (d, d)
        Symmetric and positive definite.

    Raises
    ------
    ValueError
        If `covariance` isn't finite, square, symmetric and positive definite.
    """

    covariance: np.ndarray

    def __post_init__(self):
        covariance = _arguments.matrix("covariance", self.covariance).copy()
        d = covariance.shape[0]
        if covariance.shape != (d, d):
            raise ValueError(f"covariance must have shape (d, d); got shape {covariance.shape}")
        # Symmetric up to the rounding of the product that made it, whatever the coordinates' units.
        spread = np.sqrt(np.abs(np.diagonal(covariance)))
        gap = np.abs(covariance / 2 - covariance.T / 2)
        if (gap > 1e-10 * np.outer(spread, spread)).any():
            raise ValueError("covariance must be symmetric; it differs from its transpose")
        try:
            factor = np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            raise ValueError(
                "covariance must be positive definite; its smallest eigenvalue is "
                f"{np.linalg.eigvalsh(covariance)[0]:g}"
            ) from None
        covariance.flags.writeable = False
        factor.flags.writeable = False
        object.__setattr__(self, "covariance", covariance)
        object.__setattr__(self, "_factor", factor)

    @property
    def dim(self):
        """Dimension d."""
        return self.covariance.shape[0]

    def sample(self, n, rng):
        """Draw n inputs, shape (n, d)."""
        n, rng = _arguments.count("n", n), _arguments.generator(rng)
        return rng.standard_normal((n, self.dim)) @ self._factor.T

    def angle_tail(self, theta, w_teacher):
        r"""Angle tail with respect to a teacher.

        With :math:`a > 0` the positive and :math:`-b_i` the other eigenvalues of
        :math:`\Sigma^{1/2} (e e^\top - \cos^2\theta\, I)\, \Sigma^{1/2}`, where
        :math:`e = w^\star / \|w^\star\|`,

        .. math::

            1 - p(\theta) = \frac{2}{\pi} \int_0^{\pi/2} \prod_i
            \Bigl(1 + \frac{b_i}{a \cos^2 \varphi}\Bigr)^{-1/2} d\varphi .

        It follows from Craig's formula :math:`\Pr[a z^2 \ge s] = \tfrac{2}{\pi}
        \int_0^{\pi/2} e^{-s / (2 a \cos^2\varphi)} d\varphi` for a standard normal z (Craig
        1991). The integral is taken over :math:`y = \log\cot\varphi`, where the trapezoidal rule
        with a step of 1/4 leaves :math:`e^{-4\pi^2}`. The rounding of the eigenvalues leaves some
        1e-13 for most angles; within 1e-8 of 0 or :math:`\pi/2` it may leave 1e-8.
        """
        theta = _arguments.angles("theta", theta)
        e = _arguments.vector(
            "w_teacher", w_teacher, size=self.dim, like="the covariance", nonzero=True
        )
        e = e * power_of_two(e)
        e /= np.linalg.norm(e)
        # Only the shape of the covariance matters: its unit is left out.
        factor = self._factor * power_of_two(self._factor.ravel())
        along = factor.T @ e
        across = factor - np.outer(e, along)
        # e e^T - cos^2 I, without the cancellation at small angles.
        form = np.multiply.outer(np.sin(theta) ** 2, np.outer(along, along))
        form -= np.multiply.outer(np.cos(theta) ** 2, across.T @ across)
        eigenvalues = np.linalg.eigvalsh(form)
        a, b = eigenvalues[..., -1], np.maximum(-eigenvalues[..., :-1], 0.0)
        # At theta = 0 no eigenvalue is positive (a is 0 up to rounding) and p = 1.
        ratio = b / np.where(theta > 0, np.maximum(a, np.finfo(float).tiny), 1.0)[..., None]
        tail = np.zeros(theta.shape)
        # Beyond 40 the weights are below 1e-17.
        for y in np.arange(-160, 161) / 4:
            with np.errstate(over="ignore"):  # of a ratio beyond the doubles nothing is left
                logs = np.log1p(ratio * (1.0 + np.exp(-2.0 * y))).sum(axis=-1)
            tail -= np.expm1(-0.5 * logs) / (4.0 * np.pi * np.cosh(y))
        # The weights add up to 1, but for rounding.
        return np.where(theta > 0, np.minimum(tail, 1.0), 1.0)[()]


class _AroundTeacher:
    """What the laws share that are given by an angle and are uniform around the teacher.

    x = s sin(zeta) e + cos(zeta) v, with a fair sign s, v uniform on the unit sphere orthogonal to
    the axis e = w_teacher / |w_teacher|, and the gap zeta = pi/2 - (acute angle) >= 0 from
    orthogonality. The gap is what is kept: near 0 it has the digits that the angle loses.
    """

    def _check_teacher(self):
        w = _arguments.teacher(self.w_teacher).copy()
        if w.size < 2:
            raise ValueError("w_teacher must have d >= 2 entries: in d = 1 all angles are 0")
        axis = w * power_of_two(w)
        axis /= np.linalg.norm(axis)
        for array in (w, axis):
            array.flags.writeable = False
        object.__setattr__(self, "w_teacher", w)
        object.__setattr__(self, "_axis", axis)

    @property
    def dim(self):
        """Dimension d."""
        return self.w_teacher.size

    def sample(self, n, rng):
        """Draw n unit inputs, shape (n, d)."""
        n, rng = _arguments.count("n", n), _arguments.generator(rng)
        gaps = self.gap_quantile(rng.random(n))
        signs = rng.choice([-1.0, 1.0], size=n)
        around = rng.standard_normal((n, self.dim))
        around -= np.outer(around @ self._axis, self._axis)
        around /= np.linalg.norm(around, axis=1, keepdims=True)
        # In place: what a large sample costs most is its memory.
        around *= np.cos(gaps)[:, None]
        around += np.outer(signs * np.sin(gaps), self._axis)
        return around

    def angle_tail(self, theta):
        r"""Angle tail :math:`p(\theta) = \Pr[\zeta \le \pi/2 - \theta]`."""
        return self.gap_probability(np.pi / 2 - _arguments.angles("theta", theta))


@dataclass(frozen=True, eq=False)
class PolynomialAngles(_AroundTeacher):
    r"""Unit inputs with the angle tail :math:`p(\theta) = (1 - 2\theta/\pi)^\kappa`.

    The law whose *easiness* is exactly :math:`\kappa`: the hypothesis of Corollary C2 holds
    with equality. Inputs are axially symmetric about the teacher. (This book.)

    Parameters
    ----------
    w_teacher : array_like, shape (d,), d >= 2
        The teacher.
    easiness : float
        :math:`\kappa > 0`; the larger, the closer inputs lie to the line of the teacher.

    Raises
    ------
    ValueError
        If the teacher is zero or has d < 2, or the easiness isn't positive.
    """

    w_teacher: np.ndarray
    easiness: float

    def __post_init__(self):
        self._check_teacher()
        easiness = _arguments.number("easiness", self.easiness, above=0.0)
        object.__setattr__(self, "easiness", easiness)

    def gap_probability(self, gap):
        r"""Probability :math:`(2\zeta/\pi)^\kappa` of a gap of at most zeta radians."""
        return ((_arguments.angles("gap", gap) / (np.pi / 2)) ** self.easiness)[()]

    def gap_quantile(self, probability):
        r"""The gap :math:`\tfrac{\pi}{2} u^{1/\kappa}` that is exceeded with probability 1 - u."""
        u = _arguments.probabilities("probability", probability)
        return (np.pi / 2 * u ** (1.0 / self.easiness))[()]


@dataclass(frozen=True, eq=False)
class BoundedAngles(_AroundTeacher):
    r"""Unit inputs whose acute angle is uniform on :math:`[0, \gamma]`: an angular margin.

    The setting of Corollary C1, with :math:`p(\theta) = \max(0, 1 - \theta/\gamma)`. Inputs are
    axially symmetric about the teacher.

    Parameters
    ----------
    w_teacher : array_like, shape (d,), d >= 2
        The teacher.
    max_angle : float
        :math:`\gamma \in (0, \pi/2]`, in radians.

    Raises
    ------
    ValueError
        If the teacher is zero or has d < 2, or the angle is outside (0, pi/2].
    """

    w_teacher: np.ndarray
    max_angle: float

    def __post_init__(self):
        self._check_teacher()
        max_angle = _arguments.number("max_angle", self.max_angle, above=0.0, most=np.pi / 2)
        object.__setattr__(self, "max_angle", max_angle)

    def gap_probability(self, gap):
        r"""Probability :math:`\max(0, 1 - (\pi/2 - \zeta)/\gamma)` of such a gap or less."""
        gap = _arguments.angles("gap", gap)
        return np.maximum(0.0, 1.0 - (np.pi / 2 - gap) / self.max_angle)[()]

    def gap_quantile(self, probability):
        r"""The gap :math:`\pi/2 - \gamma (1 - u)` that is exceeded with probability 1 - u."""
        u = _arguments.probabilities("probability", probability)
        return (np.pi / 2 - self.max_angle * (1.0 - u))[()]


@dataclass(frozen=True, eq=False)
class Empirical:
    """Inputs drawn, with replacement, from a table of observed points.

    Parameters
    ----------
    points : array_like, shape (m, d)
        The observations, one per row.

    Raises
    ------
    ValueError
        If `points` isn't a finite matrix.
    """

    points: np.ndarray

    def __post_init__(self):
        points = _arguments.matrix("points", self.points).copy()
        points.flags.writeable = False
        object.__setattr__(self, "points", points)

    @property
    def dim(self):
        """Dimension d."""
        return self.points.shape[1]

    def sample(self, n, rng):
        """Draw n inputs with replacement, shape (n, d)."""
        n, rng = _arguments.count("n", n), _arguments.generator(rng)
        return self.points[rng.integers(len(self.points), size=n)]

    def angle_tail(self, theta, w_teacher):
        r"""The fraction of points with :math:`\bar\alpha(x) \ge \theta`; none may be zero."""
        theta = _arguments.angles("theta", theta)
        w_teacher = _arguments.vector(
            "w_teacher", w_teacher, size=self.dim, like="the points", nonzero=True
        )
        if not self.points.any(axis=1).all():
            raise ValueError("points must not hold a zero row: it makes no angle; drop such rows")
        ordered = np.sort(acute_angle(self.points, w_teacher))
        below = np.searchsorted(ordered, theta, side="left")
        return 1.0 - below / ordered.size
