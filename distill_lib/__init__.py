"""The theory of linear distillation, as functions on arrays: X has one input per row.

A module is loaded when something of it is first asked for (PEP 562), so that importing this package
costs no more than numpy. ``__init__.pyi`` says the same to type checkers; a test holds the two
together.
"""

from importlib import import_module

__version__ = "0.1.0"

_NAMES = {
    "axial": "BoundedAngles PolynomialAngles",
    "bounds": "easiness_bound fit_easiness margin_bound sharp_easiness_bound "
    "sharp_transfer_risk_bound transfer_risk_bound",
    "distillation": "distillation_gradient distillation_loss hard_labels smoothness soft_labels",
    "exact": "axial_risk isotropic_expected_risk",
    "flow": "gradient_flow",
    "geometry": "acute_angle angle",
    "initialisation": "initialisation_radius limit_offset sharp_initialisation_radius",
    "inputs": "Empirical Gaussian IsotropicGaussian",
    "laws": "AxialLaw InputLaw",
    "network": "balance_defect balanced_layers end_to_end",
    "risk": "RiskCurve RiskEstimate expected_transfer_risk risk_curve transfer_risk",
    "student": "closed_form_student max_margin_student nested_angles nested_students",
    "sweep": "risk_sweep",
    "tables": "digits mnist01 tumours",
    "teacher": "logistic_regression",
    "training": "Trajectory balanced_descent gradient_descent",
    "flipbook": "",
    "plots": "",
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = sorted(_HOMES)


def __getattr__(name):
    if name in _NAMES:
        try:
            return import_module(f"distill_lib.{name}")
        except ModuleNotFoundError as error:
            raise ImportError(
                f"distill_lib.{name} needs {error.name}, which isn't installed: "
                "pip install 'distill_lib[figures]'"
            ) from error
    if name not in _HOMES:
        raise AttributeError(f"module 'distill_lib' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"distill_lib.{_HOMES[name]}"), name)
    return value


def __dir__():
    return sorted({*globals(), *_NAMES, *_HOMES})
