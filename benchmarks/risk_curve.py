"""What does the risk at every size of the transfer set cost?

Dimension 500, sizes n = 1, ..., 500, inputs for which the risk is a function of the student's
angle: isotropic ones, and `PolynomialAngles` of easiness 1. Per trial, beyond drawing the
inputs:

* `distill_lib.risk_curve`, checks and summary included, and a fiftieth of what it does once a
  call, as it runs 50 trials (for `PolynomialAngles` it tabulates the risk);
* one QR factorisation of the same 500 x 500 matrix, R only, by LAPACK: through numpy, and
  through scipy in place. It answers nothing yet; it is what any answer from one factorisation
  has to pay;
* one least-squares solve (``numpy.linalg.lstsq``) for each n, all 500 of them, which is what
  one would write first. Its answers need no more than an angle each; that isn't counted.

Why this is fair: the same matrices, drawn from the same children of the same generator; all
run interleaved in one process, and all on one thread, since trials run side by side (`n_jobs`)
better than a factorisation of this size does. Every task draws its own inputs, as `risk_curve`
must, and the time of drawing alone, measured in the same round, is taken off each. The answers
are compared first.
"""

import numpy as np
from scipy.linalg import lapack
from threadpoolctl import threadpool_limits
from timing import circumstances, interleaved, spread

import distill_lib as dl

DIM, SEED, TRIALS = 500, 0, 50
SIZES = np.arange(1, DIM + 1)
# Its own trials: each takes as long as hundreds of the others.
SOLVED_TRIALS = 1
TOLERANCE = 1e-8


def draw(inputs, trials):
    """Yield the matrices that `risk_curve` draws for its trials."""
    for child in np.random.default_rng(SEED).spawn(trials):
        yield inputs.sample(DIM, child)


def curve(inputs, w_teacher, trials):
    """Return the mean risk at every size, by distill_lib."""
    rng = np.random.default_rng(SEED)
    return dl.risk_curve(inputs, w_teacher, SIZES, trials=trials, rng=rng).mean


def students(X, w_teacher):
    """Return the students of X[:1], ..., X[:500], by one least-squares solve each."""
    return [np.linalg.lstsq(X[:n], X[:n] @ w_teacher)[0] for n in SIZES]


def check_answers(inputs, w_teacher):
    """Print how far apart the two curves of two trials are; raise if more than rounding."""
    angles = [
        [min(dl.angle(w, w_teacher), np.pi / 2) for w in students(X, w_teacher)]
        for X in draw(inputs, 2)
    ]
    expected = dl.axial_risk(np.array(angles), inputs).mean(axis=0)
    apart = np.abs(curve(inputs, w_teacher, 2) - expected).max()
    if not apart <= TOLERANCE:
        raise AssertionError(f"risk_curve is {apart:.1e} away from one solve for each n")
    print(f"same risks as by one solve for each n, up to {apart:.0e}")


def measure(inputs, w_teacher):
    """Print the cost of each task per trial, and its ratio to distill_lib's."""
    workspace, _ = lapack.dgeqrf_lwork(DIM, DIM)

    def each(task, trials=TRIALS):
        for X in draw(inputs, trials):
            task(X)

    tasks = {
        "drawing": lambda: each(lambda X: None),
        "risk_curve": lambda: curve(inputs, w_teacher, TRIALS),
        "QR, scipy": lambda: each(
            lambda X: lapack.dgeqrf(X.T, lwork=int(workspace), overwrite_a=True)
        ),
        "QR, numpy": lambda: each(lambda X: np.linalg.qr(X.T, mode="r")),
        "one solve for each n": lambda: each(lambda X: students(X, w_teacher), SOLVED_TRIALS),
    }
    seconds = {name: np.array(times) for name, times in interleaved(tasks).items()}
    per_trial = {name: 1e3 * times / TRIALS for name, times in seconds.items()}
    per_trial["one solve for each n"] *= TRIALS / SOLVED_TRIALS
    drawing = per_trial.pop("drawing")
    beyond = {name: times - drawing for name, times in per_trial.items()}

    ours = np.median(beyond["risk_curve"])
    print(f"{'milliseconds a trial':22s} {'median':>8s}  {'least to largest':>18s}  {'ratio':>6s}")
    whole = {"drawing": drawing, "risk_curve, whole": per_trial["risk_curve"]}
    for name, times in {**whole, **beyond}.items():
        median, around = spread(times)
        ratio = "" if name in whole else f"{median / ours:6.2f}"
        print(f"{name:22s} {median:8,.1f}  {around:>18s}  {ratio}")
    costs = {name: np.median(times) for name, times in beyond.items()}
    print(f"By the medians, risk_curve costs {ratios(costs)}.")
    # The difference of the least times: the least difference would be the one most disturbed.
    costs = {name: min(times) - min(drawing) for name, times in per_trial.items()}
    print(f"By the least times: {ratios(costs)}.")


def ratios(costs):
    """Say what risk_curve costs next to its peers."""
    factorisation = costs["risk_curve"] / min(costs["QR, scipy"], costs["QR, numpy"])
    solves = costs["one solve for each n"] / costs["risk_curve"]
    return (
        f"{factorisation:.2f} times the faster QR (wanted: at most 2), "
        f"{solves:.0f} times less than one solve for each n (wanted: 300)"
    )


def main():
    """Compare the answers, then the times, for both kinds of inputs."""
    w_teacher = np.random.default_rng(1).standard_normal(DIM)
    laws = {
        "isotropic inputs": dl.IsotropicGaussian(DIM),
        "polynomial angles, easiness 1": dl.PolynomialAngles(w_teacher, 1.0),
    }
    with threadpool_limits(1, user_api="blas"):
        for name, inputs in laws.items():
            print(f"{name}\n{circumstances('numpy', 'scipy')}")
            check_answers(inputs, w_teacher)
            measure(inputs, w_teacher)
            print()


if __name__ == "__main__":
    main()
