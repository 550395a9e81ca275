"""What is measured, against what, and how we know that both did the same.

A case is a problem. Setting it up returns who solves it: first this library, then what one would
use instead. Each says what it must answer (what this library answered), and how near it must come.
Everybody has one thread.
"""

import os

# Before anything reads them. JAX has no other switch.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import torch
from scipy import optimize, special
from scipy.linalg import lapack
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC, LinearSVC

import distill_lib as dl

torch.set_num_threads(1)
jax.config.update("jax_enable_x64", True)


@dataclass(frozen=True)
class Contender:
    """One way to solve a case."""

    name: str
    package: str  # whose version counts
    run: Callable  # what is timed
    expected: np.ndarray | None = None  # what the answer must be; None: it is the measure itself
    tolerance: float = 0.0  # largest difference allowed, relative to the largest entry expected
    read: Callable = np.asarray  # finds the answer in what `run` returned; isn't timed
    units: float = 1.0  # the seconds are divided by this
    work: str = ""  # what was run, for the table


@dataclass(frozen=True)
class Case:
    """A problem: its group, its name, and the function that sets it up."""

    group: str
    name: str
    contenders: int  # how many
    make: Callable  # returns them, this library first


def distance(found, expected):
    """Return the largest difference, relative to the largest entry."""
    return float(np.abs(np.subtract(found, expected)).max() / np.abs(expected).max())


def unit_vector(d, rng):
    """Return a random direction."""
    w = rng.standard_normal(d)
    return w / np.linalg.norm(w)


# ---- 1. The closed-form student and its risk, at every size n = 1, ..., d ----

FEW = 4  # sizes, in the middle of the quarters of 1, ..., d, where all would take too long


def logistic_regression(X, labels):
    """Fit soft labels with scikit-learn: each input is there twice, once with either label."""
    model = LogisticRegression(C=1e8, fit_intercept=False, tol=1e-10, max_iter=100_000)
    hard = np.repeat([1, 0], len(X))
    model.fit(np.vstack([X, X]), hard, sample_weight=np.append(labels, 1 - labels))
    return model.coef_[0]


def torch_lbfgs(X, labels):
    """Fit soft labels from zero with PyTorch's L-BFGS."""
    X, labels = torch.from_numpy(X), torch.from_numpy(labels)
    w = torch.zeros(X.shape[1], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [w], max_iter=10**5, max_eval=10**6, tolerance_grad=1e-10, tolerance_change=0,
        history_size=10, line_search_fn="strong_wolfe",
    )  # fmt: skip
    loss = torch.nn.BCEWithLogitsLoss()

    def closure():
        optimiser.zero_grad()
        value = loss(X @ w, labels)
        value.backward()
        return value

    optimiser.step(closure)
    return w.detach().numpy()


def every_size(d):
    """Isotropic inputs, for which the risk is the angle over pi."""
    rng = np.random.default_rng(d)
    X, w_teacher = rng.standard_normal((d, d)), unit_vector(d, rng)
    labels = dl.soft_labels(X, w_teacher)
    every, few = np.arange(1, d + 1), d * (2 * np.arange(FEW) + 1) // (2 * FEW)

    def ours():
        dl.nested_students(X, w_teacher)
        return dl.nested_angles(X, w_teacher) / np.pi

    def by_lstsq(n):
        return np.linalg.lstsq(X[:n], X[:n] @ w_teacher)[0]

    def fitted(fit, n):
        return fit(X[:n], labels[:n])

    def each(student, sizes):
        return [dl.angle(student(n), w_teacher) / np.pi for n in sizes]

    risks = ours()
    alone = partial(dl.nested_angles, X, w_teacher)

    def peer(name, package, student, sizes, tolerance):
        scaled = f", scaled to {d:,}" if len(sizes) < d else ""
        return Contender(
            name, package, partial(each, student, sizes), risks[sizes - 1], tolerance,
            units=len(sizes) / d, work=f"{len(sizes)} sizes{scaled}",
        )  # fmt: skip

    return [
        Contender("distill_lib", "distill_lib", ours, work="students and risks"),
        Contender(
            "distill_lib, risks only", "distill_lib", alone, np.pi * risks, 1e-9, work="risks"
        ),
        peer("numpy lstsq", "numpy", by_lstsq, every if d == 100 else few, 1e-9),
        peer("scikit-learn", "scikit-learn", partial(fitted, logistic_regression), few, 1e-5),
        peer("PyTorch LBFGS", "torch", partial(fitted, torch_lbfgs), few, 1e-5),
    ]


