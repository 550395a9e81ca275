"""All that the page of the library shows refuses what it can't use.

One table: every function, every argument.

A refusal is a ValueError whose message begins with the name of the argument. It comes before
any work: no random number has been drawn.
"""

import importlib
import inspect
import pkgutil
import re
import tempfile

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

import distill_lib
from distill_lib import (
    BoundedAngles,
    Empirical,
    Gaussian,
    IsotropicGaussian,
    PolynomialAngles,
    RiskCurve,
    Trajectory,
)

matplotlib.use("agg")

NAN, INF = float("nan"), float("inf")

# What is wrong whatever the argument's kind: it isn't made of numbers, or not of finite ones.
NO_NUMBER = ["abc", None, {"a": 1}]
MATRIX = [
    *NO_NUMBER, 3.0, [1.0, 2.0], np.ones((2, 2, 2)), np.ones((0, 3)), np.ones((3, 0)),
    [[1.0, 2.0], [3.0]], [["a", "b"]], [[1.0, NAN, 0.0]], [[INF, 1.0, 0.0]], [[0.0, -INF, 0.0]],
]  # fmt: skip
# Vectors here must match three columns.
VECTOR = [
    *NO_NUMBER, 3.0, [], [1.0, 2.0], np.ones(4), np.ones((1, 3)), np.ones((3, 1)),
    [1.0, "a", 2.0], [1.0, NAN, 0.0], [INF, 1.0, 0.0],
]  # fmt: skip
TEACHER = [*VECTOR, np.zeros(3)]
# For a first argument, which fixes the dimension of the others.
FIRST = [bad for bad in TEACHER if np.shape(bad) not in ((2,), (4,))]
# Labels must match two rows.
LABELS = [
    *NO_NUMBER, 0.5, [], [0.5], [0.5] * 3, [[0.5], [0.5]], [0.5, NAN], [0.5, INF],
    [0.5, -1e-9], [0.5, 1 + 1e-9], [-1, 1],
]  # fmt: skip
LAYERS = [
    *NO_NUMBER, 3.0, (), [[1.0, 2.0]], (np.ones((2, 3)),), (np.ones((2, 3)), np.ones((1, 4))),
    (np.ones((2, 3)), np.ones(2)), (np.full((2, 3), NAN), np.ones((1, 2))),
    (np.ones((2, 3)), [[1.0, INF]]), (np.ones((0, 3)), np.ones((1, 0))),
]  # fmt: skip
START = [*VECTOR, *LAYERS, (np.ones((2, 4)), np.ones((1, 2)))]
COUNT = [*NO_NUMBER, 0, -1, True, np.True_, 1.0, 2.5, NAN, INF, [3], "3"]
STEPS = [value for value in COUNT if type(value) is not int] + [-1]
POSITIVE = [
    *NO_NUMBER, "3", b"3", True, 1 + 0j, np.complex64(1), np.ones(1), [1.0], [1.0, 2.0],
    0, 0.0, -1.0, NAN, INF, -INF,
]  # fmt: skip
NOT_NEGATIVE = [*NO_NUMBER, "3", np.ones(1), -1e-300, NAN, INF]
ANGLES = [*NO_NUMBER, -1e-9, np.pi / 2 + 1e-9, [0.1, NAN], INF, [0.1, "a"]]
PROBABILITIES = [*NO_NUMBER, -1e-9, 1 + 1e-9, [0.1, NAN], INF, [0.1, "a"]]
# Seeded as long ago: it can't have children.
CHILDLESS = np.random.Generator(np.random.RandomState(0)._bit_generator)
GENERATOR = [None, 0, np.random, np.random.RandomState(0), np.random.PCG64(0), "rng"]
JOBS = [bad for bad in COUNT if bad != -1]  # joblib's word for every core
FOLDER = tempfile.TemporaryDirectory()
NO_FOLDER = [None, 3, b"folder", "", __file__]
SIZES = [
    [], [0], [-1, 2], [2, 1], [1, 1], [1.5], [True, 2], [NAN], ["a"], "abc", None, [[1, 2], [3, 4]],
]  # fmt: skip
# Nothing to call; or what it returns is no tail: too many, increasing, not finite, out of [0, 1].
NO_TAIL = [
    None, 0.5, "abc", [1.0, 0.5], IsotropicGaussian(3), lambda theta: 1.0, lambda theta: theta / 2,
    lambda theta: np.full(theta.shape, NAN), lambda theta: 1 - theta, lambda theta: 2 - theta,
    lambda theta: 0 * theta,
]  # fmt: skip
AXES = [None, 3, "ax", Figure(), np.array([Figure().add_subplot()])]
# In the plane; ["a", "b"] are two, too.
VECTOR_2 = [*NO_NUMBER, 3.0, [], [1.0], np.ones(3), np.ones((1, 2)), [1.0, NAN], [INF, 1.0]]
INPUTS = [None, np.ones((5, 3)), IsotropicGaussian, PolynomialAngles, "isotropic"]

