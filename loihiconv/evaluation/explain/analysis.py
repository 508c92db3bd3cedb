"""Everything that a report shows beside the accuracies: chain, layers, diagnosis, latency, workload, ranges, board, provenance."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np
import torch

from loihiconv.ann.frontends import Source, readable
from loihiconv.backends.backend import RunOptions
from loihiconv.backends.simulators import simulator_of
from loihiconv.core.errors import LoihiconvError
from loihiconv.core.linear import Array
from loihiconv.core.network import Network, Recording
from loihiconv.core.version import __version__
from loihiconv.evaluation.explain.attribution import LayerError, attribute
from loihiconv.evaluation.explain.curves import LatencyCurve, confusion, latency_curve
from loihiconv.evaluation.explain.diagnosis import Diagnosis, diagnose
from loihiconv.evaluation.explain.evidence import gather
from loihiconv.evaluation.explain.layers import LayerStatistics
from loihiconv.evaluation.explain.ranges import StateRanges, WeightStatistics, state_ranges, weight_statistics
from loihiconv.evaluation.explain.reference import Reference, read_reference
from loihiconv.evaluation.explain.waterfall import LAYER_SAMPLES, Step, Waterfall, float_origin, spread, waterfall
from loihiconv.evaluation.tasks.answers import recorded as answered
from loihiconv.evaluation.tasks.kinds import Binary, Classification, TaskKind
from loihiconv.evaluation.workload import Workload, float_workload, spiking_workload
from loihiconv.hardware.energy import EnergyEstimate, estimate
from loihiconv.hardware.place import place
from loihiconv.hardware.placement import Placement

PEAK_BYTES = 64 * 2**20
"""Memory for every spike of the samples that potentials are followed on."""
PEAK_SAMPLES = 8
ENERGY_SAMPLES = 64
ERROR_SAMPLES = 16
"""Samples that errors are taken apart on, in float64."""
RASTER_NEURONS = 48
"""Neurons of each population in a raster, spread evenly over those that spike."""
RASTERS = 4


@dataclass(frozen=True, eq=False)
class Raster:
    """Spikes of some neurons of a population on one sample.

    Attributes
    ----------
    population : str
    neurons : int array (k,)
        Their indices in the flattened population.
    spikes : bool array (k, T)
    """

    population: str
    neurons: Array
    spikes: Array


@dataclass(frozen=True, eq=False)
class Analysis:
    """What `analyse` found.

    Attributes
    ----------
    waterfall : Waterfall
    errors : tuple of LayerError
        Every layer's error taken apart by its causes (Eqs. 6 to 8), on a few samples.
    diagnosis : Diagnosis
    latency : LatencyCurve or None
        Of the emulator, or of the float spiking network; None where potentials over time were not recorded.
    confusion : int array (classes, classes) or None
        Of the last stage; None where no sample has one class.
    workloads : {"ann", "spiking": Workload}
    weights : tuple of WeightStatistics
        Empty for float networks, like the next one.
    ranges : tuple of StateRanges
    rasters : tuple of Raster
    placement : Placement or None
    energy : EnergyEstimate or None
    settings : mapping
        Every setting of the conversion and of the comparison.
    versions : mapping
        What ran it, and what converted the network.
    notes : tuple of str
    """

    waterfall: Waterfall
    errors: tuple[LayerError, ...]
    diagnosis: Diagnosis
    latency: LatencyCurve | None
    confusion: Array | None
    workloads: Mapping[str, Workload]
    weights: tuple[WeightStatistics, ...]
    ranges: tuple[StateRanges, ...]
    rasters: tuple[Raster, ...]
    placement: Placement | None
    energy: EnergyEstimate | None
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The figures as JSON values, without what only plots need."""
        chain = self.waterfall
        return {
            "verdict": self.diagnosis.verdict,
            "findings": [vars(finding) for finding in self.diagnosis.findings],
            "waterfall": [_step_json(step) for step in chain.steps],
            "total": _loss_json(chain.total),
            "layers": [_layer_json(layer) for layer in chain.layers],
            "error_parts": [{"population": e.population, "share": dict(e.share)} for e in self.errors],
            "layer_samples": chain.layer_samples,
            "metric": chain.metric.key,
            f"{chain.metric.key}_over_time": None if self.latency is None else self.latency.value.tolist(),
            "confusion": None if self.confusion is None else self.confusion.tolist(),
            "workload": {name: load.to_json() for name, load in self.workloads.items()},
            "ranges": [vars(ranges) for ranges in self.ranges],
            "settings": dict(self.settings),
            "versions": dict(self.versions),
            "notes": list(self.notes),
        }


