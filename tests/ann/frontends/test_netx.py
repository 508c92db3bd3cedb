"""lava-dl's sigma-delta networks as float networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.ann.evaluate import verify_reading
from loihiconv.ann.frontends.netx import NetxModel
from loihiconv.ann.graph import Relu
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from tests.ann.frontends.netx_files import CUBA, SDNN, conv, dense, even, write

pytest.importorskip("h5py", reason="h5py is not installed")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(
        tmp_path / "x.net",
        {"type": "input", "shape": np.array([1, 6, 6]), "neuron": SDNN},
        conv((4, 3, 3), even(4, 1, 3, 3), {**SDNN, "vThMant": 13}, bias=np.arange(4.0) - 1, stride=np.array([2, 2]), padding=1),
        {"type": "flatten", "shape": np.array([36, 1, 1])},
        dense(even(8, 36), SDNN, bias=np.arange(8.0)),
        dense(even(3, 8), {**SDNN, "sigma_output": True}),
    )


def test_what_is_read_computes_what_the_file_says(path: Path) -> None:
    model, x = NetxModel(path), np.random.default_rng(1).random((5, 1, 6, 6), np.float32) * 8
    assert model.sample_shape == (1, 6, 6)
    ann = model.ann((1, 6, 6))
    verify_reading(model, ann, x)
    assert sum(isinstance(node, Relu) for node in ann) == 2
    first = model.netx.layers[0]
    assert first.bias is not None
    hand = np.maximum(first.map.apply(x.astype(float)) / 64 + first.bias, 0)
    hand = np.maximum(hand.reshape(5, -1) @ model.netx.layers[1].map.weight.T / 64 + np.arange(8.0), 0)
    np.testing.assert_allclose(model.outputs(x), hand @ model.netx.layers[2].map.weight.T / 64, rtol=1e-4)


def test_it_is_converted_like_any_other(path: Path) -> None:
    x = np.random.default_rng(2).random((64, 1, 6, 6), np.float32) * 8
    model = NetxModel(path)
    net = lc.convert(model, x, board="kapoho_point", timesteps=64)
    outputs = lc.run(net, x, "emulator").potentials / net.readout.scale / net.timesteps
    expected = model.outputs(x)
    assert np.corrcoef(outputs.ravel(), expected.ravel())[0, 1] > 0.99


def test_samples_of_another_shape(path: Path) -> None:
    with pytest.raises(InvalidModel, match=r"x.net: samples of shape \(36,\)"):
        NetxModel(path).ann((36,))


@pytest.mark.parametrize(
    ("neuron", "said"), [(CUBA, "dense0: CUBA neurons"), (None, "no neurons"), ({**SDNN, "activation": "tanh"}, "activation tanh")]
)
def test_other_neurons_are_refused(neuron: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedLayer, match=said):
        NetxModel(write(tmp_path / "x.net", dense(even(3, 4), neuron)))
