"""Populations of neurons, one class per kind: what a `loihiconv.core.network.Network` is made of.

`PopulationBase` is what every kind says of itself, and `Integrator` what all have whose neurons integrate. Code that asks for no more
than that works for a new kind as it is. Code that has to tell the kinds apart does so in a ``match`` over `Population` that ends in
`assert_never`, so that the type checker names it when a kind is added; CONTRIBUTING.md has the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn, TypeAlias

import numpy as np

from loihiconv.core.choices import COPIES_LIMIT, PAYLOAD_LIMIT, SIGNED_PAYLOAD_LIMIT, Coding, Decision, Estimate, Reset
from loihiconv.core.ending import LastFunction, described, ending_shape, keeps_order
from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Array, Conv, LinearMap, Shape
from loihiconv.core.parts import OutputPart
from loihiconv.core.population_base import Connection, Integrator, Kind, PopulationBase
from loihiconv.core.preprocessing import Preprocessing

ESTIMATE_SHIFT = 12
"""A spike adds 2^ESTIMATE_SHIFT to the averages that gates estimate rates by."""


@dataclass(frozen=True, eq=False)
class Input(PopulationBase):
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
    given : tuple of int
        Shape of one sample as the float network takes it, such as (H, W, C) or (C, L); empty where it is that of the population.
    order : int array (values,) or None
        For each of the population's values its place in the flattened sample; None leaves them as they come.
    preprocessing : Preprocessing or None
        What becomes of samples before that; None where nothing was said, and samples are as the float network takes them.
    """

    coding: Coding = "analog"
    scale: float = 1.0
    payload_max: int = 0
    signed: bool = False
    seed: int = 0
    bias_plane: bool = False
    given: Shape = ()
    order: Array | None = None
    preprocessing: Preprocessing | None = None

    @property
    def sample_shape(self) -> Shape:
        """Shape of one sample as users give it."""
        return self.taken_shape if self.preprocessing is None else self.preprocessing.given_shape(self.taken_shape)

    @property
    def taken_shape(self) -> Shape:
        """Shape of one sample after preprocessing, as the float network takes it."""
        return self.given or self.values_shape

    @property
    def values_shape(self) -> Shape:
        """Shape of what samples become: the population's, but for the bias plane."""
        return (self.shape[0] - self.bias_plane, *self.shape[1:])

    @property
    def kind(self) -> Kind:
        return "input"

    @property
    def spiking(self) -> bool:
        return self.coding != "analog"

    @property
    def largest_message(self) -> int:
        return 1 if self.spiking else self.payload_max

    @property
    def smallest_message(self) -> int:
        return -self.largest_message if self.signed else 0

    @property
    def has_potential(self) -> bool:
        return self.coding == "rate"

    @property
    def resets(self) -> Reset | None:
        return "subtract" if self.has_potential else None

    @property
    def on_chips(self) -> bool:
        return True

    def spike_charge(self, shift: int) -> float:
        return float(self.payload_max or 1)  # the sample's payloads come as they are, not shifted

    def start(self, *, fixed_point: bool) -> Array:
        half = self.payload_max // 2 if fixed_point else 0.5
        return np.full(self.shape, float(half) if self.has_potential else 0.0)

    def check(self, incoming: Sequence[tuple[Connection, PopulationBase]], timesteps: int) -> None:
        """Nothing comes in, and all parameters go together."""


