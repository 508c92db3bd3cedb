"""Everything that a diagnosis rests on, gathered once: the chain, the layers, and how faithful weights, biases and inputs are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from loihiconv.conversion.settings import Settings, settings_of
from loihiconv.core import numbers as n
from loihiconv.core.input_coding import input_values
from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.evaluation.explain.fidelity import BiasFidelity, Fidelity, bias_fidelity, weight_fidelity
from loihiconv.evaluation.explain.layers import LayerStatistics
from loihiconv.evaluation.explain.reference import Reference
from loihiconv.evaluation.explain.waterfall import Waterfall

SAMPLES = 1024
"""Samples that channels of test and calibration data are compared on."""
MOST_CHANNELS = 4
"""Images of more channels are not searched for another order."""
CLEARLY = 2.0
"""Another order must fit so many times as well as the one that the data has."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of a converted network.

    Attributes
    ----------
    net : Network
    waterfall : Waterfall
    averaged : tuple of str
        Max-pooling layers that became averages.
    curves : tuple of str
        Activations of the model that ReLUs stand for.
    fidelity : tuple of Fidelity
    biases : tuple of BiasFidelity
    largest_input, calibrated_input : float
        Largest magnitudes in the test set and in calibration; 0 where the network does not tell.
    input_order : tuple of int or None
        Channels of the calibration data that the test set's look like, where that is another order.
    """

    net: Network
    waterfall: Waterfall
    averaged: tuple[str, ...]
    curves: tuple[str, ...]
    fidelity: tuple[Fidelity, ...]
    biases: tuple[BiasFidelity, ...]
    largest_input: float
    calibrated_input: float
    input_order: tuple[int, ...] | None

    @property
    def layers(self) -> tuple[LayerStatistics, ...]:
        """Statistics of every population."""
        return self.waterfall.layers

    def amount(self, loss: float) -> str:
        """A loss of the task's metric in words."""
        return n.amount(self.waterfall.metric, loss)

    @property
    def settings(self) -> Settings:
        """Settings of the conversion; where the network does not tell, such as leave every remedy open."""
        return settings_of(self.net.record) or Settings(
            self.net.timesteps, scale="percentile", percentile=None, per_channel=False, hold_back=0.0
        )


def gather(net: Network, chain: Waterfall, reference: Reference, x: Array, calibration: Array | None = None) -> Evidence:
    """Gather what `loihiconv.evaluation.explain.diagnosis.diagnose` looks at.

    Parameters
    ----------
    net : Network
    chain : Waterfall
        Of this network.
    reference : Reference
    x : array (N, \\*shape)
        Test samples.
    calibration : array (M, \\*shape), optional
        Calibration samples, to compare channels with.
    """
    order = None if calibration is None else other_order(x, np.asarray(calibration))
    reach = {p.name: float(np.abs(input_values(net, x)[p.name]).max(initial=0)) for p in net.inputs}
    furthest = max(net.inputs, key=lambda p: reach[p.name] / p.scale)
    return Evidence(
        net,
        chain,
        reference.averaged,
        reference.curves,
        weight_fidelity(net, reference),
        bias_fidelity(net),
        reach[furthest.name],
        float(furthest.scale),
        order,
    )


def other_order(x: Array, calibration: Array) -> tuple[int, ...] | None:
    """The order of the calibration data's channels that the test data's come in, unless it is the same.

    Channels are told apart by the means and covariances of their differences from each pixel's grey: brightness, which varies from image
    to image, drops out. An order is another one only if it fits `CLEARLY` better.
    """
    if x.ndim != 4 or x.shape[1:] != calibration.shape[1:] or not 2 <= x.shape[1] <= MOST_CHANNELS:
        return None
    ours, theirs = _signature(x), _signature(calibration)
    same = tuple(range(x.shape[1]))
    distances = {order: _distance(ours, theirs, order) for order in permutations(same)}
    best = min(distances, key=lambda order: distances[order])
    return best if best != same and distances[best] * CLEARLY < distances[same] else None


def _signature(x: Array) -> tuple[Array, Array]:
    """Means (C,) and covariances (C, C) of channels minus their mean at each pixel."""
    part = x[:: max(1, len(x) // SAMPLES)][:SAMPLES].astype(np.float64)
    flat = part.transpose(1, 0, 2, 3).reshape(part.shape[1], -1)
    colour = flat - flat.mean(axis=0)
    return colour.mean(axis=1), np.cov(colour)


def _distance(ours: tuple[Array, Array], theirs: tuple[Array, Array], order: tuple[int, ...]) -> float:
    index = list(order)
    mean, covariance = theirs
    unit = float(np.sqrt(np.trace(covariance) / len(mean))) or 1.0
    parts = ((ours[0] - mean[index]) / unit, (ours[1] - covariance[np.ix_(index, index)]).ravel() / unit**2)
    return float(np.sqrt(sum(float(np.square(part).sum()) for part in parts)))
