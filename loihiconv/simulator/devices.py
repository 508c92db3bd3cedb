"""Where the simulator runs: devices, how exact their products are, and threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

from loihiconv.core.errors import BackendUnavailable


def find_device(name: str | torch.device) -> torch.device:
    """A device by its name, or `BackendUnavailable` if there is none."""
    try:
        device = torch.device(name)
        torch.empty(1, device=device).item()  # "meta" has shapes and no numbers
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        reason = (str(error).splitlines() or ["unknown"])[0]
        raise BackendUnavailable(f"no such device ({reason})", where=f"device {str(name)!r}", remedy='use "cpu"') from error
    return device


@contextmanager
def ieee_products(device: torch.device) -> Iterator[None]:
    """Keep an NVIDIA GPU from cutting float32 factors down to TF32."""
    if device.type != "cuda":
        yield
        return
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


@contextmanager
def threads(workers: int) -> Iterator[Callable[[Callable[[int], int], range], Iterator[int]]]:
    """A map over chunks, in order, with single-threaded workers."""
    if workers == 1:
        yield map
        return
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool.map
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(workers)
