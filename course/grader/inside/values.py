"""Answers and arguments as what JSON has, on both sides of the sandbox's wall."""

import array
from decimal import Decimal
from fractions import Fraction

import numpy as np

ENTRIES = 200_000  # of one answer
CHARACTERS = 1_000  # of an answer that is a text, or of an error's message


class Refused(Exception):
    """A value that is no number, text, list or array; or one that is too large."""


def encode(value, room=ENTRIES, depth=0):
    """Return a value as what JSON has, or raise Refused.

    Numbers, texts, lists and arrays may come in any dress: of a subclass, mapped into memory,
    masked where nothing is masked, complex without an imaginary part.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= CHARACTERS:
        return str.__str__(value)
    if isinstance(value, array.array) and value.typecode != "u":
        value = np.asarray(value)
    if isinstance(value, np.generic):
        if value.dtype != np.float32:
            return encode(value.astype(float).item() if value.dtype.kind == "f" else value.item())
        value = np.asarray(value)
    if isinstance(value, (int, float, complex, Fraction, Decimal)):
        return plain_number(value)
    if isinstance(value, (list, tuple)) and len(value) <= room and depth < 8:
        return [encode(part, room // max(len(value), 1), depth + 1) for part in value]
    if isinstance(value, np.ndarray) and value.size <= room:
        return encode_array(value)
    raise Refused


def plain_number(value):
    """Return a number as one of Python's own types."""
    if isinstance(value, complex):
        if value.imag:
            raise Refused
        value = value.real
    if isinstance(value, int):
        if abs(value) >= 2**63:
            raise Refused
        return int(value)
    return float(value)


def encode_array(value):
    """Return an array as what JSON has."""
    if np.ma.is_masked(value):
        raise Refused
    value = np.asarray(value)  # of a subclass, what it holds
    kind = value.dtype.kind
    if kind == "c" and not value.imag.any():
        value, kind = value.real, "f"
    if kind == "O":
        parts = [encode(part) for part in value.ravel()]
        parts = [decode(part).item() if isinstance(part, dict) else part for part in parts]
        if not all(isinstance(part, (bool, int, float)) for part in parts):
            raise Refused
        types = {type(part) for part in parts}
        if bool in types and len(types) > 1:
            raise Refused
        kind = "b" if bool in types else "i" if types == {int} else "f"
        return {"array": parts, "shape": value.shape, "kind": kind}
    if kind not in "biuf":
        raise Refused
    if value.dtype == np.float32:
        kind = "s"
    if kind in "fs":
        value = value.astype(float)
    return {"array": value.ravel().tolist(), "shape": value.shape, "kind": kind}


def decode(data, integer=np.int64):
    """Return what encode was given, tuples as lists; integer arrays get that type."""
    if isinstance(data, list):
        return [decode(part, integer) for part in data]
    if isinstance(data, dict):
        kinds = {"b": bool, "i": integer, "u": integer, "f": float, "s": np.float32}
        kind = kinds[data["kind"]]
        return np.array(data["array"], dtype=kind).reshape(data["shape"])
    return data
