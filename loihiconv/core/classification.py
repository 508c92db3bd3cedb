"""How a readout decides for a class: by potential, or by the spikes of a softmax competition.

Spiking softmax (Rueckauer et al. 2016, section 3.5, after Nessler et al. 2009): the neurons accumulate their input and never
fire on their own. An external generator asks for an output spike with a probability of ``rate`` per step, and class k
wins it with probability ::

    p_k = exp(V_k / scale) / sum_j exp(V_j / scale)

with V the potentials accumulated so far and ``scale`` the readout's, so that V / scale is t times the float network's
output: the longer it integrates, the sharper it decides. While a delayed readout lets steps pass, it asks for no spikes.

All of it is a function of recorded potentials and a seeded stream, so every back end decides by this code and alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from loihiconv.core.ending import Argmax, HostFunction, ending_range, finish, keeps_order, yes_above
from loihiconv.core.linear import Array, Shape
from loihiconv.core.network import Readout
from loihiconv.core.parts import slices
from loihiconv.core.random_streams import READOUT, words


class Decided(NamedTuple):
    """Classes (N, \\*`decision_shape`), and the spikes that each class won, int32 (N, classes), in a competition."""

    predictions: Array
    output_spikes: Array | None


def image(readout: Readout) -> Shape:
    """Pixels of one sample's outputs where these are an image, channels first or the classes of its pixels; else ()."""
    shape = () if readout.parts else readout.output_shape
    space = shape if any(isinstance(function, Argmax) for function in readout.ending) else shape[1:]
    return space if any(size != 1 for size in space) else ()


def decision_shape(readout: Readout) -> Shape:
    """Shape of what is decided for one sample: () for a class, (outputs,) of several outputs, the pixels of an image."""
    return (len(readout.parts),) if readout.parts else image(readout)


def decide(
    readout: Readout, potentials: Array, potentials_over_time: Array | None = None, *, first: int = 0, unit: float | Array = 1.0
) -> Decided:
    """Decide for a class per sample, or for one per pixel.

    "potential": the largest potential, the first one in a tie; of a single output 1 where it is above 0, else 0. Where the network's last
    functions put other outputs first, as 1 - sigmoid(x) or a selection, the largest of what they give, or whether it says yes. "softmax":
    the most output spikes; in a tie, and so where there were none, the larger potential of those. Of images the channel of the largest
    output at each pixel; of one channel whether it says yes, see `loihiconv.core.ending.yes_above`.

    Parameters
    ----------
    readout : Readout
    potentials : array (N, \\*shape)
        After the last step.
    potentials_over_time : array (N, T, \\*shape)
        After each step; only "softmax" needs them.
    first : int
        Index of the first of these samples in its run.
    unit : float or array (n,)
        Potential that stands for an output of 1, where last functions are computed.
    """
    flat = potentials.reshape(len(potentials), -1)
    if readout.parts:  # never with a softmax
        logits, places = flat / np.asarray(unit, np.float64), slices(readout.parts)
        each = [_chosen(part.flat_ending, flat[:, places[part.name]], logits[:, places[part.name]]) for part in readout.parts]
        return Decided(np.stack(each, axis=1), None)
    if image(readout):
        return Decided(_pixels(readout, flat / np.asarray(unit, np.float64)), None)
    if readout.decision == "potential":
        return Decided(_chosen(readout.ending, flat, flat / np.asarray(unit, np.float64)), None)
    assert potentials_over_time is not None  # back ends keep them for a softmax
    won = softmax_spikes(readout, potentials_over_time, first=first).sum(axis=1, dtype=np.int32)
    best = won == won.max(axis=1, keepdims=True)
    return Decided(np.where(best, flat.astype(np.float64), -np.inf).argmax(axis=1), won)


def _chosen(ending: Sequence[HostFunction], potentials: Array, logits: Array) -> Array:
    """Class of every sample, int64 (N,), from the potentials (N, n) of an output, whose integers are exact, or from what it ends in.

    Parameters
    ----------
    ending : sequence of HostFunction
        On flattened values.
    logits : array (N, n)
        The same potentials in units of the float network's outputs.
    """
    if keeps_order(ending):
        return _largest(potentials)
    outputs = finish(ending, logits).reshape(len(logits), -1)
    if outputs.shape[1] > 1:
        return np.asarray(outputs.argmax(axis=1))
    if any(isinstance(function, Argmax) for function in ending):
        return outputs[:, 0].astype(np.int64)
    return (outputs[:, 0] > yes_above(ending_range(ending))).astype(np.int64)


def _largest(values: Array) -> Array:
    """Index of the largest value, int64 (N,); of a single one whether it is above 0."""
    return values.argmax(axis=1) if values.shape[1] > 1 else (values[:, 0] > 0).astype(np.int64)


def _pixels(readout: Readout, logits: Array) -> Array:
    """Class of every pixel, int64 (N, \\*pixels)."""
    outputs = finish(readout.ending, logits)
    if any(isinstance(function, Argmax) for function in readout.ending):
        return outputs.astype(np.int64)
    if outputs.shape[1] > 1:
        return np.asarray(outputs.argmax(axis=1))
    return (outputs[:, 0] > yes_above(ending_range(readout.ending))).astype(np.int64)


def softmax_spikes(readout: Readout, potentials_over_time: Array, *, first: int = 0) -> Array:
    """Output spikes of the competition.

    Per sample and step two 32-bit words are drawn: the generator asks for a spike if the first is below rate 2^32, and the
    second, as a share of 2^32, picks the class by the inverse of the cumulative distribution, in float64.

    Parameters
    ----------
    potentials_over_time : array (N, T, \\*shape)
    first : int
        Index of the first of these samples in its run.

    Returns
    -------
    bool array (N, T, classes), at most one spike per step
    """
    n, steps = potentials_over_time.shape[:2]
    v = potentials_over_time.reshape(n, steps, -1).astype(np.float64) / readout.scale
    cumulative = np.exp(v - v.max(axis=2, keepdims=True)).cumsum(axis=2)
    drawn = np.stack([words(readout.seed, READOUT, first + k, begin=0, steps=steps, size=2) for k in range(n)])
    asked = (drawn[..., 0] < readout.rate * 2.0**32) & (np.arange(steps) >= readout.delay)
    winner = (cumulative <= drawn[..., 1, None] * 2.0**-32 * cumulative[..., -1:]).sum(axis=2)
    return np.asarray(asked[..., None] & (np.arange(v.shape[2]) == winner[..., None]))
