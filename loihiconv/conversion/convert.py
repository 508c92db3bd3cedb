"""From a trained float network to one for the chip: the whole way, in one function."""

from __future__ import annotations

import warnings
from dataclasses import replace
from math import prod
from pathlib import Path

from typing_extensions import Unpack

from loihiconv.ann.frontends import Source, readable
from loihiconv.ann.frontends.given import opened
from loihiconv.ann.frontends.selection import with_output
from loihiconv.ann.graph import Ann, MaxPool
from loihiconv.clusters.cluster import Cluster, check_cluster, connected
from loihiconv.conversion.aim import aimed, outcome
from loihiconv.conversion.attempts import making
from loihiconv.conversion.building import attempted, build, noted
from loihiconv.conversion.calibration import CalibrationData, prepared
from loihiconv.conversion.integer_loss import integer_loss
from loihiconv.conversion.judge import Judge
from loihiconv.conversion.likeness import likely_task
from loihiconv.conversion.measuring import Measured, Progress, measure
from loihiconv.conversion.quantization import check_payload
from loihiconv.conversion.resolution import too_few_steps
from loihiconv.conversion.room import copies_with_room
from loihiconv.conversion.search import search
from loihiconv.conversion.settings import SEARCHES, Optimize, SettingOptions, choose
from loihiconv.core.choices import Task
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.given import check_task
from loihiconv.core.input_preprocessing import GivenPreprocessing, by_input, check_inputs, check_preprocessing, of_one
from loihiconv.core.labels import are_numbers
from loihiconv.core.log import LOG
from loihiconv.core.network import Network
from loihiconv.core.population_base import unwritten_programs
from loihiconv.core.progress import reporting
from loihiconv.core.samples import labels_at_once
from loihiconv.hardware.board import Board, load_board


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
        What the network is for, where a search is to know; by default what its last functions say, and numbers where the calibration
        samples are in memory and have labels that are no classes.
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
        If a layer is silent on all calibration data, the data looks wrong, no chip has the gates that were asked for, what average
        pooling costs, or if integers or time steps are too few for outputs to follow the float network's.
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
    y = labels_at_once(calibration, "calibration data") if searching and task is None else None
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
        return _told(build(source, chosen, board, report), source).with_preprocessing(preprocessing)
    if chosen.maxpool == "gate" and any(isinstance(node, MaxPool) for node in source.ann):
        aim = replace(aim, signed=False)  # gates take no spikes back
    if board is not None:
        aim = replace(aim, copies=tuple(copies_with_room(source.ann, chosen, board)))
    if y is not None and are_numbers(y) and _may_be_numbers(source.ann):
        task, said = "regression", "the search takes outputs for numbers (task regression), as labels are no classes"
        source = replace(source, notes=(*source.notes, said))
    common = source, Judge(source.ann, source.held_out, task), board
    with connected(cluster) as client, making(attempted, common, client) as attempts:
        network, trials = search(attempts, chosen, settings, optimize, report, aim)
    network = replace(network, record=replace(network.record, search=trials))
    if aim.loss is not None:
        said, met = outcome(network, aim.loss, len(source.held_out))
        network = noted(network, said)
        if not met:
            warnings.warn(said, stacklevel=2)
    return _told(network, source).with_preprocessing(preprocessing)


def _may_be_numbers(ann: Ann) -> bool:
    """Whether the end of a network leaves open what its one output is, so that it is taken for classes."""
    return len(ann.ends) == 1 and not ann.ending and likely_task((), prod(ann.shapes[ann.output.name])) != "regression"


def _told(network: Network, source: Measured) -> Network:
    """The network, once the user knows of a layer whose rates tell samples apart too little, or of what integers cost too much."""
    for said in (too_few_steps(source.ann, network, source.samples), integer_loss(source.ann, network, source.samples)):
        if said:
            warnings.warn(said, stacklevel=3)
            network = noted(network, said)
    return network


def _check_cluster(cluster: Cluster | None, *, searching: bool) -> None:
    if cluster is not None and not searching:
        remedy = 'use optimize="accuracy" or "latency", or no cluster'
        raise InvalidSetting("there is no search to spread", where="cluster", limit="a conversion without one is made here", remedy=remedy)
    check_cluster(cluster)
