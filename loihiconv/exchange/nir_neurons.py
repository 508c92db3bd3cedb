"""NIR's neurons as integrate-and-fire neurons without leak, or the reason why they are none.

NIR's IF is  v' = r I,  a spike where v > v_threshold,  v = v_reset after it. In steps of dt, forward Euler, v <- v + r dt I, spike,
reset. What simulators make of it differs: sinabs 3.1 takes no notice of r and v_reset, subtracts v_threshold for each spike, lets a neuron
send several spikes in a step, and keeps v above -v_threshold; norse takes no notice of r and resets to 0; snnTorch 1.0 reads IF as a
neuron that leaks (beta = 0.9) and subtracts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loihiconv.core.choices import PAYLOAD_LIMIT, Reset
from loihiconv.core.errors import InvalidModel, InvalidSetting, UnsupportedLayer
from loihiconv.core.linear import Array, Shape
from loihiconv.exchange.nir_graph import NirNode, text
from loihiconv.exchange.signals import per_neuron

NIL = 1e-3
"""Leak over all T steps below which a neuron counts as one without."""
SPIKING, INTEGRATING = ("CubaLIF", "IF", "LIF"), ("CubaLI", "I", "LI")
KINDS = (*SPIKING, *INTEGRATING, "Threshold")


@dataclass(frozen=True)
class Reading:
    """What a graph leaves open, as the user wants it read.

    Parameters
    ----------
    timesteps : int
    reset : "subtract", "zero" or None
        None takes the file's word: metadata of loihiconv, else v_reset, else "subtract".
    dt : float or None
        Length of a step in the units of the file's time constants; None takes 1 for r of IF.
    payload_max : int or None
        Largest payload of a spike; None takes the file's word, else 1.
    """

    timesteps: int
    reset: Reset | None = None
    dt: float | None = None
    payload_max: int | None = None


@dataclass(frozen=True, eq=False)
class Neurons:
    """Integrate-and-fire neurons with a threshold of 1 once their input is multiplied by ``gain``.

    Parameters
    ----------
    gain, v_init : float64 arrays (\\*shape)
    reset : "subtract" or "zero"
    payload_max : int
    said : bool
        Whether the file says how they reset.
    """

    gain: Array
    v_init: Array
    reset: Reset
    payload_max: int
    said: bool


def read_neurons(node: NirNode, shape: Shape, how: Reading) -> Neurons:
    """Neurons that spike.

    Raises
    ------
    UnsupportedLayer
        If they leak, or keep nothing between steps.
    """
    gain = integration(node, shape, how)
    threshold = _values(node, "v_threshold", shape)
    reset, said = _reset(node, how)
    v_reset = _values(node, "v_reset", shape) if node.has("v_reset") else np.zeros(shape)
    if reset == "subtract" and v_reset.any():
        what = f"a v_reset of {v_reset.ravel()[np.flatnonzero(v_reset)[0]]:g} with reset by subtraction"
        raise InvalidSetting(what, where=node.name, limit="v_reset = 0 expected", remedy='use reset="zero"')
    distance = threshold - v_reset
    if (distance <= 0).any():
        worst = np.argmin(distance)
        what = f"a v_threshold of {threshold.ravel()[worst]:g} and a v_reset of {v_reset.ravel()[worst]:g}"
        raise InvalidModel(what, where=node.name, limit="thresholds above v_reset expected")
    start = _own_start(node, shape)
    payload = how.payload_max if how.payload_max is not None else _own_payload(node)
    return Neurons(gain / distance, (start - v_reset) / distance, reset, payload, said)


def integration(node: NirNode, shape: Shape, how: Reading) -> Array:
    """What an input of 1 adds to v in a step: r dt of IF and I, r dt / tau of neurons whose leak is nil."""
    if node.kind == "Threshold":
        raise UnsupportedLayer(
            "Threshold compares its input and keeps nothing", where=node.name, limit="neurons that integrate expected", remedy="use IF"
        )
    if node.kind in ("IF", "I"):
        return _values(node, "r", shape) * (1.0 if how.dt is None else how.dt)
    gain = _without_leak(node, shape, how, "tau_mem" if node.kind.startswith("Cuba") else "tau")
    return gain * _synaptic(node, shape, how) if node.kind.startswith("Cuba") else gain


def _without_leak(node: NirNode, shape: Shape, how: Reading, tau_field: str) -> Array:
    """What tau v' = v_leak - v + r I adds per step where tau is so long that nothing is lost in T steps."""
    tau, r, dt = node.array(tau_field), node.array("r"), 1.0 if how.dt is None else how.dt
    lost = how.timesteps * dt / float(tau.min(initial=np.inf)) if (tau > 0).all() else np.inf
    if lost > NIL:
        remedy = "train it with IF neurons" + (", or say how long a step is (dt)" if how.dt is None else "")
        where_lost = f"{tau_field} = {np.min(tau):g} and {how.timesteps} steps of {dt:g}"
        raise UnsupportedLayer(f"{node.kind} leaks: {where_lost}", where=node.name, limit="neurons without leak expected", remedy=remedy)
    tau, r = per_neuron(tau, shape, node.name, tau_field), per_neuron(r, shape, node.name, "r")
    both = np.isinf(tau) & np.isinf(r)  # r = tau / dt, as snnTorch writes them
    with np.errstate(invalid="ignore"):
        gain = np.where(both, 1.0, r * dt / tau)
    if not np.isfinite(gain).all() or (gain == 0).any():
        raise UnsupportedLayer(f"{node.kind} adds nothing to v: r / {tau_field} is 0 or infinite", where=node.name, remedy="use IF")
    return gain


def _synaptic(node: NirNode, shape: Shape, how: Reading) -> Array:
    """What a spike adds to the input of a neuron whose synaptic current is gone after one step."""
    tau = node.array("tau_syn")
    if how.dt is None or (tau > how.dt * (1 + 1e-6)).any():
        remedy = "train it with IF neurons" if how.dt is not None else "say how long a step is (dt), after which they may be gone"
        raise UnsupportedLayer(
            f"{node.kind} has synaptic currents that decay: tau_syn = {np.max(tau):g}",
            where=node.name,
            limit="inputs that act for one step expected",
            remedy=remedy,
        )
    return _values(node, "w_in", shape) if node.has("w_in") else np.ones(shape)


def _values(node: NirNode, field: str, shape: Shape) -> Array:
    return per_neuron(node.finite(field), shape, node.name, field)


def _reset(node: NirNode, how: Reading) -> tuple[Reset, bool]:
    """How spikes reset, and whether the file says it."""
    own = text(node.metadata.get("reset"))
    if how.reset is not None:
        return how.reset, True
    if own == "subtract" or own == "zero":
        return own, True  # type: ignore[return-value, unused-ignore]
    return ("zero", True) if node.has("v_reset") else ("subtract", False)


def _own_start(node: NirNode, shape: Shape) -> Array:
    """The start potential that loihiconv writes; 0 in other files."""
    own = NirNode(node.name, node.kind, dict(node.metadata))
    return per_neuron(own.finite("v_init"), shape, node.name, "v_init", channels=True) if own.has("v_init") else np.zeros(shape)


def _own_payload(node: NirNode) -> int:
    own = NirNode(node.name, node.kind, dict(node.metadata))
    payload = own.integer("payload_max", 1)
    if not 1 <= payload <= PAYLOAD_LIMIT:
        raise InvalidModel(f"payloads of up to {payload}", where=node.name, limit=f"1 to {PAYLOAD_LIMIT} expected")
    return payload
