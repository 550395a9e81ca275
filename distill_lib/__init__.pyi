"""What `__init__.py` offers, for type checkers."""

from distill_lib import flipbook as flipbook
from distill_lib import plots as plots
from distill_lib.axial import (
    BoundedAngles as BoundedAngles,
)
from distill_lib.axial import (
    PolynomialAngles as PolynomialAngles,
)
from distill_lib.bounds import (
    easiness_bound as easiness_bound,
)
from distill_lib.bounds import (
    fit_easiness as fit_easiness,
)
from distill_lib.bounds import (
    margin_bound as margin_bound,
)
from distill_lib.bounds import (
    sharp_easiness_bound as sharp_easiness_bound,
)
from distill_lib.bounds import (
    sharp_transfer_risk_bound as sharp_transfer_risk_bound,
)
from distill_lib.bounds import (
    transfer_risk_bound as transfer_risk_bound,
)
from distill_lib.distillation import (
    distillation_gradient as distillation_gradient,
)
from distill_lib.distillation import (
    distillation_loss as distillation_loss,
)
from distill_lib.distillation import (
    hard_labels as hard_labels,
)
from distill_lib.distillation import (
    smoothness as smoothness,
)
from distill_lib.distillation import (
    soft_labels as soft_labels,
)
from distill_lib.exact import (
    axial_risk as axial_risk,
)
from distill_lib.exact import (
    isotropic_expected_risk as isotropic_expected_risk,
)
from distill_lib.flow import (
    gradient_flow as gradient_flow,
)
from distill_lib.geometry import (
    acute_angle as acute_angle,
)
from distill_lib.geometry import (
    angle as angle,
)
from distill_lib.initialisation import (
    initialisation_radius as initialisation_radius,
)
from distill_lib.initialisation import (
    limit_offset as limit_offset,
)
from distill_lib.initialisation import (
    sharp_initialisation_radius as sharp_initialisation_radius,
)
from distill_lib.inputs import (
    Empirical as Empirical,
)
from distill_lib.inputs import (
    Gaussian as Gaussian,
)
from distill_lib.inputs import (
    IsotropicGaussian as IsotropicGaussian,
)
from distill_lib.laws import (
    AxialLaw as AxialLaw,
)
from distill_lib.laws import (
    InputLaw as InputLaw,
)
from distill_lib.network import (
    balance_defect as balance_defect,
)
from distill_lib.network import (
    balanced_layers as balanced_layers,
)
from distill_lib.network import (
    end_to_end as end_to_end,
)
from distill_lib.risk import (
    RiskCurve as RiskCurve,
)
from distill_lib.risk import (
    RiskEstimate as RiskEstimate,
)
from distill_lib.risk import (
    expected_transfer_risk as expected_transfer_risk,
)
from distill_lib.risk import (
    risk_curve as risk_curve,
)
from distill_lib.risk import (
    transfer_risk as transfer_risk,
)
from distill_lib.student import (
    closed_form_student as closed_form_student,
)
from distill_lib.student import (
    max_margin_student as max_margin_student,
)
from distill_lib.student import (
    nested_angles as nested_angles,
)
from distill_lib.student import (
    nested_students as nested_students,
)
from distill_lib.sweep import (
    risk_sweep as risk_sweep,
)
from distill_lib.tables import digits as digits
from distill_lib.tables import mnist01 as mnist01
from distill_lib.tables import tumours as tumours
from distill_lib.teacher import (
    logistic_regression as logistic_regression,
)
from distill_lib.training import (
    Trajectory as Trajectory,
)
from distill_lib.training import (
    balanced_descent as balanced_descent,
)
from distill_lib.training import (
    gradient_descent as gradient_descent,
)

__version__: str
__all__: list[str]
