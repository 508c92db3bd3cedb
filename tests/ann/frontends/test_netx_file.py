"""Networks that lava-dl has exported, as layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loihiconv.ann.frontends.netx_file import is_netx, read_netx
from loihiconv.core.errors import InvalidModel, LoihiconvError, UnsupportedLayer
from loihiconv.core.linear import Conv, Dense
from tests.ann.frontends.netx_files import CUBA, conv, dense, even, of_lava_dl, write

pytest.importorskip("h5py", reason="h5py is not installed")


def test_layers_and_their_order(tmp_path: Path) -> None:
    kernels, pooled = even(4, 1, 3, 2, 1), np.full((1, 1, 2, 2), 8.0)
    layers = [
        {"type": "input", "shape": np.array([2, 6, 5]), "neuron": CUBA, "weight": np.array([76.0]), "bias": np.array([64.0])},
        conv((4, 5, 2), kernels, CUBA, stride=np.array([1, 2]), padding=np.array([1, 0]), dilation=np.array([1, 1]), groups=2),
        {"type": "pool", "shape": np.array([4, 2, 1]), "weight": pooled, "neuron": CUBA, "stride": 2},
        {"type": "flatten", "shape": np.array([1, 1, 8])},
        *[dense(even(8, 8), CUBA, bias=np.arange(8.0) + 0.75) for _ in range(7)],
        dense(even(3, 8).ravel(), None, shape=np.array([3, 1, 1]), bias=np.array([2.0])),
    ]
    layers[1]["shape"] = np.array([4, 6, 2])
    layers[2]["shape"] = np.array([4, 3, 1])
    layers[3]["shape"] = np.array([1, 1, 12])
    layers[4] = dense(even(8, 12), CUBA)
    netx = read_netx(write(tmp_path / "x.net", *layers, steps=16))
    assert is_netx(tmp_path / "x.net")
    assert (netx.shape, netx.weight, netx.bias, netx.timesteps) == ((2, 6, 5), 76, 64, 16)
    assert [layer.name for layer in netx.layers] == ["conv1", "pool2", *[f"dense{i}" for i in range(4, 12)]]  # 10 and 11 after 9
    first, second = netx.layers[0].map, netx.layers[1].map
    assert isinstance(first, Conv)
    assert isinstance(second, Conv)
    assert (first.stride, first.padding, first.groups) == ((1, 2), (1, 1, 0, 0), 2)
    np.testing.assert_array_equal(first.weight, kernels[..., 0])
    assert (second.weight == 8).all()
    assert second.weight.shape == (4, 1, 2, 2)
    assert isinstance(netx.layers[-1].map, Dense)
    assert netx.layers[-1].neuron is None
    np.testing.assert_array_equal(netx.layers[3].bias, np.arange(8.0))  # cut to whole numbers, as lava-dl's loader does


WEIGHT = even(3, 4)


@pytest.mark.parametrize(
    ("layer", "error", "said"),
    [
        (dense(WEIGHT, CUBA, delay=np.array([0.0, 2.0, 0.0])), UnsupportedLayer, "dense0: has axonal delays"),
        (dense(WEIGHT, CUBA, weight_rec=WEIGHT), UnsupportedLayer, "dense0: has recurrent connections"),
        ({**dense(WEIGHT, CUBA), "type": "dense_rec"}, UnsupportedLayer, "dense_rec0: "),
        ({**dense(WEIGHT, CUBA), "weight": {"real": WEIGHT, "imag": WEIGHT}}, UnsupportedLayer, "has complex weights"),
        (dense(WEIGHT + 0.5, CUBA), InvalidModel, "dense0: its weights are no whole numbers"),
        (dense(WEIGHT * np.nan, CUBA), InvalidModel, "dense0: its weight is empty, or holds NaN"),
        (dense(WEIGHT, CUBA, bias=np.ones(2)), InvalidModel, "dense0: a bias of shape (2,)"),
        (dense(WEIGHT, CUBA, shape=np.array([2**40])), InvalidModel, "dense0: shape (1099511627776,)"),
        (dense(WEIGHT, {**CUBA, "refDelay": 3}), UnsupportedLayer, "a refractory period of 3"),
        (dense(WEIGHT, {**CUBA, "wgtExp": 1}), UnsupportedLayer, "an exponent of weights"),
        (dense(WEIGHT, {**CUBA, "gradedSpike": True}), UnsupportedLayer, "graded spikes"),
        (dense(WEIGHT, {**CUBA, "type": "RF_PHASE"}), UnsupportedLayer, "dense0: RF_PHASE neurons"),
        (conv((1, 2, 2), even(1, 1, 3, 3), CUBA), InvalidModel, "conv0: the file does not say what shape samples have"),
        ({"type": "average", "shape": np.array([1])}, UnsupportedLayer, "average0: averages groups of neurons"),
        ({"type": "flatten", "shape": np.array([1])}, InvalidModel, "flatten0: the file does not say"),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(layer: dict[str, Any], error: type[LoihiconvError], said: str, tmp_path: Path) -> None:
    with pytest.raises(error) as caught:
        read_netx(write(tmp_path / "x.net", layer))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["average", "concat", "convT", "unpool", "gates"])
def test_kinds_that_lava_dl_does_not_load_either(kind: str, tmp_path: Path) -> None:
    path = write(tmp_path / "x.net", dense(WEIGHT, CUBA), {"type": kind, "shape": np.array([3])})
    with pytest.raises(UnsupportedLayer, match=f"{kind}1: .*expected"):
        read_netx(path)


def test_shapes_have_to_fit(tmp_path: Path) -> None:
    entry = {"type": "input", "shape": np.array([1, 4, 4])}
    with pytest.raises(InvalidModel, match=r"conv1: gives shape \(1, 2, 2\), the file says \(1, 3, 3\)"):
        read_netx(write(tmp_path / "x.net", entry, conv((1, 3, 3), even(1, 1, 3, 3), CUBA)))
    with pytest.raises(InvalidModel, match="dense1: 4 inputs expected, got 16"):
        read_netx(write(tmp_path / "x.net", entry, dense(WEIGHT, CUBA)))


def test_files_without_layers(tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "x.net", "w") as file:
        file["layer/1/type"] = "dense"
    with pytest.raises(InvalidModel, match="holds no layers of lava-dl"):
        read_netx(tmp_path / "x.net")
    with pytest.raises(InvalidModel, match="holds an input and no layers"):
        read_netx(write(tmp_path / "y.net", {"type": "input", "shape": np.array([3])}))


@pytest.mark.skipif(of_lava_dl() is None, reason="$LOIHICONV_LAVA_DL does not name tests/lava/lib/dl/netx of lava-dl's wheel")
def test_its_own_sigma_delta_network_step_by_step() -> None:
    """With deltas and thresholds as lava's SigmaDelta has them, its golden outputs, to the last bit."""
    folder = of_lava_dl()
    assert folder is not None
    netx = read_netx(folder / "gts/pilotnet_sdnn/network.net")
    x = np.load(folder / "gts/pilotnet_sdnn/input.npy")[..., 0].transpose(2, 1, 0).astype(np.int64)
    golden = np.load(folder / "gts/pilotnet_sdnn/output.npy").ravel()

    def delta(act: Any, state: dict[str, Any], threshold: int) -> Any:
        change = act - state["act"] + state["residue"]
        sent = np.where(np.abs(change) >= threshold << 12, change, 0)
        state["residue"], state["act"] = change - sent, act
        return sent >> 6

    states = [{"act": 0, "residue": 0, "sum": 0} for _ in range(len(netx.layers) + 1)]
    messages: list[Any] = [None] * (len(netx.layers) + 1)
    found = []
    for _ in golden:
        sent = [delta(x << 12, states[0], netx.neuron.threshold if netx.neuron else 0)]
        for message, layer, state in zip(messages, netx.layers, states[1:], strict=False):
            if message is not None:
                state["sum"] = state["sum"] + layer.map.apply(message[None].astype(float))[0].reshape(layer.shape).astype(np.int64)
            bias = 0 if layer.bias is None else layer.bias.astype(np.int64) << 12
            assert layer.neuron is not None
            act, output = np.broadcast_to(np.maximum(state["sum"] + bias, 0), layer.shape), np.broadcast_to(state["sum"], layer.shape)
            sent.append(output if layer.neuron.sigma_output else delta(act, state, layer.neuron.threshold))
        messages = sent
        found.append(int(sent[-1].ravel()[0]))
    np.testing.assert_array_equal(found, golden)
