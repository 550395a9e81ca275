r"""Which laws are symmetric about the teacher?

Each is an `AxialLaw`, given by the *gap* :math:`\zeta = \pi/2 - \bar\alpha` of its inputs from
orthogonality to the teacher; around the teacher they are uniform.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from distill_lib import _arguments
from distill_lib._scaling import power_of_two
from distill_lib._types import LikeIts, Matrix, Vector
from distill_lib.geometry import angle


class _AroundTeacher(ABC):
    """What the laws share that are given by an angle and are uniform around the teacher.

    x = s sin(zeta) e + cos(zeta) v, with a fair sign s, v uniform on the unit sphere orthogonal to
    the axis e = w_teacher / |w_teacher|, and the gap zeta = pi/2 - (acute angle) >= 0 from
    orthogonality. The gap is what is kept: near 0 it has the digits that the angle loses.
    """

    w_teacher: Vector
    _axis: Vector

    def _keep_teacher(self, w_teacher: ArrayLike) -> None:
        w = _arguments.teacher(w_teacher).copy()
        if w.size < 2:
            raise ValueError("w_teacher must have d >= 2 entries: in d = 1 all angles are 0")
        axis = w * power_of_two(w)
        axis /= np.linalg.norm(axis)
        for array in (w, axis):
            array.flags.writeable = False
        object.__setattr__(self, "w_teacher", w)
        object.__setattr__(self, "_axis", axis)

    @property
    def dim(self) -> int:
        """Dimension d of the inputs."""
        return self.w_teacher.size

    def sample(self, n: int, rng: np.random.Generator) -> Matrix:
        """Draw unit inputs.

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
        gap_quantile : What the angles are drawn with.

        Examples
        --------
        >>> law = dl.PolynomialAngles([3.0, 4.0], easiness=2.0)
        >>> X = law.sample(5, np.random.default_rng(0))
        >>> X.shape
        (5, 2)
        >>> bool(np.allclose(np.linalg.norm(X, axis=1), 1.0))
        True
        """
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

    @abstractmethod
    def gap_probability(self, gap: ArrayLike) -> LikeIts: ...

    @abstractmethod
    def gap_quantile(self, probability: ArrayLike) -> LikeIts: ...

    def angle_tail(self, theta: ArrayLike, w_teacher: ArrayLike | None = None) -> LikeIts:
        r"""Angle tail :math:`p(\theta) = \Pr[\zeta \le \pi/2 - \theta]`.

        Parameters
        ----------
        theta : array_like
            Angles in radians, in [0, pi/2].
        w_teacher : array_like, shape (d,), optional
            The law's own teacher, or a multiple of it.

        Returns
        -------
        float or ndarray
            In [0, 1], of the shape of `theta`.

        Raises
        ------
        ValueError
            If an angle is outside [0, pi/2], or `w_teacher` points elsewhere.

        See Also
        --------
        gap_probability : The same, as a function of what is left to pi/2.
        transfer_risk_bound : What the tail is for.

        Examples
        --------
        >>> law = dl.BoundedAngles([3.0, 4.0], max_angle=1.25)
        >>> print(f"{law.angle_tail(0.25):.3f}")
        0.800
        """
        theta = _arguments.angles("theta", theta)
        if w_teacher is not None:
            w_teacher = _arguments.vector(
                "w_teacher", w_teacher, size=self.dim, like="the law's own", nonzero=True
            )
            # 1e-12 rad: the same line up to rounding.
            if np.sin(angle(self.w_teacher, w_teacher)) > 1e-12:
                raise ValueError(
                    "w_teacher must be that of the law, or a multiple of it: about another one the "
                    "law isn't symmetric"
                )
        return self.gap_probability(np.pi / 2 - theta)


@dataclass(frozen=True, eq=False, init=False)
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

    See Also
    --------
    fit_easiness : The easiness of observed angles.
    easiness_bound : What it promises.

    Examples
    --------
    >>> law = dl.PolynomialAngles([3.0, 4.0], easiness=2.0)
    >>> print(law.angle_tail([0.0, np.pi / 4]).round(3))
    [1.   0.25]
    """

    w_teacher: Vector
    easiness: float

    # By hand: a type checker lets the dataclass's own take nothing but the array the field is.
    def __init__(self, w_teacher: ArrayLike, easiness: float) -> None:
        self._keep_teacher(w_teacher)
        easiness = _arguments.number("easiness", easiness, above=0.0)
        object.__setattr__(self, "easiness", easiness)

    def gap_probability(self, gap: ArrayLike) -> LikeIts:
        r"""Probability :math:`(2\zeta/\pi)^\kappa` of a gap of at most zeta radians.

        Parameters
        ----------
        gap : array_like
            :math:`\zeta`, in [0, pi/2].

        Returns
        -------
        float or ndarray
            In [0, 1], of the same shape.

        Raises
        ------
        ValueError
            If a gap is outside [0, pi/2].

        See Also
        --------
        gap_quantile : Its inverse.

        Examples
        --------
        >>> law = dl.PolynomialAngles([3.0, 4.0], easiness=2.0)
        >>> print(f"{law.gap_probability(np.pi / 4):.3f}")
        0.250
        """
        return ((_arguments.angles("gap", gap) / (np.pi / 2)) ** self.easiness)[()]

    def gap_quantile(self, probability: ArrayLike) -> LikeIts:
        r"""Return the gap :math:`\tfrac{\pi}{2} u^{1/\kappa}`, exceeded with probability 1 - u.

        Parameters
        ----------
        probability : array_like
            The number u, in [0, 1].

        Returns
        -------
        float or ndarray
            Radians, in [0, pi/2], of the same shape.

        Raises
        ------
        ValueError
            If a probability is outside [0, 1].

        See Also
        --------
        gap_probability : Its inverse.

        Examples
        --------
        >>> law = dl.PolynomialAngles([3.0, 4.0], easiness=2.0)
        >>> print(f"{law.gap_quantile(0.25):.3f}")
        0.785
        """
        u = _arguments.probabilities("probability", probability)
        return (np.pi / 2 * u ** (1.0 / self.easiness))[()]


