"""The theory of linear distillation, as functions on arrays: X has one input per row."""

from distill_lib.bounds import (
    easiness_bound,
    fit_easiness,
    initialisation_radius,
    limit_offset,
    margin_bound,
    sharp_easiness_bound,
    sharp_initialisation_radius,
    sharp_transfer_risk_bound,
    transfer_risk_bound,
)
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
from distill_lib.network import balance_defect, balanced_layers, end_to_end
from distill_lib.risk import (
    RiskCurve,
    RiskEstimate,
    axial_risk,
    expected_transfer_risk,
    isotropic_expected_risk,
    risk_curve,
    transfer_risk,
)
from distill_lib.student import (
    closed_form_student,
    max_margin_student,
    nested_angles,
    nested_students,
)
from distill_lib.sweep import risk_sweep
from distill_lib.tables import digits, mnist01, tumours
from distill_lib.teacher import logistic_regression
from distill_lib.training import (
    Trajectory,
    balanced_descent,
    gradient_descent,
    gradient_flow,
)

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
    "balance_defect",
    "balanced_descent",
    "balanced_layers",
    "closed_form_student",
    "digits",
    "distillation_gradient",
    "distillation_loss",
    "easiness_bound",
    "end_to_end",
    "expected_transfer_risk",
    "fit_easiness",
    "gradient_descent",
    "gradient_flow",
    "hard_labels",
    "initialisation_radius",
    "isotropic_expected_risk",
    "limit_offset",
    "logistic_regression",
    "margin_bound",
    "max_margin_student",
    "mnist01",
    "nested_angles",
    "nested_students",
    "risk_curve",
    "risk_sweep",
    "sharp_easiness_bound",
    "sharp_initialisation_radius",
    "sharp_transfer_risk_bound",
    "smoothness",
    "soft_labels",
    "transfer_risk",
    "transfer_risk_bound",
    "tumours",
]
