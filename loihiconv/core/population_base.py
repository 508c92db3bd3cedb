"""What every kind of population has, what all have whose neurons integrate, and the connections between populations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal, TypeAlias

import numpy as np

from loihiconv.core.choices import Reset
from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Array, LinearMap, Shape

Kind: TypeAlias = Literal["input", "spiking", "max-pooling", "readout"]


@dataclass(frozen=True, eq=False)
class Connection:
    """Synapses from one population to another.

    Parameters
    ----------
    map : Dense, Conv or Sparse
        Weights: float, or int32 in fixed point.
    on_host : bool
        The host computes this sum once per sample and loads it into the target's biases (boards without graded
        spikes). Its weights are not bound to the chip's 8 bits; see `loihiconv.core.input_coding.host_currents`.
    weight_exp : int
        On the chip -8 to 0: the sum of each step is shifted right by -weight_exp, floor(Σ w s 2^weight_exp), before it meets u, as
        Lava's ``Dense`` and ``Sparse`` do it; a weight is worth w 2^weight_exp. On the host the sum is multiplied by 2^weight_exp and is
        then in units of v.
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

    def shifted(self, sums: Array) -> Array:
        """What integer sums of weight x message on the chip become: shifted right by -weight_exp, which rounds towards minus infinity."""
        return np.right_shift(sums, -self.weight_exp) if self.weight_exp else sums


@dataclass(frozen=True, eq=False)
class PopulationBase(ABC):
    """What every kind of population has; see `loihiconv.core.populations` for the kinds themselves.

    Parameters
    ----------
    name : str
    shape : tuple of int
        (C, H, W) or (n,).
    """

    name: str
    shape: Shape

    @property
    def size(self) -> int:
        """Number of its neurons."""
        return prod(self.shape)

    @property
    @abstractmethod
    def kind(self) -> Kind:
        """What a reader of tables calls it."""

    @property
    @abstractmethod
    def spiking(self) -> bool:
        """Whether it sends spikes."""

    @property
    @abstractmethod
    def largest_message(self) -> int:
        """Largest magnitude that it sends in a step, in fixed point."""

    @property
    @abstractmethod
    def smallest_message(self) -> int:
        """Smallest value that it sends in a step, in fixed point: negative where messages have a sign, else 0."""

    @property
    def graded(self) -> bool:
        """Whether its spikes carry payloads; a sign is one."""
        return self.spiking and (self.largest_message > 1 or self.smallest_message < 0)

    @property
    def setting_without(self) -> str:
        """Of graded spikes what a user sets to have binary ones, or at least none with a sign."""
        return "signed_spikes=False" if self.smallest_message < 0 else "spike_bits=1"

    @property
    def message_type(self) -> type[np.bool_ | np.uint8 | np.int8]:
        """What recorded spikes are kept in: bool where they are binary, bytes of payloads, with a sign where spikes have one."""
        if not self.graded:
            return np.bool_
        return np.int8 if self.smallest_message < 0 else np.uint8

    @property
    @abstractmethod
    def has_potential(self) -> bool:
        """Whether its neurons have a membrane potential, which can be recorded."""

    @property
    @abstractmethod
    def resets(self) -> Reset | None:
        """How a spike resets the potential; None where nothing is reset."""

    @property
    def silent_steps(self) -> int:
        """Steps at the start of each window in which it integrates and sends nothing; see `loihiconv.core.network`."""
        return 0

    @property
    def added_steps(self) -> int:
        """Those of its silent steps that lie between one sample and the next."""
        return self.silent_steps

    @property
    @abstractmethod
    def on_chips(self) -> bool:
        """Whether a chip can be programmed to be such neurons."""

    @abstractmethod
    def spike_charge(self, shift: int) -> float:
        """τ, what one spike stands for in units of v; 1 where spikes or values are passed on as they are, and for what never spikes.

        Parameters
        ----------
        shift : int
            The network's, from thresholds to potentials.
        """

    @abstractmethod
    def start(self, *, fixed_point: bool) -> Array:
        """V(0), at the start of each sample: float64 (\\*shape) in units of v; 0 for what has no potential."""

    def check(self, incoming: Sequence[tuple[Connection, PopulationBase]], timesteps: int) -> None:
        """Raise `InvalidModel` where parameters, or what comes in, break the rules of its kind.

        Parameters
        ----------
        incoming : sequence of (Connection, population)
            With the sources.
        timesteps : int
            T of the network.
        """
        if not incoming:
            raise InvalidModel("has no incoming connection", where=self.name)


def unwritten_programs(payload_max: int, silent_steps: int, signed: bool = False) -> tuple[str, ...]:
    """What of a network's neurons needs a program that no board has yet; the simulators run all of it.

    Parameters
    ----------
    payload_max : int
        Largest payload of a spike.
    silent_steps : int
        Most of any population.
    signed : bool
        Whether spikes can be negative.
    """
    needed = {"graded spikes": payload_max > 1, "signed spikes": signed, "silent steps": silent_steps > 0}
    return tuple(what for what, there in needed.items() if there)


def unwritten_sentence(unwritten: Sequence[str]) -> str:
    """What follows from that."""
    return f"Neurons with {' and '.join(unwritten)} need a program that is not written: simulators alone run this network."


class Integrator(PopulationBase):
    """Neurons whose membrane potential takes in what synapses bring, and a bias; see `loihiconv.core.neurons`.

    Its kinds are dataclasses with their own order of fields, so this one only names those that all of them have.
    """

    v_init: Array
    bias: Array

    @property
    def has_potential(self) -> bool:
        return True

    @abstractmethod
    def unit(self, shift: int) -> float:
        """What 1 of the float network's population is in units of v: of spiking neurons the threshold, of a readout its scale.

        Parameters
        ----------
        shift : int
            The network's, from thresholds to potentials.
        """

    @property
    def first_step(self) -> int:
        """Step of each window in which it begins to integrate; before, v stays ``v_init``."""
        return 0

    @abstractmethod
    def quantized(self, gain: float, shift: int, *, v_init: Array, bias: Array) -> Integrator:
        """The same in fixed point.

        Parameters
        ----------
        gain : float
            What 1 of the float network becomes, not shifted; a whole number where it is a threshold.
        shift : int
            From thresholds to potentials.
        v_init, bias : int array
            In units of v.
        """

    def start(self, *, fixed_point: bool) -> Array:
        return np.broadcast_to(self.v_init, self.shape).astype(np.float64)
