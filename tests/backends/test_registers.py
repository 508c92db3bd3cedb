"""The 24-bit budget, by hand and against a simulation of ATRLIF written from Lava's formulas in plain integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loihiconv.backends.register_check import check_registers
from loihiconv.backends.registers import check
from loihiconv.core.errors import LimitExceeded
from loihiconv.core.linear import Array
from loihiconv.core.network import V_MAX, Network
from loihiconv.lava.chip.atrlif import largest_threshold
from loihiconv.simulator import simulate
from tests.backends.driven import driven


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
    payload, spikes = {network.input.name: np.array([[255]])}, {"hidden": np.ones((1, 32, 3), bool)}
    check(network, "atrlif", payload, spikes, {})
    spikes["hidden"][0, 31] = False
    with pytest.raises(LimitExceeded, match="its v would have reached 12,533,887, saturates, and a spike is wrong, in step 32 of sample 0"):
        check(network, "atrlif", payload, spikes, {})
