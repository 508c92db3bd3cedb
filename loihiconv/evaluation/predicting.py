"""Classes that the float network names, and test sets that can be judged by."""

from __future__ import annotations

import numpy as np

from loihiconv.ann.frontends import Source, readable
from loihiconv.core.errors import InvalidData
from loihiconv.core.linear import Array


def predict(model: Source, x: Array) -> Array:
    """Classes that the float network names, which is not changed."""
    return np.asarray(readable(model).outputs(x).argmax(axis=1))


def check_test_set(test_set: tuple[Array, Array]) -> tuple[Array, Array]:
    """Samples and labels as arrays, or `InvalidData` if they do not belong together."""
    try:
        x, y = (np.asarray(part) for part in test_set)
    except (TypeError, ValueError) as error:
        raise InvalidData("not a pair of samples and labels", where="test set", limit="(x, y) expected") from error
    if len(x) != len(y):
        raise InvalidData(f"{len(x)} samples and {len(y)} labels", where="test set", limit="as many labels as samples expected")
    if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer):
        raise InvalidData(f"labels of type {y.dtype} and shape {y.shape}", where="test set", limit="whole numbers (N,) expected")
    return x, y
