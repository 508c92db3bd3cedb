"""Activations that training rounded to a few steps, for spiking networks of so many time steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihiconv.ann.graph import Add, Affine, Ann, AvgPool, Clamp, Concat, Gather, Input, MaxPool, Node, Quantize, Relu, Reshape, Round
from loihiconv.ann.passes.rewrite import Rewrite, apply_all, fresh, spikes, splice
from loihiconv.ann.passes.straight_through import DropStraightThrough
from loihiconv.core.errors import UnsupportedLayer
from loihiconv.core.linear import Array

FINE = 64
"""Steps from which on rounding is finer than that of rates, so that time steps and scales need not be those of training."""
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


class ClampedRoundingToQuantize(Rewrite):
    """round(clamp(x, low, high)) and clamp(round(x), low, high) with whole ends: a quantizer of steps of 1, as users write it.

    What is clamped on both sides stays so: where a quantizer is left out, that may be a network's only nonlinearity.
    """

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Round) and self._found(ann, node) is not None

    def transform(self, ann: Ann, node: Node) -> Ann:
        found = self._found(ann, node)
        assert found is not None  # it has matched
        clamp, low, high = found
        name, source = (node.name, clamp.inputs) if clamp.name in node.inputs else (clamp.name, node.inputs)
        bounds: list[Node] = []
        if low < 0 and not spikes(ann, _unscaled(ann, source[0])):
            bounds = [Clamp(fresh(ann, f"{name}.bounds"), source, np.array(float(low)), np.array(float(high)))]
            source = (bounds[0].name,)
        return splice(ann, name, [*bounds, Quantize(name, source, np.ones(()), low, high)])

    @staticmethod
    def _found(ann: Ann, node: Node) -> tuple[Node, int, int] | None:
        """The bounds before rounding, or all that comes after it."""
        users = ann.users(node.name)
        for other in (ann[node.inputs[0]], *(users if len(users) == 1 else ())):
            ends = _whole_ends(other)
            if ends is not None and isinstance(node, Round) and node.to == "nearest":
                return (other, *ends)
        return None


def _only_scales(node: Affine) -> bool:
    """Whether it is a product with one number above 0."""
    return not np.any(node.shift) and np.size(node.scale) == 1 and bool(np.all(np.asarray(node.scale) > 0))


def _unscaled(ann: Ann, name: str) -> str:
    """The result that was multiplied by numbers above 0."""
    node = ann[name]
    return _unscaled(ann, node.inputs[0]) if isinstance(node, Affine) and _only_scales(node) else name


def _whole_ends(node: Node) -> tuple[int, int] | None:
    """The ends that a node clamps to, where they are whole numbers around zero."""
    ends: tuple[Array | float, Array | float]
    match node:
        case Clamp(low=low, high=high):
            ends = (low, high)
        case Relu(bound=bound):
            ends = (0.0, bound)
        case _:
            return None
    least, most = (np.unique(np.asarray(end, np.float64)) for end in ends)
    if len(least) > 1 or len(most) > 1 or not np.isfinite([*least, *most]).all() or least[0] % 1 or most[0] % 1:
        return None
    return (int(least[0]), int(most[0])) if least[0] <= 0 < most[0] else None


class DropQuantizers(Rewrite):
    """Quantizers of activations without their rounding, which rates do by themselves; neurons only where they rectify.

    Of steps from 0 it is a ReLU with the last step as its bound, one with the ReLU before or after it if there is one. Else it is left
    out: the range of a signed quantizer, or of one of the network's input or of sums of ReLUs, is what training has seen. Changes the
    function.
    """

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Quantize)

    def transform(self, ann: Ann, node: Node) -> Ann:
        assert isinstance(node, Quantize)
        before, source, users = ann[node.inputs[0]], node.inputs[0], ann.users(node.name)
        if isinstance(before, Affine) and _only_scales(before):
            # quantize(a x) = a quantize'(x) with steps of 1 / a, so that it may be one with a ReLU before
            inner = replace(node, name=fresh(ann, f"{node.name}.steps"), inputs=before.inputs, scale=node.scale / before.scale)
            return splice(ann, node.name, [inner, Affine(node.name, (inner.name,), before.scale, before.shift)])
        rectified = spikes(ann, source) or (bool(users) and all(isinstance(user, Relu) for user in users))
        if rectified or (node.low == 0 and not _never_negative(ann, source)):
            levels = node.high if node.high - node.low < FINE else 0
            return splice(ann, node.name, [Relu(node.name, node.inputs, bound=node.high * np.asarray(node.scale), levels=levels)])
        return splice(ann, node.name, result=source)


def rounds(ann: Ann) -> bool:
    """Whether some activations are rounded."""
    return any(isinstance(node, (Round, Quantize)) for node in ann)


def rounding_notes(given: Ann, lowered: Ann) -> tuple[str, ...]:
    """What becomes of activations that training rounded, and how many time steps have the rates of training."""
    levels = sorted({node.levels for node in lowered if isinstance(node, Relu) and node.levels})
    if levels:
        steps = " and ".join(map(str, levels))
        best = f"timesteps={levels[-1]} with silent_steps={levels[-1]} has just those, in simulators"
        otherwise = "without silent steps more time steps come nearer, at most as near as the model without its rounding is"
        return (f"training rounded activations to {steps} steps: {best}; {otherwise}",)
    return ("training rounded activations; rounding is left to rates",) if rounds(given) else ()


def without_rounding(ann: Ann) -> Ann:
    """The function that a network with rounded activations has on average."""
    given = ann
    for rule in (DropStraightThrough(), ClampedRoundingToQuantize(), DropRounding(), DropQuantizers()):
        ann, _ = apply_all(rule, ann)
    return replace(ann, ending=given.ending, parts=given.parts, output_name=given.output_name)


def with_rounding(ann: Ann) -> Ann:
    """A network after the passes with activations rounded to the steps of training again: what the model gives, also on average."""
    rounded = ann
    for node in ann:
        if isinstance(node, Relu) and node.levels:
            name = fresh(rounded, f"{node.name}.continuous")
            steps = Quantize(node.name, (name,), np.asarray(node.bound) / node.levels, 0, node.levels)
            rounded = splice(rounded, node.name, [replace(node, name=name), steps])
    return replace(rounded, ending=ann.ending, parts=ann.parts, output_name=ann.output_name)


def _never_negative(ann: Ann, name: str) -> bool:
    """Whether a result is that of ReLUs, arranged, averaged and summed; or of the network's input, whose range its coding knows."""
    node = ann[name]
    if isinstance(node, (Reshape, Gather, Concat, Add, AvgPool, MaxPool)):
        return all(_never_negative(ann, source) for source in node.inputs)
    return isinstance(node, (Relu, Input))


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
