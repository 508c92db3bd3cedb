"""What 24 bits leave an ATRLIF neuron."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loihiconv.core.network import V_MAX
from loihiconv.lava.chip.atrlif import first_refractory, largest_threshold, spike_budget


def test_the_budget_by_hand():
    """vth = 8190: r starts at 4095 * 64 + 1 = 262,081 and grows by 524,160 a spike; 15 make 8,124,481, 16 make 8,648,641 > 8,388,607."""
    assert first_refractory(8190) == 262_081
    assert spike_budget(8190) == 15
    # T = 32: r = 2,016 * 64 + 1 + 32 * 4,032 * 64 = 8,386,561 fits, and with vth = 4034 it is 8,390,721
    assert largest_threshold(32) == 4032
    assert largest_threshold(1) == 8190  # theta_0 has 12 bits
    assert largest_threshold(200_000) == 0


@given(timesteps=st.integers(1, 70_000))
def test_the_largest_threshold_is_the_largest(timesteps: int):
    vth = largest_threshold(timesteps)
    assert vth % 2 == 0
    if vth:
        assert first_refractory(vth) + timesteps * (vth << 6) <= V_MAX
        assert spike_budget(vth) >= timesteps
    assert vth == 8190 or spike_budget(vth + 2) < timesteps
