"""Several neurons for each activation: finer rates, corrections that leave them apart, and networks that run as all others do."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import loihiconv as lc
from loihiconv.core.choices import COPIES_LIMIT
from loihiconv.core.errors import InvalidModel, InvalidSetting
from loihiconv.core.linear import Dense
from loihiconv.core.network import IF, Connection, Input, Network, Readout
from loihiconv.simulator import simulate
from tests.conversion.small import data, small_cnn


def neurons(copies: int, start: float, timesteps: int) -> Network:
    """Two activations, of as many neurons each, which the inputs themselves drive."""
    zero = np.zeros((1,), np.float32)
    hidden = IF("hidden", (2 * copies,), 1.0, zero, zero, copies=copies)
    hidden = IF("hidden", (2 * copies,), 1.0, hidden.charge(start), zero, copies=copies)
    each = Dense(np.eye(2, dtype=np.float32).repeat(copies, axis=0))
    total = Dense(np.ones((1, 2 * copies), np.float32))
    populations = (Input("input", (2,), scale=1.0), hidden, Readout("readout", (1,), zero, zero))
    return Network(populations, (Connection("input", "hidden", each), Connection("hidden", "readout", total)), timesteps)


@settings(max_examples=60, deadline=None)
@given(
    copies=st.integers(1, COPIES_LIMIT),
    start=st.sampled_from([0.0, 0.25, 0.5]),
    timesteps=st.integers(1, 20),
    count=st.floats(0, 20),
)
def test_the_mean_of_copies_counts_as_one_neuron_of_as_many_times_the_steps(
    copies: int, start: float, timesteps: int, count: float
) -> None:
    """floor(R z + start) spikes in all, of a charge z; but for z next to where one more is sent, which float32 decides."""
    z = min(count, timesteps - 1)
    wanted = copies * z + start
    if abs(wanted - round(wanted)) < 1e-3:
        return
    counts = simulate(neurons(copies, start, timesteps), np.array([[z / timesteps, 0]], np.float32)).spike_counts["hidden"]
    assert counts[0, :copies].sum() == int(np.floor(wanted))
    assert not counts[0, copies:].any()


@pytest.mark.parametrize("board", [None, "kapoho_point", "kapoho_bay"])
def test_copies_bring_outputs_nearer_and_keep_apart(board: str | None) -> None:
    model, x = small_cnn().eval(), data()
    wanted = model(torch.from_numpy(x)).detach().numpy()
    backend = "float" if board is None else "emulator"
    error = {}
    for copies in (1, 2, 4):
        network = lc.convert(model, x, board=board, timesteps=8, copies=copies)
        assert network.copies == copies
        assert [p.shape[0] for p in network.populations] == [2, 6 * copies, 8 * copies, 12 * copies, 5]
        outputs = lc.run(network, x, backend).outputs
        error[copies] = np.std(outputs - wanted - (outputs - wanted).mean(axis=0))
        hidden = network["4"]
        assert isinstance(hidden, IF)
        bias = np.broadcast_to(hidden.bias, hidden.shape).reshape(8, copies, -1)
        assert (bias == bias[:, :1]).all()  # what is corrected is corrected for all copies of a channel
        start = np.broadcast_to(hidden.v_init, hidden.shape).reshape(8, copies, -1)[0, :, 0] / hidden.unit(network.shift)
        held = 0.5 / copies**2
        np.testing.assert_allclose(start, (np.arange(copies) + 0.5) / copies - held, atol=1e-3)
    assert error[4] < error[2] < 0.75 * error[1], error


def test_max_pooling_by_gates_and_trees() -> None:
    torch.manual_seed(0)
    layers = nn.Conv2d(2, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3), nn.ReLU()
    model, x = nn.Sequential(*layers, nn.Flatten(), nn.Linear(32, 4)).eval(), data(60)
    wanted = model(torch.from_numpy(x)).detach().numpy()
    for board, maxpool in ((None, "gate"), ("kapoho_point", "relu-tree")):
        errors = []
        for copies in (1, 2):
            network = lc.convert(model, x, board=board, timesteps=8, copies=copies, maxpool=maxpool)
            compiled, portable = (simulate(network, x, record=["spikes"], portable=way) for way in (False, True))
            if board:
                np.testing.assert_array_equal(compiled.potentials, portable.potentials)
                assert all((compiled.spikes[name] == portable.spikes[name]).all() for name in compiled.spikes)
            errors.append(np.abs(compiled.outputs - wanted).mean())
        assert errors[1] < 0.8 * errors[0]


@pytest.mark.parametrize("options", [{"silent_steps": 8, "buffered": True}, {"signed_spikes": True}, {"spike_bits": 3}])
def test_with_other_kinds_of_neurons(options: dict) -> None:
    model, x = small_cnn().eval(), data(60)
    wanted = model(torch.from_numpy(x)).detach().numpy()
    errors = []
    for copies in (1, 3):
        network = lc.convert(model, x, board="kapoho_point", timesteps=8, copies=copies, **options)
        errors.append(np.abs(lc.run(network, x, "emulator").outputs - wanted).mean())
    assert errors[1] < errors[0]


def test_a_comparison_knows_copies() -> None:
    """Activations beside rates, layer by layer, and what to do about spikes that come too early."""
    model, x = small_cnn().eval(), data()
    network = lc.convert(model, x, board="kapoho_point", timesteps=4, copies=2)
    labels = model(torch.from_numpy(x)).argmax(dim=1).numpy()
    found = lc.compare(model, network, (x, labels), backends=["emulator"], explain=True)
    assert found.analysis is not None
    assert found.title == "kapoho_point, 4 time steps, 2 neurons for each activation"
    assert found.to_json()["copies"] == 2
    assert "T = 4, 2 neurons for each activation: " in repr(network)
    layers = {layer.population: layer for layer in found.analysis.waterfall.layers}
    assert list(layers) == ["0", "4", "7", "9"]
    one = lc.compare(model, lc.convert(model, x, board="kapoho_point", timesteps=4), (x, labels), backends=["emulator"], explain=True)
    assert one.analysis is not None
    alone = {layer.population: layer for layer in one.analysis.waterfall.layers}
    for name in ("0", "4", "7"):  # rates without time are those of eight steps, not of four
        assert layers[name].errors["steps"].rms < 0.75 * alone[name].errors["steps"].rms


def test_what_cannot_be() -> None:
    with pytest.raises(InvalidSetting, match=r"copies: copies 0; a whole number from 1 to 16 expected"):
        lc.convert(small_cnn(), data(), board=None, timesteps=4, copies=0)
    zero, one = np.zeros((1,), np.float32), Dense(np.eye(4, dtype=np.float32))
    populations = (Input("input", (4,)), IF("hidden", (4,), 1.0, zero, zero, copies=3), Readout("readout", (4,), zero, zero))
    joined = Connection("input", "hidden", one), Connection("hidden", "readout", one)
    with pytest.raises(InvalidModel, match=re.escape("hidden: 3 copies in 4 channels; 1 to 16 expected, and as many of each")):
        Network(populations, joined, 4)
