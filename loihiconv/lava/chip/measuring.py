"""Measuring a chip in a steady state: what is run, and what becomes of the profiler's numbers. Imports no Lava.

As lava-dl's benchmark of PilotNet does it: samples one after the other, again and again, in one run of 10,000 steps and more, since power
is measured slowly and pauses between samples would be measured with them. The profiler takes the power of the whole board; the static
power of the chips that the network does not use is taken off, as that benchmark does.

``throughput``
    What goes in is replayed on the chip (``lava.proc.cyclic_buffer``), no spikes come back, and the readout is read once, at the end. So
    the time of a step is the chip's own.
``latency``
    Payloads or spikes come from the host at every step, and the readout's potentials go back after each sample, as when new
    samples arrive. So the time of a step has the way to the chip and back in it.

Both need neurons that begin every sample by themselves; those that the host sets between samples would need pauses. Samples that differ
are replayed by a buffer that holds a frame for every step of the run, as public networks for spoken digits fill theirs: how one goes on
after its last frame no public source says, nor how many frames a chip has room for. Of one sample's payloads, which are the same at every
step, a few frames are enough. What is left at the end is the result of the last sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.network import Network
from loihiconv.lava.chip.realizations import AT_ONCE

Measurement: TypeAlias = Literal["throughput", "latency"]
MEASUREMENTS: tuple[str, ...] = get_args(Measurement)
STEPS = 10_000
"""Time steps that a measurement takes at least, as PilotNet's benchmark has them."""
FRAMES = 11
"""That a buffer on the chip holds of one sample; public code has replayed 11, 99 and 1024."""
POWER = {"total": "total_power", "neuro_cores": "vdd_power", "memory": "vddm_power", "io": "vddio_power"}
"""What the profiler calls its series of power, in W; each has its static part in ``static_...``."""


def check_measurable(network: Network, realization: str, measurement: Measurement, samples: int, records: bool) -> None:
    """Raise an error where a network cannot be measured in a steady state.

    Parameters
    ----------
    network : Network
        As `loihiconv.backends.realize.realize` gives it.
    realization : one of `loihiconv.lava.chip.realizations.REALIZATIONS`
    measurement : one of `MEASUREMENTS`
    samples : int
        How many were given.
    records : bool
        Whether spikes or potentials over time are asked for.

    Raises
    ------
    InvalidSetting
        If there is no sample, or more is asked for than a result, or neurons do not begin samples by themselves.
    """
    where = f"profile {measurement}"
    if realization not in AT_ONCE:
        raise InvalidSetting(
            f'realization "{realization}" pauses between samples to set its neurons, and the pauses would be measured',
            where=where,
            limit=f"one of {', '.join(AT_ONCE)}",
        )
    if not samples:
        raise InvalidSetting("no samples", where=where, limit="at least one is run again and again")
    if records or network.readout.decision == "softmax":
        raise InvalidSetting("nothing comes back at every step", where=where, limit="potentials after the last step alone can be had")


def windows(network: Network, least: int, samples: int = 1) -> int:
    """How many samples are run, for at least so many steps: all of them equally often, so that the last one comes last."""
    return samples * ceil(least / (samples * network.timesteps))


def total_steps(network: Network, least: int, samples: int = 1) -> int:
    """Steps of a measurement: whole windows of T, and those that the last one takes through the network."""
    return windows(network, least, samples) * network.timesteps + max(network.begins.values())


def figures(
    network: Network, measurement: Measurement, steps: int, chips: tuple[int, int], measured: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """What a measurement says of a sample, the mean of all that were run.

    With t the mean time of a step, a sample takes T t, and its result is there after (T + L) t, L the depth of the network. Of n chips on
    the board that use n p_s idle, k run the network: power is the mean of the profiler's series less (n - k) p_s, its static part k p_s.

    Parameters
    ----------
    network : Network
    measurement : one of `MEASUREMENTS`
    steps : int
        That were run.
    chips : (int, int)
        On the board, and of these used.
    measured : mapping
        Attributes of the profiler's callbacks, by class: see `loihiconv.lava.chip.loihi.profile`. What is not there is left out here too.

    Returns
    -------
    dict
        Times in microseconds, power in W, energy in mJ.
    """
    board, used = chips
    found: dict[str, Any] = {"measurement": measurement, "steps": steps, "chips": board, "chips_used": used}
    time = _mean(measured.get("Loihi2ExecutionTime", {}).get("avg_time_per_step"))
    if time is not None:
        found["time_per_step_us"] = time
        found["time_per_sample_us"] = time * network.timesteps
        found["time_to_result_us"] = time * (network.timesteps + max(network.begins.values()))
        found["samples_per_second"] = 1e6 / found["time_per_sample_us"]
    series = measured.get("Loihi2Power", {})
    for name, attribute in POWER.items():
        power, idle = _mean(series.get(attribute)), _mean(series.get(f"static_{attribute}"))
        if power is None or idle is None:
            continue
        found[f"power_{name}_w"] = power - (board - used) * idle / board
        if name == "total":
            found["power_static_w"] = used * idle / board
            found["power_dynamic_w"] = found["power_total_w"] - found["power_static_w"]
            if time is not None:
                found["energy_per_sample_mj"] = found["power_total_w"] * found["time_per_sample_us"] / 1e3
                found["energy_dynamic_per_sample_mj"] = found["power_dynamic_w"] * found["time_per_sample_us"] / 1e3
    return found


def _mean(value: Any) -> float | None:
    """Of a number, a series, or a summary of one."""
    if isinstance(value, Mapping):
        value = value.get("mean")
    return None if value is None or not np.size(value) else float(np.mean(value))
