"""How often do student and teacher disagree, exactly?"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import integrate, special

from distill_lib import _arguments
from distill_lib._gaps import gap_probability, gap_quantile
from distill_lib._types import LikeIts, Vector
from distill_lib.inputs import IsotropicGaussian
from distill_lib.laws import AxialLaw


def isotropic_expected_risk(n: int, d: int) -> float:
    r"""Exact expected transfer risk of the closed-form student for isotropic inputs.

    .. math::

        \mathbb{E} R = \frac{1}{\pi} \mathbb{E} \arccos\sqrt{B} , \qquad
        B \sim \operatorname{Beta}\Bigl(\frac n2, \frac{d - n}{2}\Bigr) ,

    and 0 for n >= d.

    Parameters
    ----------
    n : int
        Size of the transfer set.
    d : int
        Dimension of the inputs.

    Returns
    -------
    float
        In [0, 1/2].

    Raises
    ------
    ValueError
        If n or d is less than 1.

    See Also
    --------
    risk_curve : Measured, for any law.

    References
    ----------
    This book, chapter 5, "The exact risk of isotropic inputs".

    Examples
    --------
    >>> print(f"{dl.isotropic_expected_risk(5, 10):.3f}")
    0.250
    """
    n, d = _arguments.count("n", n), _arguments.count("d", d)
    if n >= d:
        return 0.0

    # The law of sin^2. Near n = d cos^2 is close to 1, and the angle has lost digits in it. (Where
    # sin^2 is as close to 1, the risk is close to 1/2, and doesn't notice.)
    def tail(theta: float) -> float:
        return float(special.betaincc((d - n) / 2, n / 2, np.sin(theta) ** 2))

    # The mean angle is the integral of its tail, which falls within a few widths of this angle.
    # Each piece is smooth: its first 21 points leave a relative 1e-9 of the risk, whatever
    # tolerance is asked for.
    middle, width = np.arctan2(np.sqrt(d - n), np.sqrt(n)), 5 / np.sqrt(d)
    points = np.clip([middle - width, middle, middle + width], 0.0, np.pi / 2)
    mean, _ = integrate.quad(tail, 0.0, np.pi / 2, points=points)
    return float(mean / np.pi)


def axial_risk(angle: ArrayLike, inputs: IsotropicGaussian | AxialLaw) -> LikeIts:
    r"""Exact transfer risk of a student at a given angle, for axially symmetric unit inputs.

    With the gap :math:`\zeta = \pi/2 - \bar\alpha` of an input from orthogonality, its quantile
    function :math:`\zeta(u)` and :math:`G = \Pr[\zeta \le A]`,

    .. math::

        R(A) = \int_0^G \tfrac12 \, I_{1 - \tan^2 \zeta(u) / \tan^2 A}
        \Bigl(\frac{d - 2}{2}, \frac12\Bigr) \, du ;

    for d = 2 it is G/2. For isotropic inputs it is :math:`A / \pi`.

    Parameters
    ----------
    angle : array_like
        Angles A between student and teacher, in radians, in [0, pi/2].
    inputs : IsotropicGaussian or AxialLaw
        Such as `PolynomialAngles` or `BoundedAngles`, about their own teacher.

    Returns
    -------
    float or ndarray
        The risk at each angle.

    Raises
    ------
    ValueError
        If an angle is outside [0, pi/2], the inputs aren't of these kinds, or what they say of
        their gaps can't be.

    See Also
    --------
    nested_angles : The angles of students.
    risk_curve : Its mean over transfer sets.

    References
    ----------
    This book, chapter 5, "The exact risk at a given angle".

    Examples
    --------
    >>> law = dl.BoundedAngles([1.0, 2.0, 2.0], max_angle=1.0)
    >>> print(np.asarray(dl.axial_risk([0.5, 1.0, np.pi / 2], law)).round(3))
    [0.    0.111 0.5  ]
    """
    A = _arguments.angles("angle", angle)
    if isinstance(inputs, IsotropicGaussian):
        return (A / np.pi)[()]
    if isinstance(inputs, type) or not isinstance(inputs, AxialLaw):
        raise ValueError(
            "inputs must be axially symmetric about the teacher: PolynomialAngles, "
            f"BoundedAngles, another AxialLaw or IsotropicGaussian; got {inputs!r:.80}"
        )
    G = gap_probability(inputs, A)
    if inputs.dim == 2:
        return (G / 2)[()]
    u, weights = _double_exponential()
    # tan zeta / tan A; at A = 0, and below the smallest gap, no input is misclassified and G = 0
    # makes the integral 0, whatever the ratio.
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        ratio = np.tan(gap_quantile(inputs, G[..., None] * u)) / np.tan(A)[..., None]
        sine2 = np.maximum(1.0 - ratio**2, 0.0)
    misread = special.betainc((inputs.dim - 2) / 2, 0.5, sine2)
    return (G / 2 * np.nan_to_num(misread @ weights))[()]


def _double_exponential() -> tuple[Vector, Vector]:
    """Nodes and weights of the tanh-sinh rule on [0, 1] (Takahasi & Mori, 1974).

    The integrand has algebraic ends (u^(1/kappa) and (1 - u)^((d-2)/2)), which this rule
    doesn't mind. Step 1/16 on [-3.4, 3.4] leaves about 1e-13. (scipy has it from 1.15 on, as
    ``integrate.tanhsinh``; Pyodide, in which the book runs too, has 1.14.)
    """
    t = np.arange(-54, 55) / 16
    inner = np.pi * np.sinh(t)
    nodes = special.expit(inner)
    weights = np.pi * np.cosh(t) * nodes * special.expit(-inner) / 16
    return nodes, weights
