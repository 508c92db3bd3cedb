"""Labels that are names, as the indices of classes; and those that are one-hot rows."""

from __future__ import annotations

import warnings

import numpy as np

from loihiconv.core.errors import InvalidData
from loihiconv.core.linear import Array

SHOWN = 12
"""Names that a message lists."""


def numbered(y: Array, classes: int | None = None) -> Array:
    """Labels as numbers: digits in text as what they say, other names as their places in alphabetical order; numbers as they are.

    Parameters
    ----------
    y : array (N,)
    classes : int, optional
        Of the network: names have to be as many, or their order says nothing.

    Raises
    ------
    InvalidData
        If there are fewer or more names than classes, or labels are neither names nor numbers.

    Warns
    -----
    UserWarning
        Which name has become which class.
    """
    if y.dtype.kind not in "USO":
        return y
    texts = [v.decode(errors="replace") if isinstance(v, bytes) else v for v in y.ravel().tolist()]
    if not all(isinstance(text, str) for text in texts):
        remedy = "number the classes: np.unique(y, return_inverse=True)[1]"
        raise InvalidData(f"labels of type {y.dtype}", where="labels", limit="class indices or names expected", remedy=remedy)
    if all(text.strip().isascii() and text.strip().isdigit() for text in texts):
        warnings.warn("labels are text and taken for the numbers that they say", stacklevel=3)
        return np.array([int(text) for text in texts]).reshape(y.shape)
    names, indices = np.unique(np.array(texts), return_inverse=True)
    if classes is not None and len(names) != classes:
        remedy = "number them as in training"
        limit = f"the network has {classes} classes"
        raise InvalidData(f"labels are {len(names)} names ({listed(names.tolist())})", where="labels", limit=limit, remedy=remedy)
    warnings.warn(f"labels are names, numbered in alphabetical order: {listed(names.tolist())}; it has to be training's", stacklevel=3)
    return np.asarray(indices.reshape(y.shape))


def is_one_hot(y: Array, axis: int = 1) -> bool:
    """Whether exactly one value along an axis of more than one is 1, and all others are 0."""
    return y.ndim > axis and y.shape[axis] > 1 and bool(np.isin(y, (0, 1)).all() and (y.sum(axis=axis) == 1).all())


def is_binary(y: Array) -> bool:
    """Whether all are 0 or 1, or all are -1 or 1."""
    return bool(np.isin(y, (0, 1)).all() or np.isin(y, (-1, 1)).all())


def are_numbers(y: Array) -> bool:
    """Whether some have a fraction, so that they are no classes; nor shares of classes, which sum to 1."""
    shares = y.ndim > 1 and bool(np.allclose(y.reshape(len(y), -1).sum(axis=1), 1, atol=1e-3))
    return y.dtype.kind == "f" and not shares and bool((y != np.rint(y)).any())


def listed(names: list[str]) -> str:
    """Names with their numbers: "0 cat, 1 dog"; not more than a line holds."""
    text = ", ".join(f"{number} {name}" for number, name in enumerate(names[:SHOWN]))
    return text if len(names) <= SHOWN else f"{text}, ... {len(names) - 1} {names[-1]}"