X = np.array([[1.0, 2.0, 0.5], [0.0, 1.0, -1.0]])
W = np.array([1.0, -1.0, 2.0])
Y = np.array([0.25, 0.75])
LAW = IsotropicGaussian(3)
TAIL = BoundedAngles(W, 1.1).angle_tail
MONTE_CARLO = {
    "inputs": (LAW, INPUTS),
    "w_teacher": (W, TEACHER),
    "trials": (3, [*COUNT, 1]),
    "rng": (None, [*GENERATOR, CHILDLESS]),
    "n_jobs": (1, JOBS),
}
SAMPLE = {"n": (2, COUNT), "rng": (None, GENERATOR)}
DESCENT = {
    "step_size": (0.1, POSITIVE),
    "steps": (2, STEPS),
    "tol": (0.0, NOT_NEGATIVE),
    "record_every": (1, COUNT),
    "coordinates": ("input", ["output", None, 1]),
}
FLAT = X[:, :2]


def run(weights=FLAT, loss=(1.0, 0.5), steps=(0, 1)):
    return Trajectory(weights, loss, steps, (), False)


def curve(sizes=(1, 2), mean=(0.5, 0.25), standard_error=(0.1, 0.0)):
    return RiskCurve(sizes, mean, standard_error)


NO_RUN = [None, FLAT, "run", curve(), Trajectory]
NO_CURVE = [
    None, X, "curve", run(), RiskCurve, curve(sizes=None), curve(sizes=[]), curve(sizes=[1, NAN]),
    curve(mean=[0.5]), curve(mean=[0.5, NAN]), curve(standard_error=0.1),
    curve(standard_error=[0.1, INF]), curve(standard_error=[0.1, -1e-9]),
]  # fmt: skip


def drawn(n):
    return Figure(figsize=(1, 1))


RADIUS = {"epsilon": (0.1, POSITIVE), "student_norm": (1.0, POSITIVE), "depth": (3, COUNT)}

OWN_TEACHER = (-2 * W, [*TEACHER, -W[::-1]])

