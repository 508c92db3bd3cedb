"""What is written is read back as it was, and as lava-dl itself lays it out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loihiconv.ann.frontends.netx_file import is_netx, read_netx
from loihiconv.ann.frontends.netx_layers import Layer, Netx, Neuron, Ours
from loihiconv.ann.frontends.netx_write import write_netx
from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Array, Conv, Dense
from tests.ann.frontends.netx_files import even

h5py = pytest.importorskip("h5py", reason="h5py is not installed")


@st.composite
def files(draw: st.DrawFn) -> Netx:
    """A convolution, with or without a dense layer behind it."""
    padding, stride, groups = draw(st.integers(0, 2)), (draw(st.integers(1, 2)), draw(st.integers(1, 2))), draw(st.sampled_from([1, 2]))
    linear = Conv(even(4, 2 // groups, 3, 2).astype(float), stride, (padding, padding, 1, 1), (1, 2), groups)
    shape = linear.output_shape((2, 7, 6))
    biases = (None, np.arange(4.0).reshape(4, 1, 1), np.arange(np.prod(shape, dtype=float)).reshape(shape))
    layers = [Layer("a", shape, linear, draw(st.sampled_from(biases)), Neuron("CUBA", 77))]
    if draw(st.booleans()):
        layers.append(Layer("b", (3,), Dense(even(3, int(np.prod(shape))).astype(float)), np.array([5.0, 0, -7]), Neuron("CUBA", 65535)))
    order = draw(st.none() | st.just(np.arange(84)[::-1]))
    ours = Ours("analog", 0.5, 255, draw(st.booleans()), False, 7, 12.5, "\n".join(x.name for x in layers), None, order)
    return Netx("", (2, 7, 6), None, 64, 0, tuple(layers), 16, draw(st.none() | st.just(ours)))


@settings(max_examples=20)
@given(netx=files())
def test_there_and_back(netx: Netx, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("netx") / "x.net"
    write_netx(netx, path)
    assert is_netx(path)
    found = read_netx(path)
    assert (found.shape, found.timesteps, found.neuron, len(found.layers)) == (netx.shape, 16, None, len(netx.layers))
    for old, new in zip(netx.layers, found.layers, strict=True):
        assert (old.shape, old.neuron, type(old.map)) == (new.shape, new.neuron, type(new.map))
        assert geometry(old) == geometry(new)
        same(old.map.weight, new.map.weight)
        same(
            np.broadcast_to(0.0 if old.bias is None else old.bias, old.shape),
            np.broadcast_to(0.0 if new.bias is None else new.bias, new.shape),
        )
    assert (found.ours is None) == (netx.ours is None)
    if netx.ours is not None and found.ours is not None:
        assert {**vars(found.ours), "order": None} == {**vars(netx.ours), "order": None}
        assert (found.ours.order is None) == (netx.ours.order is None)


def geometry(layer: Layer) -> object:
    """A map but for its weights."""
    return (layer.map.stride, layer.map.padding, layer.map.dilation, layer.map.groups) if isinstance(layer.map, Conv) else None


def same(a: Array, b: Array) -> None:
    np.testing.assert_array_equal(a, b)


def test_a_convolution_that_lava_dl_cannot_pad(tmp_path: Path) -> None:
    layer = Layer("a", (1, 4, 4), Conv(even(1, 1, 2, 2), padding=(1, 0, 1, 0)), None, Neuron("CUBA", 7))
    netx = Netx("", (1, 4, 4), None, 64, 0, (layer,), 4)
    with pytest.raises(InvalidModel, match="a: is padded differently on opposite sides"):
        write_netx(netx, tmp_path / "x.net")
    assert list(tmp_path.iterdir()) == []
    assert not replace(netx).sigma_delta
