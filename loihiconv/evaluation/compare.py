"""The same samples through several back ends, side by side with the float network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from loihiconv.ann.frontends import Source, readable
from loihiconv.ann.frontends.given import for_network
from loihiconv.ann.frontends.selection import with_output
from loihiconv.backends.backend import Backend, RunOptions
from loihiconv.backends.registry import ANN, check_backend, find
from loihiconv.backends.simulators import simulator_of
from loihiconv.core.errors import InvalidData, InvalidSetting
from loihiconv.core.given import check_callable, several, shown
from loihiconv.core.input_coding import Samples, check_samples, sample_parts
from loihiconv.core.linear import Array
from loihiconv.core.network import Network, Recording
from loihiconv.core.saturation import Saturation
from loihiconv.core.validation import validate
from loihiconv.evaluation.explain.analysis import Analysis, analyse, trace_fits
from loihiconv.evaluation.metrics import agreement, wilson
from loihiconv.evaluation.predicting import check_test_set, one_output, predict
from loihiconv.lava.chip.lif import RATIO


@dataclass(frozen=True)
class BackendResult:
    """How one back end did.

    Attributes
    ----------
    accuracy : float
    n : int
        Samples it ran.
    wilson95 : (low, high)
    agreement : float
        Share of those samples on which it names the float network's class.
    firing_rate : float or None
        Mean spikes per neuron and step; None for the float network itself.
    synaptic_operations : float or None
        Mean per sample; None for the float network itself.
    """

    accuracy: float
    n: int
    wilson95: tuple[float, float]
    agreement: float
    firing_rate: float | None = None
    synaptic_operations: float | None = None


@dataclass(frozen=True, eq=False)
class Comparison:
    """What `compare` found.

    Attributes
    ----------
    timesteps : int
    board : str
    backends : {name: BackendResult}
        "ann" is the float network, the others as asked for.
    judge : str
        The back end that another one has to agree with spike for spike, as the emulator with "lava"; empty where not both ran.
    mismatched_spikes : {population: int} or None
        Spikes on which it and the judge differ; None without a judge.
    mismatched_potentials : int or None
        Readout potentials on which they differ.
    recordings : {name: Recording}
    analysis : Analysis or None
        Where the accuracy went; only with ``compare(..., explain=True)``.
    payload_max : int
        Largest payload of a spike: 1 where spikes are binary. Accuracies with graded spikes are other figures than those without.
    """

    timesteps: int
    board: str
    backends: Mapping[str, BackendResult]
    mismatched_spikes: Mapping[str, int] | None = None
    mismatched_potentials: int | None = None
    recordings: Mapping[str, Recording] = field(default_factory=dict)
    analysis: Analysis | None = None
    payload_max: int = 1
    judge: str = ""

    @property
    def saturated(self) -> tuple[str, ...]:
        """One line for each population whose registers some samples saturate: what, where, and what to do about it.

        Once for all back ends, which saturate alike, as the one says it that ran the most samples.
        """
        found: dict[tuple[str, str], Saturation] = {}
        for recording in self.recordings.values():
            for s in recording.saturated:
                known = found.get((s.population, s.register))
                found[s.population, s.register] = s if known is None or len(s.above) > len(known.above) else known
        return tuple(str(s.error()) for s in found.values())

    @property
    def title(self) -> str:
        """Board, time steps and, where they are not binary, spikes."""
        graded = f", graded spikes with payloads of up to {self.payload_max}" if self.payload_max > 1 else ""
        return f"{self.board or 'float'}, {self.timesteps} time steps{graded}"

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON values."""
        explained = {} if self.analysis is None else {"analysis": self.analysis.to_json()}
        return {
            "timesteps": self.timesteps,
            "board": self.board,
            "payload_max": self.payload_max,
            "backends": {name: {**vars(result), "wilson95": list(result.wilson95)} for name, result in self.backends.items()},
            "mismatched_spikes": None if self.mismatched_spikes is None else dict(self.mismatched_spikes),
            "mismatched_potentials": self.mismatched_potentials,
            **({"saturated": list(self.saturated)} if self.saturated else {}),
            **explained,
        }


