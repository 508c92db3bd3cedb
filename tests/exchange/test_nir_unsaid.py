"""What NIR cannot say, by kind of network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from loihiconv.core.ending import Softmax
from loihiconv.exchange.nir_unsaid import few, unsaid
from tests.evaluation.good import converted


@pytest.mark.parametrize(
    ("options", "said", "not_said"),
    [
        ({"board": None}, "takes a sample x", "saturate at 24 bits"),
        ({"board": None, "reset": "zero"}, "do not start at 0", "subtracts v_threshold"),
        ({"board": None, "start": 0.0, "hold_back": 0.0}, "subtracts v_threshold", "do not start at 0"),
        ({"board": None, "input_coding": "rate"}, "do not start at 0 (input", "takes payloads"),
        ({"board": None, "input_coding": "poisson"}, "takes spikes, 1 with a probability of x / 1 at each step.", "payloads"),
        ({"input_coding": "poisson"}, "takes spikes, 1 with a probability of x / 1 at each step (of payloads up to 255", "takes payloads"),
        ({}, "takes payloads, round(x * ", "carry how many thresholds"),
        ({"spike_bits": 3}, "up to 7", "takes spikes"),
        ({"board": "kapoho_bay"}, "are computed once per sample", "takes spikes"),
        ({"readout_delay": 3}, "over the last 9 of 12 steps", "softmax"),
        ({"readout": "softmax"}, "a spiking softmax of its sums (rate 0.5)", "the class is that"),
    ],
)
def test_sentences(options: dict[str, Any], said: str, not_said: str) -> None:
    text = " ".join(unsaid(converted(timesteps=12, bias_correction=False, rounding="nearest", **options)))
    assert said in text
    assert not_said not in text


def test_a_bias_plane_and_shifted_sums() -> None:
    network = converted(timesteps=12)
    shifted = replace(network, connections=(*network.connections[:-1], replace(network.connections[-1], weight_exp=-2)))
    assert any(network.connections[-1].name in said and "are shifted right" in said for said in unsaid(shifted))
    shape = (network.input.shape[0] + 1, *network.input.shape[1:])
    weight = np.zeros((*network.connections[0].map.weight.shape[:1], 2, *network.connections[0].map.weight.shape[2:]), np.int32)
    planed = replace(
        network,
        populations=(replace(network.input, shape=shape, bias_plane=True), *network.populations[1:]),
        connections=(replace(network.connections[0], map=network.connections[0].map.with_weight(weight)), *network.connections[1:]),
    )
    assert "last channel is none of the sample" in " ".join(unsaid(planed))


def test_samples_in_another_shape() -> None:
    network = converted(board=None, timesteps=12)
    shape = network.input.shape
    other = replace(network, populations=(replace(network.input, given=(shape[1] * shape[2],)), *network.populations[1:]))
    assert f"Samples are given as ({shape[1] * shape[2]},)" in " ".join(unsaid(other))


def test_last_functions() -> None:
    network = converted(board=None, timesteps=12)
    ended = replace(network, populations=(*network.populations[:-1], replace(network.readout, ending=(Softmax(0),))))
    assert unsaid(ended)[-1].endswith("over 12 steps; the host applies softmax to their means.")


def test_long_lists_of_names_are_cut() -> None:
    assert few(list("abcdef")) == "a, b, c, d and 2 more"
    assert few(["a"]) == "a"
