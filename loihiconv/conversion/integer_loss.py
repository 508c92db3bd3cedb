"""Outputs that follow the float network's no more: because of a board's integers, or although there are many time steps."""

from __future__ import annotations

from collections.abc import Iterator
from math import log2, prod

import numpy as np

from loihiconv.ann.evaluator import Evaluator
from loihiconv.ann.graph import Ann
from loihiconv.conversion.bias_correction import spread_samples
from loihiconv.conversion.gains import SUM_CAUSE
from loihiconv.conversion.likeness import likely_task
from loihiconv.conversion.scales import row_largest
from loihiconv.core import numbers as n
from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.simulator import simulate

SAMPLES = 32
"""Calibration samples that this is measured on."""
FEWEST = 4
"""Samples below which their spread says nothing."""
LARGE = 0.3
"""Error of outputs, as a share of their spread over samples, that is said; classes change from about there on."""
WORSE = 2.0
"""Times the error of the float spiking network that it is where integers are the cause."""
MUCH = 0.5
"""Error of outputs that is said where they are not."""
MANY = 64
"""Levels of a rate from which on that is said: of fewer nobody expects outputs that are alike."""
UNLIKE = 1 / 8
"""Largest weight of an ordinary output, as a share of the largest of all, below which the latter is what leaves too few bits."""


def integer_loss(ann: Ann, network: Network, x: Array) -> str:
    """What to tell the user of outputs that are wrong, and of the layer with the coarsest weights where integers are the cause.

    Parameters
    ----------
    ann : Ann
        After the passes.
    network : Network
        Float, or fixed point with the float network that it was quantized from as its ``origin``.
    x : array (N, \\*shape)
        Calibration samples.

    Returns
    -------
    str
        Empty where all is well.
    """
    few = np.ascontiguousarray(spread_samples(x, SAMPLES), np.float32)
    if len(few) < FEWEST:
        return ""
    wanted = Evaluator(ann)(few)[0].flatten(1).numpy().astype(np.float64)
    before = max(errors(ann, wanted, simulate(network.origin or network, few, counts=False).logits), default=0.0)
    error = before if network.origin is None else max(errors(ann, wanted, simulate(network, few, counts=False).logits), default=0.0)
    if error >= max(LARGE, WORSE * before):
        told = f"in the board's integers outputs err by {_percent(error)}, before quantization by {n.percent(before, 0)}"
        bits, name, share = min(_coarseness(network), default=(8.0, "", 1.0))
        return f"{name}: {told}; {_remedy(network, bits, name, share)}" if name else told
    if error >= MUCH and network.timesteps * network.payload_max >= MANY:
        more = "give more, and look for channels whose activations are far larger than all others"
        return f"in {network.timesteps} time steps outputs err by {_percent(error)}: {more}"
    return ""


def _percent(error: float) -> str:
    return f"{n.percent(error, 0)} of their spread over calibration samples"


def errors(ann: Ann, wanted: Array, found: Array) -> Iterator[float]:
    """Root mean square errors (one for each output of the network) of values (N, n), as shares of the wanted ones' spread over samples.

    What all classes have in common decides nothing and is no error; outputs that do not vary are left out.
    """
    for place, ending in ann.ends:
        a, b = wanted[:, place], found[:, place].astype(np.float64)
        magnitude = float(np.abs(a).max())
        if likely_task(ending, place.stop - place.start) == "classification":
            a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
        spread = float(np.sqrt(np.mean((a - a.mean(axis=0)) ** 2)))
        if spread > 1e-5 * magnitude:
            yield float(np.sqrt(np.mean((a - b) ** 2))) / spread


def _coarseness(network: Network) -> Iterator[tuple[float, str, float]]:
    """Of each connection the bits that the largest weight of an ordinary output has, its target, and that weight's share of the largest."""
    assert network.origin is not None  # the caller's choice
    on_host = {(c.source, c.target) for c in network.connections if c.on_host}
    for connection in network.origin.connections:
        known = connection.target in network.record.quantization and (connection.source, connection.target) not in on_host
        if not known or not connection.map.weight.any():
            continue
        shape = connection.map.output_shape(network.origin[connection.source].shape)
        rows = np.broadcast_to(row_largest(connection.map), shape).ravel() if prod(shape) else np.zeros(1)
        share = float(np.median(rows[rows > 0]) / rows.max())
        yield network.record.quantization[connection.target].weight_bits_used + log2(share), connection.target, share


def _remedy(network: Network, bits: float, name: str, share: float) -> str:
    """Why a layer's weights are coarse, and what to do about it."""
    cause = network.record.quantization[name].limited_by
    kept = f"its weights have {max(bits, 0):.1f} bits"
    if share < UNLIKE:
        few = f"most are {n.decimal(1 / share, 0)} or more times smaller than its largest"
        return f"{kept}, as {few}: retrain with weight decay, or clip the largest weights"
    if "over T steps" in cause:
        return f"{kept}, as potentials go far in {network.timesteps} time steps: use fewer"
    if cause == SUM_CAUSE:
        return f"{kept}, as it sums many inputs: use fewer inputs per neuron"
    if cause.startswith("weights of"):
        return f"{kept}, as many as {network.board} has for it: fine-tune with rounded weights (loihiconv.finetune), or use another board"
    return f"{kept}, because of its {cause}: compare(..., explain=True) says what each layer costs"
