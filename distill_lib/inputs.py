r"""Where do the inputs come from, and how often are they nearly orthogonal to the teacher?

Three laws that are made without a teacher. Each has ``dim``, ``sample(n, rng)`` and the angle tail
``angle_tail(theta, w_teacher=None)`` of `laws`.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from distill_lib import _arguments
from distill_lib._scaling import power_of_two
from distill_lib._types import LikeIts, Matrix, Vector
from distill_lib.geometry import acute_angle


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

    See Also
    --------
    Gaussian : With a covariance.
    isotropic_expected_risk : What a student risks on these inputs.

    Examples
    --------
    >>> law = dl.IsotropicGaussian(10)
    >>> law.sample(3, np.random.default_rng(0)).shape
    (3, 10)
    """

    dim: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "dim", _arguments.count("dim", self.dim))

    def sample(self, n: int, rng: np.random.Generator) -> Matrix:
        """Draw inputs.

        Parameters
        ----------
        n : int
            How many.
        rng : numpy.random.Generator
            The only source of chance.

        Returns
        -------
        ndarray, shape (n, d)
            One input per row.

        Raises
        ------
        ValueError
            If `n` isn't a whole number >= 1 or `rng` is no generator.

        See Also
        --------
        angle_tail : How the angles of these inputs are distributed.

        Examples
        --------
        >>> dl.IsotropicGaussian(3).sample(5, np.random.default_rng(0)).shape
        (5, 3)
        """
        n, rng = _arguments.count("n", n), _arguments.generator(rng)
        return rng.standard_normal((n, self.dim))

    def angle_tail(self, theta: ArrayLike, w_teacher: ArrayLike | None = None) -> LikeIts:
        r"""Angle tail :math:`p(\theta) = I_{\cos^2\theta}(1/2, (d-1)/2)`, the same for any teacher.

        Parameters
        ----------
        theta : array_like
            Angles in radians, in [0, pi/2].
        w_teacher : array_like, shape (d,), optional
            Makes no difference.

        Returns
        -------
        float or ndarray
            In [0, 1], of the shape of `theta`.

        Raises
        ------
        ValueError
            If an angle is outside [0, pi/2], or `w_teacher` is zero or doesn't fit.

        See Also
        --------
        transfer_risk_bound : What the tail is for.

        Examples
        --------
        >>> law = dl.IsotropicGaussian(2)
        >>> print(f"{law.angle_tail(0.5):.3f}")
        0.682
        """
        theta = _arguments.angles("theta", theta)
        if w_teacher is not None:
            _arguments.vector("w_teacher", w_teacher, size=self.dim, like="the law", nonzero=True)
        if self.dim == 1:
            return np.where(theta > 0, 0.0, 1.0)[()]
        # Near pi/2 the sine would have to be exactly 1 for p to vanish; the cosine decides.
        return special.betainc(0.5, (self.dim - 1) / 2, np.cos(theta) ** 2)[()]


