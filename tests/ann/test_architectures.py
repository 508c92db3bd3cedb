"""Random models out of everything that is supported: what is read and lowered computes what they do, and what passes `check` converts."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings

from loihiconv.ann.evaluate import Evaluator
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.graph import Ann
from loihiconv.ann.passes import lower
from loihiconv.core.errors import InvalidModel, LoihiconvError, UnsupportedLayer
from tests.ann.architectures import Case, cases

COMMON = settings(deadline=None, suppress_health_check=list(HealthCheck))


def difference(case: Case, ann: Ann) -> float:
    """Largest difference from the model, relative to its largest output; the last ReLU may be left out."""
    x = torch.randn(3, *case.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = case.model(x).flatten(1)
        result = Evaluator(ann, dtype=torch.float64)(x)[0].flatten(1)
    assert result.shape == expected.shape
    if expected.min() >= 0 > result.min():
        result = result.relu()
    return float((result - expected).abs().max() / max(1, expected.abs().max()))


@settings(COMMON, max_examples=60)
@given(cases())
def test_what_is_read_and_lowered_computes_what_the_model_does(case: Case) -> None:
    try:
        ann = read_torch(case.model, case.shape)
    except (InvalidModel, UnsupportedLayer) as error:
        pytest.fail(str(error))
    assert difference(case, ann) < 1e-9
    for maxpool in ("gate", "relu-tree"):
        try:
            lowered = lower(ann, maxpool).ann
        except LoihiconvError as error:
            pytest.fail(str(error))
        assert difference(case, lowered) < 1e-9
