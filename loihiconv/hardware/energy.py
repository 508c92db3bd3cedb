"""Energy and time on a board: ranges from counts, before the chip has been near it.

Counts come from a real run of the emulator (`Recording.spike_counts`) and from the placement.

**Loihi 1.** Per sample, with a low and a high figure for each::

    energy = synaptic operations x 23.6 to 35.5 pJ + compartment updates x 52 to 81 pJ + spikes x 0 to 69.3 pJ
             + messages x 1.7 to 111 pJ + hops x 3.0 pJ (east-west) or 4.0 to 4.2 pJ (north-south)
    time   = steps x (slowest core: operations x 3.1 to 4.7 ns + compartments x 5.3 to 9.7 ns + spikes x 0 to 30 ns
             + messages in x 0 to 16 ns + messages out x 0 to 5.1 ns; and a barrier of 0.113 to 1.8 us)

Low ends: Davies et al. 2018, "Loihi", IEEE Micro 38(1), table 2, from pre-silicon SDF and SPICE simulations at 0.75 V, as secondary
sources quote it; it has no figure for a spike, nor for what a message costs besides its way. High ends: ``loihi.yaml`` of SANA-FE 2.2.9
(Boyle et al. 2025, doi:10.1109/TCAD.2025.3537971), which its authors hold to be within 12 % of a chip's energy and 25 % of its time, and
Davies et al. for updates. Neither has static power, the embedded x86 cores, input and output, or links between chips: a measured board
takes several times as much, as the measurement beside it shows where the network is one that was measured. Where SANA-FE is installed
and asked for, it simulates samples in place of these sums (`simulated`, `loihiconv.hardware.sanafe`).

**Loihi 2.** No energy is published per operation. There is one network of this kind with a measurement: PilotNet (LIF) took 1.09 mJ of
dynamic and 1.66 mJ of total energy for 16 steps of 158,509 neurons, all that they did included, and 153 us per step with 3,168 neurons on
the fullest core. A network that spikes more takes more, so the range is a tenth to ten times of that, scaled by neurons. What a step's
time hangs on is known: the floorline model (Yik et al. 2025, arXiv:2511.21549) finds networks bound by the synaptic operations, the
neurons or the messages of one core, and Timcheck et al. 2026 (arXiv:2601.10035) bound time from below by such loads. Their figures were
not at hand, so these loads are counted (`Counts.loads`) and not weighed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from loihiconv.core import numbers as n
from loihiconv.core.errors import LimitExceeded
from loihiconv.core.network import Network
from loihiconv.core.recording import Recording
from loihiconv.core.tables import Shown, Table
from loihiconv.hardware.counts import CoreLoad, Counts, count
from loihiconv.hardware.measurements import PILOTNET_FULLEST_CORE, PILOTNET_LIF, PILOTNET_NEURONS, Measurement, measured
from loihiconv.hardware.placement import Placement
from loihiconv.hardware.sanafe import ENERGY_ERROR, TIME_ERROR, Simulated

Range = tuple[float, float]
SYNAPTIC_OPERATION_PJ, SYNAPTIC_OPERATION_NS = (23.6, 35.5), (3.1, 4.7)
UPDATE_PJ, UPDATE_NS = (52.0, 81.0), (5.3, 9.7)
SPIKE_PJ, SPIKE_NS = (0.0, 69.3), (0.0, 30.0)
MESSAGE_PJ = (1.7, 111.0)
MESSAGE_IN_NS, MESSAGE_OUT_NS = (0.0, 16.0), (0.0, 5.1)
EAST_WEST_PJ, NORTH_SOUTH_PJ = (3.0, 3.0), (4.0, 4.2)
BARRIER_NS = (113.0, 1800.0)
YARDSTICK_FACTOR = 10.0
"""How far a network on Loihi 2 may be from the yardstick, either way."""
LOIHI_1 = "range from pre-silicon figures (Davies et al. 2018) to those of SANA-FE: neuron cores only; a board takes several times as much"
SANAFE = "simulated by SANA-FE, to its authors within 12 % of a chip's energy and 25 % of its time: neuron cores only; a board takes more"
LOIHI_2 = "order of magnitude: a tenth to ten times of what PilotNet (LIF) took per neuron; no energy is published per operation"


@dataclass(frozen=True, repr=False)
class EnergyEstimate(Shown):
    """An estimate, never a measurement.

    Attributes
    ----------
    label : str
        What kind of number this is; print it with the numbers.
    counts : Counts
        Of the emulator's spikes.
    joules, seconds : (low, high)
        Per sample.
    parts : {name: (low, high)} or None
        Joules by cause, where figures are known of each.
    measurement : Measurement or None
        Of the same network on a board, where there is one.
    yardstick : Measurement or None
        Of another network on the same chip, which the range was scaled from.
    """

    label: str
    counts: Counts
    timesteps: int
    joules: Range
    seconds: Range
    parts: dict[str, Range] | None = None
    measurement: Measurement | None = None
    yardstick: Measurement | None = None

    def to_json(self) -> dict[str, Any]:
        """The estimate as JSON values."""
        others = {name: None if (found := getattr(self, name)) is None else vars(found) for name in ("measurement", "yardstick")}
        return {**vars(self), "counts": vars(self.counts), **others}

    def __repr__(self) -> str:
        return f"<EnergyEstimate, a sample takes {_text(self.joules, 1e6, 'µJ')} in {_text(self.seconds, 1e3, 'ms')}>"

    def tables(self) -> tuple[Table, ...]:
        c = self.counts
        counted = {
            "synaptic operations": c.synaptic_operations,
            "compartment updates": c.updates,
            "spikes": c.spikes,
            "messages": c.messages,
        }
        rows = [
            ["energy", _text(self.joules, 1e6, "µJ")],
            *([f"of it {name}", _text(j, 1e6, "µJ")] for name, j in (self.parts or {}).items()),
        ]
        rows += [["time", _text(self.seconds, 1e3, "ms")], *([name, n.short(value)] for name, value in counted.items())]
        rows += [[f"busiest core's {name} per step", n.short(value)] for name, value in c.loads.items()]
        return (Table(f"a sample of {n.counted(self.timesteps, 'step')}, estimated", ["", "per sample"], rows),)

    def remarks(self) -> tuple[str, ...]:
        """What kind of numbers these are, and what others measured."""
        others = [
            f"measured by others, {what}: {m.network}, {_text((m.joules,), 1e6, 'µJ')} in {_text((m.seconds,), 1e3, 'ms')}, "
            f"{n.counted(m.timesteps, 'step')}, {n.counted(m.cores, 'core')}; {m.source}"
            for what, m in (("the same network", self.measurement), ("what the range is scaled from", self.yardstick))
            if m is not None
        ]
        return (self.label, *others)


def estimate(network: Network, recording: Recording, placement: Placement) -> EnergyEstimate:
    """Estimate what a sample costs on the chip.

    Parameters
    ----------
    network : Network
    recording : Recording
        Of the same network, with spike counts, on samples that are typical.
    placement : Placement
        Of the same network.

    Raises
    ------
    InvalidData
        If the recording holds no spike counts.
    LimitExceeded
        If nothing of the network fits a core.
    """
    if not placement.cores:
        board = placement.board.title
        raise LimitExceeded("nothing of the network fits a core", where=network.board, limit=board, remedy="see 'loihiconv place'")
    counts, loads = count(network, recording, placement)
    steps, known = network.period, measured(network, placement)
    if placement.board.generation != 1:
        joules, seconds = _by_yardstick(counts, steps, placement)
        return EnergyEstimate(LOIHI_2, counts, steps, joules, seconds, None, known, PILOTNET_LIF)
    parts = {
        "synaptic operations": _times(counts.synaptic_operations, SYNAPTIC_OPERATION_PJ),
        "neuron updates": _times(counts.updates, UPDATE_PJ),
        "spikes": _times(sum(load.spikes for load in loads.values()), SPIKE_PJ),
        "spike messages": _times(counts.messages, MESSAGE_PJ),
        "hops": _plus(_times(counts.hops_east_west, EAST_WEST_PJ), _times(counts.hops_north_south, NORTH_SOUTH_PJ)),
    }
    parts = {name: (low * 1e-12, high * 1e-12) for name, (low, high) in parts.items()}
    low, high = (_step_time(placement, loads, steps, end) * steps for end in (0, 1))
    return EnergyEstimate(LOIHI_1, counts, steps, _plus(*parts.values()), (low, high), parts, known)


def simulated(found: EnergyEstimate, simulation: Simulated) -> EnergyEstimate:
    """An estimate with what SANA-FE says of the same samples, with the error that its authors state.

    Where it counts other spikes than the emulator, as registers that saturate and exponents of weights make it do, the label says so.
    """

    def around(value: float, error: float) -> Range:
        return value * (1 - error), value * (1 + error)

    label, spikes = SANAFE, found.counts.spikes
    if abs(simulation.spikes - spikes) > 1e-9 * spikes:
        label += f"; it counts {n.number(simulation.spikes)} spikes, the emulator {n.number(spikes)}"
    parts = {name: around(value, ENERGY_ERROR) for name, value in simulation.parts.items()}
    joules, seconds = around(simulation.joules, ENERGY_ERROR), around(simulation.seconds, TIME_ERROR)
    return replace(found, label=label, joules=joules, seconds=seconds, parts=parts)


def _text(values: tuple[float, ...], factor: float, unit: str) -> str:
    return f"{' to '.join(n.number(value * factor) for value in values)} {unit}"


def _times(value: float, figures: Range) -> Range:
    return value * figures[0], value * figures[1]


def _plus(*ranges: Range) -> Range:
    return sum(low for low, _ in ranges), sum(high for _, high in ranges)


def _step_time(placement: Placement, loads: dict[int, CoreLoad], steps: int, end: int) -> float:
    """Seconds per step: the slowest core, then the barrier; ``end`` 0 is the low end of the figures, 1 the high one."""

    def nanoseconds(core: int, compartments: int) -> float:
        load = loads.get(core, CoreLoad())
        events = load.operations * SYNAPTIC_OPERATION_NS[end] + load.spikes * SPIKE_NS[end]
        events += load.messages_in * MESSAGE_IN_NS[end] + load.messages_out * MESSAGE_OUT_NS[end]
        return events / steps + compartments * UPDATE_NS[end]

    slowest = max(nanoseconds(core, demand.compartments) for core, demand in placement.usage.items())
    return (slowest + BARRIER_NS[end]) * 1e-9


def _by_yardstick(counts: Counts, steps: int, placement: Placement) -> tuple[Range, Range]:
    """Joules and seconds scaled from PilotNet: energy by neuron updates, time by neurons of the fullest core."""
    pilot = PILOTNET_LIF
    updates = counts.updates / (PILOTNET_NEURONS * pilot.timesteps)
    low, high = pilot.dynamic_joules or pilot.joules, pilot.joules
    fullest = max(demand.compartments for demand in placement.usage.values()) / PILOTNET_FULLEST_CORE
    seconds = pilot.seconds / pilot.timesteps * steps * fullest
    return (updates * low / YARDSTICK_FACTOR, updates * high * YARDSTICK_FACTOR), (seconds / YARDSTICK_FACTOR, seconds * YARDSTICK_FACTOR)
