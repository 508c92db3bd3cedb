"""What a steady state is, and what becomes of the profiler's numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.core.errors import InvalidSetting
from loihiconv.lava.chip.measuring import STEPS, check_measurable, figures, total_steps, windows
from loihiconv.lava.chip.settings import BoardAccess
from tests.lava.small import chain


def test_pilotnets_published_measurement() -> None:
    """Its benchmark prints these figures for T = 16 and a board of one chip: 408.91 frames/s, 0.679234 W, of it 0.232078 static."""
    measured = {
        "Loihi2ExecutionTime": {"avg_time_per_step": 1e6 / 16 / 408.91},
        "Loihi2Power": {"total_power": {"count": 2000, "mean": 0.679234}, "static_total_power": 0.232078},
    }
    found = figures(chain(timesteps=16), "throughput", 10_000, (1, 1), measured)
    assert found["samples_per_second"] == pytest.approx(408.91)
    assert found["power_dynamic_w"] == pytest.approx(0.447156)
    assert found["energy_per_sample_mj"] == pytest.approx(1.661103, rel=1e-4)
    assert found["energy_dynamic_per_sample_mj"] == pytest.approx(1.093544, rel=1e-4)
    assert found["time_to_result_us"] == pytest.approx(18 / 16 * found["time_per_sample_us"])  # two layers deep


def test_the_static_power_of_idle_chips_is_taken_off() -> None:
    measured = {"Loihi2Power": {"total_power": [4.0, 5.0], "static_total_power": 4.0, "vdd_power": [3.0], "vddm_power": [1.0]}}
    found = figures(chain(), "latency", 10_000, (8, 2), measured)
    assert (found["power_total_w"], found["power_static_w"], found["power_dynamic_w"]) == (1.5, 1.0, 0.5)
    assert not {"power_neuro_cores_w", "power_memory_w", "time_per_step_us", "energy_per_sample_mj"} & found.keys()  # not all was measured


def test_at_least_so_many_steps_in_whole_windows() -> None:
    for timesteps, n in ((1, 10_000), (32, 313), (64, 157), (16_384, 1)):
        assert windows(chain(timesteps=timesteps), STEPS) == n
        assert total_steps(chain(timesteps=timesteps), STEPS) == n * timesteps + 2
    for samples in (1, 3, 10_000):  # each equally often, the last one last
        n = windows(chain(timesteps=32), STEPS, samples)
        assert (n % samples, n * 32 >= STEPS, (n - samples) * 32 < STEPS) == (0, True, True)


def test_what_cannot_be_measured_is_refused_by_name() -> None:
    net = chain(reset="zero")
    check_measurable(net, "lifreset", "throughput", 1, False)
    for realization in ("native", "atrlif", "lif"):
        with pytest.raises(InvalidSetting, match=f'realization "{realization}" pauses .*; one of lifreset, netx'):
            check_measurable(net, realization, "throughput", 1, False)
    with pytest.raises(InvalidSetting, match="no samples; at least one is run again and again"):
        check_measurable(net, "netx", "latency", 0, False)
    with pytest.raises(InvalidSetting, match="nothing comes back at every step"):
        check_measurable(net, "netx", "latency", 1, True)
    rates = replace(net, populations=(replace(net.input, coding="rate"), *net.layers))
    check_measurable(rates, "lifreset", "throughput", 3, False)
    with pytest.raises(InvalidSetting, match="keep: a measurement is one run; nothing of it is kept"):
        lc.run(net, np.zeros((1, 4)), "loihi", realization="lifreset", keep="kept", access=BoardAccess(profile="latency"))
    with pytest.raises(InvalidSetting, match="back end 'lava' has no time and power of a chip"):
        lc.run(net, np.zeros((1, 4)), "lava", realization="lifreset", access=BoardAccess(profile="latency"))
    with pytest.raises(InvalidSetting, match="profile: cannot measure 'through'"):
        BoardAccess(profile="through")  # type: ignore[arg-type]
