"""Samples of one input or several, in the forms that people have, are the same arrays."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from loihiconv.core import samples
from loihiconv.core.errors import InvalidData, InvalidSetting
from loihiconv.core.input_samples import collect_inputs
from loihiconv.core.parts import Part
from loihiconv.core.samples import Dataset

PARTS = (Part("image", (1, 2, 2)), Part("vector", (3,)))
IMAGE, VECTOR, LABELS = np.arange(24.0, dtype=np.float32).reshape(6, 1, 2, 2), np.arange(18.0, dtype=np.float32).reshape(6, 3), np.arange(6)
PACKED = np.concatenate([IMAGE.reshape(6, 4), VECTOR], axis=1)
NAMED = {"vector": VECTOR, "image": IMAGE}
TENSORS = TensorDataset(*map(torch.from_numpy, (IMAGE, VECTOR, LABELS)))
UNLABELLED = {
    "by name": NAMED,
    "in order": (IMAGE, VECTOR),
    "packed": PACKED,
    "two batches": [(IMAGE[:4], VECTOR[:4]), (IMAGE[4:], VECTOR[4:])],
    "batches by name": ({name: values[i : i + 4] for name, values in NAMED.items()} for i in (0, 4)),
    "loader": DataLoader(TensorDataset(torch.from_numpy(IMAGE), torch.from_numpy(VECTOR)), 4),
}
LABELLED = {
    "pair": (NAMED, LABELS),
    "pair in order": ((IMAGE, VECTOR), LABELS),
    "data set": Dataset(NAMED, LABELS),
    "torch's data set": TENSORS,
    "loader": DataLoader(TENSORS, 4),
    "loader by name": DataLoader([({"image": IMAGE[i], "vector": VECTOR[i]}, LABELS[i]) for i in range(6)], 4),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("form", UNLABELLED)
def test_samples_of_several_inputs(form: str) -> None:
    found = collect_inputs(PARTS, UNLABELLED[form], "input")
    assert (found.x.tolist(), found.y) == (PACKED.tolist(), None)


@pytest.mark.parametrize("form", LABELLED)
def test_with_labels(form: str) -> None:
    for labels in (True, False):
        found = collect_inputs(PARTS, LABELLED[form], "test set", labels=labels, samples=5)
        assert found.x.tolist() == PACKED[:5].tolist()
        assert found.y is not None
        assert found.y.tolist() == [0, 1, 2, 3, 4]


def test_one_input_may_be_named() -> None:
    assert collect_inputs(PARTS[1:], {"vector": VECTOR}, "input").x.tolist() == VECTOR.tolist()
    found = collect_inputs(PARTS[1:], ({"vector": VECTOR}, LABELS), "test set", labels=True)
    assert (found.x.tolist(), found.y is not None and found.y.tolist()) == (VECTOR.tolist(), [0, 1, 2, 3, 4, 5])


def test_tensors_of_half_precision() -> None:
    tensors = {name: torch.from_numpy(values).bfloat16() for name, values in NAMED.items()}
    alone = [{name: values[i] for name, values in tensors.items()} for i in range(6)]
    for data in (tensors, alone):
        assert collect_inputs(PARTS, data, "input").x.tolist() == PACKED.tolist()


def test_what_has_no_end_needs_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(collect_inputs(PARTS, cycle([NAMED]), "input", samples=20).x) == 20
    monkeypatch.setattr(samples, "MOST_BYTES", 10 * PACKED.nbytes)
    with pytest.raises(InvalidData, match=r"input: more than 66 samples; .* say how many: samples=1000"):
        collect_inputs(PARTS, cycle([NAMED]), "input")


@pytest.mark.parametrize(
    ("data", "labels", "message"),
    [
        (5, False, "5 for 2 inputs"),
        ("text", False, "'text' for 2 inputs"),
        ([], False, "input: no samples"),
        ([{"picture": IMAGE[0], "vector": VECTOR[0]}], False, "samples for 'picture'"),
        ([{"picture": IMAGE}], False, "samples for 'picture'"),
        ([([[1, 2], [3]], [1, 2, 3])], False, "input image: samples that make no array"),
        ((NAMED, LABELS[:3]), True, "6 samples and 3 labels"),
        ([(NAMED, LABELS), (NAMED, LABELS[0])], True, "6 samples and no labels"),
        (NAMED, True, "input: no labels"),
    ],
)
def test_what_is_no_samples(data: Any, labels: bool, message: str) -> None:
    with pytest.raises(InvalidData, match=message):
        collect_inputs(PARTS, data, "input", labels=labels)
    with pytest.raises(InvalidSetting, match="samples 0"):
        collect_inputs(PARTS, NAMED, "input", samples=0)
