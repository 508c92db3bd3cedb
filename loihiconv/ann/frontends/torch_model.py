"""The front end for PyTorch: an ``nn.Module`` as a `FloatModel`."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import nn

from loihiconv.ann.frontends.model import FloatModel, Stored
from loihiconv.ann.frontends.torch import problems, read_torch
from loihiconv.ann.graph import Ann
from loihiconv.core.errors import LoihiconvError
from loihiconv.core.linear import Array, Shape

BATCH = 256
"""Samples that are evaluated at a time."""


class TorchModel(FloatModel):
    """A module as it is now: what was read of it once is kept.

    Parameters
    ----------
    module : nn.Module
        It is left as it was.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module, self.name = module, type(module).__name__
        self._read: dict[Shape, Ann] = {}

    def ann(self, shape: Shape) -> Ann:
        if shape not in self._read:
            self._read[shape] = read_torch(self.module, shape)
        return self._read[shape]

    def problems(self, shape: Shape) -> tuple[LoihiconvError, ...]:
        return problems(self.module, shape)

    def outputs(self, x: Array) -> Array:
        module = _in_float32(self.module)
        training = {part: part.training for part in module.modules()}
        module.eval()
        try:
            with torch.inference_mode():
                # Copies: modules may change their input in place.
                parts = [module(torch.from_numpy(np.array(x[i : i + BATCH], np.float32, order="C"))) for i in range(0, len(x), BATCH)]
        finally:
            for part, mode in training.items():
                part.training = mode
        return np.concatenate([part.flatten(1).numpy() for part in parts])

    def stored(self, shape: Shape) -> Stored:
        tensors = (*self.module.parameters(), *self.module.buffers())
        weights = [p for p in self.module.parameters() if p.ndim > 1]
        return Stored(
            sum(t.numel() * t.element_size() for t in tensors),
            sum(w.numel() for w in weights),
            sum(int((w == 0).sum()) for w in weights),
        )


def _in_float32(module: nn.Module) -> nn.Module:
    """The module itself, or a copy on the CPU in float32 where it is something else."""
    tensors = (*module.parameters(), *module.buffers())
    if all(t.device.type == "cpu" and (t.dtype == torch.float32 or not t.is_floating_point()) for t in tensors):
        return module
    return copy.deepcopy(module).cpu().float()