@dataclass(frozen=True, eq=False, init=False)
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

    See Also
    --------
    margin_bound : What such a margin promises.

    Examples
    --------
    >>> law = dl.BoundedAngles([3.0, 4.0], max_angle=1.0)
    >>> print(law.angle_tail([0.0, 0.5, 1.2]).round(3))
    [1.  0.5 0. ]
    """

    w_teacher: Vector
    max_angle: float

    def __init__(self, w_teacher: ArrayLike, max_angle: float) -> None:
        self._keep_teacher(w_teacher)
        max_angle = _arguments.number("max_angle", max_angle, above=0.0, most=np.pi / 2)
        object.__setattr__(self, "max_angle", max_angle)

    def gap_probability(self, gap: ArrayLike) -> LikeIts:
        r"""Probability :math:`\max(0, 1 - (\pi/2 - \zeta)/\gamma)` of such a gap or less.

        Parameters
        ----------
        gap : array_like
            :math:`\zeta`, in [0, pi/2].

        Returns
        -------
        float or ndarray
            In [0, 1], of the same shape.

        Raises
        ------
        ValueError
            If a gap is outside [0, pi/2].

        See Also
        --------
        gap_quantile : Its inverse.

        Examples
        --------
        >>> law = dl.BoundedAngles([3.0, 4.0], max_angle=1.25)
        >>> print(f"{law.gap_probability(np.pi / 2 - 0.25):.3f}")
        0.800
        """
        gap = _arguments.angles("gap", gap)
        return np.maximum(0.0, 1.0 - (np.pi / 2 - gap) / self.max_angle)[()]

    def gap_quantile(self, probability: ArrayLike) -> LikeIts:
        r"""Return the gap :math:`\pi/2 - \gamma (1 - u)`, exceeded with probability 1 - u.

        Parameters
        ----------
        probability : array_like
            The number u, in [0, 1].

        Returns
        -------
        float or ndarray
            Radians, in [0, pi/2], of the same shape.

        Raises
        ------
        ValueError
            If a probability is outside [0, 1].

        See Also
        --------
        gap_probability : Its inverse.

        Examples
        --------
        >>> law = dl.BoundedAngles([3.0, 4.0], max_angle=0.5)
        >>> print(f"{law.gap_quantile(1.0):.3f}")
        1.571
        """
        u = _arguments.probabilities("probability", probability)
        return (np.pi / 2 - self.max_angle * (1.0 - u))[()]