# Function: for every argument a good value and the bad ones. Where None is a good value (it
# means "left out"), it is struck from the bad ones below.
TABLE = {
    "angle": {"u": (W, FIRST), "v": (W, TEACHER)},
    "acute_angle": {"X": (X, [*MATRIX, [[1.0, 0, 0], [0, 0, 0]]]), "w": (W, TEACHER)},
    "IsotropicGaussian": {"dim": (3, COUNT)},
    "IsotropicGaussian.sample": SAMPLE,
    "IsotropicGaussian.angle_tail": {"theta": (0.5, ANGLES), "w_teacher": (W, TEACHER)},
    "Gaussian": {
        "covariance": (
            np.eye(3),
            [*MATRIX, np.ones((2, 3)), np.ones((2, 2)), -np.eye(2), [[1.0, 0.5], [0.4, 1.0]]],
        )
    },
    "Gaussian.sample": SAMPLE,
    "Gaussian.angle_tail": {"theta": (0.5, ANGLES), "w_teacher": (W, TEACHER)},
    "PolynomialAngles": {
        "w_teacher": (W, [*FIRST, [1.0]]),
        "easiness": (1.0, POSITIVE),
    },
    "PolynomialAngles.sample": SAMPLE,
    "PolynomialAngles.angle_tail": {"theta": (0.5, ANGLES), "w_teacher": OWN_TEACHER},
    "PolynomialAngles.gap_probability": {"gap": (0.5, ANGLES)},
    "PolynomialAngles.gap_quantile": {"probability": (0.5, PROBABILITIES)},
    "BoundedAngles": {
        "w_teacher": (W, [*FIRST, [1.0]]),
        "max_angle": (1.0, [*POSITIVE, np.pi / 2 + 1e-9]),
    },
    "BoundedAngles.sample": SAMPLE,
    "BoundedAngles.angle_tail": {"theta": (0.5, ANGLES), "w_teacher": OWN_TEACHER},
    "BoundedAngles.gap_probability": {"gap": (0.5, ANGLES)},
    "BoundedAngles.gap_quantile": {"probability": (0.5, PROBABILITIES)},
    "Empirical": {"points": (X, MATRIX)},
    "Empirical.sample": SAMPLE,
    "Empirical.angle_tail": {"theta": (0.5, ANGLES), "w_teacher": (W, TEACHER)},
    "soft_labels": {"X": (X, MATRIX), "w_teacher": (W, TEACHER), "temperature": (1.0, POSITIVE)},
    "hard_labels": {"X": (X, MATRIX), "w_teacher": (W, TEACHER)},
    "logistic_regression": {"X": (X, MATRIX), "labels": (Y, LABELS), "C": (0.1, POSITIVE)},
    "distillation_loss": {"w": (W, VECTOR), "X": (X, MATRIX), "labels": (Y, LABELS)},
    "distillation_gradient": {"w": (W, VECTOR), "X": (X, MATRIX), "labels": (Y, LABELS)},
    "smoothness": {"X": (X, MATRIX)},
    "end_to_end": {"layers": ((np.ones((2, 3)), np.ones((1, 2))), LAYERS)},
    "balance_defect": {"layers": ((np.ones((2, 3)), np.ones((1, 2))), LAYERS)},
    "balanced_layers": {
        "w": (W, [bad for bad in VECTOR if np.shape(bad) not in ((2,), (4,))]),
        "depth": (3, COUNT),
        "width": (2, COUNT),
        "rng": (None, GENERATOR),
    },
    "closed_form_student": {"X": (X, MATRIX), "w_teacher": (W, TEACHER)},
    "nested_students": {"X": (X, MATRIX), "w_teacher": (W, TEACHER)},
    "nested_angles": {"X": (X, MATRIX), "w_teacher": (W, TEACHER)},
    "max_margin_student": {
        # A zero row; two rows that no hyperplane through the origin tells apart.
        "X": (X, [*MATRIX, [[1.0, 2.0, 0.5], [0, 0, 0]], [[1.0, 2.0, 0.5], [2.0, 4.0, 1.0]]]),
        "hard": ([0, 1], [*LABELS, [0, 2], Y, [0.0, np.nextafter(1.0, 0.0)]]),
    },
    "gradient_descent": {"X": (X, MATRIX), "labels": (Y, LABELS), "start": (W, START), **DESCENT},
    "balanced_descent": {
        "X": (X, MATRIX), "labels": (Y, LABELS), "w0": (W, VECTOR), "depth": (3, COUNT), **DESCENT
    },
    "gradient_flow": {
        "X": (X, MATRIX),
        "labels": (Y, LABELS),
        "w0": (W, TEACHER),
        "depth": (3, COUNT),
        "max_time": (1.0, [value for value in POSITIVE if value != INF]),
        "tol": (1e-3, POSITIVE),
        "rtol": (1e-6, [*NO_NUMBER, 0.0, -1e-6, 0.99e-12, 1.01e-3, NAN, INF]),
    },
    "transfer_risk_bound": {"angle_tail": (TAIL, NO_TAIL), "n": (2, COUNT)},
    "sharp_transfer_risk_bound": {"angle_tail": (TAIL, NO_TAIL), "n": (2, COUNT)},
    "margin_bound": {
        "angle_tail": (TAIL, NO_TAIL),
        "gamma": (1.2, [*POSITIVE, 1.0, np.pi / 2 + 1e-9]),  # TAIL ends at 1.1
        "n": (2, COUNT),
    },
    "easiness_bound": {"n": (2, COUNT), "easiness": (1.0, POSITIVE)},
    "sharp_easiness_bound": {"n": (2, COUNT), "easiness": (1.0, POSITIVE)},
    "fit_easiness": {"angles": ([0.1, 0.2], [*ANGLES, [], 0.3, [0.0, 0.0], [[0.1], [0.2]]])},
    "initialisation_radius": RADIUS,
    "sharp_initialisation_radius": RADIUS,
    "limit_offset": {
        "q0": (0.1, [*NOT_NEGATIVE, 0.3, 0.2 * (1 + 1e-6)]),  # r0 = 0.2
        "r0": (0.2, POSITIVE),
        "student_norm": (1.0, POSITIVE),
        "depth": (3, COUNT),
    },
    "transfer_risk": {"w_student": (W, VECTOR), "w_teacher": (W, TEACHER), "X": (X, MATRIX)},
    "expected_transfer_risk": {**MONTE_CARLO, "n": (2, COUNT), "test_points": (5, COUNT)},
    "risk_curve": {**MONTE_CARLO, "sizes": ([1, 2], SIZES), "test_points": (5, COUNT)},
    "risk_sweep": {
        "cells": (
            [{"inputs": LAW, "w_teacher": W, "sizes": [1], "trials": 2, "seed": 0}],
            [*NO_NUMBER, 3, [], [3], [{}], [{"trials": 2}]],
        ),
        "folder": (FOLDER.name, NO_FOLDER),
        "n_jobs": (1, JOBS),
    },
    "digits": {},
    "mnist01": {},
    "tumours": {},
    "isotropic_expected_risk": {"n": (2, COUNT), "d": (3, COUNT)},
    "axial_risk": {"angle": (0.5, ANGLES), "inputs": (LAW, [*INPUTS, Gaussian(np.eye(3))])},
    "geometry.orthonormal_basis": {"X": (X, MATRIX)},
    "geometry.nested_coordinates": {"X": (X, MATRIX), "w": (W, VECTOR)},
    "plots.plot_inputs": {"ax": (None, AXES), "X": (FLAT, [*MATRIX, X]), "labels": (Y, LABELS)},
    "plots.plot_boundary": {"ax": (None, AXES), "w": (W[:2], [*VECTOR_2, [0.0, 0.0]])},
    "plots.plot_arrow": {
        "ax": (None, AXES),
        "w": (W[:2], VECTOR_2),
        "color": ("k", [None, 3, "no colour", [1.0], [0.0, 0.0, 2.0], ["k", "k"]]),
        "label": ("arrow", [3, b"arrow", ["arrow"]]),
        "linestyle": ("--", [None, 3, "dotty", b"--", [1.0], (0, 3), (0, (1, -1))]),
    },
    "plots.plot_path": {
        "ax": (None, AXES),
        "trajectory": (run(), [*NO_RUN, run(weights=X), run(weights=[[1.0, NAN]])]),
    },
    "plots.plot_loss": {
        "ax": (None, AXES),
        "trajectory": (
            run(),
            [*NO_RUN, run(loss=None), run(loss=[1.0]), run(loss=[1.0, NAN]), run(steps=[0, INF])],
        ),
    },
    "plots.plot_risk_curve": {"ax": (None, AXES), "curve": (curve(), NO_CURVE)},
    "flipbook.flipbook": {
        "draw": (drawn, [None, 3, Figure(), lambda n: None]),
        "alt": (lambda n: "a line", [None, "a line", lambda n: " ", lambda n: n]),
        "start": ({"n": 2}, [3, "n", ["n"], [2], {"n": 3}, {"n": [1]}, {"n": np.ones(2)}, {3: 1}]),
        "names": ({"n": "inputs"}, [3, "n", ["n"], {"n": 3}, {"n": " "}, {"m": "inputs"}]),
        "n": ([1, 2], [None, 3, [], [[1], [2]], np.ones((2, 2)), {1, 2}, "12"]),
    },
}  # fmt: skip

