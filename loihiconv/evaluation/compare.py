"""The same samples through several back ends, side by side with the float network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from loihiconv.ann.frontends import Source, readable
from loihiconv.ann.frontends.given import for_network
from loihiconv.ann.frontends.selection import with_output
from loihiconv.backends.backend import Backend, RunOptions
from loihiconv.backends.registry import ANN, check_backend, find, title_of
from loihiconv.backends.simulators import simulator_of
from loihiconv.backends.spread import carried_out
from loihiconv.clusters.cluster import Cluster, check_cluster, connected
from loihiconv.core import numbers as n
from loihiconv.core.choices import Task
from loihiconv.core.errors import InvalidData, InvalidSetting
from loihiconv.core.given import check_path, several, shown
from loihiconv.core.input_coding import as_taken, check_samples, sample_parts
from loihiconv.core.input_preprocessing import in_words
from loihiconv.core.input_samples import collect_inputs
from loihiconv.core.linear import Array
from loihiconv.core.log import LOG
from loihiconv.core.metric import Metric
from loihiconv.core.network import Network, Recording, copies_words, silent_words
from loihiconv.core.packing import rows
from loihiconv.core.population_base import unwritten_programs
from loihiconv.core.progress import reporting
from loihiconv.core.samples import Samples
from loihiconv.core.saturation import Saturation, lines
from loihiconv.core.tables import Shown, Table
from loihiconv.core.validation import validate
from loihiconv.evaluation.explain.analysis import Analysis, analyse, placed, trace_fits, versions
from loihiconv.evaluation.explain.waterfall import LOSS
from loihiconv.evaluation.judged import Judged, samples_seen
from loihiconv.evaluation.predicting import judging, one_output
from loihiconv.evaluation.result import BackendResult, result_tables, small
from loihiconv.evaluation.tasks.answers import Answers, answer, recorded
from loihiconv.evaluation.tasks.kinds import TaskKind
from loihiconv.evaluation.tasks.scores import loss_between
from loihiconv.evaluation.verdict import MARKS, Verdict, cost, exactness, fit, main_back_end, survival
from loihiconv.hardware.placement import Placement


@dataclass(frozen=True, eq=False)
class Comparison(Shown):
    """What `compare` found.

    Attributes
    ----------
    timesteps : int
    board : str
    backends : {name: BackendResult}
        "ann" is the float network, the others as asked for.
    task : str
        What the network was judged at.
    unit : float
        What a noticeable loss is measured by; see `loihiconv.evaluation.tasks.kinds.TaskKind.unit`.
    placement : Placement or None
        On its board; None for float networks and where the board is not known here.
    output : str
        Of a network with several the one that was judged; empty where it has one alone.
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
    signed : bool
        Whether spikes can be negative; these figures are others again.
    silent_steps : int
        Steps of each sample beside the T in which spikes are sent; see `loihiconv.core.network`.
    added_steps : int
        Of these, those that lie between one sample and the next.
    copies : int
        Neurons that stand for each activation; they have figures of their own as well.
    settings, versions : mapping
        Of the conversion and of the comparison; what ran it, and what converted the network.
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
    task: Task = "classification"
    unit: float = 1.0
    placement: Placement | None = None
    silent_steps: int = 0
    added_steps: int = 0
    signed: bool = False
    copies: int = 1
    output: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def metric(self) -> Metric:
        """What the task is judged by."""
        return self.backends[ANN].metric

    @cached_property
    def verdict(self) -> Verdict:
        """Did accuracy survive, does it fit, what does it cost, is it exact: and the worst answer of the four."""
        main = main_back_end(self.backends)
        ann, result = self.backends[ANN], self.backends[main]
        macs = None if self.analysis is None else self.analysis.workloads["ann"].macs
        findings = () if self.analysis is None else self.analysis.diagnosis.findings
        judged = self.backends[self.judge].n if self.judge else 0
        return Verdict(
            (
                survival(ann, result, title_of(main), LOSS * self.unit, self.unit, findings),
                fit(self.board, self.placement, unwritten_programs(self.payload_max, self.silent_steps, self.signed)),
                cost(result, self.period, macs),
                exactness(self.judge, judged, self.mismatched_spikes or {}, self.mismatched_potentials or 0),
            )
        )

    @property
    def further(self) -> tuple[str, ...]:
        """What a diagnosis found and the verdict does not say."""
        findings = () if self.analysis is None else self.analysis.diagnosis.findings
        said = [text for answer in self.verdict.answers for text in answer.details]
        return tuple(finding.sentence for finding in findings if finding.sentence not in said)

    @property
    def period(self) -> int:
        """Steps from one sample to the next."""
        return self.timesteps + self.added_steps

    @property
    def saturations(self) -> tuple[Saturation, ...]:
        """Populations whose registers some samples saturate: all back ends do alike, so this is what the one says that ran the most."""
        found: dict[tuple[str, str], Saturation] = {}
        for recording in self.recordings.values():
            for s in recording.saturated:
                known = found.get((s.population, s.register))
                found[s.population, s.register] = s if known is None or len(s.above) > len(known.above) else known
        return tuple(found.values())

    @property
    def saturated(self) -> tuple[str, ...]:
        """The same in lines: what, where, and what to do about it."""
        return tuple(lines(self.saturations))

    @property
    def title(self) -> str:
        """Board, time steps, spikes where they are not binary, and neurons for each activation where they are several."""
        kind = "signed" if self.signed else "graded"
        graded = f", {kind} spikes with payloads of up to {self.payload_max}" if self.payload_max > 1 else ", signed spikes" * self.signed
        one = f", output {self.output}" if self.output else ""
        steps = f"{self.timesteps} time steps{silent_words(self.silent_steps, self.added_steps)}"
        return f"{self.board or 'float'}, {steps}{graded}{copies_words(self.copies)}{one}"

    def tables(self) -> tuple[Table, ...]:
        tables = [*result_tables(f"{self.title}: {self.task}", self.backends)]
        spikes, potentials = self.mismatched_spikes or {}, self.mismatched_potentials or 0
        if sum(spikes.values()) or potentials:
            judge = find(self.judge)
            title = f"✗ {judge.judges} and {judge.name.capitalize()} differ on {self.backends[judge.name].n} samples"
            differing = [[name, n.count(count)] for name, count in [*spikes.items(), ("readout potentials", potentials)]]
            tables.append(Table(title, ["population", "mismatches"], differing))
        return tuple(tables)

    def remarks(self) -> tuple[str, ...]:
        answers = [f"{MARKS[a.status]} {' '.join((a.question, a.answer + '.', *a.details))}" for a in self.verdict.answers]
        saturated = [
            (mark, lines([s for s in self.saturations if s.harmless is harmless])) for mark, harmless in (("✗", False), ("?", True))
        ]
        return (*(f"{mark} {text}" for mark, texts in saturated for text in texts), *answers)

    def __repr__(self) -> str:
        few = {name: f" (n = {r.n})" for name, r in self.backends.items() if small(r, self.backends)}
        measured = ", ".join(f"{title_of(name)} {n.figure(r.metric, r.value)}{few.get(name, '')}" for name, r in self.backends.items())
        return f"<Comparison, {self.title}: {self.metric.title} {measured}; {self.verdict.title}>"

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON values."""
        explained = {} if self.analysis is None else {"analysis": self.analysis.to_json()}
        return {
            "timesteps": self.timesteps,
            "silent_steps": self.silent_steps,
            "added_steps": self.added_steps,
            "board": self.board,
            "payload_max": self.payload_max,
            "signed": self.signed,
            "copies": self.copies,
            "output": self.output,
            "task": self.task,
            "backends": {name: result.to_json() for name, result in self.backends.items()},
            "mismatched_spikes": None if self.mismatched_spikes is None else dict(self.mismatched_spikes),
            "mismatched_potentials": self.mismatched_potentials,
            "verdict": {"status": self.verdict.status, "answers": [vars(a) | {"details": list(a.details)} for a in self.verdict.answers]},
            "placement": None if self.placement is None else self.placement.brief(),
            "settings": dict(self.settings),
            "versions": dict(self.versions),
            **({"saturated": list(self.saturated)} if self.saturated else {}),
            **explained,
        }


def compare(
    model: Source,
    net: Network,
    test_set: Samples,
    backends: Sequence[str] = ("float", "emulator"),
    *,
    samples: int | None = None,
    lava_samples: int | None = None,
    device: str = "cpu",
    stock_models: bool = False,
    explain: bool = False,
    calibration: Samples | None = None,
    task: Task | None = None,
    output: str | None = None,
    keep: str | PathLike[str] | None = None,
    cluster: Cluster | None = None,
    progress: Callable[[str, int, int], None] | bool | None = None,
) -> Comparison:
    """Run a test set through the float network and several back ends.

    Parameters
    ----------
    model : nn.Module, or another kind that `loihiconv.ann.frontends` reads
        The float network that ``net`` came from.
    net : Network
    test_set : pair (x (N, \\*shape), y (N, ...)), Dataset, DataLoader, or iterable of pairs
        Samples as ``net`` takes them: where it has a preprocessing, the float network gets what becomes of them. Labels as the task takes
        them: classes, 0 and 1, numbers, or classes of pixels. Of a network with several inputs x is {input: array}, or a tuple of arrays.
    backends : sequence of str
        As `loihiconv.run` knows them. Where "emulator" and "lava" are both among them, every spike of every population
        is compared on the samples that Lava ran.
    samples : int, optional
        Only the first so many; all of them are held in memory.
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
    calibration : as `loihiconv.convert` takes it, optional
        With ``explain``, to tell whether test data comes in another channel order.
    task : "classification", "binary", "multilabel", "regression" or "dense", optional
        What outputs are judged by; by default what the network's end and the labels say, see docs/tasks.
    output : str, optional
        Of a network with several outputs the one that is judged, in the network that it alone takes.
    keep : path, optional
        A folder in which slices of each back end's run are kept as they are finished, as `loihiconv.run` keeps them.
    cluster : "local[:n]", "tcp://scheduler:port", "slurm:profile.yaml" or distributed.Client, optional
        Runs slices of samples on the workers of a dask cluster, as `loihiconv.run` does; what ``explain`` adds runs here.
    progress : callable (back end, samples done, samples in all) or True, optional
        True shows bars, on a terminal or in a notebook.

    Returns
    -------
    Comparison
    """
    model = with_output(readable(model), output)
    validate(net)
    given = net = one_output(net, output)
    net, x, y, kind, before = judging(net, test_set, task, samples)
    model = for_network(model, net, test_set[0] if isinstance(test_set, tuple) else None)
    chosen = [check_backend(net, backend) for backend in several(backends, "backends", '["emulator", "lava"]')]
    if lava_samples is not None and not (type(lava_samples) is int and lava_samples >= 1):
        raise InvalidSetting(f"lava_samples {shown(lava_samples)}", where="lava_samples", limit="a whole number of at least 1 expected")
    told = reporting(progress)
    if keep is not None:
        check_path(keep, "keep")
    check_cluster(cluster)
    if calibration is not None:
        calibration = as_taken(given, check_samples(given, collect_inputs(sample_parts(given), calibration, "calibration").x))
    reference = answer(model, x, net.readout.output_shape)
    results = {ANN: _result(kind, reference, y, reference, samples_seen(before, y))}
    judge = _judge(chosen)

    def told_of(backend: Backend, number: int) -> RunOptions:
        traced = explain and trace_fits(net, number) and "potentials" in backend.records
        record = ["spikes"] if backend is judge else ["potentials"] if traced else []
        report = None if told is None else partial(told, backend.name)
        return RunOptions(record=frozenset(record), counts=False, device=device, stock_models=stock_models, progress=report)

    recordings: dict[str, Recording] = {}
    with connected(cluster, boards=any(backend.hardware for backend in chosen)) as client:
        for backend in chosen:
            number = _samples(backend, lava_samples, len(x))
            folder = None if keep is None else Path(keep, backend.name)
            # The comparison itself says what saturates.
            recordings[backend.name] = carried_out(backend, net, x[:number], told_of(backend, number), client, folder)
            LOG.info("back end %s has run %d samples", backend.name, number)
    for name, recording in recordings.items():
        first = slice(len(recording))
        results[name] = _result(
            kind, recorded(recording), y[first], reference[first], samples_seen(rows(before, first), y[first]), recording, net
        )
    settings = _settings(given, kind, len(x), {backend: len(recordings[backend.name]) for backend in chosen})
    comparison = Comparison(
        net.timesteps,
        net.board,
        results,
        recordings=recordings,
        payload_max=net.payload_max,
        task=kind.name,
        unit=kind.unit(y),
        placement=placed(net),
        silent_steps=net.silent_steps,
        added_steps=net.period - net.timesteps,
        signed=net.signed,
        copies=net.copies,
        output=output or "",
        settings=settings,
        versions=versions(net),
    )
    if judge is not None:
        right = recordings[judge.name]
        judged = find(judge.judges).run(net, x[: len(right)], RunOptions(record=frozenset({"spikes"})))
        spikes, potentials = mismatches(judged, right)
        comparison = replace(comparison, judge=judge.name, mismatched_spikes=spikes, mismatched_potentials=potentials)
    if not explain:
        return comparison
    whole = {backend.name: recordings[backend.name] for backend in chosen if backend.samples is None}
    main = simulator_of(net).name
    if main not in whole:
        kept = ["potentials"] if trace_fits(net, len(x)) else []
        whole[main] = find(main).run(net, x, RunOptions(record=frozenset(kept), counts=False, device=device))
    analysis = analyse(
        model,
        net,
        x,
        y,
        whole,
        kind=kind,
        placement=comparison.placement,
        calibration=calibration,
        device=device,
        settings=settings,
        progress=told,
    )
    return replace(comparison, analysis=analysis)


def _settings(net: Network, kind: TaskKind, samples: int, ran: Mapping[Backend, int]) -> dict[str, Any]:
    """What the conversion and the comparison were told."""
    fewer = {f"samples in {backend.name.capitalize()}": number for backend, number in ran.items() if backend.samples is not None}
    done = net.preprocessing
    return {
        **net.record.settings,
        "board": net.board or "none",
        "back ends": ", ".join(backend.name for backend in ran),
        "samples": samples,
        "task": kind.name,
        **fewer,
        **({} if done is None else {"preprocessing": in_words(done)}),
    }


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


def _result(
    kind: TaskKind,
    answers: Answers,
    y: Array,
    reference: Answers,
    seen: str,
    recording: Recording | None = None,
    net: Network | None = None,
) -> BackendResult:
    scores = kind.score(answers, y)
    neurons = 0 if net is None else sum(p.size for p in net.populations if p.spiking)
    return BackendResult(
        scores.metric,
        scores.value,
        scores.interval95,
        scores.n,
        kind.agreement(answers, reference),
        scores.parts,
        scores.figures,
        None if recording is None else loss_between(kind.score(reference, y), scores),
        None if recording is None else recording.firing_rate,
        None if recording is None else recording.synaptic_operations,
        None if recording is None else recording.firing_rate * neurons * recording.timesteps,
        partial(Judged.of, scores, seen),
    )
