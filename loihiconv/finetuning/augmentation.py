"""Images that are shifted and mirrored at random, so that a long training does not learn them by heart."""

from __future__ import annotations

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
    n, _, height, width = x.shape
    top, left = random.integers(2 * tuning.shift + 1, size=(2, n, 1))
    rows, columns = top + np.arange(height), left + np.arange(width)
    if tuning.flip:
        columns = np.where(random.random((n, 1)) < 0.5, columns[:, ::-1], columns)
    padded = F.pad(x, (tuning.shift,) * 4, mode="reflect").permute(0, 2, 3, 1)
    which, down, across = (
        torch.from_numpy(index).to(x.device) for index in (np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :])
    )
    return padded[which, down, across].permute(0, 3, 1, 2)
