"""The same integers on every device: torch's own operations against the compiled kernels, and a GPU where there is one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from loihiconv.core.errors import BackendUnavailable
from loihiconv.core.linear import Dense
from loihiconv.core.network import IF, V_MAX, Connection, Input, Network, Readout
from loihiconv.simulator import simulate
from tests.simulator.nets import check_equal
from tests.strategies import Case, cases

RECORDS = ("spikes", "potentials", "residuals")


@settings(max_examples=60, deadline=None)
@given(cases(max_timesteps=12, separated=True, signed=True))
def test_torch_operations_alone_give_the_same(case: Case) -> None:
    compiled = simulate(case.network, case.x, record=RECORDS)
    check_equal(simulate(case.network, case.x, record=RECORDS, portable=True), compiled)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here: torch.cuda.is_available() is False")
@settings(max_examples=60, deadline=None)
@given(cases(max_timesteps=12, separated=True, signed=True))
def test_gpu_gives_the_same(case: Case) -> None:
    check_equal(simulate(case.network, case.x, record=RECORDS, device="cuda"), simulate(case.network, case.x, record=RECORDS))


def test_unknown_devices_are_refused() -> None:
    network = extreme(1, vth=1, bias=0, v_init=0)
    for device in ("toaster", "cuda:99"):
        with pytest.raises(BackendUnavailable, match=f"device '{device}': no such device"):
            simulate(network, np.ones((1, 1)), device=device)


def extreme(weight: int, *, vth: int, bias: int, v_init: int, timesteps: int = 6, inputs: int = 1) -> Network:
    """One IF neuron and a readout, both with these values."""
    values = {"v_init": np.asarray(v_init, np.int32), "bias": np.asarray(bias, np.int32)}
    populations = (Input("input", (inputs,), payload_max=1), IF("hidden", (1,), vth, **values), Readout("readout", (1,), **values))
    full = Dense(np.full((1, inputs), weight, np.int32))
    connections = (Connection("input", "hidden", full), Connection("hidden", "readout", Dense(np.full((1, 1), weight, np.int32))))
    return Network(populations, connections, timesteps, fixed_point=True)


@pytest.mark.parametrize("portable", [False, True])
@pytest.mark.parametrize("bias", [V_MAX, V_MAX - 1, 524160, 1, -1, -V_MAX])
@pytest.mark.parametrize("v_init", [V_MAX, V_MAX - 1, 0, -V_MAX])
@pytest.mark.parametrize(("weight", "inputs"), [(254, 515), (-254, 515), (255, 65792), (1, 1)])
def test_float32_potentials_are_exact_up_to_the_edge(weight: int, inputs: int, v_init: int, bias: int, portable: bool) -> None:
    """Sums just below 2^17, and just below the 2^24 at which a connection is refused; v and biases as large as may be."""
    network = extreme(weight, vth=131071, bias=bias, v_init=v_init, inputs=inputs)
    recording = simulate(network, np.ones((1, inputs)), record=RECORDS, portable=portable)
    v, out = v_init, v_init
    for t in range(network.timesteps):
        v = min(max(v + weight * inputs * 64 + bias, -V_MAX), V_MAX)
        fired = v > 131071 * 64
        v -= 131071 * 64 * fired
        out = min(max(out + weight * fired * 64 + bias, -V_MAX), V_MAX)
        assert recording.spikes["hidden"][0, t, 0] == fired
        assert recording.potentials_over_time is not None
        assert recording.potentials_over_time[0, t, 0] == out
    assert recording.residuals["hidden"][0, 0] == v