# ---- 2. Descent at depth one ----

DESCENT_TOL = 1e-8
MOST_STEPS = 10_000


def loss_and_gradient(w, X, labels):
    """Return both, for scipy."""
    logits = X @ w
    loss = np.mean(np.logaddexp(0.0, logits) - labels * logits)
    return loss, (special.expit(logits) - labels) @ X / len(X)


@partial(jax.jit, static_argnums=4)
def jax_vector_descent(w, X, labels, step_size, steps):
    """Take so many steps and return the weights."""

    def loss(w):
        logits = X @ w
        return jnp.mean(jnp.logaddexp(0.0, logits) - labels * logits)

    return jax.lax.fori_loop(0, steps, lambda _, w: w - step_size * jax.grad(loss)(w), w)


def torch_vector_descent(X, labels, step_size, steps):
    """Take so many steps of SGD on all inputs and return the weights."""
    linear = torch.nn.Linear(X.shape[1], 1, bias=False, dtype=torch.float64)
    torch.nn.init.zeros_(linear.weight)
    optimiser = torch.optim.SGD(linear.parameters(), lr=step_size)
    return TorchDescent(linear, optimiser, X, labels).take(steps)[0][0]


def steps_needed(X, labels, w_teacher, step_size):
    """Return how many steps bring the gradient's norm to DESCENT_TOL, the loss being quadratic."""
    w = dl.closed_form_student(X, w_teacher)
    p = special.expit(X @ w)
    size, V = np.linalg.eigh((X * (p * (1 - p))[:, None]).T @ X / len(X))
    gradient = -size * (V.T @ w)  # at zero
    norm = lambda k: np.linalg.norm((1 - step_size * size) ** k * gradient) - DESCENT_TOL  # noqa: E731
    return optimize.brentq(norm, 1, 1e12)


def descent(n, d=200):
    """Everyone takes as many steps as ours needs; only ours looks when it is there."""
    rng = np.random.default_rng(n)
    X, w_teacher = rng.standard_normal((n, d)), unit_vector(d, rng)
    labels, start, step_size = dl.soft_labels(X, w_teacher), np.zeros(d), 1 / dl.smoothness(X)
    options = dict(step_size=step_size, steps=MOST_STEPS, tol=DESCENT_TOL, record_every=MOST_STEPS)
    run = dl.gradient_descent(X, labels, start, **options)
    steps, w = int(run.steps[-1]), run.weights[-1]
    norm = np.linalg.norm(loss_and_gradient(w, X, labels)[1])
    work = f"{steps:,} steps to a gradient of {norm:.0e}"
    read, near = np.asarray, 1e-5
    if not run.converged:
        work += f"; 1e-08 would take about {steps_needed(X, labels, w_teacher, step_size):.0e}"
        # Then weights of the same gradient may be far apart. We compare what they cost.
        read = lambda w: loss_and_gradient(w, X, labels)[0]  # noqa: E731
    data = jnp.zeros(d), jnp.asarray(X), jnp.asarray(labels), step_size, steps
    bound = dict(gtol=norm / np.sqrt(d), ftol=0.0, maxiter=10**5, maxfun=10**6)

    def ours(coordinates):
        return dl.gradient_descent(X, labels, start, coordinates=coordinates, **options).weights[-1]

    def by_torch():
        return torch_vector_descent(X, labels, step_size, steps)

    def by_jax():
        return jax.block_until_ready(jax_vector_descent(*data))

    def once_by_jax():
        jax.clear_caches()
        return by_jax()

    def lbfgs():
        # Its bound is one on the largest entry of the gradient.
        data = X, labels
        return optimize.minimize(
            loss_and_gradient, start, data, "L-BFGS-B", jac=True, options=bound
        )

    found = lbfgs()
    assert np.linalg.norm(found.jac) <= norm
    taken = f"{steps:,} steps"
    same = dict(expected=w, tolerance=1e-12, work=taken)
    limit = dict(expected=read(w), tolerance=near)
    return [
        Contender("distill_lib", "distill_lib", partial(ours, "input"), work=work),
        Contender("distill_lib, span", "distill_lib", partial(ours, "span"), **same),
        Contender("PyTorch SGD", "torch", by_torch, **same),
        Contender("JAX", "jax", by_jax, **same),
        Contender("JAX, compiling included", "jax", once_by_jax, **same),
        Contender(
            "scipy L-BFGS-B", "scipy", lbfgs, read=lambda result: read(result.x),
            work=f"{found.nit:,} iterations to the same gradient", **limit,
        ),
        Contender(
            "distill_lib, closed form", "distill_lib",
            partial(dl.closed_form_student, X, w_teacher), read=read,
            work="the limit itself", **limit,
        ),
    ]  # fmt: skip


