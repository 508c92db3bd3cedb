"""Files that Keras wrote, and what it computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("h5py", reason="h5py is not installed")

from loihiconv.ann.evaluator import forward, outputs_of
from loihiconv.ann.frontends.keras.model import KerasModel
from loihiconv.core.errors import UnsupportedLayer
from loihiconv.core.linear import Array

FOLDER = Path(__file__).parents[3] / "fixtures" / "keras"
FILES = sorted(path.name for path in FOLDER.glob("*.*") if path.suffix in (".keras", ".h5"))


def expected(name: str) -> tuple[Array, Array]:
    """Samples and what Keras computes for them, (N, classes)."""
    with np.load(FOLDER / ("expected2.npz" if name.startswith("keras2") else "expected.npz")) as kept:
        x, y = kept[f"{name.partition('.')[0]}/x"], kept[f"{name.partition('.')[0]}/y"]
    return x, y.reshape(len(y), -1)


def assert_reads(path: Path, x: Array, y: Array) -> bool:
    """The reference and the operations compute what is expected, and so does the network, if PyTorch's reader takes them all."""
    model = KerasModel(path)
    shape = tuple(x.shape[1:])
    assert model.sample_shape == shape
    np.testing.assert_allclose(model.outputs(x), y, rtol=1e-4, atol=1e-5)
    assert model._reader is not None, model._problems
    np.testing.assert_allclose(model._reader.outputs(x), y, rtol=1e-4, atol=1e-5)
    try:
        ann = model.ann(shape)
    except UnsupportedLayer:
        assert model.problems(shape)
        return False
    read = outputs_of(ann, forward(ann, x)[0])
    np.testing.assert_allclose(read.numpy(), y, rtol=1e-3, atol=1e-4)
    return True
