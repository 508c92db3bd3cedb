"""Recording: what a back end measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan

import numpy as np

from loihiconv.core import numbers as n
from loihiconv.core.ending import HostFunction, finish
from loihiconv.core.linear import Array
from loihiconv.core.parts import OutputPart, finished
from loihiconv.core.record import Json, RealizationRecord
from loihiconv.core.saturation import Saturation, lines
from loihiconv.core.tables import Shown, Table


@dataclass(frozen=True, eq=False)
class Recording(Shown):
    """What a back end measured on N samples.

    Attributes
    ----------
    predictions : int array (N,)
        Class that the readout decides for; see `loihiconv.core.classification`. (N, outputs) where there are several, each by itself, and
        (N, \\*pixels) of images. Where outputs are labels of which several may hold, or numbers, the largest says little: take `outputs`.
    potentials : array (N, classes)
        Membrane potentials of the readout after the last step, in units of v (integers in fixed point).
    spike_counts : {population: int32 array (N, \\*shape)}
        Spikes per neuron over the window, for every population that spikes; empty with ``counts=False``.
    payload_sums : {population: int32 array (N, \\*shape)}
        Sums of the payloads of those spikes, for every population whose spikes are graded or signed: what was taken back does not count.
    spikes : {population: bool, uint8 or (signed) int8 array (N, T, \\*shape)}
        Every spike, or the payload of every graded one; only with ``record=["spikes"]``.
    potentials_over_time : array (N, T, classes) or None
        Readout potentials after each step; only with ``record=["potentials"]``.
    residuals : {population: array (N, \\*shape)}
        Membrane potentials of every population after the last step, in units of v; only with ``record=["residuals"]``.
    output_spikes : int32 array (N, classes) or None
        Spikes that each class won; only with a softmax readout.
    timesteps : int
    backend : str
    firing_rates : {population: float}
        Mean spikes per neuron and step, in [0, 1], whatever their payloads.
    firing_rate : float
        The same over all neurons that can spike.
    synaptic_operations : float
        Mean per sample; see `loihiconv.core.activity`.
    realization : RealizationRecord or None
        Of the neurons on the chip; see `loihiconv.lava.chip.realizations`.
    profile : mapping or None
        What a board's profiler measured, as JSON values.
    saturated : tuple of Saturation
        Populations whose registers some samples brought to their ends, and how many of their neurons in each sample; empty where none did.
        See `loihiconv.core.saturation` for what is watched. "lava" and "loihi" see the readout's potentials only where they are recorded,
        and hidden ones where the emulator ran the same samples first: on boards, with a realization, and in strict runs.
    output_unit : float, or array (outputs,)
        Potential after the window that stands for an output of 1 of the float network, in units of v.
    ending : tuple of HostFunction
        The float network's own last functions; see `loihiconv.core.ending`.
    parts : tuple of OutputPart
        Name, shape and last functions of each output where there are several.
    """

    predictions: Array
    potentials: Array
    spike_counts: Mapping[str, Array]
    timesteps: int
    backend: str
    firing_rates: Mapping[str, float]
    firing_rate: float
    synaptic_operations: float
    payload_sums: Mapping[str, Array] = field(default_factory=dict)
    spikes: Mapping[str, Array] = field(default_factory=dict)
    potentials_over_time: Array | None = None
    residuals: Mapping[str, Array] = field(default_factory=dict)
    output_spikes: Array | None = None
    realization: RealizationRecord | None = None
    profile: Json | None = None
    saturated: tuple[Saturation, ...] = ()
    output_unit: float | Array = 1.0
    ending: tuple[HostFunction, ...] = ()
    parts: tuple[OutputPart, ...] = ()

    @property
    def outputs(self) -> Array | dict[str, Array]:
        """What the float network itself returns, float64 (N, \\*its output's shape): its last functions included, in its own units.

        {name: array} of a network with several outputs.
        """
        return finished(self.parts, self.logits) if self.parts else finish(self.ending, self.logits)

    @property
    def named_outputs(self) -> dict[str, Array]:
        """`outputs` as files hold them: under "outputs", or "outputs/NAME" of each of several."""
        outputs = self.outputs
        return {f"outputs/{name}": values for name, values in outputs.items()} if isinstance(outputs, dict) else {"outputs": outputs}

    @property
    def logits(self) -> Array:
        """The readout's outputs before the network's last functions, such as a softmax: potentials / `output_unit`, float64 (N, n).

        Of several outputs the values of one after the other.
        """
        return np.asarray(self.potentials.reshape(len(self), -1) / np.asarray(self.output_unit, np.float64))

    def sent(self, population: str) -> Array:
        """What each neuron sent over the window, (N, \\*shape): spikes, or the sum of their payloads where they are graded."""
        return self.payload_sums[population] if population in self.payload_sums else self.spike_counts[population]

    def tables(self) -> tuple[Table, ...]:
        rows = [[name, n.share(rate)] for name, rate in self.firing_rates.items()]
        return (Table(repr(self)[1:-1], ("population", "neurons that spike at a step"), rows),) if rows else ()

    def remarks(self) -> tuple[str, ...]:
        return (() if self.firing_rates else (repr(self)[1:-1],)) + tuple(lines(self.saturated))

    def __repr__(self) -> str:
        spikes = "spikes not counted"
        if not isnan(self.firing_rate):
            operations = f"{n.count(self.synaptic_operations)} synaptic operations per sample"
            spikes = f"{n.share(self.firing_rate)} of neurons spike at a step, {operations}"
        return f"<Recording, {self.backend}, {n.count(len(self))} samples, T = {self.timesteps}: {spikes}>"

    def __len__(self) -> int:
        return len(self.predictions)
