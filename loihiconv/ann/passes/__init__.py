"""Rewrites of an `Ann`, one concern per file, and `lower`, which applies them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from loihiconv.ann.ending import split_off
from loihiconv.ann.graph import Ann, Linear, Node
from loihiconv.ann.passes.curves import straight
from loihiconv.ann.passes.fold_affine import (
    AffineAfterMaxPool,
    AffineBeforeMaxPool,
    AffineToLinear,
    BatchNormToAffine,
    FoldAffine,
    FoldAffineForward,
    MergeAffine,
)
from loihiconv.ann.passes.layout import (
    AddBeforeMoves,
    AffineBeforeMoves,
    ConcatAfter,
    ConcatToAdd,
    DropReshape,
    FlattenConcats,
    MergeMoves,
    MovesBeforeAffine,
    MovesByHost,
    MovesToLinear,
    ReluBeforeMoves,
    ShapeOfDense,
)
from loihiconv.ann.passes.lower_linear import AvgPoolToLinear
from loihiconv.ann.passes.maxpool import InsideWindows, MaxPoolToAverage, MaxPoolToReluTree, SpikesBeforeMaxPool, SplitLargeWindows
from loihiconv.ann.passes.merge_linear import FlattenSums, MergeLinear, PushLinearThroughAdd
from loihiconv.ann.passes.merge_parallel import MergeParallel
from loihiconv.ann.passes.output import OutputIsLinear, OutputIsVector
from loihiconv.ann.passes.piecewise import ClampToRelu, LeakyReluToSum
from loihiconv.ann.passes.relus import DropRepeatedRelu, FeedReluByLinear, ReluBeforeMaxPool
from loihiconv.ann.passes.rewrite import Rewrite, apply_all
from loihiconv.ann.passes.rounding import ClampedRoundingToQuantize, DropQuantizers, DropRounding, rounding_notes
from loihiconv.ann.passes.split_windows import SplitLongWindows
from loihiconv.ann.passes.straight_through import DropStraightThrough
from loihiconv.core.choices import PoolingWay
from loihiconv.core.record import StraightCurve

__all__ = ["Lowered", "lower", "pool", "simplify"]

# A later stage may make work for an earlier rule of its own stage, never for an earlier stage.
_STAGES: tuple[tuple[Rewrite, ...], ...] = (
    (DropStraightThrough(), ClampedRoundingToQuantize(), DropRounding(), DropQuantizers()),
    (ClampToRelu(), BatchNormToAffine()),
    (
        *(MergeMoves(), MovesBeforeAffine(), MovesByHost(), ReluBeforeMoves(), AffineBeforeMoves(), AddBeforeMoves()),
        *(FlattenConcats(), ConcatAfter()),
    ),
    (MergeAffine(), AffineAfterMaxPool(), AffineBeforeMaxPool(), FoldAffine(), FoldAffineForward()),
    (LeakyReluToSum(), AffineToLinear(), AvgPoolToLinear(), MergeMoves(), DropReshape(), ShapeOfDense()),
    (MovesToLinear(), ConcatToAdd()),
    (ReluBeforeMaxPool(), DropRepeatedRelu(), OutputIsLinear(), OutputIsVector(), FeedReluByLinear()),
)
_POOLING: dict[PoolingWay, tuple[Rewrite, ...]] = {
    "gate": (
        *(SpikesBeforeMaxPool(), InsideWindows(sums=True)),
        *(SplitLargeWindows(sums=True), SplitLongWindows(sums=True), MaxPoolToReluTree(sums=True)),
    ),
    "relu-tree": (SpikesBeforeMaxPool(), InsideWindows(), SplitLargeWindows(), SplitLongWindows(), MaxPoolToReluTree()),
    "average": (MaxPoolToAverage(),),
}
_LAST: tuple[Rewrite, ...] = (FlattenSums(), PushLinearThroughAdd(), MergeLinear(), MergeParallel())

MUCH = 1.5
FEW = 500_000
"""Times as many weights from which on merging is worth a note, and how many a network must have."""


class Lowered(NamedTuple):
    """A network of `Input`, `Linear`, `Relu`, `MaxPool` and `Add` alone, and what the user should know about it."""

    ann: Ann
    notes: tuple[str, ...]


def lower(ann: Ann, maxpool: PoolingWay = "gate", curves: Mapping[str, StraightCurve] = MappingProxyType({})) -> Lowered:
    """Rewrite a network so that every ReLU is a population of neurons, and everything else synapses between them.

    Afterwards `Linear` takes the result of `Input`, `Relu` or `MaxPool`; `Add` sums those and `Linear`; `Relu` and the
    output take `Linear` or `Add`. Weights are float64. A `Dense` map flattens its input itself. The output has shape
    (classes,), or (C, H, W) if the network ends with an image; its values are those of the original in flattened order. A last ReLU or
    its like becomes part of the `ending`.

    Parameters
    ----------
    maxpool : "gate", "relu-tree" or "average"
        "gate" keeps `MaxPool` of spikes, and is "relu-tree" for what can be negative; "relu-tree" writes it with `Relu` and `Add`;
        "average" takes the mean instead. That, leaving the rounding of activations to rates, and ``curves`` are all that changes the
        function.
    curves : {name of a node: StraightCurve}
        What takes the place of each curved activation.

    Raises
    ------
    UnsupportedLayer
        If two linear layers follow one another that cannot be merged, or nothing takes the place of a curve.
    """
    given, ann, notes = _staged(straight(ann, curves))
    ann, new = _applied(_POOLING[maxpool], ann)
    notes += new
    unmerged = _weights(ann)
    ann, new = _applied(_LAST, ann)
    notes += new
    if (merged := _weights(ann)) > max(MUCH * unmerged, FEW):
        notes += (
            f"layers that follow one another without a ReLU become one set of synapses each: {merged:,} weights in place of {unmerged:,}; "
            "a ReLU between them keeps them apart",
        )
    return Lowered(_ended(ann, given), notes + rounding_notes(given, ann))


def simplify(ann: Ann, curves: Mapping[str, StraightCurve] = MappingProxyType({})) -> Ann:
    """A network of `Input`, `Linear`, `Relu`, `MaxPool` and `Add` alone, as `lower` has it before it pools and merges.

    Each layer still has its own weights, batch norms folded into them, so that they can be trained further.
    """
    given, ann, _ = _staged(straight(ann, curves))
    return _ended(ann, given)


def pool(ann: Ann, maxpool: PoolingWay) -> Ann:
    """A network that has been simplified with max-pooling as it will be computed."""
    return _ended(_applied(_POOLING[maxpool], ann)[0], ann)


def _staged(ann: Ann) -> tuple[Ann, Ann, tuple[str, ...]]:
    """The network without what the host computes, as it was and simplified; and notes."""
    given, notes = split_off(ann)
    notes = (*ann.notes, *notes)
    ann = _in_float64(given)
    for stage in _STAGES:
        ann, new = _applied(stage, ann)
        notes += new
    return given, ann, notes


def _ended(ann: Ann, given: Ann) -> Ann:
    """A rewritten network with the outputs and last functions of the one that was given."""
    return replace(ann, ending=given.ending, parts=given.parts, output_name=given.output_name)


def _applied(stage: tuple[Rewrite, ...], ann: Ann) -> tuple[Ann, tuple[str, ...]]:
    """Apply the rules of a stage until none matches; and their notes."""
    notes: tuple[str, ...] = ()
    before = None
    while before is not ann:
        before = ann
        for rewrite in stage:
            ann, new = apply_all(rewrite, ann)
            notes += new
    return ann, notes


def _weights(ann: Ann) -> int:
    return sum(int(node.map.weight.size) for node in ann if isinstance(node, Linear))


def _in_float64(ann: Ann) -> Ann:
    def precise(node: Node) -> Node:
        values = {f.name: getattr(node, f.name) for f in fields(node)}
        arrays: dict[str, Any] = {
            name: v.astype(np.float64) for name, v in values.items() if isinstance(v, np.ndarray) and v.dtype.kind == "f"
        }
        node = replace(node, **arrays)
        if isinstance(node, Linear):
            node = replace(node, map=node.map.with_weight(np.asarray(node.map.weight, np.float64)))
        return node

    return Ann((*ann.inputs, *(precise(node) for node in ann.nodes[len(ann.inputs) :])))