# ---- 3. A step of deep descent ----


class TorchDescent:
    """A network, its optimiser and its data, ready to take steps."""

    def __init__(self, network, optimiser, X, labels):
        self.network, self.optimiser = network, optimiser
        self.X, self.labels = torch.from_numpy(X), torch.from_numpy(labels)[:, None]
        self.loss = torch.nn.BCEWithLogitsLoss()

    def take(self, steps):
        """Take so many steps and return the layers."""
        for _ in range(steps):
            self.optimiser.zero_grad()
            self.loss(self.network(self.X), self.labels).backward()
            self.optimiser.step()
        return [W.detach().numpy() for W in self.network.parameters()]


def torch_network(layers, step_size, X, labels):
    """Return linear layers in PyTorch."""
    sizes = [(W.shape[1], W.shape[0]) for W in layers]
    linear = [torch.nn.Linear(*size, bias=False, dtype=torch.float64) for size in sizes]
    network = torch.nn.Sequential(*linear)
    with torch.no_grad():
        for parameter, W in zip(network.parameters(), layers, strict=True):
            parameter.copy_(torch.from_numpy(W))
    return TorchDescent(network, torch.optim.SGD(network.parameters(), lr=step_size), X, labels)


def through_the_layers(layers, X):
    """Return the logits of a network, one layer after the other."""
    for W in layers:
        X = X @ W.T
    return X[:, 0]


def multiplied_first(layers, X):
    """Return the same logits from the end-to-end weights, as no network with activations may."""
    w = layers[-1]
    for W in reversed(layers[:-1]):
        w = w @ W
    return X @ w[0]


@partial(jax.jit, static_argnums=(0, 4, 5))
def jax_descent(network, layers, X, labels, step_size, steps):
    """Take so many steps and return the layers."""

    def loss(layers):
        logits = network(layers, X)
        return jnp.mean(jnp.logaddexp(0.0, logits) - labels * logits)

    def step(_, layers):
        return [W - step_size * G for W, G in zip(layers, jax.grad(loss)(layers), strict=True)]

    return jax.lax.fori_loop(0, steps, step, layers)


def deep_descent(depth, width, d=200, n=100, step_size=0.2, our_steps=1000):
    """A balanced start of norm 0.1. The more weights, the fewer steps the explicit layers take."""
    rng = np.random.default_rng(0)
    X, w_teacher = rng.standard_normal((n, d)), unit_vector(d, rng)
    labels, w0 = dl.soft_labels(X, w_teacher), 0.1 * unit_vector(d, rng)
    layers = dl.balanced_layers(w0, depth, width=width, rng=rng)
    steps = int(np.clip(2.4e7 / sum(W.size for W in layers), 4, our_steps))

    def ours(steps):
        options = dict(step_size=step_size, steps=steps, record_every=steps)
        return dl.balanced_descent(X, labels, w0, depth, **options).weights[-1] - w0

    def by_layers():
        options = dict(step_size=step_size, steps=steps, record_every=steps)
        return dl.gradient_descent(X, labels, layers, **options).weights[-1] - w0

    # PyTorch goes on where it was; a step takes as long anywhere.
    network = torch_network(layers, step_size, X, labels)
    data = [jnp.asarray(W) for W in layers], jnp.asarray(X), jnp.asarray(labels), step_size, steps

    def by_jax(how):
        return jax.block_until_ready(jax_descent(how, *data))

    def moved(layers):
        return dl.end_to_end([np.asarray(W) for W in layers]) - w0

    same = dict(expected=ours(steps), tolerance=1e-10, units=steps, work=f"{steps:,} steps")
    once = partial(by_jax, multiplied_first)
    return [
        Contender("distill_lib", "distill_lib", partial(ours, our_steps), units=our_steps,
                  work=f"{our_steps:,} steps"),
        Contender("distill_lib, layers", "distill_lib", by_layers, **same),
        Contender("PyTorch", "torch", lambda: network.take(steps), read=moved, **same),
        Contender("JAX", "jax", partial(by_jax, through_the_layers), read=moved, **same),
        Contender("JAX, layers multiplied first", "jax", once, read=moved, **same),
    ]  # fmt: skip