@dataclass(frozen=True, eq=False)
class IF(Integrator):
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
    bound : array broadcastable to shape, or None
        Where the function that the rates stand for is cut off, in the units of a rate: what a neuron lacks above it is no error. None
        where it is not. It says what was meant and changes nothing of what neurons do.
    silent : int, 0 to T
        Steps of each window in which neurons integrate and do not spike. They spike in the T steps after that, and what comes in arrives
        in the first T; see `loihiconv.core.network`. The bias of all T steps is then there from the start.
    buffered : bool
        Whether what the next sample brings in its silent steps is kept in a second potential, while the one before still sends.
    signed : bool
        Whether spikes can be negative, and take back what was sent too early: neurons remember the sum of what they have sent, which never
        falls below 0; see `loihiconv.core.network`. Largest payloads are then at most `SIGNED_PAYLOAD_LIMIT`.
    copies : int, 1 to `COPIES_LIMIT`
        Neurons next to each other, along the first axis, whose mean rate stands for one activation. It says what was meant and changes
        nothing of what neurons do.
    """

    vth: float
    v_init: Array
    bias: Array
    reset: Reset = "subtract"
    payload_max: int = 1
    bound: Array | None = None
    silent: int = 0
    buffered: bool = False
    signed: bool = False
    copies: int = 1

    @property
    def kind(self) -> Kind:
        return "spiking"

    @property
    def spiking(self) -> bool:
        return True

    @property
    def largest_message(self) -> int:
        return self.payload_max

    @property
    def smallest_message(self) -> int:
        return -self.payload_max if self.signed else 0

    @property
    def resets(self) -> Reset | None:
        return self.reset

    @property
    def silent_steps(self) -> int:
        return self.silent

    @property
    def added_steps(self) -> int:
        return 0 if self.buffered else self.silent

    @property
    def on_chips(self) -> bool:
        return True

    def spike_charge(self, shift: int) -> float:
        return float(self.vth * 2**shift)

    def unit(self, shift: int) -> float:
        return self.spike_charge(shift)

    def quantized(self, gain: float, shift: int, *, v_init: Array, bias: Array) -> IF:
        return replace(self, vth=int(gain), v_init=v_init, bias=bias)

    def charge(self, start: float) -> Array:
        """What neurons get beside their input, in thresholds, for each channel; shaped to broadcast to ``shape``.

        Copy r of R gets (r + start) / R, so that the mean of their counts, floor(z + (r + start) / R), is floor(R z + start) / R
        (Hermite's identity): what one neuron of R times as many steps would count.

        Parameters
        ----------
        start : float
            Of a neuron without copies.
        """
        copy = np.arange(self.shape[0] if self.copies > 1 else 1) % self.copies
        return np.asarray((copy + start) / self.copies, np.float32).reshape(-1, *(1,) * (len(self.shape) - 1))

    def check(self, incoming: Sequence[tuple[Connection, PopulationBase]], timesteps: int) -> None:
        super().check(incoming, timesteps)
        self._check_signed()
        if not 1 <= self.copies <= COPIES_LIMIT or self.shape[0] % self.copies:
            limit = f"1 to {COPIES_LIMIT} expected, and as many of each"
            raise InvalidModel(f"{self.copies} copies in {self.shape[0]} channels", where=self.name, limit=limit)
        if not 1 <= self.payload_max <= (PAYLOAD_LIMIT if self.reset == "subtract" else 1):
            limit = f"1 to {PAYLOAD_LIMIT} expected, and 1 with a reset to zero"
            raise InvalidModel(f"payloads of up to {self.payload_max}", where=self.name, limit=limit)
        if not 0 <= self.silent <= (max(timesteps, 0) if self.reset == "subtract" else 0):
            limit = f"0 to T = {timesteps} expected, and 0 with a reset to zero"
            raise InvalidModel(f"{self.silent} silent steps", where=self.name, limit=limit)
        if self.buffered and not self.silent:
            raise InvalidModel("buffered without silent steps", where=self.name, limit="there is nothing to keep")
        if self.silent and any(c.on_host for c, _ in incoming):
            limit = "only spikes and payloads can be waited for"
            remedy = 'convert with silent_steps=0 or, for inputs of one sign, input_coding="rate"'
            raise InvalidModel("silent steps where the host loads currents", where=self.name, limit=limit, remedy=remedy)

    def _check_signed(self) -> None:
        if not self.signed:
            return
        if self.reset != "subtract" or self.silent:
            what = "a reset to zero" if self.reset != "subtract" else "silent steps"
            limit = "what is taken back goes back into the potential, of neurons that may spike at any step"
            raise InvalidModel(f"signed spikes with {what}", where=self.name, limit=limit)
        if self.payload_max > SIGNED_PAYLOAD_LIMIT:
            limit = f"1 to {SIGNED_PAYLOAD_LIMIT} expected"
            raise InvalidModel(f"signed payloads of up to {self.payload_max}", where=self.name, limit=limit)


@dataclass(frozen=True, eq=False)
class MaxPool(PopulationBase):
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

    estimate: Estimate = "count"
    decay: int = 5
    payload_max: int = 1

    @property
    def kind(self) -> Kind:
        return "max-pooling"

    @property
    def spiking(self) -> bool:
        return True

    @property
    def largest_message(self) -> int:
        return self.payload_max

    @property
    def smallest_message(self) -> int:
        return 0

    @property
    def has_potential(self) -> bool:
        return False

    @property
    def resets(self) -> Reset | None:
        return None

    @property
    def on_chips(self) -> bool:
        return False

    def spike_charge(self, shift: int) -> float:
        return 1.0

    def start(self, *, fixed_point: bool) -> Array:
        return np.zeros(self.shape)

    def check(self, incoming: Sequence[tuple[Connection, PopulationBase]], timesteps: int) -> None:
        super().check(incoming, timesteps)
        connection, source = incoming[0]
        if len(incoming) > 1 or not source.spiking:
            raise InvalidModel("max-pooling takes one connection, from a population that spikes", where=self.name)
        if not self._pools(connection.map, source.shape):
            raise InvalidModel("max-pooling takes a depthwise convolution of ones that does not crop", where=connection.name)
        if not 0 <= self.decay <= 16:
            raise InvalidModel(f"decay {self.decay}; 0 to 16 expected", where=self.name)
        if source.smallest_message < 0:
            remedy = 'use maxpool="relu-tree"'
            raise InvalidModel("gates pass on spikes and take none back", where=self.name, limit="spikes without a sign", remedy=remedy)
        if self.payload_max != source.largest_message or (self.estimate == "average" and self.graded):
            raise InvalidModel(f"pools payloads of up to {source.largest_message}, made for {self.payload_max}", where=self.name)

    def _pools(self, linear: LinearMap, source: Shape) -> bool:
        if not isinstance(linear, Conv) or not linear.groups == len(linear.weight) == source[0] or min(linear.padding) < 0:
            return False
        return linear.output_shape(source) == self.shape and bool((linear.weight == 1).all())


@dataclass(frozen=True, eq=False)
class Readout(Integrator):
    """Integrators that never spike of their own; `loihiconv.core.classification` has how they decide for a class.

    Parameters
    ----------
    scale : float
        Potential per step that stands for an output of 1 of the float network, in units of v; see `relative`.
    decision : "potential" or "softmax"
        The class with the largest potential, or with the most output spikes of a spiking softmax (Rueckauer et al.
        2016, section 3.5).
    rate : float in (0, 1]
        Of "softmax": probability per step that the external generator asks for an output spike.
    seed : int
        Of "softmax".
    delay : int, 0 to T - 1
        t0, the steps of each window that it lets pass: v stays ``v_init`` until then, and integrates T - t0 steps.
    ending : tuple of HostFunction
        The float network's own last functions, which the host applies to its outputs; see `loihiconv.core.ending`.
    parts : tuple of OutputPart
        Where the float network has several outputs: which neurons are which, one output after the other, each with a scale of its own.
        Empty where it has one.
    """

    v_init: Array
    bias: Array
    scale: float = 1.0
    decision: Decision = "potential"
    rate: float = 0.5
    seed: int = 0
    delay: int = 0
    ending: tuple[LastFunction, ...] = ()
    parts: tuple[OutputPart, ...] = ()

    @property
    def kind(self) -> Kind:
        return "readout"

    @property
    def relative(self) -> float | Array:
        """What ``scale`` is multiplied by for each neuron, float64 (n,), or 1 where there is one output."""
        if not self.parts:
            return 1.0
        return np.repeat([part.scale for part in self.parts], [part.size for part in self.parts])

    @property
    def spiking(self) -> bool:
        return False

    @property
    def largest_message(self) -> int:
        return 0

    @property
    def smallest_message(self) -> int:
        return 0

    @property
    def resets(self) -> Reset | None:
        return None

    @property
    def on_chips(self) -> bool:
        return True

    def spike_charge(self, shift: int) -> float:
        return 1.0

    def unit(self, shift: int) -> float:
        return float(self.scale)

    def quantized(self, gain: float, shift: int, *, v_init: Array, bias: Array) -> Readout:
        return replace(self, v_init=v_init, bias=bias, scale=self.scale * (gain * 2**shift))

    @property
    def first_step(self) -> int:
        return self.delay

    @property
    def output_shape(self) -> Shape:
        """Shape of the network's outputs for one sample, after its last functions."""
        return ending_shape(self.ending, (self.size,))

    def check(self, incoming: Sequence[tuple[Connection, PopulationBase]], timesteps: int) -> None:
        super().check(incoming, timesteps)
        if not 0 <= self.delay < max(timesteps, 1):
            raise InvalidModel(f"a delay of {self.delay} steps; 0 to {timesteps - 1} expected", where=self.name)
        try:
            _ = self.output_shape, [part.output_shape for part in self.parts]
        except ValueError as error:
            raise InvalidModel(f"its last functions do not fit: {error}", where=self.name) from error
        if self.decision == "softmax" and not keeps_order(self.ending):
            raise InvalidModel(
                f"a spiking softmax before {described(self.ending)}",
                where=self.name,
                limit="it competes for the largest output of the readout",
                remedy='use readout="potential"',
            )
        if self.parts:
            self._check_parts()

    def _check_parts(self) -> None:
        names, sizes = {part.name for part in self.parts}, sum(part.size for part in self.parts)
        if len(names) != len(self.parts) or sizes != self.size or len(self.parts) == 1:
            limit = f"several outputs with names of their own expected, of {self.size} neurons in all"
            raise InvalidModel(f"{len(self.parts)} outputs of {sizes} neurons", where=self.name, limit=limit)
        if self.ending:
            raise InvalidModel("last functions of several outputs at once", where=self.name, limit="each output has its own")
        if self.decision == "softmax":
            raise InvalidModel(
                "a spiking softmax over several outputs",
                where=self.name,
                limit="it competes for one class",
                remedy='use readout="potential"',
            )


Population: TypeAlias = Input | IF | MaxPool | Readout
Integrating: TypeAlias = IF | Readout
"""The kinds of `Integrator`."""


def assert_never(value: NoReturn) -> NoReturn:
    """End of a ``match`` over all kinds: the type checker names it where one is missing."""
    raise AssertionError(f"{type(value).__name__} is not handled here")
