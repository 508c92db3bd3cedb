"""Certificates: a spiking network equals its quantized ANN, integer for integer.

Where `loihiconv.evaluation.quantized_ann.reasons` has a reason for every layer and no potential can reach the end of its register, the two
are equal whatever the sample. Everywhere else they are compared, and may be equal on the samples at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

import numpy as np

from loihiconv.core import numbers as n
from loihiconv.core.bounds import worst_cases
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.given import shown
from loihiconv.core.input_coding import Samples, check_samples
from loihiconv.core.linear import Array
from loihiconv.core.network import V_MAX, Network
from loihiconv.core.progress import reporting
from loihiconv.core.tables import Shown, Table
from loihiconv.core.validation import validate
from loihiconv.evaluation.quantized_ann import evaluate, reasons
from loihiconv.simulator import simulate

CHUNK_BYTES = 2**28
"""Counts of a chunk of samples, in float64 and for the largest windows of a convolution, take about so much."""
MOST_NAMED = 3
"""Layers that one line names."""


@dataclass(frozen=True)
class Certified:
    """One population of a certificate.

    Attributes
    ----------
    population : str
    reason : str
        Why its counts are a function of those before it; empty where they need not be.
    integers : int
        Counts that were compared, or potentials of the readout.
    differences, largest : int
        How many differ, and by how much at most.
    saturated : int
        Samples in which potentials reached the end of their register.
    """

    population: str
    reason: str
    integers: int
    differences: int
    largest: int
    saturated: int = 0


@dataclass(frozen=True)
class Certificate(Shown):
    """What `certify` found.

    Attributes
    ----------
    samples, timesteps : int
    layers : tuple of Certified
        Populations that spike and the readout, in order.
    bounded : bool
        Whether no sample at all can bring a potential to the end of its register.
    """

    samples: int
    timesteps: int
    layers: tuple[Certified, ...]
    bounded: bool

    @property
    def holds(self) -> bool:
        """Whether all integers were equal."""
        return self.first_difference is None

    @property
    def universal(self) -> bool:
        """Whether they are equal for every sample that there can be, by structure and bounds alone."""
        return self.bounded and all(layer.reason for layer in self.layers)

    @property
    def first_difference(self) -> Certified | None:
        """The first layer whose integers differ: those behind it may differ for its sake."""
        return next((layer for layer in self.layers if layer.differences), None)

    @property
    def integers(self) -> int:
        """All that were compared."""
        return sum(layer.integers for layer in self.layers)

    @property
    def statement(self) -> str:
        """What is certified, or which layer is the first that differs and why, in one line."""
        first = self.first_difference
        if first is not None:
            what = f"{n.count(first.differences)} of {n.count(first.integers)} integers, by {n.count(first.largest)} at most"
            where = f"{first.population} is the first layer that differs from the quantized ANN"
            return f"✗ Not certified: {where} ({what}); {self._cause(first)}."
        compared = f"{n.count(self.integers)} integers of {len(self.layers)} populations on {n.count(self.samples)} samples"
        return f"✓ Certified: the emulator equals the quantized ANN, 0 differences in {compared}. {self._extent}"

    def _cause(self, layer: Certified) -> str:
        before = self.layers[: self.layers.index(layer) + 1]
        saturated = next((each for each in before if each.saturated), None)
        if layer.reason and saturated is not None:
            samples = f"{n.count(saturated.saturated)} of {n.count(self.samples)} samples"
            return f"registers of {saturated.population} reach their ends on {samples}, as the chip's do and the ANN's do not"
        if layer.reason:
            return "this is a fault of the emulator or of the certificate, please report it"
        remedy = "convert with as many silent_steps as time steps"
        return f"its neurons spike before all of their input is there, so counts depend on when spikes come; {remedy}"

    @property
    def _extent(self) -> str:
        """On what else it holds than these samples."""
        if self.universal:
            return "It holds for every sample: counts are a function of counts in all layers, and no potential can saturate."
        if open_layers := [layer.population for layer in self.layers if not layer.reason]:
            return f"It holds for these samples: when spikes come could matter in {_names(open_layers)}."
        return "It holds for every sample that saturates no potential; bounds do not rule out that some do."

    def tables(self) -> tuple[Table, ...]:
        rows = [
            [layer.population, layer.reason or "none", n.count(layer.integers), n.count(layer.differences), n.count(layer.largest)]
            for layer in self.layers
        ]
        title = f"Emulator against quantized ANN, {n.count(self.samples)} samples, T = {self.timesteps}"
        return (Table(title, ("population", "function of counts by", "integers", "differ", "by at most"), rows),)

    def remarks(self) -> tuple[str, ...]:
        return (self.statement,)

    def to_json(self) -> dict[str, Any]:
        """The certificate as JSON values."""
        first = self.first_difference
        return {
            "holds": self.holds,
            "universal": self.universal,
            "samples": self.samples,
            "timesteps": self.timesteps,
            "integers": self.integers,
            "first_difference": None if first is None else first.population,
            "statement": self.statement,
            "layers": [asdict(layer) for layer in self.layers],
        }


def certify(
    net: Network,
    x: Samples,
    *,
    samples: int | None = None,
    device: str = "cpu",
    progress: Callable[[str, int, int], None] | bool | None = None,
) -> Certificate:
    """Compare all spike counts and potentials of the emulator with those of the quantized ANN, which knows no time.

    Parameters
    ----------
    net : Network
        Fixed point.
    x : array (N, \\*input shape), or one for each of several inputs, by name or in order
    samples : int, optional
        Only the first so many.
    device : str
        Torch device of the emulator.
    progress : callable (stage, samples done, samples in all) or True, optional
        True shows bars, on a terminal or in a notebook.

    Returns
    -------
    Certificate
        ``holds`` says whether all integers are equal, ``statement`` on what that is founded or which layer is the first that differs.

    Raises
    ------
    InvalidModel
        If the network is a float one.
    UnsupportedLayer
        Where no ANN stands for the network: neurons that reset to zero, gates with moving averages, and sums that are rounded at each step
        where more than one step matters and spikes are known by their counts alone.
    """
    validate(net)
    known = reasons(net)
    if samples is not None and not (type(samples) is int and samples >= 1):
        raise InvalidSetting(f"samples {shown(samples)}", where="samples", limit="a whole number of at least 1 expected")
    x = check_samples(net, x)[:samples]
    told = reporting(progress)
    tally = {p.name: np.zeros(4, np.int64) for p in net.populations if p.spiking or p is net.readout}
    size = _chunk(net)
    for first in range(0, len(x), size):
        _compare(net, x[first : first + size], first, device, tally)
        if told is not None:
            told("certificate", min(first + size, len(x)), len(x))
    layers = [Certified(name, known.get(name, "what samples say"), *(int(v) for v in found)) for name, found in tally.items()]
    bounded = all(worst.v < V_MAX for worst in worst_cases(net).values()) and not any(c.on_host for c in net.connections)
    return Certificate(len(x), net.timesteps, tuple(layers), bounded)


def _compare(net: Network, x: Array, first: int, device: str, tally: Mapping[str, Array]) -> None:
    """Add up what a chunk of samples has in integers, differences, the largest of them, and samples that saturate."""
    recording, ann = simulate(net, x, device=device, first=first), evaluate(net, x, first=first)
    saturated: dict[str, Array] = {}
    for s in recording.saturated:
        if s.register == "host currents":
            continue  # the ANN takes them as the host cuts them
        saturated[s.population] = saturated.get(s.population, np.zeros(len(x), bool)) | ((s.above + s.below) > 0)
    for name, found in tally.items():
        readout = name == net.readout.name
        emulated, counted = (recording.potentials, ann.potentials) if readout else (recording.sent(name), ann.counts[name])
        apart = np.abs(emulated.astype(np.int64).reshape(len(x), -1) - counted.reshape(len(x), -1))
        found[0] += apart.size
        found[1] += np.count_nonzero(apart)
        found[2] = max(found[2], apart.max())
        found[3] += np.count_nonzero(saturated.get(name, False))


def _chunk(net: Network) -> int:
    """Samples whose counts, and the windows of the largest convolution, fit into `CHUNK_BYTES`."""
    largest = max(prod(p.shape) for p in net.populations)
    window = max((prod(c.map.weight.shape[1:]) for c in net.connections if c.map.weight.ndim == 4), default=1)
    return int(max(1, min(1000, CHUNK_BYTES // (8 * largest * window + 12 * sum(p.size for p in net.populations)))))


def _names(layers: list[str]) -> str:
    """Some names, and how many more there are."""
    more = [f"{len(layers) - MOST_NAMED} more"] if len(layers) > MOST_NAMED else []
    return ", ".join([*layers[:MOST_NAMED], *more])
