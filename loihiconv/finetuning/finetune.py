"""Train a network further for the rates of few time steps, before it is converted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import Unpack

from loihiconv.ann.ending import split_off
from loihiconv.ann.evaluator import Evaluator
from loihiconv.ann.frontends import FloatModel, Source, readable
from loihiconv.ann.frontends.given import opened
from loihiconv.ann.frontends.selection import with_output, with_relus
from loihiconv.ann.frontends.tuned import TunedModel
from loihiconv.ann.frontends.tuned_file import rounded
from loihiconv.ann.graph import Ann, Linear
from loihiconv.ann.passes import pool, simplify
from loihiconv.ann.passes.curves import straightened
from loihiconv.conversion.bias_correction import spread_samples
from loihiconv.conversion.calibration import WHERE, calibrate
from loihiconv.conversion.likeness import likely_task
from loihiconv.conversion.measuring import read
from loihiconv.conversion.scales import choose_scales
from loihiconv.conversion.settings import choose
from loihiconv.core.errors import InvalidData, InvalidModel, InvalidSetting
from loihiconv.core.files import check_writable
from loihiconv.core.fingerprints import fingerprint
from loihiconv.core.given import check_path, did_you_mean
from loihiconv.core.labels import numbered
from loihiconv.core.linear import Array
from loihiconv.core.progress import reporting
from loihiconv.core.samples import Dataset, Samples, collect
from loihiconv.core.version import __version__
from loihiconv.finetuning.augmentation import check_augmentation
from loihiconv.finetuning.losses import from_labels, from_outputs
from loihiconv.finetuning.options import DECLARED, Tuning, TuningOptions
from loihiconv.finetuning.student import Student, is_trained
from loihiconv.finetuning.training import Loss, train
from loihiconv.hardware.board import Board, load_board
from loihiconv.simulator.devices import find_device

CALIBRATION = 1_000
"""Samples that the first λ are chosen on."""
CHECKED = 16
"""Samples on which the network that was read is compared with the model."""


def finetune(
    model: Source,
    data: Samples,
    *,
    timesteps: int,
    board: str | Path | Board | None = None,
    samples: int | None = None,
    output: str | None = None,
    checkpoint: str | Path | None = None,
    device: str = "cpu",
    progress: Callable[[str, int, int], None] | bool | None = None,
    **options: Unpack[TuningOptions],
) -> TunedModel:
    """Train a network's weights, biases and scales λ for the rates of T time steps.

    Nothing else here trains: `loihiconv.convert` leaves weights as they are. Activations are rates of T steps, with straight-through
    gradients (`loihiconv.finetuning.rates`); batch norms are folded into the layers before them first, and so are trained with them. What
    comes out is converted like any other network, for the same T, with λ as trained.

    Parameters
    ----------
    model : nn.Module, or another kind that `loihiconv.ann.frontends` reads
        Trained; it is not changed.
    data : array or tensor (N, \\*shape), pair (x, y), Dataset, DataLoader, or iterable of samples or batches
        Training samples, as the network takes them, in memory; of several inputs {name: array}. Never test samples. Labels are looked at
        with ``loss="labels"`` alone.
    timesteps : int
    board : str, path, Board or None
        Round weights to its bits while training, as `convert` will; None leaves them as they are. Worth it with few bits.
    samples : int, optional
        Only the first so many.
    output : str, optional
        Of a model with several outputs the only one that counts.
    checkpoint : path, optional
        File that training is kept in every 30 seconds. Where it exists the same call goes on from there, to the same bits; it stays.
    device : str
        Torch device: cpu, cuda, ... A GPU takes sums in any order, so that no two trainings there give the same bits.
    progress : callable (stage, done, in all) or True, optional
    **options
        Any other field of `loihiconv.finetuning.options.Tuning`, such as ``epochs=10`` or ``rates="rounded"``.

    Returns
    -------
    TunedModel
        For `convert`, `compare` and all else that takes a model; ``save`` writes it to a file that they take, too.

    Raises
    ------
    LoihiconvError
        One subclass per mistake; see `loihiconv.core.errors`.
    """
    if unknown := sorted(options.keys() - DECLARED.keys()):
        hint = did_you_mean(unknown[0], DECLARED)
        raise InvalidSetting(f"no such option: {', '.join(unknown)}{hint}", where="finetune", limit=f"known are {', '.join(DECLARED)}")
    tuning, report, where = Tuning(timesteps, **options), reporting(progress), find_device(device)
    if checkpoint is not None:
        check_path(checkpoint, "checkpoint")
        check_writable(checkpoint)
    bits = None if board is None else load_board(board).weight_bits.value
    model, x, y = _given(with_output(readable(model), output), data, samples)
    original = with_relus(model, tuning.approximate).ann(tuple(x.shape[1:]))
    curves = straightened(original, x, tuning.approximate)
    read(model, x[:CHECKED], curves=curves)
    simple = simplify(original, curves)
    if not any(isinstance(node, Linear) and is_trained(node) for node in simple):
        raise InvalidModel("holds no weights to train", where=model.name, limit="a dense layer or convolution expected")
    check_augmentation(simple, tuning)
    student = student_of(simple, x, tuning, bits, where)
    loss = _loss(simple, split_off(original)[0] if curves else simple, y, tuning, where)
    losses = train(
        student,
        x,
        loss,
        tuning,
        run=fingerprint(
            simple, x, tuning.loss != "outputs" and y is not None and y, asdict(tuning), bits, where.type, str(torch.__version__)
        ),
        checkpoint=None if checkpoint is None else Path(checkpoint),
        progress=None if report is None else lambda done, total: report("fine-tuning", done, total),
    )
    record = {
        **asdict(tuning),
        "samples": len(x),
        "weight_bits": bits,
        "losses": list(losses),
        "model": model.name,
        "loihiconv": __version__,
    }
    return TunedModel(rounded(student.tuned(simple), student.scales(), timesteps, record))


def _given(model: FloatModel, data: Samples, samples: int | None) -> tuple[FloatModel, Array, Array | None]:
    """The model, samples as it takes them, and labels if there are some."""
    y: Any = None
    if isinstance(data, Dataset):
        data, y = data.x, data.y
    elif isinstance(data, tuple) and len(data) == 2 and isinstance(data[0], Mapping | tuple):
        data, y = data
    model, data = opened(model, data)
    found = collect(data, WHERE, shape=model.sample_shape, samples=samples)
    x, y = found.x, found.y if y is None else np.asarray(y)[: len(found.x)]
    if model.sample_shape is not None and tuple(x.shape[1:]) != tuple(model.sample_shape):
        raise InvalidData(f"samples of shape {tuple(x.shape[1:])}", where="training data", limit=f"{tuple(model.sample_shape)} expected")
    if not np.isfinite(x).all():
        raise InvalidData("holds NaN or infinity", where="training data", remedy="clean it")
    if y is not None and len(y) != len(x):
        raise InvalidData(f"{len(x)} samples and {len(y)} labels", where="training data", limit="as many labels as samples expected")
    return model, x, y


def student_of(simple: Ann, x: Array, tuning: Tuning, bits: int | None, device: str | torch.device = "cpu") -> Student:
    """What is trained, with the λ that a conversion would choose."""
    in_time = tuning.rates == "spikes"
    ann = pool(simple, "relu-tree") if in_time else simple
    some = np.ascontiguousarray(spread_samples(x, CALIBRATION), np.float32)
    inside = Ann(ann.nodes)  # what its outputs are is nothing to λ of hidden layers
    scales = choose_scales(inside, calibrate(inside, some, per_channel=True), choose(tuning.timesteps))
    return Student(ann, scales, tuning.timesteps, in_time=in_time, bits=bits, device=device)


def _loss(simple: Ann, wanted: Ann, y: Array | None, tuning: Tuning, device: torch.device) -> Loss:
    labels = None if tuning.loss == "outputs" else torch.from_numpy(_classes(simple, y, tuning.loss)).to(device)
    teacher = None if tuning.loss == "labels" else Evaluator(wanted, device)

    def loss(outputs: Tensor, samples: Tensor, indices: Array) -> Tensor:
        parts = []
        if labels is not None:
            parts.append(from_labels(outputs.flatten(1), labels[torch.from_numpy(indices).to(device)]))
        if teacher is not None:
            parts.append(from_outputs(simple, outputs.flatten(1), teacher(samples)[0].flatten(1)))
        return torch.stack(parts).mean()

    return loss


def _classes(ann: Ann, y: Array | None, loss: str) -> Array:
    """Labels as indices of classes."""
    remedy = 'leave loss at "outputs", which needs no labels'
    place, ending = ann.ends[0]
    number = place.stop
    if len(ann.ends) > 1 or likely_task(ending, number) != "classification":
        raise InvalidSetting(f'loss "{loss}"', where="loss", limit="a network that names one class expected", remedy=remedy)
    if y is None:
        raise InvalidData("holds no labels", where="training data", limit=f'loss "{loss}" needs them', remedy=remedy)
    labels = numbered(y, number)
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= number:
        limit = f"indices from 0 to {number - 1} expected"
        raise InvalidData("labels that are no classes", where="training data", limit=limit, remedy=remedy)
    return labels.astype(np.int64)
