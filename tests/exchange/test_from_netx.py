"""lava-dl's spiking networks with their own integers: the spikes of Lava's LIF, written out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.core.errors import InvalidSetting, LimitExceeded, LoihiconvError, UnsupportedLayer
from loihiconv.core.linear import Array
from loihiconv.core.network import IF, Readout
from tests.ann.frontends.netx_files import CUBA, SDNN, conv, dense, even, of_lava_dl, write

pytest.importorskip("h5py", reason="h5py is not installed")


def lif(drive: Array, threshold: int, bias: int = 0) -> Array:
    """Lava's fixed-point LIF without decay, of synaptic sums (T, N): v += (sum << 6) + (bias << 6), a spike above vth << 6 resets to 0."""
    v, spikes = np.zeros(drive.shape[1:], np.int64), []
    for current in drive:
        v = v + ((current.astype(np.int64) + bias) << 6)
        spikes.append(v > threshold << 6)
        v = np.where(spikes[-1], 0, v)
    return np.array(spikes)


def test_spikes_are_those_of_lavas_neurons(tmp_path: Path) -> None:
    first, second = even(4, 1, 3, 3), even(3, 64)
    entry = {"type": "input", "shape": np.array([1, 6, 6]), "neuron": CUBA, "weight": 76.0, "bias": 34.0}
    path = write(
        tmp_path / "x.net",
        entry,
        conv((4, 4, 4), first, {**CUBA, "vThMant": 60}, bias=np.array([3.0, -3.0, 5.0, 0.0])),
        {"type": "flatten", "shape": np.array([64, 1, 1])},
        dense(second, None),
        steps=20,
    )
    net = lc.from_netx(path, board="kapoho_point")
    x = (np.random.default_rng(3).integers(0, 256, (2, 1, 6, 6)) / 256).astype(np.float32)
    found = lc.run(net, x, "emulator", record=["spikes"])
    assert (net.timesteps, net.fixed_point, net.board) == (20, True, "kapoho_point")
    for i in range(2):
        current = np.floor(76 * x[i] * 256 / 256)
        a = lif(np.broadcast_to(current, (20, 1, 6, 6)), 80, 34)
        np.testing.assert_array_equal(found.spikes["input0"][i], a)
        conv_map = net.incoming("conv1")[0].map
        b = lif(conv_map.apply(a.astype(float)) + np.array([3, -3, 5, 0]).reshape(4, 1, 1), 60)
        np.testing.assert_array_equal(found.spikes["conv1"][i], b)
        np.testing.assert_array_equal(found.potentials[i], 64 * (b.reshape(20, -1).sum(axis=0) @ second.T.astype(int)))


def test_odd_weights_of_both_signs_are_doubled_and_shifted_back(tmp_path: Path) -> None:
    weight = np.array([[3.0, -5, 120], [1, 2, -126]])
    net = lc.from_netx(write(tmp_path / "x.net", dense(weight, CUBA), dense(even(2, 2), None)), timesteps=4)
    connection = net.incoming("dense0")[0]
    assert connection.weight_exp == -1
    np.testing.assert_array_equal(connection.map.weight, 2 * weight)
    with pytest.raises(LimitExceeded, match="a weight of 255"):
        lc.from_netx(write(tmp_path / "y.net", dense(np.array([[255.0, -1]]), CUBA)), timesteps=4)


def test_how_the_last_layer_is_read_out(tmp_path: Path) -> None:
    layers = [dense(even(4, 5), CUBA), dense(even(3, 4), CUBA)]
    counted = lc.from_netx(write(tmp_path / "x.net", *layers), timesteps=8)
    assert [type(p) for p in counted.populations[1:]] == [IF, IF, Readout]
    assert "its spikes are counted" in counted.record.notes[0]
    x = np.ones((1, 5), np.float32)
    found = lc.run(counted, x, "emulator")
    np.testing.assert_array_equal(found.potentials, 64 * found.spike_counts["dense1"])
    layers[1]["neuron"] = {**CUBA, "vThMant": 2**18 - 1}
    silent = lc.from_netx(write(tmp_path / "x.net", *layers), timesteps=8)
    assert [type(p) for p in silent.populations[1:]] == [IF, Readout]
    assert "read out by its potentials" in silent.record.notes[0]


@pytest.mark.parametrize(
    ("neuron", "error", "said"),
    [
        ({**CUBA, "vDecay": 123}, UnsupportedLayer, "dense0: CUBA neurons that leak: iDecay 4096, vDecay 123"),
        ({**CUBA, "type": "LOIHI", "iDecay": 1024}, UnsupportedLayer, "dense0: LOIHI neurons that leak: iDecay 1024"),
        (SDNN, UnsupportedLayer, "sigma-delta neurons"),
        (None, UnsupportedLayer, "dense0: no neurons that spike"),
        ({**CUBA, "vThMant": 0}, LoihiconvError, "dense0: vth"),
    ],
)
def test_what_is_no_integrate_and_fire_network(neuron: Any, error: type[LoihiconvError], said: str, tmp_path: Path) -> None:
    with pytest.raises(error) as caught:
        lc.from_netx(write(tmp_path / "x.net", dense(even(4, 5), neuron), dense(even(2, 4), CUBA)), timesteps=4)
    assert said in str(caught.value)


def test_settings(tmp_path: Path) -> None:
    plain = write(tmp_path / "x.net", dense(even(4, 5), CUBA))
    with pytest.raises(InvalidSetting, match="timesteps: the file does not say how many"):
        lc.from_netx(plain)
    assert lc.from_netx(plain, timesteps=4).input.coding == "rate"
    assert lc.from_netx(plain, timesteps=4, input_coding="poisson", seed=3).input.seed == 3
    entry = {"type": "input", "shape": np.array([5]), "neuron": CUBA}
    with pytest.raises(InvalidSetting, match="input_coding rate; analog expected"):
        lc.from_netx(write(tmp_path / "y.net", entry, dense(even(4, 5), CUBA)), timesteps=4, input_coding="rate")


@pytest.mark.skipif(of_lava_dl() is None, reason="$LOIHICONV_LAVA_DL does not name tests/lava/lib/dl/netx of lava-dl's wheel")
@pytest.mark.parametrize("name", ["mnist.net", "tiny.net", "gts/pilotnet_lif/network.net", "gts/ntidigits/ntidigits.net"])
def test_its_own_networks_leak_or_wait(name: str) -> None:
    folder = of_lava_dl()
    assert folder is not None
    with pytest.raises(UnsupportedLayer, match=r"that leak|axonal delays"):
        lc.from_netx(folder / name)
