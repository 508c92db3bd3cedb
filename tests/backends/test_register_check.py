"""Runs beyond 24 bits are refused, with neuron, step and sample."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loihiconv.backends import register_check
from loihiconv.backends.register_check import check_registers
from loihiconv.core.errors import LimitExceeded
from loihiconv.core.linear import Dense
from loihiconv.core.network import Connection
from loihiconv.lava.chip.lif import READOUT_HIGHEST, READOUT_LOWEST
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


@pytest.mark.parametrize("sign", [1, -1])
def test_a_readout_at_both_ends(sign: int) -> None:
    """2 x 255 x 64 = 32,640 per step: 192 make 6,266,880; 65,535 x 64 + 2^21 = 6,291,392 and 2^21 - 2^23 + 1 = -6,291,455."""
    network = chain(inputs=1, timesteps=192)
    direct = Connection("input", "readout", Dense(np.full((2, 1), 2 * sign, np.int32)))
    silent = Connection("hidden", "readout", Dense(np.zeros((2, 3), np.int32)))
    network = replace(network, connections=(network.connections[0], silent, direct))
    x = np.array([[255.0]])
    check_registers(network, "native", x)
    reached = "-?6,299,520 in step 193 of sample 0; -6,291,455 to 6,291,392"
    with pytest.raises(LimitExceeded, match=f"readout: the potential of the readout reaches {reached}"):
        check_registers(replace(network, timesteps=193), "native", x)


@pytest.mark.parametrize("start", [READOUT_HIGHEST, READOUT_LOWEST])
def test_the_last_potential_of_a_readout(start: int) -> None:
    base = chain()
    silent = [replace(c, map=c.map.with_weight(np.zeros_like(c.map.weight))) for c in base.connections]
    network = replace(base, connections=tuple(silent), populations=(*base.populations[:2], replace(base.readout, v_init=np.int32(start))))
    check_registers(network, "native", np.zeros((1, 4)))
    beyond = replace(base.readout, v_init=np.int32(start + np.sign(start)))
    with pytest.raises(LimitExceeded, match=f"reaches {start + np.sign(start):,} in step 1 of sample 0"):
        check_registers(replace(network, populations=(*base.populations[:2], beyond)), "native", np.zeros((1, 4)))


def test_hidden_potentials_at_the_lower_end_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """-250 x 91 x 64 = -1,456,000 per step: six reach -(2^23 - 1), in whatever part of a run."""
    network = driven(timesteps=6, vth=8190, weight=-250, v_init=0)
    x = np.array([[91.0], [0.0], [91.0]])
    monkeypatch.setattr(register_check, "SPIKES_AT_ONCE", 1)
    (found,) = check_registers(network, "native", x)
    assert (found.population, found.register, found.below.tolist()) == ("hidden", "hidden potentials", [3, 0, 3])
    assert check_registers(replace(network, timesteps=5), "native", x) == ()
