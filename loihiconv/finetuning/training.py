"""Passes over samples: order, steps, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from math import ceil, cos, pi
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Array
from loihiconv.finetuning.augmentation import augmented
from loihiconv.finetuning.checkpoint import Position, read_checkpoint, write_checkpoint
from loihiconv.finetuning.options import Tuning
from loihiconv.finetuning.student import Student

PAUSE = 30.0
"""Seconds between two checkpoints."""

Loss = Callable[[Tensor, Tensor, Array], Tensor]
"""Of outputs, the samples that they are of, and the indices of these."""


def train(
    student: Student,
    x: Array,
    loss: Loss,
    tuning: Tuning,
    *,
    run: str,
    checkpoint: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[float, ...]:
    """Train a student in place; the mean loss of each epoch.

    Samples come in an order that the seed and the number of the epoch say, so that training that goes on from a checkpoint takes the
    very steps that it would have taken.

    Parameters
    ----------
    student : Student
    x : array (N, \\*shape)
    loss : callable (outputs, samples, indices) -> scalar tensor
    tuning : Tuning
    run : str
        What a checkpoint has to belong to.
    checkpoint : Path, optional
        Where training is kept, and taken up where there is one already.
    progress : callable (samples done, in all), optional

    Raises
    ------
    InvalidModel
        If the loss is no number any more.
    """
    sizes = student.sizes()
    optimizer = torch.optim.Adam([{"params": [values], "name": name} for name, values in student.parameters.items()], lr=0.0)
    each = ceil(len(x) / tuning.batch)
    position = Position(run)
    if checkpoint is not None and checkpoint.exists():
        position = read_checkpoint(checkpoint, run, student.parameters, optimizer)
    written = time.monotonic()
    while position.steps < tuning.epochs * each:
        for indices in batches(len(x), tuning, position.steps // each, position.steps % each):
            if progress is not None:
                done, before = (position.steps % each) * tuning.batch, position.steps // each * len(x)
                progress(before + done, tuning.epochs * len(x))
            rate = tuning.rate * (1 + cos(pi * position.steps / (tuning.epochs * each))) / 2
            for group in optimizer.param_groups:
                group["lr"] = rate * sizes[group["name"]]
            given = augmented(torch.from_numpy(np.asarray(x[indices], np.float32)).to(student.device), tuning, position.steps)
            found = loss(student(given), given, indices)
            optimizer.zero_grad()
            found.backward()
            optimizer.step()
            position = _advanced(position, float(found.detach()), each)
            if checkpoint is not None and time.monotonic() > written + PAUSE:
                write_checkpoint(checkpoint, position, student.parameters, optimizer)
                written = time.monotonic()
    if progress is not None:
        progress(tuning.epochs * len(x), tuning.epochs * len(x))
    return position.losses


def batches(samples: int, tuning: Tuning, epoch: int, first: int = 0) -> Iterator[Array]:
    """Indices of the batches of an epoch, from the first one that is wanted."""
    order = np.random.default_rng((tuning.seed, epoch)).permutation(samples)
    for begin in range(first * tuning.batch, samples, tuning.batch):
        yield order[begin : begin + tuning.batch]


def _advanced(position: Position, loss: float, each: int) -> Position:
    if not np.isfinite(loss):
        remedy = "give a smaller rate"
        raise InvalidModel(f"the loss is {loss} after {position.steps} steps", where="fine-tuning", limit="a number", remedy=remedy)
    steps, total = position.steps + 1, position.total + loss
    if steps % each:
        return Position(position.run, steps, total, position.losses)
    return Position(position.run, steps, 0.0, (*position.losses, total / each))
