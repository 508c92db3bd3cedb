"""How much memory a run may take, and how samples and time are cut so that it does not take more."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path

import torch

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.network import Network

VARIABLE = "LOIHICONV_MEMORY"
CHUNK_BYTES = 16 * 2**20
"""Spikes of one chunk that are kept at a time, on a CPU: enough rows for a dense layer, little enough for the caches."""
CHUNK_BYTES_ACCELERATOR = 2 * 2**30
MOST_CHUNK_BYTES = 64 * 2**20
"""Where a single sample's window takes more than this, time is cut as well."""
BLOCK_BYTES = 2 * 2**20
"""Currents (float32) that are made and used up at a time, on a CPU: near the second-level cache's size, as a call costs 30 us."""
SMALL_BLOCK_BYTES = 2**19
"""The same where a call costs little: so much that it stays in a core's second-level cache until it is used up."""
BLOCK_BYTES_ACCELERATOR = 256 * 2**20
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


@dataclass(frozen=True)
class Blocks:
    """How a run is cut.

    Parameters
    ----------
    samples : int
        In a chunk, which one core works on.
    steps : int
        Of a chunk that are simulated before the next ones, from the first population to the last.
    """

    samples: int
    steps: int


def budget(memory: int | str | None, device: torch.device) -> int:
    """Bytes that a run's working memory may take.

    Parameters
    ----------
    memory : int or str or None
        Bytes, or text such as "512M" or "4G"; None takes the environment variable LOIHICONV_MEMORY, and if that is not set
        a quarter of what is free on the device.
    device : torch.device

    Raises
    ------
    InvalidSetting
        If it is not a positive number of bytes.
    """
    where, value = ("memory", memory) if memory is not None else (VARIABLE, os.environ.get(VARIABLE) or None)
    if value is None:
        return available(device) // 4
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", str(value).strip(), re.IGNORECASE)
    size = int(float(match[1]) * _UNITS[match[2].upper()]) if match else 0
    if size < 1:
        raise InvalidSetting(f"{value!r}", where=where, limit='a number of bytes expected, such as 2000000000 or "2G"')
    return size


def available(device: torch.device) -> int:
    """Bytes that are free on a device: for the CPU what the system, or this process's control group, can still give."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    free = _free_in_system()
    with_limit = Path("/sys/fs/cgroup")
    try:
        limit = (with_limit / "memory.max").read_text().strip()
        if limit != "max":
            free = min(free, max(0, int(limit) - int((with_limit / "memory.current").read_text())))
    except (OSError, ValueError):
        pass  # no control group, or one of another kind
    return free


def plan(network: Network, samples: int, *, memory: int, workers: int = 1, accelerator: bool = False) -> Blocks:
    """Cut so that each worker's share of ``memory`` holds the spikes, states and currents of its chunk.

    Chunks are as large as `CHUNK_BYTES` allow, so that every product has many rows; time is cut only where a single sample's
    window is larger than that by far. Whatever the budget is, one sample and one step are always worked on.
    """
    per_step, per_sample = spike_bytes(network), state_bytes(network)
    block, target = (BLOCK_BYTES_ACCELERATOR, CHUNK_BYTES_ACCELERATOR) if accelerator else (BLOCK_BYTES, CHUNK_BYTES)
    share = max(0, memory // workers - 2 * block)
    steps = max(1, min(network.timesteps, max(0, min(share, max(target, MOST_CHUNK_BYTES)) - per_sample) // per_step))
    if network.silent_steps:  # what a population sends first depends on what comes in last
        steps = network.timesteps
    fitting = max(1, min(target, share) // (per_step * steps + per_sample))
    even = -(-samples // workers)
    most = max(1, min(fitting, even))
    chunks = -(-even // most)
    return Blocks(samples=-(-even // chunks), steps=-(-network.timesteps // -(-network.timesteps // steps)))


def pieces(samples: int, steps: int, rows: int) -> Iterator[tuple[slice, slice]]:
    """Cut samples x steps into contiguous pieces of at most ``rows`` rows, of about the same size; one row at least."""
    if rows >= steps:
        count = -(-samples // (rows // steps))
        cuts = [samples * i // count for i in range(count + 1)]
        yield from ((slice(a, b), slice(0, steps)) for a, b in pairwise(cuts))
        return
    count = -(-steps // max(1, rows))
    cuts = [steps * i // count for i in range(count + 1)]
    for sample in range(samples):
        yield from ((slice(sample, sample + 1), slice(a, b)) for a, b in pairwise(cuts))


def spike_bytes(network: Network) -> int:
    """Bytes per sample and step of the spikes that are needed at the same time, one byte each."""
    order = {p.name: i for i, p in enumerate(network.populations)}
    last_use = [max((order[c.target] for c in network.outgoing(p.name)), default=i) for i, p in enumerate(network.populations)]
    sizes = [prod(p.shape) if p.spiking else 0 for p in network.populations]
    return max(sum(sizes[j] for j in range(i + 1) if last_use[j] >= i) for i in range(len(sizes))) or 1


def state_bytes(network: Network) -> int:
    """Bytes per sample of potentials, counts, constant currents, biases and marks, and of what payloads and signs need beside them."""
    graded = sum(prod(p.shape) for p in network.populations if p.graded)
    signed = sum(prod(p.shape) for p in network.populations if p.graded and p.smallest_message < 0)
    return 17 * sum(prod(p.shape) for p in network.populations) + 8 * graded + 4 * signed


def _free_in_system() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
