"""The 24-bit budget, by hand and against a simulation of ATRLIF written from Lava's formulas in plain integers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loihiconv.backends.register_check import check_registers
from loihiconv.backends.registers import check
from loihiconv.core.errors import LimitExceeded
from loihiconv.core.linear import Array, Dense
from loihiconv.core.network import V_MAX, Connection, Network
from loihiconv.lava.chip.atrlif import largest_threshold
from loihiconv.simulator import simulate
from tests.lava.small import chain


def driven(*, timesteps: int, vth: int, weight: int, v_init: int = 0, bias: int = 0) -> Network:
    """One input of up to 255 -> 3 neurons -> readout that is not moved."""
    base = chain(timesteps=timesteps, inputs=1, weight=weight, v_init=v_init, bias=bias)
    hidden = replace(base.populations[1], vth=vth)
    silent = Connection("hidden", "readout", Dense(np.zeros((2, 3), np.int32)))
    return replace(base, populations=(base.populations[0], hidden, base.populations[2]), connections=(base.connections[0], silent))


def atrlif(network: Network, payload: int) -> tuple[Array, bool]:
    """Spikes (T,) of one neuron as Lava computes them, v clipped to 24 bits, and whether r stayed within them."""
    hidden = network.populations[1]
    theta, weight = hidden.vth // 2 * 64, int(network.connections[0].map.weight[0, 0])
    v, r, spikes = int(hidden.v_init), theta + 1, []
    for _ in range(network.timesteps):
        v = max(min(v + weight * payload * 64 + int(hidden.bias), V_MAX), -V_MAX)
        spikes.append(v - r >= theta)
        r += 2 * theta * spikes[-1]
    return np.array(spikes), r <= V_MAX


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


def test_a_readout_that_would_fire():
    """2 x 255 x 64 = 32,640 per step: 257 steps make 8,388,480, and one more passes 131,071 x 64 = 8,388,544."""
    network = chain(inputs=1, timesteps=257)
    direct = Connection("input", "readout", Dense(np.full((2, 1), 2, np.int32)))
    silent = Connection("hidden", "readout", Dense(np.zeros((2, 3), np.int32)))
    network = replace(network, connections=(network.connections[0], silent, direct))
    x = np.array([[255.0]])
    check_registers(network, "native", x)
    with pytest.raises(LimitExceeded, match=r"readout: the potential .* reaches 8,388,607 in step 258 .*; 8,388,544, the largest"):
        check_registers(replace(network, timesteps=258), "native", x)


@settings(max_examples=300, deadline=None)
@given(
    timesteps=st.integers(1, 60),
    vth=st.integers(1, 4095).map(lambda n: 2 * n),
    weight=st.integers(-127, 127).map(lambda n: 2 * n),
    payload=st.integers(0, 255),
    v_init=st.integers(0, 2**18),
    bias=st.integers(-4095, 4095).map(lambda n: n * 64),
)
def test_refused_exactly_where_24_bits_end(timesteps: int, vth: int, weight: int, payload: int, v_init: int, bias: int):
    network = driven(timesteps=timesteps, vth=vth, weight=weight, v_init=v_init, bias=bias)
    x = np.array([[float(payload)]])
    spikes, fits = atrlif(network, payload)
    emulated = simulate(network, x, record=["spikes"]).spikes["hidden"][0, :, 0]
    if fits and np.array_equal(spikes, emulated):
        check_registers(network, "atrlif", x)
    else:
        with pytest.raises(LimitExceeded, match="hidden: an ATRLIF neuron is never reset"):
            check_registers(network, "atrlif", x)


@settings(max_examples=300, deadline=None)
@given(timesteps=st.integers(1, 100), weight=st.integers(0, 127).map(lambda n: 2 * n), payload=st.integers(0, 255), share=st.floats(0, 1))
def test_constant_input_never_exceeds_the_budget_of_T_spikes(timesteps: int, weight: int, payload: int, share: float):
    """However far an input lies above the threshold: v saturates, and the neuron fires at each step, as the emulator's does."""
    vth = max(2, int(share * largest_threshold(timesteps)) // 2 * 2)
    check_registers(driven(timesteps=timesteps, vth=vth, weight=weight), "atrlif", np.array([[float(payload)]]))


def test_saturation_that_costs_a_spike_is_refused():
    """v saturates under a strong input, and what it lost is missing when a negative one comes."""
    network = driven(timesteps=32, vth=4032, weight=254)
    payload, spikes = np.array([[255]]), {"hidden": np.ones((1, 32, 3), bool)}
    check(network, "atrlif", payload, spikes, {})
    spikes["hidden"][0, 31] = False
    with pytest.raises(LimitExceeded, match="its v would have reached 12,533,887, saturates, and a spike is wrong, in step 32 of sample 0"):
        check(network, "atrlif", payload, spikes, {})
