"""The chain from the float network to the emulator, one property at a time: what each stage is, and how it is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from loihiconv.conversion.exponents import mean_loss
from loihiconv.core.fixed_point import BIAS_MAX, round_bias
from loihiconv.core.linear import Array
from loihiconv.core.network import STATE_SHIFT, Integrator, Network, Population
from loihiconv.evaluation.explain.analog import Transfer
from loihiconv.evaluation.explain.reference import Reference, matching, same_form, without_plane

Kind: TypeAlias = Literal["model", "rates", "spikes", "recorded"]


@dataclass(frozen=True, eq=False)
class Stage:
    """One stage of the chain.

    Attributes
    ----------
    key : str
        "ann", "rewritten", "clipped", "steps", "spikes", "float", "weights", "biases", "emulator", or a name that was given.
    title : str
        What has been done to the network up to here, in a few words.
    meaning : str
        What the step to this stage costs, in a sentence.
    kind : "model", "rates", "spikes" or "recorded"
        The model itself; its network with constant currents; its network with spikes; or something recorded elsewhere.
    network : Network or None
    transfer : "relu", "clip" or "steps"
        Of "rates".
    same : bool
        That this is the same network as in the stage before, so that the step costs nothing by construction.
    """

    key: str
    title: str
    meaning: str
    kind: Kind
    network: Network | None = None
    transfer: Transfer = "relu"
    same: bool = False


def chain(net: Network, reference: Reference) -> tuple[Stage, ...]:
    """All stages that a network has: up to six of a float one, three more of a quantized one.

    Parameters
    ----------
    net : Network
        Float or fixed point.
    reference : Reference
        Of its float network.
    """
    origin = net if net.origin is None else net.origin
    stages = [
        Stage("ann", "float network", "The model as it was trained.", "model"),
        Stage("rewritten", "rewritten", REWRITTEN, "rates", reference.plain, "relu"),
        Stage("clipped", "clipped at λ", CLIPPED, "rates", reference.plain, "clip"),
        Stage("steps", f"rates of {net.timesteps} steps", STEPS, "rates", reference.plain, "steps"),
        Stage("spikes", "spikes in time", SPIKES, "spikes", reference.uncorrected),
        Stage("float", "biases corrected", CORRECTED, "spikes", origin, same=_equal_biases(reference.uncorrected, origin)),
    ]
    if not net.fixed_point:
        return tuple(stages)
    if (wide := with_wide_biases(net)) is None:
        return (*stages, Stage("emulator", "integers", "All of quantization.", "spikes", net))
    rounded = with_rounded_biases(net)
    return (
        *stages,
        Stage("weights", "weights quantized", WEIGHTS, "spikes", wide),
        Stage("biases", "biases quantized", BIASES, "spikes", rounded, same=_equal_biases(wide, rounded)),
        Stage("emulator", "corrected again", EMULATOR, "spikes", net, same=_equal_biases(rounded, net)),
    )


REWRITTEN = (
    "All as linear maps and ReLUs: batch norms folded and pooling rewritten; only averages in place of maxima, and ReLUs in place of "
    "curves, change the function."
)
CLIPPED = "Activations above λ are cut off, because no neuron fires more than once per step."
STEPS = "Rates are whole numbers of spikes in T steps; what is left over in the potential is lost (Eq. 6)."
SPIKES = "Spikes arrive one by one instead of as a constant current: too early, too late, or not at all (Eq. 8)."
CORRECTED = "A constant current repairs what each channel loses on average over the calibration data."
WEIGHTS = "Weights are the chip's integers and inputs its payloads; biases are still exact to 2^-6 of a weight's unit."
BIASES = "Thresholds and biases are the chip's integers; thresholds are exact by construction."
EMULATOR = "Biases as they are stored, corrected once more on calibration data: the emulator, which computes what Lava does, bit for bit."


def with_wide_biases(net: Network) -> Network | None:
    """A fixed-point network with quantized weights but the float network's biases, at 2^-6 of a weight's unit.

    A bias plane is taken away again. None where the two networks have not the same populations and connections.
    """
    if net.origin is None or not _alike(net):
        return None
    plain = [replace(source, shape=source.values_shape, bias_plane=False) for source in net.inputs]
    connections = tuple(without_plane(c, net) for c in net.connections)
    populations = (*plain, *(_with_float_bias(net, p, lambda bias: np.rint(bias).astype(np.int32)) for p in net.layers))
    return replace(net, populations=populations, connections=connections, origin=None)


def with_rounded_biases(net: Network) -> Network:
    """A fixed-point network with the float network's biases, each rounded to mantissa * 2^exponent, without more correction."""
    planed = driven_by_planes(net)
    populations: list[Population] = [*net.inputs]
    for p in net.layers:
        if p.name in planed and isinstance(p, Integrator):  # synapses of the plane carry its bias
            populations.append(replace(p, bias=np.zeros_like(p.bias)))
        elif any(c.on_host for c in net.incoming(p.name)):  # the host adds it to its sum, and rounds that
            populations.append(_with_float_bias(net, p, lambda bias: np.rint(bias).astype(np.int32)))
        else:
            populations.append(_with_float_bias(net, p, lambda bias: round_bias(np.clip(bias, -BIAS_MAX, BIAS_MAX))))
    return replace(net, populations=tuple(populations), origin=None)


def driven_by_planes(net: Network) -> set[str]:
    """Populations whose biases come from the bias plane of an input."""
    return {c.target for source in net.inputs if source.bias_plane for c in net.outgoing(source.name)}


def unit(net: Network, name: str) -> float:
    """What 1 of the float network's population is in units of v: its gain times 2^6."""
    assert net.origin is not None  # callers have checked
    population, before = net[name], net.origin[name]
    assert isinstance(population, Integrator)  # callers ask for no others
    assert isinstance(before, Integrator)  # established by `_alike`
    return population.unit(STATE_SHIFT) / before.unit(0)


def _with_float_bias(net: Network, p: Population, rounding: Callable[[Array], Array]) -> Population:
    if not isinstance(p, Integrator):
        return p
    assert net.origin is not None  # callers have checked
    before = net.origin[p.name]
    assert isinstance(before, Integrator)  # established by `_alike`
    cut_off = 2**STATE_SHIFT * sum(map(mean_loss, net.incoming(p.name)))  # by shifts of sums, on average: quantization gives it back
    return replace(p, bias=rounding(before.bias.astype(np.float64) * unit(net, p.name) + cut_off))


def _alike(net: Network) -> bool:
    """Whether a quantized network has the populations and connections of its float one."""
    assert net.origin is not None
    if [(p.name, type(p)) for p in net.populations] != [(p.name, type(p)) for p in net.origin.populations]:
        return False
    pairs = [(without_plane(c, net), matching(c, net, net.origin)) for c in net.connections]
    return all(other is not None and same_form(c.map, other.map) for c, other in pairs)


def _equal_biases(a: Network, b: Network) -> bool:
    if [source.bias_plane for source in a.inputs] != [source.bias_plane for source in b.inputs]:
        return False
    pairs = [(p, b[p.name]) for p in a.populations]
    return all(np.array_equal(p.bias, q.bias) for p, q in pairs if isinstance(p, Integrator) and isinstance(q, Integrator))
