"""What does one step of gradient descent on a deep linear student cost?

A student of depth 4 and width 256 learns 100 soft labels in dimension 200, in double
precision, from a balanced start of norm 0.1, with one fixed step size. It is trained by

* `distill_lib.balanced_descent`, which moves one number and one vector;
* `distill_lib.gradient_descent`, which moves the layers, with gradients written out by hand;
* PyTorch: ``nn.Linear`` layers, autograd, ``optim.SGD``;
* JAX: the gradient of the loss, ``fori_loop`` over the steps, all of it compiled;
* JAX again, told that a linear network may be multiplied together before it meets the inputs,
  which a network with activations may not. It isn't what one writes for a network, but it shows
  how much of the difference is this, and how much is that balanced layers have rank one.

Why this is fair: all follow the same iterates (compared first, every 50 steps), in one process,
on the CPU, and record nothing on their way. PyTorch and JAX take as many threads as they do by
default; numpy gets one. The times of JAX are without its compilation; those of distill_lib are
with its checks of the arguments.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import torch
from threadpoolctl import threadpool_limits
from timing import circumstances, interleaved, spread

import distill_lib as dl

DIM, INPUTS, DEPTH, WIDTH = 200, 100, 4, 256
STEP_SIZE, STEPS, COMPARE_EVERY = 0.2, 1000, 50
TOLERANCE = 1e-8

jax.config.update("jax_enable_x64", True)


def make_problem():
    """Return inputs, labels, the start end to end, and its balanced layers."""
    rng = np.random.default_rng(0)
    X = dl.IsotropicGaussian(DIM).sample(INPUTS, rng)
    w_teacher, w0 = rng.standard_normal((2, DIM))
    labels = dl.soft_labels(X, w_teacher / np.linalg.norm(w_teacher))
    w0 *= 0.1 / np.linalg.norm(w0)
    return X, labels, w0, dl.balanced_layers(w0, DEPTH, width=WIDTH, rng=rng)


class TorchDescent:
    """The network, its optimiser and its data, ready to take steps."""

    def __init__(self, X, labels, layers):
        sizes = [(W.shape[1], W.shape[0]) for W in layers]
        linear = [torch.nn.Linear(*size, bias=False, dtype=torch.float64) for size in sizes]
        self.network = torch.nn.Sequential(*linear)
        with torch.no_grad():
            for parameter, W in zip(self.network.parameters(), layers, strict=True):
                parameter.copy_(torch.from_numpy(W))
        self.optimiser = torch.optim.SGD(self.network.parameters(), lr=STEP_SIZE)
        self.X, self.labels = torch.from_numpy(X), torch.from_numpy(labels)[:, None]
        self.loss = torch.nn.BCEWithLogitsLoss()

    def take(self, steps):
        """Take so many steps and return the layers."""
        for _ in range(steps):
            self.optimiser.zero_grad()
            self.loss(self.network(self.X), self.labels).backward()
            self.optimiser.step()
        return [W.detach().numpy() for W in self.network.parameters()]


def through_the_layers(layers, X):
    """Return the logits of a network, one layer after the other."""
    for W in layers:
        X = X @ W.T
    return X[:, 0]


def multiplied_first(layers, X):
    """Return the same logits from the end-to-end weights."""
    w = layers[-1]
    for W in reversed(layers[:-1]):
        w = w @ W
    return X @ w[0]


@partial(jax.jit, static_argnums=0)
def jax_descent(network, layers, X, labels, steps):
    """Take so many steps and return the layers."""

    def loss(layers):
        logits = network(layers, X)
        return jnp.mean(jnp.logaddexp(0.0, logits) - labels * logits)

    def step(_, layers):
        return [W - STEP_SIZE * G for W, G in zip(layers, jax.grad(loss)(layers), strict=True)]

    return jax.lax.fori_loop(0, steps, step, layers)


def torch_iterates(X, labels, layers):
    """Return what PyTorch's network computes with, every COMPARE_EVERY steps."""
    descent = TorchDescent(X, labels, layers)
    found = [dl.end_to_end(descent.take(0))]
    for _ in range(STEPS // COMPARE_EVERY):
        found.append(dl.end_to_end(descent.take(COMPARE_EVERY)))
    return np.array(found)


def jax_iterates(network, X, labels, layers):
    """Return the same for JAX."""
    layers, found = list(layers), []
    for steps in [0] + [COMPARE_EVERY] * (STEPS // COMPARE_EVERY):
        layers = jax_descent(network, layers, X, labels, steps)
        found.append(dl.end_to_end([np.asarray(W) for W in layers]))
    return np.array(found)


def check_iterates(X, labels, w0, layers):
    """Print how far apart the descents are; raise if that is more than rounding."""
    options = dict(step_size=STEP_SIZE, steps=STEPS, record_every=COMPARE_EVERY)
    ours = dl.balanced_descent(X, labels, w0, DEPTH, **options)
    others = {
        "distill_lib.gradient_descent": dl.gradient_descent(X, labels, layers, **options).weights,
        "PyTorch": torch_iterates(X, labels, layers),
        "JAX": jax_iterates(through_the_layers, X, labels, layers),
        "JAX, multiplied first": jax_iterates(multiplied_first, X, labels, layers),
    }
    print(f"loss {ours.loss[0]:.3g} at the start, {ours.loss[-1]:.3g} after {STEPS} steps")
    for name, weights in others.items():
        apart = np.abs(weights - ours.weights).max()
        if not apart <= TOLERANCE:
            raise AssertionError(f"{name} is {apart:.1e} away from balanced_descent")
        print(f"{name:29s} same iterates up to {apart:.0e}")


def measure(X, labels, w0, layers):
    """Print the time of a step of each, and its ratio to balanced_descent's."""
    options = dict(step_size=STEP_SIZE, steps=STEPS, record_every=STEPS)
    data = [jnp.asarray(W) for W in layers], jnp.asarray(X), jnp.asarray(labels), STEPS
    tasks = {
        "balanced_descent": lambda: dl.balanced_descent(X, labels, w0, DEPTH, **options),
        "gradient_descent": lambda: dl.gradient_descent(X, labels, layers, **options),
        "PyTorch": lambda: TorchDescent(X, labels, layers).take(STEPS),
        "JAX": lambda: jax.block_until_ready(jax_descent(through_the_layers, *data)),
        "JAX, multiplied first": lambda: jax.block_until_ready(
            jax_descent(multiplied_first, *data)
        ),
    }
    per_step = {
        name: [1e6 * seconds / STEPS for seconds in times]
        for name, times in interleaved(tasks).items()
    }
    ours, _ = spread(per_step["balanced_descent"])
    print(f"\n{'microseconds a step':22s} {'median':>8s}  {'least to largest':>18s}  {'ratio':>6s}")
    for name, times in per_step.items():
        median, around = spread(times)
        print(f"{name:22s} {median:8,.1f}  {around:>18s}  {median / ours:6.1f}")
    faster = min(("PyTorch", "JAX"), key=lambda name: spread(per_step[name])[0])
    ratio = spread(per_step[faster])[0] / ours
    least = min(per_step["PyTorch"] + per_step["JAX"]) / min(per_step["balanced_descent"])
    print(f"\nThe faster of PyTorch and JAX is {faster}, at {ratio:.0f} times (wanted: 80);")
    print(f"by the least times instead of the medians: {least:.0f} times")


def main():
    """Compare the iterates, then the times."""
    problem = make_problem()
    with threadpool_limits(1, user_api="blas"):
        print(circumstances("numpy", "torch", "jax"))
        check_iterates(*problem)
        measure(*problem)


if __name__ == "__main__":
    main()
