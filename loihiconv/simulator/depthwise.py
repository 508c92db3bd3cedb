"""Depthwise convolutions and integrate-and-fire in one pass: sums never reach memory.

A neuron of a depthwise convolution has few synapses, so writing its sum and reading it again costs more than making it. Here a few
channels of one pixel are carried through all steps of a block: potentials, biases and counts stay in registers, spikes are read and
written as bytes.

Groups of a few channels, as copies of an activation are, are as many depthwise convolutions of the same spikes, in which the channels of
each group have changed places in turn: each output then takes what lies where it lies itself.

Sums of integers are taken in int16, which is exact as long as the weights of each channel have a sum of magnitudes of at most 2^15 - 1:
every partial sum is within it too. Float networks use float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any, TypeGuard

import numba
import numpy as np
import torch

from loihiconv.core.linear import Array, Conv, LinearMap, Pair, Shape
from loihiconv.simulator.compiled import compiled
from loihiconv.simulator.memory import SMALL_BLOCK_BYTES
from loihiconv.simulator.neurons import Firing, fired, integrated, mark
from loihiconv.simulator.vectors import converted, fill, load, select, shifted, store

EXACT_INT16 = 2**15 - 1
"""The largest int16."""
WORDS = {1: "<u1", 2: "<u2", 4: "<u4", 8: "<u8"}
"""Channels of a group, and the word that holds a spike of each, the first in its lowest byte."""
MULTIPLE = 8
"""What channels have to be a multiple of; more of them are taken together where there are as many."""


class Depthwise:
    """The depthwise convolutions of spikes into a population, ready to run.

    Parameters
    ----------
    maps : sequence of Conv
        As `fits` accepts them.
    sources : sequence of (C, H, W)
    target : (C, H, W)
    """

    def __init__(self, maps: Sequence[Conv], sources: Sequence[Shape], target: Shape) -> None:
        channels, fixed_point = target[0], np.issubdtype(maps[0].weight.dtype, np.integer)
        self.turned = [(i, turn, m.weight.shape[1]) for i, m in enumerate(maps) for turn in range(m.weight.shape[1])]
        each = [_kernel(maps[i], turn).astype(np.int16 if fixed_point else np.float32) for i, turn, _ in self.turned]
        self.weight = np.concatenate(each).ravel()
        synapses, before, taken = [], 0, 0
        for (i, _, _), kernel in zip(self.turned, each, strict=True):
            linear, source = maps[i], sources[i]
            units, taps, starts = windows(linear.weight.shape[2:], linear.stride, linear.padding, linear.dilation, source, target)
            pixels = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
            used = kernel.any(axis=1)[taps]  # a comparison of two places in a window has no other weights
            synapses.append(np.stack([pixels, units * channels + before, (taps + taken) * channels])[:, used])
            before, taken = before + prod(source), taken + len(kernel)
        pixels, units, taps = np.concatenate(synapses, axis=1)
        order = np.argsort(pixels, kind="stable")
        self.units, self.taps = units[order], taps[order]
        self.starts = np.concatenate([[0], np.cumsum(np.bincount(pixels, minlength=prod(target[1:])))])

    @staticmethod
    def fits(maps: Sequence[LinearMap]) -> TypeGuard[Sequence[Conv]]:
        """Whether each has groups of one channel or a few, as many as it takes, enough of them, and their sums are exact in int16."""
        total = 0
        for linear in maps:
            if not isinstance(linear, Conv) or linear.weight.shape[1] not in WORDS or len(linear.weight) % MULTIPLE:
                return False
            if len(linear.weight) != linear.groups * linear.weight.shape[1]:
                return False
            if np.issubdtype(linear.weight.dtype, np.integer):
                total = total + np.abs(linear.weight).reshape(len(linear.weight), -1).sum(axis=1, dtype=np.int64)
        return int(np.max(total)) <= EXACT_INT16

    def advance(self, spikes: Sequence[torch.Tensor], firing: Firing, shift: int) -> None:
        """Advance neurons by the steps of a block.

        Parameters
        ----------
        spikes : uint8 tensor (N, steps, neurons of the source) for each connection
        firing : Firing
            Of int32 potentials in fixed point, and float32 ones in float networks.
        shift : int
            From sums of weight x spike to units of v.
        """
        (bias, v, limits), (out, counts, ends) = firing.before, firing.after
        arrays, synapses = [s.numpy() for s in spikes], (self.weight, self.units, self.taps, self.starts, np.int32(shift))
        several = max(1, SMALL_BLOCK_BYTES // sum(arrays[i][0].nbytes for i, _, _ in self.turned)) if len(self.turned) > 1 else len(v)
        for begin in range(0, len(v), several):
            rows = slice(begin, begin + several)
            # several sources lie side by side, as one, for the samples of a piece that stays in the cache
            parts = [_turned(arrays[i][rows], turn, channels) for i, turn, channels in self.turned]
            piece = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)
            own, counted = (a[rows] if len(a) > 1 else a for a in (bias, counts))
            _depthwise(piece, *synapses, own, v[rows], limits, out[rows], counted, ends[rows])


def _kernel(linear: Conv, turn: int) -> Array:
    """Of each output the weights of the channel so many places after its own in its group, one row for each tap: (taps, C)."""
    outputs, channels = linear.weight.shape[:2]
    place = np.arange(outputs)
    return np.asarray(linear.weight[place, (place + turn) % channels].reshape(outputs, -1).T)


def _turned(spikes: Array, turn: int, channels: int) -> Array:
    """Spikes (N, steps, units) with those of each group of channels moved so many places, around its end: a group is a word."""
    if not turn:
        return spikes
    words = spikes.view(WORDS[channels])
    return np.asarray((words >> words.dtype.type(8 * turn)) | (words << words.dtype.type(8 * (channels - turn)))).view(spikes.dtype)


@lru_cache(maxsize=64)
def windows(
    kernel: Pair, stride: Pair, padding: tuple[int, int, int, int], dilation: Pair, source: Shape, target: Shape
) -> tuple[Array, Array, Array]:
    """Which pixels of the source each one of the target sees, and by which taps of the kernel; where a pixel's begin."""
    (_, height, width), (_, h_out, w_out), (kh, kw) = source, target, kernel
    (sh, sw), (dh, dw), (top, _, left, _) = stride, dilation, padding
    rows = np.arange(h_out)[:, None, None, None] * sh - top + np.arange(kh)[:, None] * dh
    columns = np.arange(w_out)[:, None, None] * sw - left + np.arange(kw) * dw
    inside = ((rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)).reshape(h_out * w_out, kh * kw)
    pixels = (rows * width + columns).reshape(inside.shape)[inside]
    starts = np.concatenate([[0], np.cumsum(inside.sum(axis=1))])
    return pixels.astype(np.int64), np.nonzero(inside)[1].astype(np.int64), starts.astype(np.int64)


