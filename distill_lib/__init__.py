"""The theory of linear distillation, as functions on arrays: X has one input per row."""

from distill_lib.distillation import (
    distillation_gradient,
    distillation_loss,
    hard_labels,
    smoothness,
    soft_labels,
)
from distill_lib.geometry import acute_angle, angle
from distill_lib.inputs import (
    BoundedAngles,
    Empirical,
    Gaussian,
    IsotropicGaussian,
    PolynomialAngles,
)
from distill_lib.network import end_to_end
from distill_lib.risk import (
    RiskCurve,
    RiskEstimate,
    axial_risk,
    expected_transfer_risk,
    risk_curve,
    transfer_risk,
)
from distill_lib.student import closed_form_student, nested_angles, nested_students
from distill_lib.training import Trajectory, gradient_descent

__all__ = [
    "BoundedAngles",
    "Empirical",
    "Gaussian",
    "IsotropicGaussian",
    "PolynomialAngles",
    "RiskCurve",
    "RiskEstimate",
    "Trajectory",
    "acute_angle",
    "angle",
    "axial_risk",
    "closed_form_student",
    "distillation_gradient",
    "distillation_loss",
    "end_to_end",
    "expected_transfer_risk",
    "gradient_descent",
    "hard_labels",
    "nested_angles",
    "nested_students",
    "risk_curve",
    "smoothness",
    "soft_labels",
    "transfer_risk",
]
