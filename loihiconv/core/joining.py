"""Recordings of parts of a run as the recording of the whole: bit for bit what one run of all samples gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isnan, prod

import numpy as np

from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.core.recording import Recording
from loihiconv.core.saturation import joined


def joined_recordings(network: Network, parts: Sequence[Recording]) -> Recording:
    """The recording of consecutive parts of a run.

    Parameters
    ----------
    network : Network
    parts : sequence of Recording
        At least one, of the same back end with the same options; random spikes of each as the place in the whole run has them.

    Returns
    -------
    Recording
        Means are those of whole numbers, which are found again and added up: sums of spikes, N T neurons x rate, and of operations.
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    total = sum(len(part) for part in parts)
    sizes = {name: prod(network[name].shape) for name in first.firing_rates}
    rates, overall, operations = {}, first.firing_rate, first.synaptic_operations
    if not isnan(overall):
        windows = total * first.timesteps
        spikes = {name: sum(round(p.firing_rates[name] * sizes[name] * len(p) * p.timesteps) for p in parts) for name in sizes}
        rates = {name: spikes[name] / (sizes[name] * windows) for name in sizes}
        overall = sum(rates[name] * sizes[name] for name in sizes) / sum(sizes.values()) if sizes else 0.0
        operations = sum(round(p.synaptic_operations * len(p)) for p in parts) / total
    return replace(
        first,
        predictions=np.concatenate([part.predictions for part in parts]),
        potentials=np.concatenate([part.potentials for part in parts]),
        spike_counts=_each([part.spike_counts for part in parts]),
        payload_sums=_each([part.payload_sums for part in parts]),
        spikes=_each([part.spikes for part in parts]),
        residuals=_each([part.residuals for part in parts]),
        potentials_over_time=_all([part.potentials_over_time for part in parts]),
        output_spikes=_all([part.output_spikes for part in parts]),
        saturated=joined([(len(part), part.saturated) for part in parts]),
        firing_rates=rates,
        firing_rate=overall,
        synaptic_operations=operations,
    )


def _each(parts: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _all(parts: Sequence[Array | None]) -> Array | None:
    there = [part for part in parts if part is not None]
    return np.concatenate(there) if there else None
