"""What an input sends in each step, and all of it as the frames of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.lava.files import Samples
from loihiconv.lava.messages import Messages, frames
from tests.lava.small import chain


@pytest.mark.parametrize("coding", ["analog", "rate", "poisson"])
def test_frames_are_what_the_emulator_sends(tmp_path: Path, coding: str) -> None:
    """Of samples 7, 8 and 9 of a run, in this order and again, behind two silent steps."""
    net, x = chain(), np.array([[255, 0, 9, 200], [1, 0, 2, 3], [255, 128, 0, 77]])
    source = replace(net.input, coding=coding)
    net = replace(net, populations=(source, *net.layers))
    np.save(tmp_path / "payload.npy", x)
    messages = Messages(source, Samples(tmp_path / "payload.npy", (4,)), first=7)
    found = frames(messages, net.timesteps, 5, delay=2)
    assert found.shape == (4, 2 + 5 * net.timesteps)
    assert not found[:, :2].any()
    spikes = lc.run(net, np.concatenate([np.zeros((7, 4), int), x]), record=["spikes"]).spikes
    each = spikes["input"][7:] if source.spiking else np.repeat(x[:, None], net.timesteps, axis=1)
    wanted = np.concatenate([*each, *each[:2]])
    np.testing.assert_array_equal(found[:, 2:].T, wanted)
    np.testing.assert_array_equal(frames(messages, net.timesteps, 1), each[0].T)  # of fewer windows than samples the first ones
