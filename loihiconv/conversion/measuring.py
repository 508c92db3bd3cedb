"""A network is read and rewritten, and calibration data is run through it once: all that a conversion starts from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from loihiconv.ann.evaluate import verify_reading, verify_rewriting
from loihiconv.ann.frontends import Source, readable
from loihiconv.ann.frontends.selection import with_relus
from loihiconv.ann.graph import Ann, MaxPool
from loihiconv.ann.passes import Lowered, lower
from loihiconv.ann.passes.copies import check_copies
from loihiconv.ann.passes.curves import straight, straightened
from loihiconv.ann.passes.rounding import rounds, without_rounding
from loihiconv.conversion.bias_correction import SAMPLES, first_samples, spread_samples
from loihiconv.conversion.calibration import Calibration, CalibrationData, batches, calibrate, prepared
from loihiconv.conversion.data_checks import outliers, suspicions
from loihiconv.conversion.likeness import cost_of_curves, cost_of_rounding, likely_task, too_far
from loihiconv.conversion.naming import population_names
from loihiconv.conversion.scales import silent_layers
from loihiconv.conversion.settings import Settings
from loihiconv.conversion.spiking import check_pooled
from loihiconv.core import numbers as n
from loihiconv.core.choices import PoolingWay
from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Array, Shape
from loihiconv.core.record import StraightCurve
from loihiconv.hardware.board import Board

FEWEST_SAMPLES = 8
"""Of calibration data, below which its number is said."""

Progress: TypeAlias = Callable[[str, int, int], None]


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
    curves : {activation: StraightCurve}
        What has taken the place of curved activations.
    """

    ann: Ann
    statistics: Calibration
    samples: Array
    held_out: Array
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    trained: tuple[int, int] | None = None
    curves: Mapping[str, StraightCurve] = field(default_factory=dict)


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
    maxpool, relus = settings.pooling, settings.approximate
    model = with_relus(model, relus)
    curves = straightened(model.ann(first.shape[1:]), first, relus)
    ann, notes = read(model, first, maxpool, curves)
    check_copies(ann, settings.copies)
    averaged = maxpool == "average" and any(isinstance(node, MaxPool) for node in model.ann(first.shape[1:]))
    reference = read(model, first, curves=curves).ann if averaged else None
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
    warned = [*_few(statistics), *suspicions(model, samples), *_outlying(ann, statistics, data), *_silent(ann, statistics)]
    if curves and too_far(original := model.ann(first.shape[1:]), with_pieces := straight(original, curves), first):
        more = f"approximate={2 * relus} takes more, and loihiconv.finetune trains the network that has them"
        warned.append(f"{cost_of_curves(original, with_pieces, first)}; {more}")
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
    if board is not None and (gates := [population_names(ann)[node.name] for node in ann if isinstance(node, MaxPool)]):
        said = f'{", ".join(gates)}: no chip has gates for max-pooling, only the simulators do; maxpool="relu-tree" runs on {board.title}'
        warned.append(said)
        notes = (*notes, said)
    return Measured(ann, statistics, samples, held_out, (*model.notes, *notes), tuple(warned), model.trained, curves)


def read(model: Source, x: Array, maxpool: PoolingWay = "gate", curves: Mapping[str, StraightCurve] = MappingProxyType({})) -> Lowered:
    """Read a model, rewrite it to linear maps and ReLUs, and check both against the model itself.

    Parameters
    ----------
    model : what `loihiconv.ann.frontends` reads
    x : array (N, \\*shape)
        A few samples to compare outputs on.
    maxpool : "gate", "relu-tree" or "average"
        "average" is another function than the model's, and so are rounded activations without their rounding, and ReLUs in place of a
        curve: what is checked is the network before that.
    curves : {activation: StraightCurve}
        What takes the place of each curved activation.

    Returns
    -------
    ann : Ann
    notes : tuple of str
        What the passes did that a user should know.
    """
    model = with_relus(readable(model), len(curves))
    original = model.ann(x.shape[1:])
    lowered = lower(original, maxpool, curves)
    same = lower(original, curves=curves).ann if maxpool == "average" else lowered.ann
    if rounds(original) or curves:
        verify_reading(model, original, x)
        with_pieces = straight(original, curves)
        verify_rewriting(without_rounding(with_pieces), same, x)
        costs = [cost_of_curves(original, with_pieces, x)] if curves else []
        costs += [cost_of_rounding(with_pieces, same, x)] if rounds(original) else []
        return Lowered(lowered.ann, (*lowered.notes, *costs))
    try:
        verify_reading(model, same, x)
    except InvalidModel:
        verify_reading(model, original, x)  # names what was misread
        raise
    return lowered


def _few(statistics: Calibration) -> Iterator[str]:
    """What is said of too few samples."""
    if statistics.samples < FEWEST_SAMPLES:
        yield f"calibration data: {n.counted(statistics.samples, 'sample')} only, and scales fit nothing else; a few hundred work well"


def _outlying(ann: Ann, statistics: Calibration, data: Array | Iterator[Array]) -> Iterator[str]:
    """What is said of inputs with values far beyond all others."""
    whole = len(ann.inputs) == 1  # packed samples do not tell which input a value is of
    for entry in ann.inputs:
        if text := outliers(statistics.nodes[entry.name], data if whole else None):
            yield text if whole else f"input {entry.name}: {text}"


def _silent(ann: Ann, statistics: Calibration) -> Iterator[str]:
    """What is said of layers that never spike."""
    names = population_names(ann)
    for name in silent_layers(ann, statistics):
        yield f"{names[name]}: no activation on {statistics.samples} calibration samples; it will never spike"


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
