"""Networks in the HDF5 format of lava-dl: there and back, what it cannot say, and what lava-dl itself makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import loihiconv as lc
from loihiconv.core.errors import LimitExceeded, LoihiconvError, UnsupportedLayer
from loihiconv.core.linear import Conv, Dense, Sparse
from loihiconv.core.network import IF, Connection, MaxPool, Network, Readout
from loihiconv.evaluation.compare import mismatches
from loihiconv.exchange.export_netx import export_netx
from loihiconv.simulator import simulate
from tests.exchange.chains import drawn
from tests.lava.small import chain
from tests.strategies import Case, cases

pytest.importorskip("h5py", reason="h5py is not installed")
Change = Callable[[Network], Network]


@settings(max_examples=16, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases(max_timesteps=8, max_samples=2, graded=False, exponents=False))
def test_there_and_back(case: Case, tmp_path_factory: pytest.TempPathFactory) -> None:
    case = drawn(case)
    path = tmp_path_factory.mktemp("netx") / "x.net"
    export_netx(case.network, path)
    back = lc.from_netx(path)
    assert [p.name for p in back.populations[1:]] == [p.name for p in case.network.populations[1:]]
    expected, found = (simulate(n, case.x, record=["spikes"]) for n in (case.network, back))
    for name, spikes in expected.spikes.items():
        np.testing.assert_array_equal(found.spikes[name].reshape(spikes.shape), spikes)  # populations take the shapes of their layers
    np.testing.assert_array_equal(found.potentials, expected.potentials.reshape(found.potentials.shape))
    assert back.output_unit == case.network.output_unit


def zero_chain() -> Network:
    return chain(reset="zero", bias=64)


def _graded(net: Network) -> Network:
    hidden = replace(net.populations[1], payload_max=3, reset="subtract")
    return replace(net, populations=(net.populations[0], hidden, net.populations[2]))


def _skip(net: Network) -> Network:
    return replace(net, connections=(*net.connections, Connection("input", "readout", Dense(np.full((2, 4), 2, np.int32)))))


def _beside(net: Network) -> Network:
    other = replace(net.populations[1], name="other")
    connections = (*net.connections, Connection("input", "other", net.connections[0].map))
    rest = (*net.populations[:2], other, net.populations[2])
    return replace(
        net, populations=rest, connections=(*connections[:1], connections[2], Connection("other", "readout", net.connections[1].map))
    )


def _late(net: Network) -> Network:
    return replace(net, populations=(*net.populations[:2], replace(net.readout, delay=2)))


def _silent(net: Network) -> Network:
    return replace(net, connections=(net.connections[0], Connection("hidden", "readout", Dense(np.zeros((2, 3), np.int32)))))


def _image(net: Network) -> Network:
    image = IF("image", (1, 2, 2), 500, np.array(0, np.int32), np.array(0, np.int32), "zero")
    after = IF("after", (1, 1, 1), 500, np.array(0, np.int32), np.array(0, np.int32), "zero")
    readout = Readout("readout", (2,), np.array(0, np.int32), np.array(0, np.int32))
    connections = (
        Connection("input", "image", Dense(np.full((4, 4), 2, np.int32))),
        Connection("image", "after", Conv(np.full((1, 1, 2, 2), 2, np.int32))),
        Connection("after", "readout", Dense(np.full((2, 1), 2, np.int32))),
    )
    return Network((net.input, image, after, readout), connections, 8, fixed_point=True)


def _gates(net: Network) -> Network:
    base = _image(net)
    connections = (base.connections[0], Connection("image", "after", Conv(np.ones((1, 1, 2, 2), np.int32), (2, 2))), base.connections[2])
    return replace(base, populations=(*base.populations[:2], MaxPool("after", (1, 1, 1)), base.readout), connections=connections)


def _exponent(net: Network) -> Network:
    return replace(net, connections=(replace(net.connections[0], weight_exp=-1), net.connections[1]))


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (_graded, UnsupportedLayer, "hidden: netx has no graded spikes of such neurons; use spike_bits=1"),
        (
            _skip,
            UnsupportedLayer,
            "readout: 2 connections lead to it, from hidden, input; netx has one a layer; use realization",
        ),
        (_beside, UnsupportedLayer, "other: takes what input gives; in netx every layer takes what the one before it gives, here hidden"),
        (_late, UnsupportedLayer, "readout: a readout that waits 2 steps; .* convert with readout_delay=0"),
        (_silent, UnsupportedLayer, "hidden->readout: all its weights are 0"),
        (_image, UnsupportedLayer, "image->after: a convolution takes what a dense layer gives; netx makes no image of a vector"),
        (_gates, UnsupportedLayer, 'after: netx has no gates for max-pooling; convert with maxpool="relu-tree"'),
        (_exponent, LimitExceeded, "export_netx: its numbers are not those of the format; .* weights without exponents"),
        (lambda net: replace(chain(), board="kapoho_point"), LimitExceeded, "export_netx: .* realize it first"),
    ],
)
def test_what_it_cannot_say_is_refused(change: Change, error: type[LoihiconvError], said: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=said):
        export_netx(change(zero_chain()), tmp_path / "x.net")
    assert list(tmp_path.iterdir()) == []


def test_sparse_maps_are_written_out_and_odd_padding_becomes_zeros(tmp_path: Path) -> None:
    base = zero_chain()
    source = replace(base.input, shape=(1, 3, 3))
    hidden = replace(base.populations[1], shape=(2, 3, 3))
    first = Connection("input", "hidden", Conv(np.arange(2, 18, 2, dtype=np.int32).reshape(2, 1, 2, 2), padding=(1, 0, 0, 1)))
    matrix = Sparse(np.array([2, -4, 6], np.int32), np.array([0, 1, 1]), np.array([0, 5, 17]), (2,), (18,))
    network = replace(base, populations=(source, hidden, base.readout), connections=(first, Connection("hidden", "readout", matrix)))
    export_netx(network, tmp_path / "x.net")
    x = np.arange(18.0).reshape(2, 1, 3, 3) * 10
    found, expected = (simulate(n, x, record=["spikes"]) for n in (lc.from_netx(tmp_path / "x.net"), network))
    assert expected.spikes["hidden"].any()
    assert mismatches(expected, found) == ({"hidden": 0}, 0)
