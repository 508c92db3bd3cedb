"""Classes that the float network names, and test sets that can be judged by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loihiconv.ann.frontends import Source, readable
from loihiconv.ann.frontends.selection import several
from loihiconv.core.errors import InvalidData, InvalidModel
from loihiconv.core.input_coding import Samples
from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.core.parts import Part
from loihiconv.core.samples import gathered
from loihiconv.core.selection import only


def predict(model: Source, x: Array, classes: int | None = None) -> Array:
    """Classes that the float network names, which is not changed.

    Raises
    ------
    InvalidSetting
        If it has several outputs, and so more values than the ``classes`` of the spiking network.
    InvalidModel
        If it has another number of classes for some other reason.
    """
    model = readable(model)
    outputs = model.outputs(x)
    if classes is not None and outputs.shape[1] != classes:
        if parts := model.ann(x.shape[1:]).parts:
            raise several(parts)
        raise InvalidModel(
            f"gives {outputs.shape[1]} outputs, the spiking network {classes}", where=model.name, remedy="give the model that it came from"
        )
    return np.asarray(outputs.argmax(axis=1))


def one_output(net: Network, output: str | None = None) -> Network:
    """The network with the one output that is to be judged.

    Raises
    ------
    InvalidSetting
        If it has several and none of them is named, or none has the name.
    """
    if not net.readout.parts:
        return net
    if output is None:
        raise several(net.readout.parts)
    return only(net, output)


def check_test_set(test_set: tuple[Samples, Array], classes: int | None = None, inputs: Sequence[Part] = ()) -> tuple[Array, Array]:
    """Samples and labels as arrays.

    Parameters
    ----------
    test_set : (x (N, \\*shape), y)
        Labels are whole numbers (N,), whatever their type, or one-hot (N, classes).
    classes : int, optional
        Of the network; labels are from 0 to classes - 1.
    inputs : sequence of Part, optional
        Of the network; several are packed into one array, see `loihiconv.core.samples.packed`.

    Raises
    ------
    InvalidData
        If they do not belong together, or the labels are none.
    """
    try:
        samples, labels = test_set
        x, y = np.asarray(gathered(inputs, samples) if inputs else samples), np.asarray(labels)
    except (TypeError, ValueError) as error:
        raise InvalidData("not a pair of samples and labels", where="test set", limit="(x, y) expected") from error
    if not x.ndim or not y.ndim or len(x) != len(y):
        numbers = f"{len(x) if x.ndim else 'no'} samples and {len(y) if y.ndim else 'no'} labels"
        raise InvalidData(numbers, where="test set", limit="as many labels as samples expected")
    if not len(x):
        raise InvalidData("no samples", where="test set", limit="at least 1 expected")
    if classes == 1:
        raise InvalidData(
            "the network has one output, so that its largest is always the same class",
            where="test set",
            limit="two outputs or more expected",
            remedy="give it an output per class, or judge `run(...).potentials` by their sign",
        )
    return x, check_labels(y, classes)


def check_labels(y: Array, classes: int | None = None) -> Array:
    """Class indices int64 (N,) from whole numbers, also of a floating-point type or (N, 1), or from one-hot rows (N, classes)."""
    if y.dtype.kind not in "biuf":
        raise InvalidData(
            f"labels of type {y.dtype}",
            where="labels",
            limit="class indices expected",
            remedy="number the classes: np.unique(y, return_inverse=True)[1]",
        )
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
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
