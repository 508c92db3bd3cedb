"""Whether a network's weights and biases are those of the model it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2

import numpy as np

from loihiconv.core.linear import Array, LinearMap, Sparse
from loihiconv.core.network import Connection, Integrator, Network
from loihiconv.evaluation.explain.ranges import dequantized
from loihiconv.evaluation.explain.reference import Reference, matching, population, same_form, without_plane
from loihiconv.evaluation.explain.stages import driven_by_planes, unit

PERMUTED = 0.25
"""Relative error of weights in sorted order, below which they are the same weights in another order."""
OTHER = 0.5
"""Relative error above which weights are looked at for another order."""
ROUNDING = 1.0
"""Rounding makes a root mean square error of at most half a step to the nearest, and up to one adaptively.

See `loihiconv.conversion.adaptive_rounding`.
"""


@dataclass(frozen=True)
class Fidelity:
    """One connection's weights beside the model's.

    Attributes
    ----------
    population, between : str
        Target, and "connection input->conv1".
    error : float
        Root mean square error as a share of the model's weights' root mean square.
    permuted : str
        "inputs" or "outputs" where they are the right weights in another order along that axis, else empty.
    dead : bool
        Whether all weights are 0 where the model's are not.
    bits : float
        log2 of the largest integer + 1, less the bits that all of them leave at 0; 0 in float networks.
    levels : int
        Different values that occur; 0 in float networks.
    rounded : bool
        Whether the error is small enough to come from rounding to these integers.
    """

    population: str
    between: str
    error: float
    permuted: str
    dead: bool
    bits: float
    levels: int
    rounded: bool


@dataclass(frozen=True)
class BiasFidelity:
    """One population's biases beside those of its float network.

    Attributes
    ----------
    population : str
    values : int
        Channels, or neurons where each has its own.
    cut : int
        How many stop at the largest magnitude that occurs although the float network's go on.
    largest, wanted : int
        Largest |bias| that occurs and that is needed, in units of v.
    worst : float
        Largest amount by which one falls short, in thresholds per step.
    """

    population: str
    values: int
    cut: int
    largest: int
    wanted: int
    worst: float


def weight_fidelity(net: Network, reference: Reference) -> tuple[Fidelity, ...]:
    """Of every connection whose counterpart is known: the model's own where possible, else the float network's."""
    origin = net if net.origin is None else net.origin
    result = []
    for c in net.connections:
        if not isinstance(net[c.target], Integrator):
            continue
        twin = (reference.expected and matching(c, net, reference.expected)) or matching(c, net, origin)
        found = dequantized(net, c) if net.fixed_point and net.origin is not None else np.asarray(c.map.weight, np.float64)
        if twin is None or not same_form(without_plane(c, net).map, twin.map):
            continue
        result.append(_fidelity(net, c, found, twin.map.weight.astype(np.float64)))
    return tuple(result)


def bias_fidelity(net: Network) -> tuple[BiasFidelity, ...]:
    """Of every population of a fixed-point network whose biases are registers of their own."""
    if not net.fixed_point or net.origin is None:
        return ()
    planed = driven_by_planes(net)
    result = []
    for p in net.populations:
        before = population(net.origin, p.name)
        if p.name in planed or not isinstance(p, Integrator) or not isinstance(before, Integrator) or p.shape != before.shape:
            continue
        wanted = before.bias.astype(np.float64) * unit(net, p.name)
        if wanted.shape != p.bias.shape:
            wanted = np.broadcast_to(wanted, p.bias.shape) if wanted.size == 1 else wanted
        if wanted.shape == p.bias.shape:
            result.append(_bias(net, p, wanted))
    return tuple(result)


def _bias(net: Network, p: Integrator, wanted: Array) -> BiasFidelity:
    """A bias counts as cut if it has the largest magnitude that occurs, with the sign of one that should be larger."""
    found = p.bias.astype(np.float64)
    largest = float(np.abs(found).max(initial=0))
    short = np.abs(wanted) - largest
    threshold = p.unit(net.shift)
    cut = (np.abs(found) == largest) & (np.sign(found) == np.sign(wanted)) & (short > 0.02 * threshold)
    worst = float(short[cut].max(initial=0)) / threshold
    return BiasFidelity(p.name, found.size, int(cut.sum()), int(largest), int(np.abs(wanted).max(initial=0)), worst)


def _fidelity(net: Network, c: Connection, found: Array, wanted: Array) -> Fidelity:
    size = _root_mean_square(wanted)
    error = _root_mean_square(found - wanted) / size if size else float(found.any())
    integers = without_plane(c, net).map.weight if net.fixed_point else np.zeros(1, np.int64)
    levels = len(np.unique(integers)) if net.fixed_point else 0
    rounded = net.fixed_point and error * size <= ROUNDING * _step(integers, found)
    dead = bool(wanted.any() and not found.any())
    permuted = "" if dead or error < OTHER else _permuted(without_plane(c, net).map, found, wanted, size)
    return Fidelity(c.target, f"connection {c.name}", error, permuted, dead, _bits(integers), levels, rounded)


def stored_bits(net: Network) -> int:
    """Bits that weights on the chip are stored in, as their steps tell; the largest of all connections."""
    return max((_stored(c.map.weight) for c in net.connections if not c.on_host and c.map.weight.any()), default=8)


def _stored(integers: Array) -> int:
    """Of one connection: weights whose signs mix are multiples of 2^(9 - bits), others of 2^(8 - bits)."""
    divisor, mixed = _divisor(integers), integers.min() < 0 < integers.max()
    return int(8 + mixed - (divisor & -divisor).bit_length() + 1)


def _bits(integers: Array) -> float:
    """Bits that tell magnitudes apart: those of the largest, in units of the largest number that divides all."""
    return log2(float(np.abs(integers).max(initial=0)) / _divisor(integers) + 1)


def _step(integers: Array, found: Array) -> float:
    """The distance of neighbouring weights, in the units of the float network."""
    largest = float(np.abs(integers).max(initial=0))
    return float(np.abs(found).max(initial=0)) * _divisor(integers) / largest if largest else 0.0


def _divisor(integers: Array) -> int:
    """The largest number that divides all of them; 1 if all are 0."""
    return int(np.gcd.reduce(np.unique(integers).astype(np.int64))) or 1


def _permuted(linear: LinearMap, found: Array, wanted: Array, size: float) -> str:
    """Along which axis the same weights come in another order, if they do."""
    for axis, name in ((1, "inputs"), (0, "outputs")):
        a, b = (_sorted(linear, values, axis) for values in (found, wanted))
        if _root_mean_square(a - b) / size < PERMUTED:
            return name
    return ""


def _sorted(linear: LinearMap, values: Array, axis: int) -> Array:
    """Values, one for each weight, in ascending order along the inputs (axis 1) of each output or along the outputs (0) of each input."""
    if isinstance(linear, Sparse):  # a synapse has a place of its own, so each output's, or input's, stay together
        owner = linear.columns if axis == 0 else linear.rows
        return np.asarray(values[np.lexsort((values, owner))])
    return np.sort(values, axis=axis)


def _root_mean_square(values: Array) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else 0.0
