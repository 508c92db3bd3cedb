"""Network: the spiking network that every back end runs, float or fixed point.

Populations of neurons, see `loihiconv.core.populations`, are joined by connections, each a linear map. All of it is immutable and plain
numpy.

Per time step, with s the spikes (or payloads) that arrive and ``shift`` = 6 in fixed point, 0 in float::

    u = floor((sum of w s) * 2^weight_exp) * 2^shift     summed over connections; weight_exp is 0 in float
    v = clip(v + u + bias)             fixed point only: to +-(2^23 - 1), as the chip's 24-bit registers do
    spike if v > vth * 2^shift         strict, as Lava and Loihi compare
    v = v - vth * 2^shift  (reset "subtract")   or   v = 0  (reset "zero")

Spikes are binary, but for those of populations with a ``payload_max`` above 1 (graded spikes, Loihi 2), which send how many
thresholds there are in v, up to that::

    s = min(payload_max, max(0, floor(v / (vth * 2^shift))))
    v = v - s * vth * 2^shift

Neurons of ``signed`` populations (Loihi 2 again) know m, the sum of what they have sent since the start of the window, and take back
what came too early; Γ is ``payload_max``, which may be 1::

    s = min(Γ, max(-min(Γ, m), floor(v / (vth * 2^shift))))
    v = v - s * vth * 2^shift,   m = m + s

``v_init`` and ``bias`` are in units of v, ``vth`` and weights are not shifted. A sample gets ``timesteps`` steps; a
population sees its window so many steps after the sample enters as there are connections before it, and starts it from ``v_init``,
so a simulation layer by layer, without any delay, gives the same spikes (the project's "wavefront alignment").

*Temporal separation* (Liu et al. 2022, SpikeConverter). A population with S ``silent`` steps integrates during the first T steps
of its window, as all do, but spikes in the T steps that follow the first S alone; its window takes T + S steps. With S = T every
spike is sent when all input is known, so that its rate is the rounded sum, in whatever order the input came. It starts from
``v_init + T bias``, and its steps add no bias. Those that it sends to begin S steps later than they otherwise would, and all samples
follow each other every T + max S steps, `Network.period`. Outside of the steps in which it sends a population is silent, and what
arrives after the T steps in which it integrates is never a spike of its sources.

*Double buffering.* A neuron of a ``buffered`` population has a second potential, w. The first S steps of a window are integrated in w,
and at the step in which sending begins v takes w over and goes on. So a neuron listens to one sample while it still sends for the one
before: S steps are added to the latency, but none to the period.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import takewhile
from math import prod
from os import PathLike

import numpy as np

from loihiconv.core import lnet
from loihiconv.core import numbers as n
from loihiconv.core.errors import InvalidModel
from loihiconv.core.fixed_point import V_MAX
from loihiconv.core.given import check_path, shown
from loihiconv.core.input_preprocessing import GivenPreprocessing, by_input, check_inputs, check_preprocessing, each_applied, of_one
from loihiconv.core.linear import Array
from loihiconv.core.parts import Part, returned
from loihiconv.core.population_base import Connection, Integrator, PopulationBase, unwritten_programs
from loihiconv.core.populations import (
    ESTIMATE_SHIFT,
    IF,
    Input,
    Integrating,
    MaxPool,
    Population,
    Readout,
    assert_never,
)
from loihiconv.core.preprocessing import Preprocessing
from loihiconv.core.record import ConversionRecord
from loihiconv.core.recording import Recording
from loihiconv.core.tables import Shown, Table
from loihiconv.core.version import __version__

__all__ = [
    "ESTIMATE_SHIFT",
    "IF",
    "STATE_SHIFT",
    "SUM_LIMIT",
    "V_MAX",
    "WEIGHT_EXP_MIN",
    "Connection",
    "Input",
    "Integrating",
    "Integrator",
    "MaxPool",
    "Network",
    "Population",
    "PopulationBase",
    "Readout",
    "Recording",
    "assert_never",
    "save",
]

STATE_SHIFT = 6
"""Synaptic sums and thresholds are shifted left by this before they meet u and v (Lava's ``act_shift``, ``vth_shift``)."""
SUM_LIMIT = 2**17
"""|sum of weight x payload| must stay below this, or u wraps."""
WEIGHT_EXP_MIN = -8
"""Smallest exponent of weights; Loihi's go from -8 to 7 (a weight is worth w 2^(6 + weight_exp))."""


@dataclass(frozen=True, eq=False)
class Network(Shown):
    """Populations in topological order (every `Input` first, one `Readout` last) and the connections between them.

    A sample of several inputs is one array for each; `loihiconv.core.packing.packed` makes one of them.

    Parameters
    ----------
    timesteps : int
        T, the steps that each sample gets.
    fixed_point : bool
        Whether all numbers are the chip's integers.
    board : str
        Name of the board whose ranges it keeps to; empty in float.
    record : ConversionRecord
        What the conversion did: settings, calibration summary, gains, notes, provenance.
    origin : Network or None
        The float network that a fixed-point one was quantized from; back end "float" runs it.
    """

    populations: tuple[Population, ...]
    connections: tuple[Connection, ...]
    timesteps: int
    fixed_point: bool = False
    board: str = ""
    record: ConversionRecord = field(default_factory=ConversionRecord)
    origin: Network | None = None

    def __post_init__(self) -> None:
        self._check_populations()
        for connection in self.connections:
            self._check_connection(connection)
        for population in self.populations:
            population.check([(c, self[c.source]) for c in self.incoming(population.name)], self.timesteps)

    def _check_populations(self) -> None:
        kinds = [type(p) for p in self.populations]
        first = len(self.inputs)
        if not first or kinds.count(Input) != first or kinds.count(Readout) != 1 or kinds[-1] is not Readout:
            raise InvalidModel("a network needs inputs as its first populations and one readout as its last")
        if len(self._order) != len(self.populations):
            raise InvalidModel("two populations have the same name")

    def _check_connection(self, connection: Connection) -> None:
        order = self._order
        if not order.get(connection.source, len(order)) < order.get(connection.target, -1):
            raise InvalidModel("joins populations that do not exist or run backwards", where=connection.name)
        source, target = self[connection.source], self[connection.target]
        try:
            shape = connection.map.output_shape(source.shape)
        except ValueError as error:
            raise InvalidModel(str(error), where=connection.name) from error
        if prod(shape) != target.size:
            raise InvalidModel(f"gives shape {shape}, its target has {target.shape}", where=connection.name)

    @cached_property
    def inputs(self) -> tuple[Input, ...]:
        """The populations where samples enter."""
        return tuple(takewhile(lambda p: isinstance(p, Input), self.populations))  # type: ignore[arg-type]  # what the condition says

    @property
    def layers(self) -> tuple[Population, ...]:
        """All populations that take something from others: those behind the inputs."""
        return self.populations[len(self.inputs) :]

    @property
    def input(self) -> Input:
        """The population where samples enter.

        Raises
        ------
        InvalidModel
            If there are several.
        """
        if len(self.inputs) > 1:
            names = ", ".join(p.name for p in self.inputs)
            raise InvalidModel(f"the network has {len(self.inputs)} inputs ({names})", where="input", limit="this works on networks of one")
        return self.inputs[0]

    def is_input(self, name: str) -> bool:
        """Whether samples enter at the population of a name."""
        return any(p.name == name for p in self.inputs)

    @property
    def readout(self) -> Readout:
        """The population whose potentials are the result."""
        last = self.populations[-1]
        assert isinstance(last, Readout)  # established in __post_init__
        return last

    @property
    def readout_steps(self) -> int:
        """Steps that the readout integrates: all but those that it lets pass."""
        return self.timesteps - self.readout.delay

    @property
    def outputs(self) -> tuple[Part, ...]:
        """Name and shape of every output as the float network returns it; one of the readout's name unless there are several."""
        return returned(self.readout.parts) or (Part(self.readout.name, self.readout.output_shape),)

    @property
    def output_unit(self) -> float | Array:
        """Potential of the readout after the window that stands for an output of 1 of the float network, in units of v.

        One number, or one per neuron, (n,), where there are several outputs.
        """
        return self.readout.scale * self.readout_steps * self.readout.relative

    @property
    def shift(self) -> int:
        """Left shift from weights and thresholds to potentials."""
        return STATE_SHIFT if self.fixed_point else 0

    @property
    def payload_max(self) -> int:
        """Largest payload of its spikes: 1 where all are binary. The values that an analog input sends are no spikes."""
        return max((p.largest_message for p in self.populations if p.spiking), default=1)

    @property
    def copies(self) -> int:
        """Neurons that stand for one activation together, at most."""
        return max((p.copies for p in self.populations if isinstance(p, IF)), default=1)

    @property
    def signed(self) -> bool:
        """Whether any of its spikes can be negative."""
        return any(p.spiking and p.smallest_message < 0 for p in self.populations)

    @property
    def unwritten(self) -> tuple[str, ...]:
        """What of its neurons needs a program that no board has yet."""
        return unwritten_programs(self.payload_max, self.silent_steps, self.signed)

    def tables(self) -> tuple[Table, ...]:
        header = ("population", "shape", "neurons", "weights", "threshold", "limited by", "bits")
        return (Table(self._title(), header, [self._row(p) for p in self.populations]),)

    def remarks(self) -> tuple[str, ...]:
        return (f"samples: {self.samples}", *self.record.notes)

    def _row(self, population: Population) -> list[str]:
        incoming, entry = self.incoming(population.name), self.record.quantization.get(population.name)
        maps, on_chip = [c.map for c in incoming], not all(c.on_host for c in incoming)
        return [
            population.name,
            n.size(population.shape, "x"),
            n.count(population.size),
            n.count(sum(map.weight.size for map in maps)) if maps else "",
            n.setting(population.spike_charge(0)) if population.spiking else "",
            "" if entry is None else self._limit(population, entry.limited_by),
            n.decimal(entry.weight_bits_used, 1) if entry is not None and on_chip else "",
        ]

    def _limit(self, population: Population, cause: str) -> str:
        """What limited a gain, short: weights are named by the population that they come from where several lead to this one."""
        incoming = self.incoming(population.name)
        named = {f"weights of {c.name}": f"weights from {c.source}" if len(incoming) > 1 else "weights" for c in incoming}
        return named.get(cause, cause)

    def _title(self) -> str:
        numbers = ("fixed point" if self.fixed_point else "float") + (f" for {self.board}" if self.board else "")
        neurons, weights = sum(p.size for p in self.populations), sum(c.map.weight.size for c in self.connections)
        sizes = f"{len(self.populations)} populations, {n.count(neurons)} neurons, {n.count(weights)} weights"
        return f"Network, {numbers}, {self.steps}: {sizes}"

    @property
    def steps(self) -> str:
        """What a sample gets, in words: "T = 16", "T = 16 + 16 silent" or "T = 16, 2 neurons for each activation"."""
        return f"T = {self.timesteps}{silent_words(self.silent_steps, self.period - self.timesteps)}{copies_words(self.copies)}"

    def __repr__(self) -> str:
        return f"<{self._title()}; samples {', '.join(self._sample(source) for source in self.inputs)}>"

    def _sample(self, source: Input) -> str:
        name = f"{source.name} " if len(self.inputs) > 1 else ""
        done = "" if source.preprocessing is None or source.preprocessing.plain else f", preprocessed here: {source.preprocessing}"
        return f"{name}({', '.join(map(str, source.sample_shape))}){done}"

    @property
    def samples(self) -> str:
        """What samples it wants, in words: "(28, 28), preprocessed here: x / 255, then (x - 0.286) / 0.353, HW -> CHW"."""
        return "; ".join(self._wanted(source) for source in self.inputs)

    def _wanted(self, source: Input) -> str:
        text, known = self._sample(source), self.record.calibration.inputs.get(source.name)
        if source.preprocessing is None:
            text += ", preprocessed as for calibration"
        if known is None:
            return text
        return f"{text}; then from {known.smallest:.3g} to {known.largest:.3g}, mean {known.mean:.3g}, deviation {known.std:.3g}"

    @property
    def preprocessing(self) -> Preprocessing | dict[str, Preprocessing] | None:
        """What becomes of samples first: of a network with several inputs {input: its own}, without those that have none."""
        if len(self.inputs) == 1:
            return self.input.preprocessing
        return {source.name: source.preprocessing for source in self.inputs if source.preprocessing is not None} or None

    def with_preprocessing(self, preprocessing: GivenPreprocessing) -> Network:
        """The same network for samples that come as this preprocessing takes them; None for samples as the float network takes them.

        Of a network with several inputs it is {input: Preprocessing}; those that are left out get none.

        Raises
        ------
        InvalidSetting
            If its layout does not fit the network's samples, or if it does not say which of several inputs it is for.
        InvalidData
            If it is of another number of channels.
        """
        check_preprocessing(preprocessing)
        check_inputs(preprocessing, [source.name for source in self.inputs])
        one, each = of_one(preprocessing), by_input(preprocessing)
        chosen = {source.name: each.get(source.name, one) for source in self.inputs}
        for source in self.inputs:
            if (own := chosen[source.name]) is not None:
                each_applied({source.name: own}, {source.name: np.zeros((1, *own.given_shape(source.taken_shape)), np.float32)})
        origin = None if self.origin is None else self.origin.with_preprocessing(preprocessing)
        inputs = tuple(replace(source, preprocessing=chosen[source.name]) for source in self.inputs)
        return replace(self, populations=(*inputs, *self.layers), origin=origin)

    def save(self, path: str | PathLike[str]) -> None:
        """Write to a file atomically; see `loihiconv.save`."""
        save(self, path)

    def __getitem__(self, name: str) -> Population:
        return self._by_name[name]

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def incoming(self, name: str) -> tuple[Connection, ...]:
        """Connections into a population."""
        return tuple(c for c in self.connections if c.target == name)

    def outgoing(self, name: str) -> tuple[Connection, ...]:
        """Connections out of a population."""
        return tuple(c for c in self.connections if c.source == name)

    @cached_property
    def begins(self) -> dict[str, int]:
        """Steps from where a sample enters to the window of each population: one a connection on the longest way, and silent ones."""
        begins = {p.name: 0 for p in self.inputs}
        for population in self.layers:
            begins[population.name] = 1 + max(self._sends(c.source, begins) for c in self.incoming(population.name))
        return begins

    def delay(self, connection: Connection) -> int:
        """Steps that a connection must wait beyond its ordinary one, so that a skip arrives with its sample."""
        return self.begins[connection.target] - self._sends(connection.source, self.begins) - 1

    def _sends(self, name: str, begins: Mapping[str, int]) -> int:
        """Steps from where a sample enters to the first step in which a population sends."""
        return begins[name] + self[name].silent_steps

    @cached_property
    def silent_steps(self) -> int:
        """Most silent steps of any population."""
        return max(p.silent_steps for p in self.populations)

    @property
    def period(self) -> int:
        """Steps from one sample to the next: T, and silent ones unless they are buffered."""
        return self.timesteps + max(p.added_steps for p in self.populations)

    @property
    def latency(self) -> int:
        """Steps from where a sample enters to its answer: the readout's window, and the way there."""
        return self.begins[self.readout.name] + self.timesteps

    @cached_property
    def _by_name(self) -> dict[str, Population]:
        return {p.name: p for p in self.populations}

    @cached_property
    def _order(self) -> dict[str, int]:
        return {p.name: i for i, p in enumerate(self.populations)}


def silent_words(silent: int, added: int) -> str:
    """What is said of silent steps beside T: " + 16 silent" or ", 16 silent ones buffered"; empty where there are none.

    Parameters
    ----------
    silent : int
        Most of any population.
    added : int
        Steps that they add to every sample.
    """
    if silent == added:
        return f" + {silent} silent" if silent else ""
    return f", {silent} silent ones buffered" if not added else f" + {added} silent, {silent} buffered"


def copies_words(copies: int) -> str:
    """What is said of several neurons for each activation: ", 2 neurons for each activation"; empty where there is one."""
    return f", {copies} neurons for each activation" if copies > 1 else ""


def check_network(network: object, where: str = "network") -> None:
    """Raise `InvalidModel` for what is no `Network`."""
    if not isinstance(network, Network):
        remedy = "loihiconv.convert makes one, and loihiconv.load reads one from a file"
        raise InvalidModel(f"{shown(network)} is no spiking network", where=where, limit="a Network expected", remedy=remedy)


def save(network: Network, path: str | PathLike[str]) -> None:
    """Write a network to a file atomically.

    Loading gives back every value, dtype and array shape. The versions of loihiconv and numpy are added as
    ``record.saved`` unless the network was loaded from a file and has them.

    Parameters
    ----------
    network : Network
    path : path
        Customarily ``*.lnet``; its folder must exist. A file that is there is replaced.

    Raises
    ------
    ArtifactError
        If the network holds what the format does not, or the file cannot be written.
    """
    check_network(network)
    check_path(path, "save")
    if not network.record.saved:
        saved = {"loihiconv": __version__, "numpy": np.__version__}
        network = replace(network, record=replace(network.record, saved=saved))
    lnet.write(network, path)
