"""Losses against the measures that searches judge by."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loihiconv.ann.graph import Ann, Input, Linear
from loihiconv.conversion.likeness import alike, likely_task
from loihiconv.core.ending import HostFunction, Pointwise, Shaped
from loihiconv.core.linear import Dense
from loihiconv.core.parts import OutputPart
from loihiconv.finetuning.losses import from_labels, from_outputs

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(2, 7, 6))


def net(*ending: HostFunction, parts: tuple[OutputPart, ...] = ()) -> Ann:
    return Ann((Input("input", (2,)), Linear("output", ("input",), Dense(np.ones((6, 2))))), ending=ending, parts=parts)


@pytest.mark.parametrize("ending", [(), (Pointwise("sigmoid"),), (Shaped((3, 2, 1)),), (Shaped((1, 6, 1)),), (Pointwise("tanh"),)])
def test_they_are_the_divergence_of_outputs(ending: tuple[HostFunction, ...]) -> None:
    task = likely_task(ending, 6)
    found = from_outputs(net(*ending), torch.tensor(B), torch.tensor(A))
    plain = () if task == "regression" else ending
    assert float(found) == pytest.approx(alike(task, plain, A, B)[1].mean(), rel=1e-6)


def test_several_outputs_count_each() -> None:
    parts = (OutputPart("class", (4,)), OutputPart("number", (2,), ending=(Pointwise("tanh"),)))
    found = from_outputs(net(parts=parts), torch.tensor(B), torch.tensor(A))
    assert float(found) == pytest.approx(
        alike("classification", (), A[:, :4], B[:, :4])[1].mean() + alike("regression", (), A[:, 4:], B[:, 4:])[1].mean(), rel=1e-6
    )


def test_labels_by_cross_entropy() -> None:
    labels = RNG.integers(0, 6, 7)
    p = np.exp(A) / np.exp(A).sum(axis=1, keepdims=True)
    assert float(from_labels(torch.tensor(A), torch.tensor(labels))) == pytest.approx(-np.log(p[np.arange(7), labels]).mean())