@compiled
def _depthwise(
    spikes: Any,
    weight: Any,
    units: Any,
    taps: Any,
    starts: Any,
    shift: Any,
    bias: Any,
    v: Any,
    limits: Any,
    out: Any,
    counts: Any,
    ends: Any,
) -> None:
    pixels = starts.size - 1
    channels, blank = v.shape[1] // pixels, np.zeros(1, weight.dtype)[0]
    for n in range(v.shape[0]):
        state = (bias[n % bias.shape[0]], v[n], counts[n % counts.shape[0]], ends[n])
        for pixel in range(pixels):
            here = slice(starts[pixel], starts[pixel + 1])
            synapses, first, c = (weight, units[here], taps[here], shift, blank), pixel * channels, 0
            while c + 32 <= channels:
                _through_all_steps(spikes[n], synapses, c, limits, state, out[n], first + c, 32)
                c += 32
            while c + 16 <= channels:
                _through_all_steps(spikes[n], synapses, c, limits, state, out[n], first + c, 16)
                c += 16
            while c < channels:
                _through_all_steps(spikes[n], synapses, c, limits, state, out[n], first + c, MULTIPLE)
                c += MULTIPLE


@numba.njit(inline="always", nogil=True, error_model="numpy")
def _through_all_steps(spikes: Any, synapses: Any, c: Any, limits: Any, state: Any, out: Any, first: Any, lanes: Any) -> None:
    """Some channels of a pixel: neurons from ``first`` on. Sums of four steps are made at once, so that weights are read for all four."""
    (weight, units, taps, shift, blank), (bias, v, counts, ends) = synapses, state
    potential, b, count = load(v, first, lanes), load(bias, first, lanes), load(counts, first, lanes)
    threshold, highest, lowest = fill(limits[0], lanes), fill(limits[1], lanes), fill(limits[2], lanes)
    places, silent, none = fill(shift, lanes), fill(np.uint8(0), lanes), fill(blank, lanes)
    peak, trough = lowest, highest
    steps, t = out.shape[0], 0
    while t < steps:
        together = 4 if t + 4 <= steps else 1
        u0, u1, u2, u3 = none, none, none, none
        if together == 4:
            s0, s1, s2, s3 = spikes[t], spikes[t + 1], spikes[t + 2], spikes[t + 3]
            for k in range(units.size):
                w, unit = load(weight, taps[k] + c, lanes), units[k] + c
                u0 = u0 + select(load(s0, unit, lanes) != silent, w, none)
                u1 = u1 + select(load(s1, unit, lanes) != silent, w, none)
                u2 = u2 + select(load(s2, unit, lanes) != silent, w, none)
                u3 = u3 + select(load(s3, unit, lanes) != silent, w, none)
        else:
            for k in range(units.size):
                w = load(weight, taps[k] + c, lanes)
                u0 = u0 + select(load(spikes[t], units[k] + c, lanes) != silent, w, none)
        for i in range(t, t + together):
            u = shifted(converted(u0, potential), places)
            potential = integrated(potential, u, b, highest, lowest)
            if limits[5]:
                peak, trough = select(potential > peak, potential, peak), select(trough > potential, potential, trough)
            potential, fires = fired(potential, threshold, limits[3])
            count = count + converted(fires, count)
            store(out[i], first, converted(fires, silent))
            u0, u1, u2 = u1, u2, u3
        t += together
    store(v, first, potential)
    store(counts, first, count)
    if limits[5]:
        mark(ends, first, peak, trough, highest, lowest, lanes)
