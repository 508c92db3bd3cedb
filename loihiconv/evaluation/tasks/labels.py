"""Labels in the forms that people have, as each task takes them."""

from __future__ import annotations

import numpy as np

from loihiconv.core.errors import InvalidData
from loihiconv.core.labels import is_binary, is_one_hot
from loihiconv.core.linear import Array, Shape


def class_indices(y: Array, classes: int | None = None) -> Array:
    """Class indices int64 (N,) from whole numbers, also of a floating-point type or (N, 1), or from one-hot rows (N, classes)."""
    _check_numbers(y)
    if y.dtype.kind == "b" and y.ndim == 1 and classes is not None and classes > 2:
        raise InvalidData(
            "labels are yes or no", where="labels", limit=f"0 to {classes - 1} expected, as the network has {classes} outputs"
        )
    y = y.reshape(len(y), -1)[:, 0] if y.ndim > 1 and y[0].size == 1 else y
    if is_one_hot(y):
        y = y.argmax(axis=1)
    if y.ndim != 1 or not np.isfinite(y).all() or (y != np.rint(y)).any():
        raise InvalidData(
            f"labels of type {y.dtype} and shape {y.shape}",
            where="labels",
            limit="whole numbers (N,) or one-hot rows expected",
            remedy='or give another task, such as "regression"',
        )
    low, high = (int(y.min()), int(y.max())) if len(y) else (0, 0)
    if low < 0 or (classes is not None and high >= classes):
        limit = "0 and more" if classes is None else f"0 to {classes - 1}, as the network has {classes} outputs,"
        raise InvalidData(f"labels from {low} to {high}", where="labels", limit=f"{limit} expected", remedy="count classes from 0")
    return y.astype(np.int64)


def signs(y: Array, shape: Shape, task: str) -> Array:
    """Yes or no, bool (N, \\*shape), from 0 and 1, or from -1 and 1."""
    _check_numbers(y)
    size = int(np.prod(shape))
    if not y.ndim or not len(y) or y[0].size != size:
        limit = f"(N{''.join(f', {n}' for n in shape) or ','}) expected"
        raise InvalidData(f"labels of shape {y.shape}", where="labels", limit=limit, remedy="or give another task")
    if not is_binary(y):
        values = np.unique(y)
        shown = ", ".join(f"{value:g}" for value in values[:4]) + (", ..." if len(values) > 4 else "")
        raise InvalidData(f"labels {shown}", where="labels", limit=f"0 and 1 expected for task {task!r}", remedy="or give another task")
    return np.asarray(y.reshape(len(y), *shape) > 0)


def numbers(y: Array, shape: Shape) -> Array:
    """Targets, float64 (N, \\*shape)."""
    _check_numbers(y)
    if not y.ndim or not len(y) or y[0].size != int(np.prod(shape)):
        limit = f"as many as the network's {int(np.prod(shape))} outputs expected"
        raise InvalidData(f"targets of shape {y.shape}", where="labels", limit=limit, remedy="or give another task")
    if not np.isfinite(y).all():
        raise InvalidData(f"{int((~np.isfinite(y)).sum())} targets are NaN or infinite", where="labels", remedy="leave these samples out")
    return y.reshape(len(y), *shape).astype(np.float64)


def is_whole(y: Array) -> bool:
    """Whether all are whole numbers."""
    return y.dtype.kind in "biu" or bool(np.isfinite(y).all() and (y == np.rint(y)).all())


def _check_numbers(y: Array) -> None:
    if y.dtype.kind not in "biuf":
        raise InvalidData(
            f"labels of type {y.dtype}",
            where="labels",
            limit="class indices expected",
            remedy="number the classes: np.unique(y, return_inverse=True)[1]",
        )
