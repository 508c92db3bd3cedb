"""Which neurons the synapses of a `Sparse` join, for boxes of neurons: nothing about them follows from a geometry, so they are counted."""

from __future__ import annotations

from functools import lru_cache
from math import prod

import numpy as np

from loihiconv.core.linear import Array, Sparse
from loihiconv.hardware.views import Interval

Geometry = tuple[int, int, int]
Box = tuple[Interval, Interval, Interval]
"""Intervals of channels, rows and columns."""
Boxes = tuple[tuple[Interval, ...], tuple[Interval, ...], tuple[Interval, ...]]
"""The same of several, whose products are boxes."""


class Places:
    """The synapses of a sparse map between populations, whatever their weights.

    Parameters
    ----------
    linear : Sparse
    source, target : (C, H, W)
    """

    def __init__(self, linear: Sparse, source: Geometry, target: Geometry) -> None:
        self.linear, self.source, self.target = linear, source, target
        self.matrix = linear.with_weight(np.ones(linear.weight.size, np.int8)).matrix
        self._neurons = np.arange(prod(target)).reshape(target)
        # caches of this object, not of the class
        self.reached = lru_cache(maxsize=2)(self._reached)
        self.pixel_copies = lru_cache(maxsize=None)(self._pixel_copies)
        self.neuron_copies = lru_cache(maxsize=None)(self._neuron_copies)

    def lists(self, box: Box) -> tuple[Array, Array]:
        """Neurons of the source that have synapses into a box of the target, ascending in their flat order, and how many each has."""
        (c0, c1), (r0, r1), (w0, w1) = box
        return np.unique(self.matrix[self._neurons[c0:c1, r0:r1, w0:w1].ravel()].indices, return_counts=True)

    def _reached(self, boxes: Boxes) -> Array:
        """Whether each neuron of the source has a synapse into each of the target's boxes: bool (boxes, C, H, W)."""
        owner: Array = np.zeros((1, 1, 1), np.int64)
        for axis, (intervals, size) in enumerate(zip(boxes, self.target, strict=True)):
            index = np.searchsorted([low for low, _ in intervals], np.arange(size), side="right") - 1
            owner = owner * len(intervals) + index.reshape([-1 if i == axis else 1 for i in range(3)])
        table = np.zeros((prod(map(len, boxes)), prod(self.source)), bool)
        table[owner.reshape(-1)[self.linear.rows], self.linear.columns] = True
        return table.reshape(-1, *self.source)

    def _pixel_copies(self, boxes: Boxes, channels: Interval) -> Array:
        """Boxes of the target that each pixel of the source reaches through any of some channels: int (H, W)."""
        return np.asarray(self.reached(boxes)[:, slice(*channels)].any(axis=1).sum(axis=0))

    def _neuron_copies(self, boxes: Boxes) -> Array:
        """Boxes of the target that each neuron of the source reaches: int (C, H, W)."""
        return np.asarray(self.reached(boxes).sum(axis=0))
