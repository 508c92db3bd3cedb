"""From a trained float network to one for the chip: the whole way, in one function."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from typing_extensions import Unpack

from loihiconv.ann.evaluate import verify_reading, verify_rewriting
from loihiconv.ann.frontends import Source, readable
from loihiconv.ann.frontends.given import opened
from loihiconv.ann.frontends.selection import with_output
from loihiconv.ann.graph import Ann
from loihiconv.ann.graph import MaxPool as AnnMaxPool
from loihiconv.ann.passes import Lowered, lower
from loihiconv.ann.passes.rounding import rounds, without_rounding
from loihiconv.clusters.cluster import Cluster, check_cluster, connected
from loihiconv.conversion.aim import aimed, outcome
from loihiconv.conversion.attempts import making
from loihiconv.conversion.bias_correction import SAMPLES, correct_biases, first_samples, measured_rates, spread_samples, target_rates
from loihiconv.conversion.calibration import Calibration, CalibrationData, Statistics, batches, calibrate, prepared
from loihiconv.conversion.data_checks import outliers, suspicions
from loihiconv.conversion.judge import Attempt, Judge
from loihiconv.conversion.likeness import cost_of_rounding, likely_task
from loihiconv.conversion.naming import population_names
from loihiconv.conversion.payload_choice import FEWEST_PAYLOAD_BITS, PAYLOAD_BITS
from loihiconv.conversion.potentials import observe
from loihiconv.conversion.quantization import check_payload, narrow_weights, quantize
from loihiconv.conversion.rounding_choice import choose_rounding
from loihiconv.conversion.scales import Scales, choose_scales, silent_layers
from loihiconv.conversion.search import search
from loihiconv.conversion.settings import SEARCHES, Optimize, SettingOptions, Settings, choose
from loihiconv.conversion.spiking import check_pooled, to_spiking
from loihiconv.core.choices import PoolingWay, Task
from loihiconv.core.errors import InvalidModel, InvalidSetting
from loihiconv.core.given import check_task
from loihiconv.core.input_preprocessing import GivenPreprocessing, by_input, check_inputs, check_preprocessing, of_one
from loihiconv.core.linear import Array, Shape
from loihiconv.core.log import LOG
from loihiconv.core.network import Network
from loihiconv.core.parts import divided, slices
from loihiconv.core.population_base import unwritten_programs
from loihiconv.core.progress import reporting
from loihiconv.core.record import CalibrationSummary, PayloadSummary
from loihiconv.core.version import __version__
from loihiconv.hardware.board import Board, load_board
from loihiconv.hardware.validation import validate

Progress: TypeAlias = Callable[[str, int, int], None]


def convert(
    model: Source,
    calibration: CalibrationData,
    *,
    board: str | Path | Board | None,
    timesteps: int,
    optimize: Optimize = "default",
    task: Task | None = None,
    preprocessing: GivenPreprocessing = None,
    samples: int | None = None,
    output: str | None = None,
    target_loss: float | None = None,
    max_latency: int | None = None,
    cluster: Cluster | None = None,
    progress: Progress | bool | None = None,
    **settings: Unpack[SettingOptions],
) -> Network:
    """Convert a trained network after Rueckauer et al. 2016 and quantize it for a board.

    Parameters
    ----------
    model : nn.Module, or another kind that `loihiconv.ann.frontends` reads
        Trained; it is neither changed nor trained further.
    calibration : array or tensor (N, \\*shape), pair (x, y), Dataset, DataLoader, or iterable of samples or batches
        Training samples, as the network takes them (channels first, same preprocessing) or, with ``preprocessing``, as they come. A few
        hundred are enough. Never test samples. What is iterated over is read batch by batch, and memory does not grow with it. Of a network
        with several inputs {name: array}, or a tuple of arrays in its order, or batches of either.
    board : str, path, Board or None
        A board of `loihiconv.boards()` or a YAML file; None stops at the float spiking network.
    timesteps : int
        T, the time steps that each sample gets.
    optimize : "default", "none", "accuracy" or "latency"
        "none" is the plain method of the paper: `loihiconv.conversion.settings.PAPER` for whatever is not given. "accuracy" tries
        other settings on calibration data and keeps what helps, "latency" also takes the fewest time steps, at most
        ``timesteps``, that cost next to nothing; ``record.search`` lists the trials. See `loihiconv.conversion.search`.
    task : "classification", "binary", "multilabel", "regression" or "dense", optional
        What the network is for, where a search is to know; by default what its last functions say.
    preprocessing : Preprocessing, or {input: Preprocessing}, optional
        What becomes of samples before the network takes them. It is part of the result: whatever runs it applies the same to its samples.
    samples : int, optional
        Calibrate on the first so many samples only.
    output : str, optional
        Of a model with several outputs the only one to convert; by default all of them, as ``outputs`` of the network lists them.
    target_loss : float, optional
        Points of accuracy, 0 to 100: search for the fewest steps from one sample to the next with which no larger share of calibration
        samples gets another answer than from the ANN. It makes ``optimize`` a search for latency unless it is one for accuracy.
    max_latency : int, optional
        Most steps from one sample to the next, silent ones included. A search looks no further; by default it does up to those of
        ``timesteps``.
    cluster : "local[:n]", "tcp://scheduler:port", "slurm:profile.yaml" or distributed.Client, optional
        Makes the attempts of a search on the workers of a dask cluster, some at a time, with the same result. Needs ``loihiconv[cluster]``.
    progress : callable (stage, done, in all) or True, optional
        True shows bars, on a terminal or in a notebook. Stages are "calibration", in samples (0 in all where the data does not tell),
        "bias correction", in layers, and "search".
    **settings
        Any other field of `loihiconv.conversion.settings.Settings`, such as ``percentile=99.99`` or ``maxpool="relu-tree"``.

    Returns
    -------
    Network
        ``record.notes`` says what a user should know about the conversion.

    Raises
    ------
    LoihiconvError
        One subclass per mistake; see `loihiconv.core.errors`.

    Warns
    -----
    UserWarning
        If a layer is silent on all calibration data, the data looks wrong, no chip has the gates that were asked for, or what average
        pooling costs.
    """
    model, chosen = with_output(readable(model), output), choose(timesteps, optimize, **settings)
    report = reporting(progress)
    written = not unwritten_programs(1, 1, signed=True)
    optimize, aim = aimed(chosen, optimize, target_loss, max_latency, programs=board is None or written)
    check_task(task)
    board = load_board(board) if board is not None else None
    chosen = chosen.for_board(board)
    if board is not None:
        check_payload(chosen.payload_max, "signed_spikes" if chosen.signed_spikes else "spike_bits", board, signed=chosen.signed_spikes)
    searching = optimize in SEARCHES
    _check_cluster(cluster, searching=searching)
    check_preprocessing(preprocessing)
    model, calibration = opened(model, calibration, by_input(preprocessing))
    check_inputs(preprocessing, [part.name for part in model.inputs])
    given = prepared(calibration, of_one(preprocessing), shape=model.sample_shape, samples=samples)
    source = measure(model, given, chosen, board, report, searching=searching)
    LOG.info("calibrated on %d samples", source.statistics.samples)
    for text in source.warnings:
        warnings.warn(text, stacklevel=2)
    for text in source.notes:
        LOG.info(text)
    if not searching:
        return build(source, chosen, board, report).with_preprocessing(preprocessing)
    if chosen.maxpool == "gate" and any(isinstance(node, AnnMaxPool) for node in source.ann):
        aim = replace(aim, signed=False)  # gates take no spikes back
    common = source, Judge(source.ann, source.held_out, task), board
    with connected(cluster) as client, making(attempted, common, client) as attempts:
        network, trials = search(attempts, chosen, settings, optimize, report, aim)
    network = replace(network, record=replace(network.record, search=trials))
    if aim.loss is not None:
        said, met = outcome(network, aim.loss, len(source.held_out))
        network = _noted(network, said)
        if not met:
            warnings.warn(said, stacklevel=2)
    return network.with_preprocessing(preprocessing)


@dataclass(frozen=True, eq=False)
class Measured:
    """A network that has been read, and what calibration data says of it: all that a conversion starts from.

    Attributes
    ----------
    ann : Ann
        After the passes.
    statistics : Calibration
    samples, held_out : array (N, \\*shape)
        Calibration samples that were kept, for corrections and for a search to judge by.
    notes, warnings : tuple of str
        What a user should know, and what a user should be warned of.
    trained : (timesteps, silent steps) or None
        Of the spikes that training has seen.
    """

    ann: Ann
    statistics: Calibration
    samples: Array
    held_out: Array
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    trained: tuple[int, int] | None = None


def measure(
    model: Source,
    calibration: CalibrationData,
    settings: Settings,
    board: Board | None,
    progress: Progress | None = None,
    *,
    searching: bool = False,
) -> Measured:
    """Read the model and run the calibration data through it, once; a search needs more of it kept than one conversion."""
    model = readable(model)
    first, data = _peek(calibration if isinstance(calibration, np.ndarray) else prepared(calibration))
    maxpool = settings.pooling
    ann, notes = read(model, first, maxpool)
    averaged = maxpool == "average" and any(isinstance(node, AnnMaxPool) for node in model.ann(first.shape[1:]))
    reference = read(model, first).ann if averaged else None
    if maxpool == "gate":
        check_pooled(ann, settings.input_coding)
    kept: list[Array] = []
    total = len(data) if isinstance(data, np.ndarray) else 0
    statistics = calibrate(
        ann,
        _keeping(data, first.shape[1:], kept, 3 * SAMPLES if searching else SAMPLES),
        per_channel=settings.per_channel or searching,
        reference=reference,
        progress=progress and (lambda done: progress("calibration", done, total)),
    )
    samples, held_out = _divided(np.concatenate(kept))
    names = population_names(ann)
    warned = list(suspicions(model, samples))
    whole = len(ann.inputs) == 1  # packed samples do not tell which input a value is of
    far = {entry.name: outliers(statistics.nodes[entry.name], data if whole else None) for entry in ann.inputs}
    warned += [text if whole else f"input {name}: {text}" for name, text in far.items() if text]
    warned += [
        f"{names[name]}: no activation on {statistics.samples} calibration samples; it will never spike"
        for name in silent_layers(ann, statistics)
    ]
    if statistics.agreement is not None:
        decides = all(likely_task(ending, place.stop - place.start) == "classification" for place, ending in ann.ends)
        cost = (
            f"average pooling in place of max-pooling names another class on {1 - statistics.agreement:.1%} of {statistics.samples} "
            "calibration samples"
            if decides
            else "average pooling in place of max-pooling gives other outputs"
        )
        warned.append(f'{cost}; maxpool="relu-tree" keeps the maximum')
        notes = (*notes, cost)
    if board is not None and (gates := [names[node.name] for node in ann if isinstance(node, AnnMaxPool)]):
        said = f'{", ".join(gates)}: no chip has gates for max-pooling, only the simulators do; maxpool="relu-tree" runs on {board.title}'
        warned.append(said)
        notes = (*notes, said)
    return Measured(ann, statistics, samples, held_out, (*model.notes, *notes), tuple(warned), model.trained)


def build(source: Measured, settings: Settings, board: Board | None, progress: Progress | None = None) -> Network:
    """From what was measured to the spiking network, corrected and, with a board, quantized and corrected again."""
    ann, statistics = source.ann, source.statistics
    scales = choose_scales(ann, statistics, settings)
    network = to_spiking(ann, scales, settings, signed=[entry.name for entry in ann.inputs if statistics.nodes[entry.name].smallest < 0])
    unwritten = network.unwritten if board is not None else ()
    notes = (*source.notes, *(f"{what} run in the emulator and in Lava; no board has a neuron program for them yet" for what in unwritten))
    if settings.silent_steps and not network.silent_steps:
        notes = (*notes, "no layer is driven by spikes: silent steps change nothing")
    if settings.signed_spikes and not network.signed:
        notes = (*notes, "no layer is driven by spikes: signed spikes change nothing")
    record = replace(network.record, calibration=_summary(source, scales), notes=notes, provenance=_versions())
    network = replace(network, record=record)
    rounds = 1 if board is None else 2  # a quantized network is corrected once more
    floated = network
    network, targets = _corrected(floated, source, scales, settings, _correction_progress(progress, 0, rounds))
    if board is None:
        return network
    if network is floated:  # corrections see potentials on their way
        network = observe(network, source.samples)
    covariances, said = choose_rounding(network, board, settings.rounding, source.samples, centred=settings.bias_correction)
    network = _noted(network, *said)
    quantized = quantize(network, board, covariances)
    if narrow := narrow_weights(quantized):
        quantized = _noted(quantized, *narrow)
    corrected = correct_biases(quantized, targets, source.samples, progress=_correction_progress(progress, 1, rounds))
    validate(corrected, board)
    return corrected


def attempted(common: tuple[Measured, Judge, Board | None], settings: Settings) -> Attempt:
    """A network with some settings, and how it does on samples that no correction has seen."""
    source, judge, board = common
    network = build(source, settings, board)
    return Attempt(network, settings, *judge(network))


def _check_cluster(cluster: Cluster | None, *, searching: bool) -> None:
    if cluster is not None and not searching:
        remedy = 'use optimize="accuracy" or "latency", or no cluster'
        raise InvalidSetting("there is no search to spread", where="cluster", limit="a conversion without one is made here", remedy=remedy)
    check_cluster(cluster)


def _corrected(
    network: Network, source: Measured, scales: Scales, settings: Settings, progress: Callable[[int, int], None] | None
) -> tuple[Network, dict[str, Array]]:
    """The float spiking network with corrected biases, and the rates that its integers should have; none where nothing is corrected.

    Where training has seen these very spikes its rates are as they should be, and the float network's own are not.
    """
    if not settings.bias_correction:
        return network, {}
    if source.trained == (settings.timesteps, settings.silent_steps):
        return network, measured_rates(network, source.samples)
    targets = target_rates(source.ann, scales, source.samples)
    return correct_biases(network, targets, source.samples, progress=progress), targets


def read(model: Source, x: Array, maxpool: PoolingWay = "gate") -> Lowered:
    """Read a model, rewrite it to linear maps and ReLUs, and check both against the model itself.

    Parameters
    ----------
    model : what `loihiconv.ann.frontends` reads
    x : array (N, \\*shape)
        A few samples to compare outputs on.
    maxpool : "gate", "relu-tree" or "average"
        "average" is another function than the model's, and so are rounded activations without their rounding: what is checked is the
        network before that.

    Returns
    -------
    ann : Ann
    notes : tuple of str
        What the passes did that a user should know.
    """
    model = readable(model)
    original = model.ann(x.shape[1:])
    lowered = lower(original, maxpool)
    same = lower(original).ann if maxpool == "average" else lowered.ann
    if rounds(original):
        verify_reading(model, original, x)
        verify_rewriting(without_rounding(original), same, x)
        return Lowered(lowered.ann, (*lowered.notes, cost_of_rounding(original, same, x)))
    try:
        verify_reading(model, same, x)
    except InvalidModel:
        verify_reading(model, original, x)  # names what was misread
        raise
    return lowered


def _correction_progress(progress: Progress | None, before: int, rounds: int) -> Callable[[int, int], None] | None:
    """What `correct_biases` reports to in one of so many rounds, of which some were before."""
    if progress is None:
        return None
    return lambda done, layers: progress("bias correction", before * layers + done, rounds * layers)


def _peek(data: Array | Iterator[Array]) -> tuple[Array, Array | Iterator[Array]]:
    """The first batch, checked, and all of the data, the first batch included, as it can be read only once."""
    if isinstance(data, np.ndarray):
        return next(batches(data)), data
    head = list(islice(data, 1))
    return next(batches(iter(head))), chain(head, data)


def _keeping(data: Array | Iterator[Array], shape: Shape, kept: list[Array], number: int) -> Iterable[Array]:
    """The data, of which some samples are kept as they pass."""
    if isinstance(data, np.ndarray):
        kept.append(np.array(spread_samples(data, number), np.float32, order="C"))
        return data
    return first_samples(batches(data, shape), kept, number)


def _divided(kept: Array) -> tuple[Array, Array]:
    """Samples for corrections, and others to judge by; the same ones where there are too few for both."""
    every = -(-len(kept) // SAMPLES)
    rest = np.ones(len(kept), bool)
    rest[::every] = False
    return kept[::every], kept[rest] if rest.any() else kept


def _summary(source: Measured, scales: Scales) -> CalibrationSummary:
    """What of the measurements is kept, and what quantization has to know of the input."""
    ann, statistics, names = source.ann, source.statistics, population_names(source.ann)
    given = divided(source.samples.reshape(len(source.samples), -1), ann.input_parts)
    payloads = {name: _payload_summary(statistics.nodes[name], values, float(scales[name])) for name, values in given.items()}
    first, *others = payloads.values()
    return CalibrationSummary(
        statistics.samples,
        {names[name]: tuple(_distinct(ann, name, scale).tolist()) for name, scale in scales.items()},
        {names[name]: float(s.largest) for name, s in statistics.nodes.items()},
        first.mean_square,
        first.payload_errors,
        inputs={names[name]: values for name, values in statistics.inputs.items()},
        payloads={names[name]: known for name, known in payloads.items()} if others else {},
    )


def _payload_summary(known: Statistics, values: Array, scale: float) -> PayloadSummary:
    return PayloadSummary(known.square_sum / known.values / scale**2, payload_errors(values / scale))


def _distinct(ann: Ann, name: str, scale: Array) -> Array:
    """One number for a layer, one for each channel, or one for each of several outputs."""
    flat = np.asarray(scale).ravel()
    return flat[[place.start for place in slices(ann.parts).values()]] if ann.parts and name == ann.output.name else flat


def _versions() -> dict[str, str]:
    """What converts here."""
    return {"loihiconv": __version__, "python": platform.python_version(), "torch": str(torch.__version__), "numpy": np.__version__}


def _noted(network: Network, *notes: str) -> Network:
    """A network with more notes in its record."""
    return replace(network, record=replace(network.record, notes=(*network.record.notes, *notes)))


def payload_errors(x: Array) -> dict[int, float]:
    """Mean square of what rounding costs payloads of up to each largest one, in units of a payload; x in [-1, 1]."""
    errors = {}
    for bits in range(FEWEST_PAYLOAD_BITS - 1, PAYLOAD_BITS + 1):  # one fewer with a sign
        largest = 2**bits - 1
        exact = x.astype(np.float64) * largest
        errors[largest] = float(np.mean((np.rint(exact) - exact) ** 2))
    return errors
