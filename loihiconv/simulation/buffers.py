"""Memory that is used again and again: fresh large arrays cost a page fault for each 4 KiB, more than the work done in them."""

from __future__ import annotations

from math import prod

import torch


class Buffers:
    """Tensors for one worker; what is given back is handed out again.

    Parameters
    ----------
    device : torch.device
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._free: list[torch.Tensor] = []
        self._lent: dict[int, torch.Tensor] = {}

    def take(self, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
        """A contiguous tensor with arbitrary content."""
        size = prod(shape) * dtype.itemsize
        self._free.sort(key=torch.Tensor.numel)
        fitting = [i for i, raw in enumerate(self._free) if raw.numel() >= size]
        # If the largest one is too small, it grows: keeping both would leave memory lying about.
        raw = self._free.pop(fitting[0] if fitting else -1) if self._free else None
        if raw is None or raw.numel() < size:
            raw = torch.empty(size, dtype=torch.uint8, device=self.device)
        tensor = raw[:size].view(dtype).view(shape)
        self._lent[tensor.data_ptr()] = raw
        return tensor

    def give(self, *tensors: torch.Tensor) -> None:
        """Hand tensors back; they must not be used afterwards."""
        for tensor in tensors:
            self._free.append(self._lent.pop(tensor.data_ptr()))