# ---- 4. The expected risk, to a standard error of 1e-3 ----

ERROR = 1e-3
PILOT = 1000  # trials, to know how many are needed
POINTS = 100  # inputs on which the naive way tests a student


def needed(variance):
    """Return how many trials make the standard error ERROR."""
    return max(int(np.ceil(variance / ERROR**2)), 20)


def checked_mean(mean, error):
    """Return the mean, and refuse it if its standard error isn't ERROR."""
    # Over 20 trials this is itself uncertain by a sixth: three of those.
    assert np.max(error) < 1.5 * ERROR, f"standard error {np.max(error):.1e}"
    return mean


def naive_risk(inputs, w_teacher, n, trials):
    """Test the student of each trial on fresh inputs; return mean and standard error."""
    risks = []
    for rng in np.random.default_rng(1).spawn(trials):
        X = inputs.sample(n, rng)
        w = np.linalg.lstsq(X, X @ w_teacher)[0]
        fresh = inputs.sample(POINTS, rng)
        risks.append(np.mean((fresh @ w >= 0) != (fresh @ w_teacher >= 0)))
    return np.mean(risks), np.std(risks, ddof=1) / np.sqrt(trials)


def monte_carlo(easiness, d, every):
    """One size, a tenth of the dimension; or every size from there, this error at each."""
    w_teacher, least = unit_vector(d, np.random.default_rng(d)), d // 10
    inputs = dl.PolynomialAngles(w_teacher, easiness)
    sizes = np.arange(least, d if every else least + 1)
    solved = np.linspace(0, len(sizes), 2 * FEW + 1).astype(int)[1::2] if every else np.array([0])

    def curve(trials, seed):
        rng = np.random.default_rng(seed)
        return dl.risk_curve(inputs, w_teacher, sizes, trials=trials, rng=rng)

    pilot = curve(PILOT, 0)
    variance = PILOT * pilot.standard_error**2
    coin = pilot.mean - pilot.mean**2 - variance  # of a test point, given the student
    trials = needed(variance.max())
    each = [needed(v) for v in (variance + coin / POINTS)[solved]]

    def naive():
        chosen = zip(sizes[solved], each, strict=True)
        return [naive_risk(inputs, w_teacher, n, trials) for n, trials in chosen]

    # Five standard errors of a difference.
    same = dict(
        expected=pilot.mean[solved], tolerance=5 * np.sqrt(2) * ERROR / pilot.mean[solved].max()
    )
    scaled = f", {FEW} of {len(sizes)} sizes, scaled" if every else ""
    return [
        Contender(
            "distill_lib", "distill_lib", partial(curve, trials, 2), **same,
            read=lambda curve: checked_mean(curve.mean, curve.standard_error)[solved],
            work=f"{trials:,} trials, {trials * sizes[-1]:,} inputs",
        ),
        Contender(
            "naive", "numpy", naive, **same, units=len(solved) / len(sizes),
            read=lambda found: checked_mean(*np.transpose(found)),
            work=f"{sum(each):,} trials, {np.dot(each, sizes[solved] + POINTS):,} inputs{scaled}",
        ),
    ]  # fmt: skip


# ---- 5. The max-margin student ----


def by_nnls(Z):
    """Solve the dual: the residual of nonnegative least squares is along the separator."""
    target = np.append(np.zeros(Z.shape[1]), 1.0)
    weights, _ = optimize.nnls(np.vstack([Z.T, np.ones(len(Z))]), target)
    return weights @ Z


