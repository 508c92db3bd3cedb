"""Images that are shifted and mirrored."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from loihiconv.ann.frontends import readable
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.linear import Array
from loihiconv.finetuning.augmentation import augmented, check_augmentation
from loihiconv.finetuning.options import Tuning
from tests.finetuning.small import Residual, mlp


def moved(x: torch.Tensor, down: int, right: int, mirrored: bool) -> Array:
    """By its definition, in numpy."""
    height, width = x.shape[1:]
    rows, columns = np.pad(np.arange(height), 2, "reflect"), np.pad(np.arange(width), 2, "reflect")
    rows, columns = rows[down : down + height], columns[right : right + width]
    return x.numpy()[:, rows][:, :, columns[::-1] if mirrored else columns]


def test_each_image_is_one_of_its_neighbours() -> None:
    x = torch.rand(40, 2, 5, 6, generator=torch.Generator().manual_seed(0))
    found = augmented(x, Tuning(4, shift=2, flip=True), step=7)
    seen = set()
    for image, result in zip(x, found.numpy(), strict=True):
        ways = [(d, r, m) for d in range(5) for r in range(5) for m in (False, True) if np.array_equal(moved(image, d, r, m), result)]
        assert len(ways) == 1
        seen.add(ways[0])
    assert {way[2] for way in seen} == {False, True}
    assert {way[0] for way in seen} == {way[1] for way in seen} == set(range(5))


def test_it_depends_on_seed_and_step_alone() -> None:
    x = torch.rand(8, 1, 6, 6)
    once, again, later, other = (augmented(x, Tuning(4, shift=2, seed=seed), step) for seed, step in ((0, 1), (0, 1), (0, 2), (1, 1)))
    assert torch.equal(once, again)
    assert not torch.equal(once, later)
    assert not torch.equal(once, other)
    assert augmented(x, Tuning(4), 1) is x


@pytest.mark.parametrize(
    ("model", "shape", "options", "said"),
    [
        (mlp(), (12,), {"flip": True}, r"flip: samples of shape \(12,\); one image"),
        (Residual().eval(), (2, 8, 8), {"shift": 8}, "shift: 8 pixels; less than the 8"),
        (nn.Sequential(nn.Conv1d(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(18, 2)), (2, 8), {"shift": 1}, "shift: samples of shape"),
    ],
)
def test_what_is_no_image_is_refused(model: nn.Module, shape: tuple[int, ...], options: dict[str, Any], said: str) -> None:
    ann = readable(model).ann(shape)
    check_augmentation(ann, Tuning(4))
    with pytest.raises(InvalidSetting, match=said):
        check_augmentation(ann, Tuning(4, **options))
