"""Images that are shifted and mirrored at random, so that a long training does not learn them by heart."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from loihiconv.ann.graph import Ann
from loihiconv.core.errors import InvalidSetting
from loihiconv.finetuning.options import Tuning


def check_augmentation(ann: Ann, tuning: Tuning) -> None:
    """Refuse to shift or mirror what is no image.

    Raises
    ------
    InvalidSetting
        If the network takes anything else than one image (channels, height, width), or one too small for the shift.
    """
    if not (tuning.shift or tuning.flip):
        return
    where, shape = "shift" if tuning.shift else "flip", ann.sample_shape
    if len(ann.inputs) > 1 or len(shape) != 3 or ann.inputs[0].order is not None:
        limit = "one image (channels, height, width) expected"
        raise InvalidSetting(f"samples of shape {shape}", where=where, limit=limit, remedy="leave it out; samples may be augmented before")
    if tuning.shift >= min(shape[1:]):
        raise InvalidSetting(f"{tuning.shift} pixels", where=where, limit=f"less than the {min(shape[1:])} that images have")


def augmented(x: Tensor, tuning: Tuning, step: int) -> Tensor:
    """A batch of images, each moved by up to ``shift`` pixels along either axis, and half of them mirrored left to right if ``flip``.

    Borders are filled with what lies within, mirrored, which is right whatever images are scaled to. What is drawn depends on the seed and
    the number of the step alone.

    Parameters
    ----------
    x : tensor (N, C, H, W)
    tuning : Tuning
    step : int
        Of the optimizer.

    Returns
    -------
    tensor (N, C, H, W)
    """
    if not (tuning.shift or tuning.flip):
        return x
    random = np.random.default_rng((tuning.seed, step, 1))
    corners = torch.from_numpy(random.integers(2 * tuning.shift + 1, size=(2, len(x), 1)))
    mirrored = torch.from_numpy(random.random((len(x), 1)) < 0.5) if tuning.flip else None
    return moved(x, tuning.shift, corners, mirrored)


def moved(x: Tensor, shift: int, corners: Tensor, mirrored: Tensor | None, padding: Literal["reflect", "constant"] = "reflect") -> Tensor:
    """Images cut out of themselves with a wider border, each at its own place; the result is a view with channels last in memory.

    Parameters
    ----------
    x : tensor (N, C, H, W)
        On any device.
    shift : int
        Pixels of the border.
    corners : int64 tensor (2, N, 1)
        Upper and left edge of each cut, from 0 to twice the shift; on the CPU, as all that is drawn.
    mirrored : bool tensor (N, 1) or None
        Which ones are mirrored left to right.
    padding : "reflect" or "constant"
        What the border shows: the mirrored image, or zeros.
    """
    n, _, height, width = x.shape
    padded = F.pad(x, (shift,) * 4, mode=padding).permute(0, 2, 3, 1)
    rows, columns = corners[0] + torch.arange(height), corners[1] + torch.arange(width)
    if mirrored is not None:
        columns = torch.where(mirrored, columns.flip(1), columns)
    which, down, across = (index.to(x.device) for index in (torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]))
    return padded[which, down, across].permute(0, 3, 1, 2)
