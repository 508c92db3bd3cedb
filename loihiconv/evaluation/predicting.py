"""Classes that the float network names, and test sets that can be judged by."""

from __future__ import annotations

import warnings

import numpy as np

from loihiconv.ann.frontends import Source, readable
from loihiconv.core.errors import InvalidData
from loihiconv.core.input_checks import input_doubts
from loihiconv.core.input_coding import check_samples, preprocessed
from loihiconv.core.labels import numbered
from loihiconv.core.linear import Array, Shape
from loihiconv.core.network import Network
from loihiconv.core.samples import Samples, collect


def predict(model: Source, x: Array) -> Array:
    """Classes that the float network names, which is not changed."""
    return np.asarray(readable(model).outputs(x).argmax(axis=1))


def judging(net: Network, test_set: Samples, samples: int | None = None) -> tuple[Network, Array, Array]:
    """What a network is judged by: itself and samples after preprocessing, which the float network takes as well, and labels.

    Parameters
    ----------
    net : Network
    test_set : Samples
        With labels; samples as ``net`` takes them.
    samples : int, optional
        Only the first so many.

    Raises
    ------
    InvalidData
        As `check_test_set`, or if the samples do not fit the network.

    Warns
    -----
    UserWarning
        If samples do not look like calibration's; see `loihiconv.core.input_checks`.
    """
    x, y = check_test_set(test_set, net.readout.size, shape=net.input.sample_shape, samples=samples)
    x = check_samples(net.input, x)
    if said := input_doubts(net, x):
        warnings.warn(said, stacklevel=3)
    if net.input.preprocessing is None:
        return net, x, y
    return net.with_preprocessing(None), preprocessed(net.input, x), y


def check_test_set(
    test_set: Samples, classes: int | None = None, *, shape: Shape | None = None, samples: int | None = None
) -> tuple[Array, Array]:
    """Samples and labels as arrays.

    Parameters
    ----------
    test_set : pair (x (N, \\*shape), y), Dataset, DataLoader, or iterable of pairs
        Labels are whole numbers (N,), whatever their type, one-hot (N, classes), or names.
    classes : int, optional
        Of the network; labels are from 0 to classes - 1.
    shape : tuple of int, optional
        Of one sample.
    samples : int, optional
        Only the first so many.

    Raises
    ------
    InvalidData
        If they do not belong together, or the labels are none.
    """
    data = collect(test_set, "test set", shape=shape, labels=True, samples=samples)
    assert data.y is not None  # labels were asked for
    if classes == 1:
        raise InvalidData(
            "the network has one output, so that its largest is always the same class",
            where="test set",
            limit="two outputs or more expected",
            remedy="give it an output per class, or judge `run(...).potentials` by their sign",
        )
    return data.x, check_labels(data.y, classes)


def check_labels(y: Array, classes: int | None = None) -> Array:
    """Class indices int64 (N,) from whole numbers, also of a floating-point type or (N, 1), one-hot rows (N, classes), or names."""
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    y = numbered(y, classes)
    if y.ndim == 2 and (np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all()):
        y = y.argmax(axis=1)
    if y.ndim != 1 or not np.isfinite(y).all() or (y != np.rint(y)).any():
        raise InvalidData(
            f"labels of type {y.dtype} and shape {y.shape}", where="labels", limit="whole numbers (N,) or one-hot rows expected"
        )
    low, high = int(y.min(initial=0)), int(y.max(initial=0))
    if low < 0 or (classes is not None and high >= classes):
        limit = "0 and more" if classes is None else f"0 to {classes - 1}, as the network has {classes} outputs,"
        raise InvalidData(f"labels from {low} to {high}", where="labels", limit=f"{limit} expected", remedy="count classes from 0")
    return y.astype(np.int64)