def analyse(
    model: Source,
    net: Network,
    x: Array,
    y: Array,
    recorded: Mapping[str, Recording],
    *,
    kind: TaskKind,
    placement: Placement | None = None,
    calibration: Array | None = None,
    layer_samples: int = LAYER_SAMPLES,
    device: str = "cpu",
    settings: Mapping[str, Any] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Analysis:
    """Say where accuracy went, and gather what a report shows.

    Parameters
    ----------
    model : nn.Module, or another kind that `loihiconv.ann.frontends` reads
    net : Network
    x, y : arrays (N, \\*shape), (N, ...)
        Labels as the task takes them.
    recorded : {back end: Recording}
        Of all N samples; "float" and "emulator" spare running them again. One with potentials over time gives the latency curve.
    kind : TaskKind
        What outputs are judged by.
    placement : Placement, optional
        Of the network on its board, where it is known already.
    calibration : array (M, \\*shape), optional
        To tell whether test data comes in another channel order.
    layer_samples : int
        Samples for layers' statistics.
    device : str
    settings : mapping, optional
        Of the comparison, to be shown with those of the conversion.
    progress : callable (stage, done, in all), optional

    Raises
    ------
    LoihiconvError
        As `loihiconv.evaluation.explain.waterfall.waterfall` does.
    """
    model = readable(model)
    origin, simulator = float_origin(net), simulator_of(net)
    reference = read_reference(model, origin)
    chain = waterfall(
        model, net, (x, y), kind=kind, recorded=recorded, layer_samples=layer_samples, device=device, reference=reference, progress=progress
    )
    main = recorded[simulator.name]
    traced = main.potentials_over_time is not None
    some = x[spread(len(x), layer_samples)]
    few = x[spread(len(x), _peak_samples(net))]
    followed = simulator.run(net, few, RunOptions(record=frozenset({"spikes"}), device=device))  # who asked says what saturates
    placement = placed(net) if placement is None else placement
    energy = None
    if placement is not None and placement.cores:
        typical = simulator.run(net, x[spread(len(x), ENERGY_SAMPLES)], RunOptions(device=device))
        energy = estimate(net, typical, placement)
    return Analysis(
        chain,
        tuple(_errors(net, reference, x[spread(len(x), ERROR_SAMPLES)], device)),
        diagnose(gather(net, chain, reference, x, calibration)),
        latency_curve(net, main, y, kind) if traced else None,
        _confusion(kind, main, y),
        {"ann": float_workload(model, reference.ann, some), "spiking": spiking_workload(net, main, some)},
        weight_statistics(net) if net.fixed_point else (),
        state_ranges(net, few, followed) if net.fixed_point else (),
        _rasters(net, followed),
        placement,
        energy,
        {**net.record.settings, "board": net.board or "none", **(settings or {})},
        versions(net),
        net.record.notes,
    )


def trace_fits(net: Network, samples: int, limit: int = 2**29) -> bool:
    """Whether readout potentials over time of so many samples stay below a limit in bytes."""
    return samples * net.timesteps * int(np.prod(net.readout.shape)) * 4 <= limit


def _peak_samples(net: Network) -> int:
    per_sample = net.timesteps * sum(int(np.prod(p.shape)) for p in net.populations if p.spiking)
    return int(min(PEAK_SAMPLES, max(1, PEAK_BYTES // max(per_sample, 1))))


def placed(net: Network) -> Placement | None:
    """The network on its board; None for float networks and where its board is not known here."""
    if not net.fixed_point or not net.board:
        return None
    try:
        return place(net)
    except LoihiconvError:
        return None


def _errors(net: Network, reference: Reference, x: Array, device: str) -> list[LayerError]:
    """Errors against the float network's own activations, in the units of `loihiconv.evaluation.explain.attribution`."""
    network = net if net.fixed_point else float_origin(net)
    recording = simulator_of(network).run(network, x, RunOptions(record=frozenset({"residuals"}), device=device))
    activations = reference.activations(x, {p.name for p in network.layers})
    wanted = {name: values.astype(np.float64) for name, values in activations.items()}
    if (readout := network.readout).name in wanted:
        wanted[readout.name] *= readout.scale
    return attribute(network, recording, x, wanted)


def _confusion(kind: TaskKind, recording: Recording, y: Array) -> Array | None:
    if not isinstance(kind, Classification | Binary):
        return None
    classes = kind.classes if isinstance(kind, Classification) else 2
    return confusion(kind.decisions(answered(recording)), y, classes)


def _rasters(net: Network, recording: Recording) -> tuple[Raster, ...]:
    """Of the first sample, from populations spread over the depth of the network."""
    names = [p.name for p in net.layers if p.spiking]
    chosen = [names[i] for i in np.unique(np.linspace(0, len(names) - 1, min(RASTERS, len(names))).astype(int))] if names else []
    rasters = []
    for name in chosen:
        spikes = recording.spikes[name][0].reshape(recording.timesteps, -1)
        active = np.flatnonzero(spikes.any(axis=0))
        if not len(active):
            active = np.arange(spikes.shape[1])
        index = active[np.unique(np.linspace(0, len(active) - 1, min(RASTER_NEURONS, len(active))).astype(int))]
        rasters.append(Raster(name, index, spikes[:, index].T))
    return tuple(rasters)


def versions(net: Network) -> dict[str, str]:
    """What runs here, and what converted the network where that is another."""
    now = {
        "loihiconv": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "platform": f"{platform.system()} {platform.machine()}",
    }
    return {**now, **{f"converted with {key}": value for key, value in net.record.provenance.items() if now.get(key) != value}}


def _step_json(step: Step) -> dict[str, Any]:
    shown = {"key": step.key, "title": step.title, "value": step.value, "interval95": list(step.interval95), "same": step.same}
    return {**shown, "step": None if step.step is None else _loss_json(step.step)}


def _loss_json(loss: Any) -> dict[str, Any]:
    return {**vars(loss), "interval95": list(loss.interval95)}


def _layer_json(layer: LayerStatistics) -> dict[str, Any]:
    plain = replace(layer, errors={})
    hidden = ("activation_histogram", "rate_histogram", "scatter", "errors", "error")
    values = {key: value for key, value in vars(plain).items() if key not in hidden}
    values["correlation"] = layer.correlation if isfinite(layer.correlation) else None
    values["shape"] = list(layer.shape)
    return {
        **values,
        "relative_error": layer.relative_error,
        "error": vars(layer.error),
        "errors": {k: vars(v) for k, v in layer.errors.items()},
    }