# These hold what a function returns: whoever makes one is told that nothing is checked.
RESULTS = {"RiskCurve", "RiskEstimate", "Trajectory"}
# What a law of one's own offers; nobody makes one of these.
PROTOCOLS = {"AxialLaw", "InputLaw"}

# A method's owner.
OWNERS = {
    "IsotropicGaussian": LAW,
    "Gaussian": Gaussian(np.eye(3)),
    "PolynomialAngles": PolynomialAngles(W, 1.0),
    "BoundedAngles": BoundedAngles(W, 1.0),
    "Empirical": Empirical(X),
}


def find(name):
    owner, _, part = name.rpartition(".")
    if owner in OWNERS:
        return getattr(OWNERS[owner], part)
    return getattr(importlib.import_module(f"distill_lib.{owner}") if owner else distill_lib, part)


def parameters(name):
    """Return what a function takes by name; what it only passes on is for another to check."""
    found = inspect.signature(find(name)).parameters
    return {key: each for key, each in found.items() if each.kind is not each.VAR_KEYWORD}


def good_arguments(name):
    good = {argument: value for argument, (value, _) in TABLE[name].items()}
    fresh = {"rng": lambda: np.random.default_rng(0), "ax": lambda: Figure().add_subplot()}
    return good | {argument: make() for argument, make in fresh.items() if argument in good}