@dataclass(frozen=True, eq=False, init=False)
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

    See Also
    --------
    IsotropicGaussian : The same with the identity, and faster.

    Examples
    --------
    >>> law = dl.Gaussian(np.diag([4.0, 1.0]))
    >>> print(law.angle_tail([0.0, 0.5], [1.0, 0.0]).round(3))
    [1.    0.472]
    """

    covariance: Matrix
    _factor: Matrix = field(init=False, repr=False)

    # By hand: a type checker lets the dataclass's own take nothing but the array the field is.
    def __init__(self, covariance: ArrayLike) -> None:
        covariance = _arguments.matrix("covariance", covariance).copy()
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
    def dim(self) -> int:
        """Dimension d of the inputs."""
        return int(self.covariance.shape[0])

    def sample(self, n: int, rng: np.random.Generator) -> Matrix:
        """Draw inputs.

        Parameters
        ----------
        n : int
            How many.
        rng : numpy.random.Generator
            The only source of chance.

        Returns
        -------
        ndarray, shape (n, d)
            One input per row.

        Raises
        ------
        ValueError
            If `n` isn't a whole number >= 1 or `rng` is no generator.

        See Also
        --------
        angle_tail : How the angles of these inputs are distributed.

        Examples
        --------
        >>> dl.Gaussian([[2.0, 1.0], [1.0, 2.0]]).sample(5, np.random.default_rng(0)).shape
        (5, 2)
        """
        n, rng = _arguments.count("n", n), _arguments.generator(rng)
        return rng.standard_normal((n, self.dim)) @ self._factor.T

    def angle_tail(self, theta: ArrayLike, w_teacher: ArrayLike | None = None) -> LikeIts:
        r"""Angle tail with respect to a teacher.

        With :math:`a > 0` the positive and :math:`-b_i` the other eigenvalues of
        :math:`\Sigma^{1/2} (e e^\top - \cos^2\theta\, I)\, \Sigma^{1/2}`, where
        :math:`e = w^\star / \|w^\star\|`,

        .. math::

            1 - p(\theta) = \frac{2}{\pi} \int_0^{\pi/2} \prod_i
            \Bigl(1 + \frac{b_i}{a \cos^2 \varphi}\Bigr)^{-1/2} d\varphi .

        Parameters
        ----------
        theta : array_like
            Angles in radians, in [0, pi/2].
        w_teacher : array_like, shape (d,)
            The teacher, not zero. It can't be left out here.

        Returns
        -------
        float or ndarray
            In [0, 1], of the shape of `theta`.

        Raises
        ------
        ValueError
            If an angle is outside [0, pi/2], or `w_teacher` is missing, zero or doesn't fit.

        See Also
        --------
        transfer_risk_bound : What the tail is for.

        Notes
        -----
        It follows from Craig's formula :math:`\Pr[a z^2 \ge s] = \tfrac{2}{\pi}
        \int_0^{\pi/2} e^{-s / (2 a \cos^2\varphi)} d\varphi` for a standard normal z (Craig
        1991). The integral is taken over :math:`y = \log\cot\varphi`, where the trapezoidal rule
        with a step of 1/4 leaves :math:`e^{-4\pi^2}`. The rounding of the eigenvalues leaves some
        1e-13 for most angles; within 1e-8 of 0 or :math:`\pi/2` it may leave 1e-8.

        Examples
        --------
        >>> law = dl.Gaussian([[4.0, 0.0], [0.0, 1.0]])
        >>> print(f"{law.angle_tail(0.5, [1.0, 0.0]):.3f}")
        0.472
        """
        theta = _arguments.angles("theta", theta)
        e = _needed_teacher(w_teacher, self.dim, "the covariance")
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


@dataclass(frozen=True, eq=False, init=False)
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

    See Also
    --------
    digits : Points that come with the library.

    Examples
    --------
    >>> law = dl.Empirical([[1.0, 0.0], [1.0, 1.0]])
    >>> law.sample(4, np.random.default_rng(0)).shape
    (4, 2)
    """

    points: Matrix

    def __init__(self, points: ArrayLike) -> None:
        points = _arguments.matrix("points", points).copy()
        points.flags.writeable = False
        object.__setattr__(self, "points", points)

    @property
    def dim(self) -> int:
        """Dimension d of the inputs."""
        return int(self.points.shape[1])

    def sample(self, n: int, rng: np.random.Generator) -> Matrix:
        """Draw points, with replacement.

        Parameters
        ----------
        n : int
            How many.
        rng : numpy.random.Generator
            The only source of chance.

        Returns
        -------
        ndarray, shape (n, d)
            One input per row.

        Raises
        ------
        ValueError
            If `n` isn't a whole number >= 1 or `rng` is no generator.

        See Also
        --------
        angle_tail : How the angles of these inputs are distributed.

        Examples
        --------
        >>> dl.Empirical([[1.0, 2.0], [3.0, 4.0]]).sample(5, np.random.default_rng(0)).shape
        (5, 2)
        """
        n, rng = _arguments.count("n", n), _arguments.generator(rng)
        return self.points[rng.integers(len(self.points), size=n)]

    def angle_tail(self, theta: ArrayLike, w_teacher: ArrayLike | None = None) -> LikeIts:
        r"""Return the fraction of points with :math:`\bar\alpha(x) \ge \theta`; none may be zero.

        Parameters
        ----------
        theta : array_like
            Angles in radians, in [0, pi/2].
        w_teacher : array_like, shape (d,)
            The teacher, not zero. It can't be left out here.

        Returns
        -------
        float or ndarray
            In [0, 1], of the shape of `theta`.

        Raises
        ------
        ValueError
            If an angle is outside [0, pi/2], `w_teacher` is missing, zero or doesn't fit, or a
            point is zero.

        See Also
        --------
        transfer_risk_bound : What the tail is for.

        Examples
        --------
        >>> law = dl.Empirical([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0], [0.0, 3.0]])
        >>> print(f"{law.angle_tail(0.7, [1.0, 0.0]):.3f}")
        0.750
        """
        theta = _arguments.angles("theta", theta)
        teacher = _needed_teacher(w_teacher, self.dim, "the points")
        if not self.points.any(axis=1).all():
            raise ValueError("points must not hold a zero row: it makes no angle; drop such rows")
        ordered = np.sort(acute_angle(self.points, teacher))
        below = np.searchsorted(ordered, theta, side="left")
        return 1.0 - below / ordered.size


def _needed_teacher(w_teacher: ArrayLike | None, dim: int, like: str) -> Vector:
    if w_teacher is None:
        raise ValueError(
            "w_teacher must be given: how large the angles are hangs on the teacher here"
        )
    return _arguments.vector("w_teacher", w_teacher, size=dim, like=like, nonzero=True)
