"""Runs beyond 24 bits are refused, with neuron, step and sample."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loihiconv.backends.register_check import check_registers
from loihiconv.core.errors import LimitExceeded
from loihiconv.core.linear import Dense
from loihiconv.core.network import Connection
from tests.backends.driven import driven
from tests.lava.small import chain


def test_the_last_spike_that_fits():
    """90 x 91 = 8190 per step against vth = 8190, one unit above to start with: a spike at each step, 15 of them fit."""
    check_registers(driven(timesteps=15, vth=8190, weight=90, v_init=1), "atrlif", np.array([[91.0]]))
    message = "hidden: an ATRLIF neuron is never .*: its refractory state reaches 8,648,641, in step 16 of sample 0"
    with pytest.raises(LimitExceeded, match=message) as caught:
        check_registers(driven(timesteps=16, vth=8190, weight=90, v_init=1), "atrlif", np.array([[91.0]]))
    assert "15 spikes of one neuron and sample at vth = 8190" in str(caught.value)
    assert "fewer time steps" in str(caught.value)


def test_only_atrlif_has_a_budget():
    network = driven(timesteps=16, vth=8190, weight=90, v_init=1)
    check_registers(network, "native", np.array([[91.0]]))
    check_registers(network, "lif", np.array([[91.0]]))


def test_a_message_names_the_sample_in_its_run():
    network = driven(timesteps=16, vth=8190, weight=90, v_init=1)
    x = np.zeros((40, 1))
    x[37] = 91
    with pytest.raises(LimitExceeded, match="of sample 37"):
        check_registers(network, "atrlif", x)


@pytest.mark.parametrize(
    ("sign", "steps", "message"),
    [
        (1, 128, r"reaches 4,210,560 in step 129 of sample 0; 4,194,240, the largest threshold"),
        (-1, 257, r"reaches -8,421,120 in step 258 of sample 0; -8,388,607: neurons of chips do not saturate"),
    ],
)
def test_a_readout_at_both_ends(sign: int, steps: int, message: str) -> None:
    """2 x 255 x 64 = 32,640 per step: 128 make 4,177,920 of 65,535 x 64 = 4,194,240; 257 make 8,388,480 of 2^23 - 1."""
    network = chain(inputs=1, timesteps=steps)
    direct = Connection("input", "readout", Dense(np.full((2, 1), 2 * sign, np.int32)))
    silent = Connection("hidden", "readout", Dense(np.zeros((2, 3), np.int32)))
    network = replace(network, connections=(network.connections[0], silent, direct))
    x = np.array([[255.0]])
    check_registers(network, "native", x)
    with pytest.raises(LimitExceeded, match=f"readout: the potential of the readout {message}"):
        check_registers(replace(network, timesteps=steps + 1), "native", x)
