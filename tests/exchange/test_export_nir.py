"""Networks as NIR: what the file says gives the same spikes, in a simulation written out, and when it is read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings

import loihiconv as lc
from loihiconv.core.errors import InvalidSetting, UnsupportedLayer
from loihiconv.core.input_coding import payloads
from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import IF, STATE_SHIFT, V_MAX, Connection, Input, MaxPool, Network, Readout
from loihiconv.demo import digits
from tests.evaluation.good import converted
from tests.exchange.naive_nir import eighths, simulate
from tests.strategies import Case, cases

nir: Any = pytest.importorskip("nir", reason="the package nir is not installed")

EXPORT = pytest.mark.filterwarnings("ignore:NIR cannot say:UserWarning")


@EXPORT
@given(case=cases(max_samples=3, max_timesteps=5, exponents=False))
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture])
def test_a_fixed_point_network_keeps_its_integers(case: Case, tmp_path_factory: pytest.TempPathFactory) -> None:
    network = case.network
    assume(network.input.coding != "poisson" and not any(isinstance(p, MaxPool) for p in network.populations))
    assume(not any(c.on_host for c in network.connections))
    network = replace(network, populations=(*network.populations[:-1], replace(network.readout, delay=0, v_init=np.zeros(1, np.int32))))
    path = tmp_path_factory.mktemp("nir") / "net.nir"
    try:
        lc.export_nir(network, path)
    except UnsupportedLayer:
        assume(False)
    try:
        graph = nir.read(path)
    except ValueError:  # groups, oblong kernels
        graph = nir.read(path, type_check=False)
    expected = lc.run(network, case.x, "emulator", record=["spikes", "potentials"])
    assume(not expected.saturated)
    found = simulate(graph, payloads(network.input, case.x), network.timesteps, saturation=V_MAX / 2**STATE_SHIFT)
    named = {name.removesuffix("_rate"): spikes for name, spikes in found.spikes.items()}
    for name, spikes in expected.spikes.items():
        if name in named:
            np.testing.assert_array_equal(named[name].reshape(spikes.shape), spikes, err_msg=name)
    np.testing.assert_allclose(found.output * 2**STATE_SHIFT, expected.potentials.reshape(found.output.shape), rtol=0, atol=8)


@EXPORT
@pytest.mark.parametrize("options", [{}, {"input_coding": "rate"}, {"reset": "zero"}, {"spike_bits": 3}, {"start": 0.25}])
def test_a_float_network_comes_back_as_it_was(options: dict[str, Any], tmp_path: Path) -> None:
    x = digits()[2][:20].astype(np.float32)
    network = converted(board=None, timesteps=12, **options)
    lc.export_nir(network, tmp_path / "net.nir")
    before, after = (lc.run(net, x, "float", record=["spikes"]) for net in (network, lc.from_nir(tmp_path / "net.nir")))
    for name, spikes in before.spikes.items():
        again = after.spikes[f"{name}_rate" if name == network.input.name else name]
        np.testing.assert_array_equal(again.reshape(spikes.shape), spikes, err_msg=name)
    np.testing.assert_array_equal(before.predictions, after.predictions)


def test_what_nir_cannot_say_is_said_loudly(tmp_path: Path) -> None:
    network = converted(timesteps=8)
    with pytest.warns(UserWarning, match="NIR cannot say all of it") as warned:
        said = lc.export_nir(network, tmp_path / "net.nir")
    metadata = nir.read(tmp_path / "net.nir").metadata
    assert metadata["timesteps"] == 8
    assert metadata["fixed_point"] == 1
    for sentence in said:
        assert sentence in str(warned[0].message)
        assert sentence in metadata["notes"]
    assert {int(node.v_threshold.flat[0]) for node in nir.read(tmp_path / "net.nir").nodes.values() if isinstance(node, nir.IF)} == {
        int(p.vth) for p in network.populations if isinstance(p, IF)
    }


@EXPORT
def test_v_reset_is_in_the_file_where_it_is_true(tmp_path: Path) -> None:
    import h5py

    for reset in ("subtract", "zero"):
        lc.export_nir(converted(board=None, timesteps=8, reset=reset), tmp_path / "net.nir")
        with h5py.File(tmp_path / "net.nir") as file:
            neurons = [node for node in file["node/nodes"].values() if node["type"][()] == b"IF"]
            assert [("v_reset" in node) for node in neurons] == [reset == "zero"] * len(neurons)


@EXPORT
def test_nodes_are_read_in_the_order_of_the_network(tmp_path: Path) -> None:
    lc.export_nir(converted(board=None, timesteps=8), tmp_path / "net.nir")
    graph = nir.read(tmp_path / "net.nir")
    order = list(graph.nodes)
    assert order != sorted(order)
    assert all(order.index(a) < order.index(b) for a, b in graph.edges)


def test_gates_are_refused_with_the_remedy(tmp_path: Path) -> None:
    shape, ones = (1, 2, 2), Conv(np.ones((1, 1, 2, 2), np.float32), groups=1)
    zero = np.zeros(1, np.float32)
    network = Network(
        (Input("in", shape), IF("a", shape, 1.0, zero, zero), MaxPool("gates", (1, 1, 1)), Readout("out", (1,), zero, zero)),
        (
            Connection("in", "a", Conv(np.ones((1, 1, 1, 1), np.float32))),
            Connection("a", "gates", ones),
            Connection("gates", "out", Dense(np.ones((1, 1), np.float32))),
        ),
        4,
    )
    with pytest.raises(UnsupportedLayer, match='gates: NIR has no gates for max-pooling; convert with maxpool="relu-tree"'):
        lc.export_nir(network, tmp_path / "net.nir")
    assert not list(tmp_path.iterdir())


def test_an_image_out_of_a_vector_and_a_bias_per_pixel_are_refused(tmp_path: Path) -> None:
    zero, one = np.zeros(1, np.float32), Conv(np.ones((1, 1, 1, 1), np.float32))
    dense = Dense(eighths(np.random.default_rng(0), 4, 4))
    image = IF("image", (1, 2, 2), 1.0, zero, zero)
    decoder = Network(
        (Input("in", (4,)), image, Readout("out", (4,), zero, zero)), (Connection("in", "image", dense), Connection("image", "out", one)), 4
    )
    with pytest.raises(UnsupportedLayer, match="image: a convolution takes what a dense layer gives"):
        lc.export_nir(decoder, tmp_path / "net.nir")
    uneven = replace(image, bias=np.arange(4, dtype=np.float32).reshape(1, 2, 2))
    network = Network(
        (Input("in", (1, 2, 2)), uneven, Readout("out", (4,), zero, zero)),
        (Connection("in", "image", one), Connection("image", "out", dense)),
        4,
    )
    with pytest.raises(UnsupportedLayer, match="image: its bias differs within channels"):
        lc.export_nir(network, tmp_path / "net.nir")


def test_where_it_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = converted(board=None, timesteps=8)
    with pytest.raises(InvalidSetting, match="cannot be written"):
        lc.export_nir(network, tmp_path / "nowhere" / "net.nir")
    monkeypatch.setitem(__import__("sys").modules, "nir", None)
    with pytest.raises(InvalidSetting, match=r'pip install "loihiconv\[nir\]"'):
        lc.export_nir(network, tmp_path / "net.nir")