def max_margin(n, d):
    """Isotropic inputs. Only directions are compared: a large C leaves the margin just below 1."""
    rng = np.random.default_rng(n)
    X, w_teacher = rng.standard_normal((n, d)), unit_vector(d, rng)
    hard = dl.hard_labels(X, w_teacher)
    signs = 2 * hard - 1

    def svc():
        # It insists on an intercept; mirrored data leave it at 0.
        model = SVC(kernel="linear", C=1e10, tol=1e-8)
        return model.fit(np.vstack([X, -X]), np.append(signs, -signs)).coef_[0]

    def linear_svc():
        model = LinearSVC(C=1e4, loss="hinge", fit_intercept=False, tol=1e-8, max_iter=10**6)
        return model.fit(X, signs).coef_[0]

    def nnls():
        return by_nnls(signs[:, None] * X)

    def direction(w):
        return w / np.linalg.norm(w)

    ours = partial(dl.max_margin_student, X, hard)
    same = dict(expected=direction(ours()), read=direction)
    return [
        Contender("distill_lib", "distill_lib", ours),
        Contender("scipy nnls", "scipy", nnls, tolerance=1e-10, **same),
        Contender("scikit-learn SVC", "scikit-learn", svc, tolerance=1e-4, **same),
        Contender("scikit-learn LinearSVC", "scikit-learn", linear_svc, tolerance=1e-4, **same),
    ]  # fmt: skip


# ---- 6. Seconds for 10^9 floating-point operations ----


def operations(d):
    """A trial of the whole curve factorises a d x d matrix: 4/3 d^3 operations."""
    inputs, w_teacher = dl.IsotropicGaussian(d), unit_vector(d, np.random.default_rng(d))
    trials = max(2, int(1e9 / d**3))
    billions = trials * 4 / 3 * d**3 / 1e9
    rng = np.random.default_rng(0)
    matrices = rng.standard_normal((trials, d, d))
    workspace, _ = lapack.dgeqrf_lwork(d, d)
    A, B = rng.standard_normal((2, 1000, 1000))

    def curve():
        rng = np.random.default_rng(0)
        return dl.risk_curve(inputs, w_teacher, np.arange(1, d + 1), trials=trials, rng=rng).mean

    def factorise():
        for X in matrices:
            lapack.dgeqrf(X.T, lwork=int(workspace))

    def drawing():
        for child in np.random.default_rng(0).spawn(trials):
            inputs.sample(d, child)

    work = f"{trials:,} trials"
    return [
        Contender("distill_lib", "distill_lib", curve, units=billions, work=work),
        Contender("LAPACK QR alone", "scipy", factorise, units=billions, work=work),
        Contender("drawing alone", "numpy", drawing, units=billions, work=work),
        Contender("matrix multiply", "numpy", lambda: A @ B, units=2.0, work="1,000 x 1,000"),
    ]


STUDENTS = "1 students"
DESCENT = "2 descent"
DEEP = "3 deep step"
RISK = "4 risk"
MARGIN = "5 margin"
RATE = "6 rate"

CASES = [
    *(Case(STUDENTS, f"d = {d}", 5, partial(every_size, d)) for d in (100, 500, 1000)),
    *(Case(DESCENT, f"n = {n}, d = 200", 7, partial(descent, n)) for n in (50, 100, 200)),
    *(
        Case(DEEP, f"depth {depth}, width {width}", 5, partial(deep_descent, depth, width))
        for depth in (2, 4, 8)
        for width in (16, 64, 256, 1024)
    ),
    *(
        Case(RISK, f"easiness {kappa}, d = {d}, {what}", 2, partial(monte_carlo, kappa, d, every))
        for d in (50, 200)
        for kappa, every, what in (
            (0.25, False, f"n = {d // 10}"),
            (0.5, False, f"n = {d // 10}"),
            (0.5, True, f"every n from {d // 10}"),
        )
    ),
    *(
        Case(MARGIN, f"n = {n}, d = {d}", 4, partial(max_margin, n, d))
        for n, d in ((100, 200), (200, 100), (1000, 20))
    ),
    *(Case(RATE, f"d = {d}", 4, partial(operations, d)) for d in (100, 500, 1000)),
]
