"""Network: the spiking network that every back end runs, float or fixed point.

Populations of neurons are joined by connections, each a linear map. All of it is immutable and plain numpy.

Per time step, with s the spikes (or payloads) that arrive and ``shift`` = 6 in fixed point, 0 in float::

    u = (sum of w s) * 2^shift
    v = clip(v + u + bias)             fixed point only: to +-(2^23 - 1), as the chip's 24-bit registers do
    spike if v > vth * 2^shift         strict, as Lava and Loihi compare
    v = v - vth * 2^shift  (reset "subtract")   or   v = 0  (reset "zero")

Spikes are binary, but for those of populations with a ``payload_max`` above 1 (graded spikes, Loihi 2), which send how many
thresholds there are in v, up to that::

    s = min(payload_max, max(0, floor(v / (vth * 2^shift))))
    v = v - s * vth * 2^shift

``v_init`` and ``bias`` are in units of v, ``vth`` and weights are not shifted. A sample gets ``timesteps`` steps; a
population of depth d sees its window d steps later and starts it from ``v_init``, so a simulation layer by layer,
without any delay, gives the same spikes (the project's "wavefront alignment").
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from os import PathLike
from typing import Literal, TypeAlias

import numpy as np

from loihiconv.core import lnet
from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Array, Conv, LinearMap, Shape
from loihiconv.core.record import ConversionRecord
from loihiconv.core.recording import Recording as Recording
from loihiconv.core.version import __version__

STATE_SHIFT = 6
"""Synaptic sums and thresholds are shifted left by this before they meet u and v (Lava's ``act_shift``, ``vth_shift``)."""
V_MAX = 2**23 - 1
"""u and v are signed 24-bit registers; v saturates at +-V_MAX."""
SUM_LIMIT = 2**17
"""|sum of weight x payload| must stay below this, or u wraps."""
ESTIMATE_SHIFT = 12
"""A spike adds 2^ESTIMATE_SHIFT to the averages that gates estimate rates by."""
PAYLOAD_LIMIT = 255
"""Graded spikes carry one byte at most: with 8-bit weights more would leave no room in a sum of 17 bits."""

Coding: TypeAlias = Literal["analog", "rate", "poisson"]
Reset: TypeAlias = Literal["subtract", "zero"]
Estimate: TypeAlias = Literal["count", "average"]
Decision: TypeAlias = Literal["potential", "softmax"]


@dataclass(frozen=True, eq=False)
class Input:
    """Where samples enter.

    Parameters
    ----------
    coding : "analog", "rate" or "poisson"
        "analog" sends the value itself as a payload at each step; "rate" drives one non-leaky integrate-and-fire
        neuron per value, whose spikes come evenly spaced; "poisson" spikes at random with probability
        payload / payload_max at each step, see `loihiconv.core.input_coding.poisson_spikes`.
    scale : float
        Value that becomes 1 (float) or ``payload_max`` (fixed point).
    payload_max : int
        Largest payload, and in rate coding the input neurons' threshold; 0 in a float network.
    signed : bool
        Whether payloads may be negative.
    seed : int
        Of "poisson": the same seed gives the same spikes on every back end.
    bias_plane : bool
        Whether the last channel is not of the samples but always sends the largest payload; see `loihiconv.conversion.bias_plane`.
    """

    name: str
    shape: Shape
    coding: Coding = "analog"
    scale: float = 1.0
    payload_max: int = 0
    signed: bool = False
    seed: int = 0
    bias_plane: bool = False

    @property
    def sample_shape(self) -> Shape:
        """Shape of one sample."""
        return (self.shape[0] - self.bias_plane, *self.shape[1:])

    @property
    def spiking(self) -> bool:
        """Whether it sends spikes."""
        return self.coding != "analog"

    @property
    def largest_message(self) -> int:
        """Largest magnitude that it sends in a step, in fixed point."""
        return 1 if self.spiking else self.payload_max

    @property
    def graded(self) -> bool:
        """Whether its spikes carry payloads: an input's are binary, and an analog input sends values, not spikes."""
        return False


@dataclass(frozen=True, eq=False)
class IF:
    """Integrate-and-fire neurons without leak.

    Parameters
    ----------
    vth : float or int
        Threshold, not shifted.
    v_init : array broadcastable to shape
        Membrane potential at the start of each sample, in units of v.
    bias : array broadcastable to shape
        Added to v at each step, in units of v; in fixed point every entry is mantissa * 2^exponent.
    reset : "subtract" or "zero"
    payload_max : int, 1 to `PAYLOAD_LIMIT`
        Γ, the largest payload of a spike: 1 sends binary spikes. Graded ones are subtracted, never reset to zero.
    """

    name: str
    shape: Shape
    vth: float
    v_init: Array
    bias: Array
    reset: Reset = "subtract"
    payload_max: int = 1

    @property
    def spiking(self) -> bool:
        """Whether it sends spikes."""
        return True

    @property
    def largest_message(self) -> int:
        """Largest magnitude that it sends in a step."""
        return self.payload_max

    @property
    def graded(self) -> bool:
        """Whether its spikes carry payloads."""
        return self.payload_max > 1


@dataclass(frozen=True, eq=False)
class MaxPool:
    """Gates that let only the spikes of the unit with the largest estimated rate pass (Rueckauer et al. 2016, section 3.6).

    The one connection into it is a depthwise convolution of ones, whose windows are those of the pooling; what arrives
    is not summed but gated, and padding never wins. Each unit's estimate e includes the spike s of the current step, without
    which a gate would miss the spikes that decide (CIFAR-10 lost 3 to 7 % at T = 32):

    - "count": e = spikes so far, which orders units as the cumulative mean does. Whoever held the maximum keeps it
      in a tie, so a gate has passed exactly as many spikes as its busiest unit has sent, at any step. So it is with graded
      spikes: the gate sends by how much the maximum of what its units have sent so far has grown.
    - "average": e <- e - (e >> decay) + (s << ESTIMATE_SHIFT), an exponentially weighted average over about 2^decay steps. In a tie
      the first unit in row-major order wins.

    Estimates are integers in float networks too, and zero at the start of each sample. No chip has such gates.

    Parameters
    ----------
    shape : (C, H, W)
    estimate : "count" or "average"
    decay : int, 0 to 16
        Of "average", which takes binary spikes only.
    payload_max : int
        Largest payload of what it pools.
    """

    name: str
    shape: Shape
    estimate: Estimate = "count"
    decay: int = 5
    payload_max: int = 1

    @property
    def spiking(self) -> bool:
        """Whether it sends spikes."""
        return True

    @property
    def largest_message(self) -> int:
        """Largest magnitude that it sends in a step."""
        return self.payload_max

    @property
    def graded(self) -> bool:
        """Whether its spikes carry payloads."""
        return self.payload_max > 1


@dataclass(frozen=True, eq=False)
class Readout:
    """Integrators that never spike of their own; `loihiconv.core.classification` has how they decide for a class.

    Parameters
    ----------
    scale : float
        Potential per step that stands for an output of 1 of the float network, in units of v.
    decision : "potential" or "softmax"
        The class with the largest potential, or with the most output spikes of a spiking softmax (Rueckauer et al.
        2016, section 3.5).
    rate : float in (0, 1]
        Of "softmax": probability per step that the external generator asks for an output spike.
    seed : int
        Of "softmax".
    delay : int, 0 to T - 1
        t0, the steps of each window that it lets pass: v stays ``v_init`` until then, and integrates T - t0 steps.
    """

    name: str
    shape: Shape
    v_init: Array
    bias: Array
    scale: float = 1.0
    decision: Decision = "potential"
    rate: float = 0.5
    seed: int = 0
    delay: int = 0

    @property
    def spiking(self) -> bool:
        """Whether it sends spikes."""
        return False

    @property
    def largest_message(self) -> int:
        """It sends nothing."""
        return 0

    @property
    def graded(self) -> bool:
        """Whether its spikes carry payloads."""
        return False


Population: TypeAlias = Input | IF | MaxPool | Readout


@dataclass(frozen=True, eq=False)
class Connection:
    """Synapses from one population to another.

    Parameters
    ----------
    map : Dense or Conv
        Weights: float, or int32 in fixed point.
    on_host : bool
        The host computes this sum once per sample and loads it into the target's biases (boards without graded
        spikes). Its weights are not bound to the chip's 8 bits; see `loihiconv.core.input_coding.host_currents`.
    weight_exp : int
        Only with ``on_host``: the sum is multiplied by 2^weight_exp and is then in units of v.
    """

    source: str
    target: str
    map: LinearMap
    on_host: bool = False
    weight_exp: int = 0

    @property
    def name(self) -> str:
        """``source->target``."""
        return f"{self.source}->{self.target}"


@dataclass(frozen=True, eq=False)
class Network:
    """Populations in topological order (one `Input` first, one `Readout` last) and the connections between them.

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
        kinds = [type(p) for p in self.populations]
        if kinds.count(Input) != 1 or kinds.count(Readout) != 1 or kinds[0] is not Input or kinds[-1] is not Readout:
            raise InvalidModel("a network needs one input as its first population and one readout as its last")
        order = {p.name: i for i, p in enumerate(self.populations)}
        if len(order) != len(self.populations):
            raise InvalidModel("two populations have the same name")
        for connection in self.connections:
            if not order.get(connection.source, len(order)) < order.get(connection.target, -1):
                raise InvalidModel("joins populations that do not exist or run backwards", where=connection.name)
            try:
                shape = connection.map.output_shape(self[connection.source].shape)
            except ValueError as error:
                raise InvalidModel(str(error), where=connection.name) from error
            if prod(shape) != prod(self[connection.target].shape):
                raise InvalidModel(f"gives shape {shape}, its target has {self[connection.target].shape}", where=connection.name)
        if lonely := [p.name for p in self.populations[1:] if not self.incoming(p.name)]:
            raise InvalidModel("has no incoming connection", where=lonely[0])
        if not 0 <= self.readout.delay < max(self.timesteps, 1):
            raise InvalidModel(f"a delay of {self.readout.delay} steps; 0 to {self.timesteps - 1} expected", where=self.readout.name)
        for population in self.populations:
            if isinstance(population, MaxPool):
                self._check_pool(population)
            if isinstance(population, IF) and not 1 <= population.payload_max <= (PAYLOAD_LIMIT if population.reset == "subtract" else 1):
                limit = f"1 to {PAYLOAD_LIMIT} expected, and 1 with a reset to zero"
                raise InvalidModel(f"payloads of up to {population.payload_max}", where=population.name, limit=limit)

    def _check_pool(self, pool: MaxPool) -> None:
        incoming = self.incoming(pool.name)
        map, source = incoming[0].map, self[incoming[0].source]
        if len(incoming) > 1 or not source.spiking:
            raise InvalidModel("max-pooling takes one connection, from a population that spikes", where=pool.name)
        depthwise = isinstance(map, Conv) and map.groups == len(map.weight) == source.shape[0] and min(map.padding) >= 0
        if not depthwise or map.output_shape(source.shape) != pool.shape or not (map.weight == 1).all():
            raise InvalidModel("max-pooling takes a depthwise convolution of ones that does not crop", where=incoming[0].name)
        if not 0 <= pool.decay <= 16:
            raise InvalidModel(f"decay {pool.decay}; 0 to 16 expected", where=pool.name)
        if pool.payload_max != source.largest_message or (pool.estimate == "average" and pool.graded):
            raise InvalidModel(f"pools payloads of up to {source.largest_message}, made for {pool.payload_max}", where=pool.name)

    @property
    def input(self) -> Input:
        """The population where samples enter."""
        first = self.populations[0]
        assert isinstance(first, Input)  # established in __post_init__
        return first

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
    def shift(self) -> int:
        """Left shift from weights and thresholds to potentials."""
        return STATE_SHIFT if self.fixed_point else 0

    @property
    def payload_max(self) -> int:
        """Largest payload of its spikes: 1 where all are binary. The values that an analog input sends are no spikes."""
        return max((p.largest_message for p in self.populations if p.spiking), default=1)

    def save(self, path: str | PathLike[str]) -> None:
        """Write to a file, whole or not at all; see `loihiconv.save`."""
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
    def depth(self) -> dict[str, int]:
        """Number of connections on the longest way from the input to each population."""
        depth = {self.input.name: 0}
        for population in self.populations[1:]:
            depth[population.name] = 1 + max(depth[c.source] for c in self.incoming(population.name))
        return depth

    def delay(self, connection: Connection) -> int:
        """Steps that a connection must wait beyond its ordinary one, so that a skip arrives with its sample."""
        return self.depth[connection.target] - self.depth[connection.source] - 1

    @cached_property
    def _by_name(self) -> dict[str, Population]:
        return {p.name: p for p in self.populations}


def save(network: Network, path: str | PathLike[str]) -> None:
    """Write a network to a file, whole or not at all.

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
    if not network.record.saved:
        saved = {"loihiconv": __version__, "numpy": np.__version__}
        network = replace(network, record=replace(network.record, saved=saved))
    lnet.write(network, path)


def load(path: str | PathLike[str]) -> Network:
    """Read a network from a file.

    Raises
    ------
    ArtifactError
        If the file is missing, truncated, altered, foreign or of a newer version.
    """
    return lnet.read(path, Network)