CASES = [
    pytest.param(function, argument, bad, id=f"{function}-{argument}-{i}")
    for function, arguments in TABLE.items()
    for argument, (_, bads) in arguments.items()
    for i, bad in enumerate(bads)
    if not (
        bad is None
        and argument in parameters(function)
        and parameters(function)[argument].default is None
    )
]


def on_the_page():
    """Return the names of all that the page explains, as TABLE has them.

    It shows what each module defines under a name without an underscore (test_docstrings.py asks
    for every module), and of a class the methods, those of its private ancestors too.
    """
    found = set()
    for _, module, _ in pkgutil.iter_modules(distill_lib.__path__):
        for key, value in vars(importlib.import_module(f"distill_lib.{module}")).items():
            if module[0] == "_" or key[0] == "_" or not callable(value):
                continue
            if getattr(value, "__module__", None) != f"distill_lib.{module}":
                continue
            name = key if key in distill_lib.__all__ else f"{module}.{key}"
            methods = dir(value) if inspect.isclass(value) else ()
            found |= {name} | {
                f"{name}.{method}"
                for method in methods
                if method[0] != "_" and callable(getattr(value, method))
            }
    return found


def test_the_table_holds_all_that_the_page_shows_and_every_argument():
    public = {name for name in distill_lib.__all__ if callable(getattr(distill_lib, name))}
    assert public == set(distill_lib.__all__)
    laws = {name for name in public if hasattr(getattr(distill_lib, name), "sample")}
    assert laws - PROTOCOLS == set(OWNERS)
    shown = on_the_page()
    assert public <= shown
    assert set(TABLE) == {name for name in shown if name.split(".")[0] not in RESULTS | PROTOCOLS}
    for name, arguments in TABLE.items():
        passed_on = len(inspect.signature(find(name)).parameters) > len(parameters(name))
        more = set(arguments) - set(parameters(name))
        assert set(parameters(name)) <= set(arguments), name
        assert passed_on or not more, name


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_a_result_says_that_it_checks_nothing(name):
    assert "Nothing is checked" in inspect.getdoc(getattr(distill_lib, name))


@pytest.mark.parametrize("name", TABLE)
def test_the_good_values_of_the_table_are_good(name):
    """Or the refusals below could be for another reason."""
    find(name)(**good_arguments(name))


@pytest.mark.parametrize(("name", "argument", "bad"), CASES)
def test_a_bad_argument_is_refused_by_its_name_before_any_work(name, argument, bad):
    arguments = good_arguments(name)
    rng, ax = arguments.get("rng"), arguments.get("ax")
    before = set(ax.get_children()) if ax else None
    arguments[argument] = bad
    # A message that begins "X must ..." or "start: layer W_2 must ...", and says what is wanted.
    with pytest.raises(ValueError, match=rf"^{argument}\b.*must "):
        find(name)(**arguments)
    if rng is not None:
        fresh = np.random.default_rng(0).bit_generator
        assert rng.bit_generator.state == fresh.state
        assert rng.bit_generator.seed_seq.n_children_spawned == 0
    if ax is not None:
        assert set(ax.get_children()) == before


