"""Random numbers that any back end can draw for any sample and step, in any order, and get the same.

A stream is numpy's Philox 4x64 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), a bijection of a
key and a counter: the key holds the seed and the purpose, the counter the sample and the step. So neither chunks nor
blocks of time, neither threads nor the back end show in what is drawn.
"""

from __future__ import annotations

import numpy as np

from loihiconv.core.linear import Array

INPUT, READOUT = 0, 1
"""Purposes: their streams do not overlap."""
WORDS_PER_BLOCK = 8
"""One turn of the counter gives four 64-bit words, eight of 32 bits."""


def words(seed: int, purpose: int, sample: int, *, begin: int, steps: int, size: int) -> Array:
    """Uniform 32-bit words for ``steps`` steps of a sample.

    Parameters
    ----------
    seed : int, 0 to 2^64 - 1
    purpose : int
        `INPUT` or `READOUT`.
    sample : int
        Index of the sample in its run, from 0.
    begin : int
        First step, from 0.
    steps, size : int
        How many steps, and words in each.

    Returns
    -------
    uint32 array (steps, size)
        Rows do not depend on ``begin`` and ``steps``: each step has a range of counters of its own.
    """
    blocks = -(-size // WORDS_PER_BLOCK)
    source = np.random.Philox(key=(purpose << 64) | seed, counter=(sample << 128) + begin * blocks)
    raw = source.random_raw(steps * blocks * WORDS_PER_BLOCK // 2).astype("<u8", copy=False)
    return raw.view("<u4").reshape(steps, blocks * WORDS_PER_BLOCK)[:, :size]
