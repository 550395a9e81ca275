"""What goes in and what comes out? Arrays, whose shapes are said in words.

A type checker sees arrays of doubles; the words are for whoever reads. What an argument's shape
must be stands in the docstring, and is checked when the function is called.
"""

from typing import Annotated, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = Annotated[NDArray[np.float64], "shape (d,): weights; or (n,): one per input"]
Matrix: TypeAlias = Annotated[NDArray[np.float64], "shape (n, d): one input per row"]
Floats: TypeAlias = Annotated[NDArray[np.float64], "any shape"]
# The shape of the argument, of which one number is a case.
LikeIts: TypeAlias = Annotated[NDArray[np.float64] | np.float64, "as many as came in"]
Counts: TypeAlias = Annotated[NDArray[np.int_], "shape (k,): whole numbers"]
Network: TypeAlias = Annotated[tuple[NDArray[np.float64], ...], "W_1, ..., W_N"]