# What has three entries here, a weight vector, or two, the labels: and what it must match.
MATCHES = [
    pytest.param(name, argument, f"X of shape {arguments['X'][0].shape}", id=f"{name}-{argument}")
    for name, arguments in TABLE.items()
    if "X" in arguments
    for argument, (good, _) in arguments.items()
    if argument != "X" and np.shape(good) in ((2,), (3,))
]
MATCHES += [
    ("angle", "v", "u of shape (3,)"),
    ("IsotropicGaussian.angle_tail", "w_teacher", "the law"),
    ("Gaussian.angle_tail", "w_teacher", "the covariance"),
    ("PolynomialAngles.angle_tail", "w_teacher", "the law's own"),
    ("Empirical.angle_tail", "w_teacher", "the points"),
    ("risk_curve", "w_teacher", "the inputs' dim"),
]


@pytest.mark.parametrize(("name", "argument", "like"), MATCHES)
def test_a_shape_that_does_not_match_is_told_what_it_should_match(name, argument, like):
    arguments = good_arguments(name)
    size = len(arguments[argument])
    # In one entry more there is no number that could be wrong in another way.
    arguments[argument] = np.full(size + 1, 0.5)
    with pytest.raises(ValueError, match="must have shape") as error:
        find(name)(**arguments)
    assert str(error.value) == (
        f"{argument} must have shape ({size},) to match {like}; got shape ({size + 1},)"
    )


def test_layers_that_do_not_match_are_told_what_they_should_match():
    start = {"X": X, "labels": Y, "steps": 1, "step_size": 0.1}
    for layers, message in (
        ((np.ones((2, 4)), np.ones((1, 2))), "W_1 must have 3 columns to match X of shape (2, 3)"),
        ((np.ones((2, 3)), np.ones((1, 3))), "W_2 must have 2 columns to match the rows of W_1"),
    ):
        with pytest.raises(ValueError, match=re.escape(f"start: layer {message}; got shape")):
            distill_lib.gradient_descent(**start, start=layers)


@pytest.mark.parametrize("name", TABLE)
def test_a_required_argument_left_out_is_named(name):
    for argument, parameter in parameters(name).items():
        if parameter.default is inspect.Parameter.empty:
            arguments = good_arguments(name)
            del arguments[argument]
            # Python's own words.
            with pytest.raises(TypeError, match=re.escape(f"'{argument}'")):
                find(name)(**arguments)


@pytest.mark.parametrize("name", TABLE)
def test_options_are_keyword_only(name):
    """A bare number far to the right of a call says nothing to its reader."""
    for argument, parameter in parameters(name).items():
        optional = parameter.default is not inspect.Parameter.empty
        if name.endswith(".angle_tail"):  # the teacher is no option: some laws need it there
            continue
        if optional or (argument in ("rng", "trials", "test_points", "steps") and "." not in name):
            assert parameter.kind is inspect.Parameter.KEYWORD_ONLY, argument


@pytest.mark.parametrize(
    ("name", "argument", "bad", "message"),
    [
        ("easiness_bound", "easiness", -1.0, "must be finite and > 0; got -1.0"),
        ("gradient_flow", "rtol", 1.0, "must be finite and >= 1e-12 and <= 0.001; got 1.0"),
        ("margin_bound", "gamma", 2, "must be finite and > 0 and <= 1.5708; got 2"),
        ("easiness_bound", "easiness", "3", "must be a number; got '3'"),
        ("easiness_bound", "n", 0, "must be >= 1; got 0"),
        ("risk_curve", "trials", 1, "must be >= 2; got 1"),
        ("gradient_descent", "steps", -1, "must be >= 0; got -1"),
        ("easiness_bound", "n", 2.0, "must be a whole number; got 2.0"),
        ("angle", "u", [[1.0]], "must have shape (d,), d >= 1; got shape (1, 1)"),
        ("angle", "u", [0.0], "must not be the zero vector: it has no direction"),
        ("smoothness", "X", [[NAN]], "must be finite; it holds NaN or infinity"),
        ("smoothness", "X", "abc", "must hold real numbers; got 'abc'"),
    ],
)
def test_a_refusal_says_what_is_wanted_and_what_came(name, argument, bad, message):
    with pytest.raises(ValueError, match="must") as error:
        find(name)(**good_arguments(name) | {argument: bad})
    assert str(error.value) == f"{argument} {message}"


