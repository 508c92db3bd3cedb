"""Random models out of everything that is supported: read, lowered, converted and run they compute what they do in PyTorch."""

from __future__ import annotations

from contextlib import suppress
from math import prod
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import loihiconv as lc
from loihiconv.ann.evaluator import Evaluator, outputs_of
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.frontends.torch_model import TorchModel
from loihiconv.ann.graph import Ann
from loihiconv.ann.passes import lower
from loihiconv.ann.passes.rounding import without_rounding
from loihiconv.core.errors import LoihiconvError
from loihiconv.core.parts import Part
from loihiconv.evaluation.compare import mismatches
from tests.ann.architectures import Case, cases

COMMON = settings(deadline=None, suppress_health_check=list(HealthCheck))
BOARDS = (None, "kapoho_point", "nahuku8", "kapoho_bay")
NOTHING = ("nothing but constants", "has no layers")
"""Of what is drawn, only what leaves nothing of the input is refused, and what leaves it as it is."""


def assume_something_is_left(error: LoihiconvError) -> None:
    assume(not any(message in str(error) for message in NOTHING))


def samples(case: Case, count: int = 8) -> Any:
    return np.random.default_rng(0).random((count, *case.shape), np.float32)


def outputs(case: Case, x: Any) -> Any:
    """What the model gives, (N, outputs)."""
    with torch.no_grad():
        return case.model(torch.as_tensor(x, dtype=torch.float64)).flatten(1).numpy()


def difference(case: Case, ann: Ann) -> float:
    """Largest difference from the model, relative to its largest output."""
    x = torch.randn(3, *case.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = outputs(case, x)
    result = outputs_of(ann, Evaluator(ann, dtype=torch.float64)(x)[0]).numpy()
    assert result.shape == expected.shape
    return float(np.abs(result - expected).max() / max(1, np.abs(expected).max()))


@settings(COMMON, max_examples=100)
@given(cases())
def test_what_is_read_and_lowered_computes_what_the_model_does(case: Case) -> None:
    try:
        ann = read_torch(case.model, case.shape)
    except LoihiconvError as error:
        assume_something_is_left(error)
        raise
    assert difference(case, ann) < 1e-9
    assert difference(case, lower(ann, "gate").ann) < 1e-9
    assert difference(case, lower(ann, "relu-tree").ann) < 1e-9


@settings(COMMON, max_examples=40)
@given(cases(most=6, quantized=True))
def test_rounding_is_read_and_then_left_to_rates(case: Case) -> None:
    try:
        ann = read_torch(case.model, case.shape)
    except LoihiconvError as error:
        assume_something_is_left(error)
        raise
    assert difference(case, ann) < 1e-6
    smooth, lowered = without_rounding(ann), lower(ann).ann
    x = torch.rand(3, *case.shape, dtype=torch.float64)
    a, b = (outputs_of(network, Evaluator(network, dtype=torch.float64)(x)[0]) for network in (smooth, lowered))
    torch.testing.assert_close(a, b)


class Towers(nn.Module):
    """Two inputs through the same layers, and two outputs."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, first: Tensor, second: Tensor) -> dict[str, Tensor]:
        a, b = self.model(first), self.model(second)
        return {"difference": a - 2 * b, "second": b}


@settings(COMMON, max_examples=25)
@given(cases(most=5))
def test_several_inputs_and_outputs(case: Case) -> None:
    model = TorchModel(Towers(case.model).eval(), [Part("first", case.shape), Part("second", case.shape)])
    x = np.random.default_rng(0).normal(size=(3, 2 * prod(case.shape))).astype(np.float32)
    try:
        ann = model.ann(x.shape[1:])
    except LoihiconvError as error:
        assume_something_is_left(error)
        raise
    expected = model.precise_outputs(x)
    assume(expected is not None)  # a model without weights has no other precision
    assert [part.name for part in ann.parts] == ["difference", "second"]
    for network in (ann, lower(ann).ann):
        result = outputs_of(network, Evaluator(network, dtype=torch.float64)(x)[0]).numpy()
        np.testing.assert_allclose(result, expected, atol=1e-9 * max(1, np.abs(expected).max()))


@pytest.mark.filterwarnings("ignore::UserWarning")  # of dead neurons and of classes
@settings(COMMON, max_examples=20)
@given(cases(), st.sampled_from(BOARDS))
def test_what_passes_check_converts_and_what_does_not_is_said(case: Case, board: str | None) -> None:
    found = lc.check(case.model, case.shape, board)
    for problem in found.problems:
        assert "\n" not in problem
        assert ": " in problem
    if found.ok:
        network = lc.convert(case.model, samples(case), board=board, timesteps=32)
        assert len(lc.run(network, samples(case), backend="emulator" if board else "float")) == 8
    else:
        with suppress(LoihiconvError):  # what a board's ranges refuse depends on the data, too
            lc.convert(case.model, samples(case), board=board, timesteps=32)


@pytest.mark.filterwarnings("ignore::UserWarning")  # of dead neurons and of classes
@settings(COMMON, max_examples=25)
@given(cases(most=6, wide=True))
def test_rates_come_to_what_the_model_computes(case: Case) -> None:
    x = samples(case, 64)
    try:
        # Of few samples, scales of least error clip what is rare.
        network = lc.convert(case.model, x, board=None, maxpool="relu-tree", timesteps=256, scale="percentile", percentile=100)
    except LoihiconvError as error:
        assume_something_is_left(error)
        raise
    expected, got = outputs(case, x[:16]), lc.run(network, x[:16], backend="float").outputs.reshape(16, -1)
    if expected.min() >= 0:
        got = np.maximum(got, 0)
    assert np.abs(got - expected).max() <= 0.1 * max(np.ptp(expected), 0.1 * np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.lava
@settings(COMMON, max_examples=6, database=None)
@given(cases(most=5, wide=True), st.sampled_from(("kapoho_point", "nahuku8")))
def test_every_spike_in_lava_is_the_emulators(case: Case, board: str) -> None:
    x = samples(case)
    try:
        network = lc.convert(case.model, x, board=board, timesteps=16)
    except LoihiconvError:
        assume(False)
    emulator, lava = (lc.run(network, x[:3], backend=name, record=["spikes"]) for name in ("emulator", "lava"))
    assert mismatches(emulator, lava) == (dict.fromkeys(lava.spikes, 0), 0)
