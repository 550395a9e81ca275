r"""What must a law of inputs offer?

Whatever has these members is a law, whoever wrote it: there is nothing to inherit from and nowhere
to register. The laws of this library are in `inputs` and `axial`. They also offer the *angle tail*

.. math::

    p(\theta) = \Pr[\bar\alpha(x) \ge \theta], \qquad \theta \in [0, \pi/2],

where :math:`\bar\alpha(x)` is the acute angle between the input and the teacher: a survival
function, with :math:`p(0) = 1`, that never increases. All have it with one signature,
``angle_tail(theta, w_teacher=None)``; the teacher may be left out where it makes no difference, or
where the law has its own. The functions of `bounds` take such a tail, not a law.
"""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from distill_lib._types import LikeIts, Matrix, Vector


@runtime_checkable
class InputLaw(Protocol):
    """A law of inputs: it knows their dimension, and draws them.

    All that `risk_curve`, `expected_transfer_risk` and `risk_sweep` ask for when they are given
    `test_points`.

    See Also
    --------
    AxialLaw : What an exact risk asks for.
    distill_lib.inputs : The laws of this library that are made from no teacher.

    Examples
    --------
    A law of one's own, in which each feature is 1 or -1:

    >>> import numpy as np
    >>> import distill_lib as dl
    >>> class Signs:
    ...     def __init__(self, dim):
    ...         self.dim = dim
    ...
    ...     def sample(self, n, rng):
    ...         return rng.choice([-1.0, 1.0], size=(n, self.dim))
    >>> isinstance(Signs(20), dl.InputLaw)
    True
    >>> curve = dl.risk_curve(
    ...     Signs(20), np.arange(1.0, 21.0), [2, 10, 18], trials=50, test_points=200,
    ...     rng=np.random.default_rng(0),
    ... )
    >>> bool(curve.mean[0] > curve.mean[1] > curve.mean[2])
    True
    """

    @property
    def dim(self) -> int:
        """Dimension d >= 1 of the inputs."""
        ...

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
            One input per row, independent of each other.
        """
        ...


@runtime_checkable
class AxialLaw(InputLaw, Protocol):
    r"""A law around a teacher: the same after every rotation that leaves the teacher where it is.

    It is given by the *gap* :math:`\zeta = \pi/2 - \bar\alpha \in [0, \pi/2]` of an input from
    orthogonality. The gap, not the angle, because near 0 it has the digits that the angle loses.
    The transfer risk is then a function of the angle between student and teacher, so that
    `axial_risk` is exact, and so is a `risk_curve` without `test_points`. But where
    `gap_probability` has a level stretch between the least and the largest gap, `axial_risk` keeps
    two digits, and the curve is refused.

    See Also
    --------
    InputLaw : What a measured risk asks for.
    distill_lib.axial : The laws of this library that are of this kind.

    Examples
    --------
    A law of one's own, with :math:`\Pr[\zeta \le z] = 1 - \cos z`, on the unit sphere:

    >>> import numpy as np
    >>> import distill_lib as dl
    >>> class Cosine:
    ...     def __init__(self, w_teacher):
    ...         self.w_teacher = np.asarray(w_teacher, dtype=float)
    ...         self.dim = self.w_teacher.size
    ...
    ...     def gap_probability(self, gap):
    ...         return 1.0 - np.cos(gap)
    ...
    ...     def gap_quantile(self, probability):
    ...         return np.arccos(1.0 - np.asarray(probability))
    ...
    ...     def angle_tail(self, theta, w_teacher=None):
    ...         return self.gap_probability(np.pi / 2 - np.asarray(theta))
    ...
    ...     def sample(self, n, rng):
    ...         axis = self.w_teacher / np.linalg.norm(self.w_teacher)
    ...         gaps = self.gap_quantile(rng.random(n)) * rng.choice([-1.0, 1.0], size=n)
    ...         around = rng.standard_normal((n, self.dim))
    ...         around -= np.outer(around @ axis, axis)
    ...         around /= np.linalg.norm(around, axis=1, keepdims=True)
    ...         return np.sin(gaps)[:, None] * axis + np.cos(gaps)[:, None] * around
    >>> law = Cosine([1.0, 2.0, 0.0, 2.0])
    >>> isinstance(law, dl.AxialLaw)
    True
    >>> print(f"{dl.axial_risk(1.0, law):.3f}")
    0.106
    >>> curve = dl.risk_curve(
    ...     law, law.w_teacher, [1, 2, 3], trials=50, rng=np.random.default_rng(0)
    ... )
    >>> bool(curve.mean[0] > curve.mean[1] > curve.mean[2])
    True
    >>> bool(curve.mean[2] < dl.sharp_transfer_risk_bound(law.angle_tail, 3))
    True
    """

    @property
    def w_teacher(self) -> Vector:
        """The teacher, shape (d,), not zero, d >= 2."""
        ...

    def gap_probability(self, gap: ArrayLike) -> LikeIts:
        """Probability that an input's gap is at most this.

        Parameters
        ----------
        gap : array_like
            Radians, in [0, pi/2].

        Returns
        -------
        float or ndarray
            In [0, 1], of the same shape.
        """
        ...

    def gap_quantile(self, probability: ArrayLike) -> LikeIts:
        """Return the gap that has this probability: the inverse of `gap_probability`.

        Parameters
        ----------
        probability : array_like
            In [0, 1].

        Returns
        -------
        float or ndarray
            Radians, in [0, pi/2], of the same shape.
        """
        ...