def compare(
    model: Source,
    net: Network,
    test_set: tuple[Samples, Array],
    backends: Sequence[str] = ("float", "emulator"),
    *,
    lava_samples: int | None = None,
    device: str = "cpu",
    stock_models: bool = False,
    explain: bool = False,
    calibration: Samples | None = None,
    output: str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Comparison:
    """Run a test set through the float network and several back ends.

    Parameters
    ----------
    model : nn.Module, or another kind that `loihiconv.ann.frontends` reads
        The float network that ``net`` came from.
    net : Network
    test_set : (x (N, \\*shape), y (N,))
        Of a network with several inputs x is {input: array}, or a tuple of arrays.
    backends : sequence of str
        As `loihiconv.run` knows them. Where "emulator" and "lava" are both among them, every spike of every population
        is compared on the samples that Lava ran.
    lava_samples : int, optional
        How many of the first samples Lava gets, or any other back end that is too slow for all of them; by default what the
        back end suggests, Lava 50.
    device : str
        Torch device of "float" and "emulator".
    stock_models : bool
        Lava with Intel's own models of the connections.
    explain : bool
        Say where the accuracy went: every step of the conversion on all samples, every layer on some of them. It takes about as
        long again as "float" and "emulator" do.
    calibration : array (M, \\*shape), optional
        With ``explain``, to tell whether test data comes in another channel order.
    output : str, optional
        Of a network with several outputs the one that is judged, in the network that it alone takes.
    progress : callable (back end, samples done, samples in all), optional

    Returns
    -------
    Comparison
    """
    model = with_output(readable(model), output)
    validate(net)
    net = one_output(net, output)
    x, y = check_test_set(test_set, net.readout.size, sample_parts(net))
    model = for_network(model, net, test_set[0])
    chosen = [check_backend(net, backend) for backend in several(backends, "backends", '["emulator", "lava"]')]
    if lava_samples is not None and not (type(lava_samples) is int and lava_samples >= 1):
        raise InvalidSetting(f"lava_samples {shown(lava_samples)}", where="lava_samples", limit="a whole number of at least 1 expected")
    check_callable(progress, "progress")
    if calibration is not None:
        calibration = check_samples(net, calibration)
    reference = predict(model, x, net.readout.size)
    results = {ANN: _result(reference, y, reference)}
    recordings: dict[str, Recording] = {}
    judge = _judge(chosen)
    for backend in chosen:
        n = _samples(backend, lava_samples, len(x))
        traced = explain and trace_fits(net, n) and "potentials" in backend.records
        record = ["spikes"] if backend is judge else ["potentials"] if traced else None
        report = None if progress is None else partial(progress, backend.name)
        options = RunOptions(
            record=frozenset(record or ()), counts=False, device=device, stock_models=stock_models, lif_ratio=RATIO, progress=report
        )
        recording = backend.run(net, x[:n], options)  # the comparison itself says what saturates
        recordings[backend.name] = recording
        results[backend.name] = _result(recording.predictions, y[:n], reference[:n], recording)
    comparison = Comparison(net.timesteps, net.board, results, recordings=recordings, payload_max=net.payload_max)
    if judge is not None:
        right = recordings[judge.name]
        judged = find(judge.judges).run(net, x[: len(right)], RunOptions(record=frozenset({"spikes"}), lif_ratio=RATIO))
        spikes, potentials = mismatches(judged, right)
        comparison = replace(comparison, judge=judge.name, mismatched_spikes=spikes, mismatched_potentials=potentials)
    if not explain:
        return comparison
    whole = {backend.name: recordings[backend.name] for backend in chosen if backend.samples is None}
    main = simulator_of(net).name
    if main not in whole:
        kept = ["potentials"] if trace_fits(net, len(x)) else []
        whole[main] = find(main).run(net, x, RunOptions(record=frozenset(kept), counts=False, device=device, lif_ratio=RATIO))
    fewer = {f"samples in {backend.name.capitalize()}": len(recordings[backend.name]) for backend in chosen if backend.samples is not None}
    settings = {"back ends": ", ".join(backends), "samples": len(x), **fewer}
    analysis = analyse(model, net, x, y, whole, calibration=calibration, device=device, settings=settings, progress=progress)
    return replace(comparison, analysis=analysis)


def _judge(chosen: Sequence[Backend]) -> Backend | None:
    """The first back end that another one among them has to agree with, spike for spike."""
    names = {backend.name for backend in chosen}
    return next((backend for backend in chosen if backend.judges in names), None)


def _samples(backend: Backend, wanted: int | None, n: int) -> int:
    """How many of n samples a back end gets: all of them, or fewer where it is slow."""
    return n if backend.samples is None else min(wanted or backend.samples, n)


def mismatches(a: Recording, b: Recording) -> tuple[dict[str, int], int]:
    """On how many spikes per population, and on how many readout potentials, two recordings of the same samples differ."""
    if set(a.spikes) != set(b.spikes) or len(a) != len(b):
        raise InvalidData("the recordings are not of the same populations and samples", where="mismatches", remedy='record=["spikes"]')
    return {name: int(np.sum(a.spikes[name] != b.spikes[name])) for name in a.spikes}, int(np.sum(a.potentials != b.potentials))


def _result(predictions: Array, y: Array, reference: Array, recording: Recording | None = None) -> BackendResult:
    correct = int(np.sum(predictions == y))
    rate = None if recording is None else recording.firing_rate
    operations = None if recording is None else recording.synaptic_operations
    return BackendResult(correct / len(y), len(y), wilson(correct, len(y)), agreement(predictions, reference), rate, operations)
