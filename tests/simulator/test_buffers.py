"""Buffers are used again."""

from __future__ import annotations

import torch

from loihiconv.simulator.buffers import Buffers

CPU = torch.device("cpu")


def test_buffers_are_used_again_and_never_twice_at_a_time() -> None:
    buffers = Buffers(CPU)
    a, b = buffers.take((3, 5), torch.float32), buffers.take((7,), torch.uint8)
    a.fill_(1.0)
    b.fill_(2)
    assert (a == 1).all()
    place = a.data_ptr()
    buffers.give(a)
    c = buffers.take((60,), torch.uint8)
    assert c.data_ptr() == place
    assert (b == 2).all()
    buffers.give(b, c)
    assert buffers.take((1000,), torch.int32).shape == (1000,)
