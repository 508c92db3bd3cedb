"""Training that is cut off, at any step, goes on to the same bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from loihiconv.ann.frontends import readable
from loihiconv.ann.passes import simplify
from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Array
from loihiconv.finetuning import training
from loihiconv.finetuning.finetune import student_of
from loihiconv.finetuning.losses import from_labels
from loihiconv.finetuning.options import Tuning
from loihiconv.finetuning.student import Student
from tests.finetuning.small import mlp, vectors

X = vectors(50)
LABELS = torch.arange(50) % 5
TUNING = Tuning(3, epochs=3, batch=16)


class CutOff(Exception):
    """Stands for Ctrl-C."""


def student() -> Student:
    return student_of(simplify(readable(mlp()).ann((12,))), X, TUNING, None)


def loss(outputs: Tensor, samples: Tensor, indices: Array) -> Tensor:
    return from_labels(outputs, LABELS[indices])


def test_it_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "PAUSE", -1.0)
    whole = student()
    losses = training.train(whole, X, loss, TUNING, run="one")
    path, seen = tmp_path / "kept", list[int]()
    for cut in (1, 4, 7, 99):
        part = student()

        def watch(done: int, total: int, cut: int = cut) -> None:
            assert total == 150
            seen.append(done)
            if len(seen) > cut:
                raise CutOff

        try:
            found = training.train(part, X, loss, TUNING, run="one", checkpoint=path, progress=watch)
        except CutOff:
            seen.clear()
    assert found == losses
    assert losses[-1] < losses[0]
    assert seen[-1] == 150
    for name, values in whole.parameters.items():
        assert torch.equal(values, part.parameters[name]), name


def test_each_epoch_has_an_order_of_its_own() -> None:
    tuning = Tuning(3, batch=16)
    epochs = [np.concatenate(list(training.batches(50, tuning, epoch))) for epoch in (0, 1)]
    assert all((np.sort(order) == np.arange(50)).all() for order in epochs)
    assert (epochs[0] != epochs[1]).any()
    assert (np.concatenate(list(training.batches(50, tuning, 0, 2))) == epochs[0][32:]).all()
    assert (np.concatenate(list(training.batches(50, Tuning(3, seed=1), 0))) != epochs[0]).any()


def test_a_loss_that_is_no_number_ends_it() -> None:
    with pytest.raises(InvalidModel, match=r"the loss is nan after 0 steps.*smaller rate"):
        training.train(student(), X, lambda outputs, *_: outputs.sum() * torch.nan, TUNING, run="one")
