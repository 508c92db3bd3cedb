"""Activations that training rounded to a few steps, for spiking networks of so many time steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihiconv.ann.graph import Affine, Ann, Node, Relu, Round
from loihiconv.ann.passes.rewrite import Rewrite, splice
from loihiconv.core.errors import UnsupportedLayer
from loihiconv.core.linear import Array

_MEAN = {"floor": -0.5, "ceil": 0.5, "nearest": 0.0}
"""By how much rounding changes a value on average."""


class DropRounding(Rewrite):
    """floor(s y + t) -> s y + t - 1/2 where y has a bound: its mean, since rates of T time steps round by themselves.

    So clip-floor-shift activations λ floor(L clip(x / λ, 0, 1) + 1/2) / L (Bu et al. 2022, "Optimal ANN-SNN conversion", QCFS) become
    ReLUs with a bound of λ and L levels, whose rates in T = L steps are those of training. Changes the function.
    """

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Round)

    def transform(self, ann: Ann, node: Node) -> Ann:
        assert isinstance(node, Round)
        relu, scale = _bounded(ann, node)
        steps = np.asarray(scale * relu.bound)
        levels = round(float(steps.flat[0]))
        if not np.allclose(steps, levels, rtol=1e-3) or levels < 1:
            raise _refusal(node, f"to {float(steps.flat[0]):.4g} steps")
        mean = Affine(node.name, node.inputs, np.ones(()), np.full((), _MEAN[node.to]))
        return splice(splice(ann, node.name, [mean]), relu.name, [replace(relu, levels=levels)])


def rounding_notes(ann: Ann) -> tuple[str, ...]:
    """How many time steps have the rates of training, where training rounded activations."""
    levels = sorted({node.levels for node in ann if isinstance(node, Relu) and node.levels})
    if not levels:
        return ()
    steps = " and ".join(map(str, levels))
    return (f"training rounded activations to {steps} steps; rounding is left to rates, and timesteps={levels[-1]} has those steps",)


def without_rounding(ann: Ann) -> Ann:
    """The function that a network with rounded activations has on average."""
    while rounding := next((node for node in ann if isinstance(node, Round)), None):
        ann = DropRounding().transform(ann, rounding)
    return ann


def _bounded(ann: Ann, node: Round) -> tuple[Relu, Array]:
    """The ReLU with a bound that is rounded, and the factor between; or the one that bounds what was rounded."""
    scale: Array = np.ones(())
    source = ann[node.inputs[0]]
    while isinstance(source, Affine):
        scale, source = scale * source.scale, ann[source.inputs[0]]
    if isinstance(source, Relu) and np.isfinite(source.bound).all():
        return source, scale
    raise _refusal(node, "what has no bound")


def _refusal(node: Round, what: str) -> UnsupportedLayer:
    return UnsupportedLayer(
        f"rounds {what}",
        where=node.name,
        limit="only floor(L clamp(x / λ, 0, 1) + 1/2) / L λ, with L whole steps of a bound, is what rates of L time steps compute",
        remedy="leave the rounding out and convert the float network; quantization is done here",
    )