@pytest.mark.parametrize(
    ("name", "argument", "good"),
    [
        ("gradient_flow", "rtol", 1e-12),
        ("gradient_flow", "rtol", 1e-3),
        ("gradient_flow", "max_time", INF),
        ("margin_bound", "gamma", np.pi / 2),
        ("BoundedAngles", "max_angle", np.pi / 2),
        ("limit_offset", "q0", 0.0),
        ("limit_offset", "q0", 0.2),
        ("easiness_bound", "n", np.int64(1)),
        ("easiness_bound", "easiness", np.float32(1)),
        ("easiness_bound", "easiness", np.array(1)),
        ("risk_curve", "trials", 2),
        ("gradient_descent", "steps", 0),
        ("distillation_loss", "labels", [0.0, 1.0]),
        ("distillation_loss", "labels", [0.0, 0.0]),
        ("distillation_loss", "w", [0.0, 0.0, 0.0]),
        ("IsotropicGaussian.angle_tail", "theta", [0.0, np.pi / 2]),
        ("IsotropicGaussian.angle_tail", "theta", []),
        ("PolynomialAngles.gap_quantile", "probability", [0.0, 1.0]),
        ("PolynomialAngles.gap_quantile", "probability", []),
    ],
)
def test_the_ends_of_a_range_belong_to_it(name, argument, good):
    find(name)(**good_arguments(name) | {argument: good})


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int32, np.float16, np.float32, np.longdouble])
def test_numbers_of_every_kind_are_taken_and_become_doubles(kind):
    rows = np.array([[1, 0, 0], [1, 1, 0]], kind)
    students = distill_lib.nested_students(rows, np.array([1, 1, 1], kind))
    assert students.dtype == np.float64
    assert np.allclose(students, rows, rtol=0, atol=1e-14)  # a few roundings


def test_an_array_of_one_entry_is_no_number_even_where_float_takes_it():
    """As it takes a tensor of PyTorch, or an array of numpy before 2.4."""

    class Tensor:
        ndim = 1

        def __float__(self):
            return 1.0

    with pytest.raises(ValueError, match="^easiness must be a number; got "):
        distill_lib.easiness_bound(1, Tensor())


@pytest.mark.parametrize("kind", [complex, object, "S1", "U1", "M8[s]", "m8[s]"])
def test_what_is_no_real_number_is_refused_even_if_it_looks_like_one(kind):
    with pytest.raises(ValueError, match="^X must hold real numbers; got "):
        distill_lib.smoothness(np.array([[1, 0], [1, 1]]).astype(kind))


def test_a_law_whose_angles_hang_on_the_teacher_asks_for_it():
    for law in (Gaussian(np.eye(3)), Empirical(X)):
        with pytest.raises(ValueError, match="^w_teacher must be given"):
            law.angle_tail(0.5)


def test_observed_points_have_an_angle_unless_they_are_zero():
    with pytest.raises(ValueError, match="^points must not hold a zero row"):
        Empirical([[1.0, 0.0], [0.0, 0.0]]).angle_tail(0.5, [1.0, 0.0])


def test_hard_labels_on_a_network_ask_for_a_step_size():
    layers = (np.ones((2, 3)), np.ones((1, 2)))
    with pytest.raises(ValueError, match="^step_size must be given"):
        distill_lib.gradient_descent(X, [0.0, 1.0], layers, steps=1)
    distill_lib.gradient_descent(X, [0.0, 1.0], layers, steps=1, step_size=0.1)


def test_inputs_that_are_zero_or_too_large_ask_for_a_step_size():
    for start in (W, (np.ones((2, 3)), np.ones((1, 2)))):
        for factor in (0.0, 1e200):  # whose square is no double
            with np.errstate(over="ignore"), pytest.raises(ValueError, match="^step_size must be"):
                distill_lib.gradient_descent(factor * X, Y, start, steps=1)


def test_span_coordinates_are_for_a_vector():
    layers = (np.ones((2, 3)), np.ones((1, 2)))
    for start, coordinates, got in (
        (layers, "span", "'span' with a start of layers"),
        (W, "output", "'output' with a start of a vector"),
    ):
        with pytest.raises(ValueError, match="^coordinates must be") as error:
            distill_lib.gradient_descent(X, Y, start, steps=1, coordinates=coordinates)
        assert str(error.value).endswith(f"if the start is a vector; got {got}")
