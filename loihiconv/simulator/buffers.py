"""Memory that is used again and again: fresh large arrays cost a page fault for each 4 KiB, more than the work done in them."""

from __future__ import annotations

from math import prod

import torch

ALLOCATOR_HINT = 31 * 2**20
"""Just below the 32 MiB up to which glibc learns from what is freed."""


def settle_allocator() -> None:
    """Have the C library keep freed blocks of megabytes instead of returning them to the system after each operator.

    glibc serves blocks above a threshold page by page, and cuts the top of its heap off when that is larger than twice the
    threshold. Both adapt to the largest such block that was freed, so freeing one, never touched, is all it takes.
    """
    torch.empty(ALLOCATOR_HINT, dtype=torch.uint8)


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
