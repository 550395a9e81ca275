"""Shaken arithmetic: another machine's rounding, without another machine.

Python imports this file at its start where its folder is on PYTHONPATH (`make elsewhere` puts it
there). From then on every random draw, and the result of every elementary or special function and
of every factorisation, is off by one unit in the last place. SHAKEN says which way: "up" away from
0, "down" towards it, a number as the value's own bits say, another way for each number. The same
value is always moved the same way, and so is its double. What a number printed in the book does
then, it does on some processor.

What every machine computes exactly stays: integers, halves and their like, and multiples of pi / 4,
which the standard of C asks of arctangents.
"""

import math
import os

import numpy as np
import scipy.special

# Bits of the mantissa that are 0 in what is exact: 32 of 52. By chance, one in four billion.
EXACT = np.int64((1 << 32) - 1)
MANTISSA = np.int64((1 << 52) - 1)
RIGHT_ANGLES = [k * np.pi / 4 for k in range(-4, 5)]
# Fibonacci hashing: the top bit of this product is as good as a coin.
COIN = np.uint64(0x9E3779B97F4A7C15)
WAY = os.environ.get("SHAKEN", "1")

ELEMENTARY = """exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan arctan2 sinh
cosh tanh arcsinh arccosh arctanh power float_power hypot logaddexp logaddexp2 cbrt"""
SPECIAL = """expit logit log_expit ndtr ndtri log_ndtr erf erfc erfinv beta betaln betainc
betaincinv betaincc betainccinv gamma gammaln gammainc gammaincc xlogy xlog1py rel_entr kl_div
stdtr stdtrit"""
FACTORISATIONS = """cholesky det eig eigh eigvals eigvalsh inv lstsq norm pinv qr slogdet solve svd
svdvals vector_norm matrix_norm"""
PLAIN = """exp expm1 log log2 log10 log1p sin cos tan asin acos atan atan2 sinh cosh tanh asinh
acosh atanh pow hypot gamma lgamma erf erfc dist"""
DRAWS = """random uniform normal standard_normal exponential standard_exponential gamma
standard_gamma beta chisquare standard_t dirichlet laplace logistic lognormal triangular vonmises
multivariate_normal"""


def shaken(value):
    """Return a result with every double in it moved by one unit in the last place."""
    if isinstance(value, tuple):
        moved = [shaken(each) for each in value]
        return type(value)(*moved) if hasattr(value, "_fields") else tuple(moved)
    if getattr(value, "dtype", None) != np.float64:
        return shaken(np.float64(value)).item() if type(value) is float else value
    given_array = isinstance(value, np.ndarray)
    value = np.ascontiguousarray(value).reshape(np.shape(value))
    bits = value.view(np.int64)
    exact = (bits & EXACT == 0) | ~np.isfinite(value) | np.isin(value, RIGHT_ANGLES)
    moved = (bits + np.where(exact, 0, steps(bits & MANTISSA))).view(float)
    return moved if given_array else np.float64(moved)


def steps(bits):
    """Return 1 or -1 for each double: which way it is moved."""
    if WAY in ("up", "down"):
        return 1 if WAY == "up" else -1
    with np.errstate(over="ignore"):
        tossed = (bits.view(np.uint64) + np.uint64(WAY)) * COIN >> np.uint64(63)
    return 2 * tossed.astype(int) - 1


class Shaken:
    """A function whose results are shaken, and which is otherwise the function itself."""

    def __init__(self, function):
        self.function = function
        self.__doc__ = function.__doc__

    def __call__(self, *args, **options):
        result = self.function(*args, **options)
        out = options.get("out")
        out = out[0] if isinstance(out, tuple) else out
        if out is None:
            return shaken(result)
        out[...] = shaken(out)
        return out

    def __getattr__(self, name):
        return getattr(self.function, name)

    def __reduce__(self):
        return find, (self.function.__name__,)


def find(name):
    """Return a shaken function by its name, for processes that are told of it."""
    return next(getattr(place, name) for place in (np, scipy.special) if hasattr(place, name))


class Generator(np.random.Generator):
    """A generator whose draws are shaken."""

    def __reduce__(self):
        return Generator, (self.bit_generator,)


def draw(name):
    """Return a method whose draws are shaken."""
    method = getattr(np.random.Generator, name)

    def drawn(self, *args, **options):
        result = shaken(method(self, *args, **options))
        if options.get("out") is None:
            return result
        options["out"][...] = result
        return options["out"]

    return drawn


def default_rng(seed=None, *, make=np.random.default_rng):
    """Return a generator as numpy does, but a shaken one."""
    return seed if isinstance(seed, Generator) else Generator(make(seed).bit_generator)


for name in DRAWS.split():
    setattr(Generator, name, draw(name))
np.random.default_rng = default_rng
for names, place in (
    (ELEMENTARY, np),
    (SPECIAL, scipy.special),
    (FACTORISATIONS, np.linalg),
    (PLAIN, math),
):
    for name in names.split():
        if hasattr(place, name):
            setattr(place, name, Shaken(getattr(place, name)))
