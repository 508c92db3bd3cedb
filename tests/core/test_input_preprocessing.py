"""Preprocessing of each of several inputs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import loihiconv as lc
from loihiconv.core.errors import InvalidData, InvalidSetting
from loihiconv.core.fitting import each_fitted
from loihiconv.core.input_preprocessing import as_json, check_inputs, check_preprocessing, each_applied, in_words, taken
from loihiconv.core.network import Network
from loihiconv.core.preprocessing import Preprocessing

IMAGE, STATE = Preprocessing(0.5, 0.25, 1 / 255, "HWC"), Preprocessing(5, 3)
EACH = {"image": IMAGE, "state": STATE}
RNG = np.random.default_rng(0)
RAW = {"image": RNG.integers(0, 256, (12, 6, 6, 2)).astype(np.uint8), "state": RNG.normal(5, 3, (12, 3)).astype(np.float32)}
TAKEN = {name: EACH[name].apply(x) for name, x in RAW.items()}
pytestmark = pytest.mark.filterwarnings("ignore:calibration data", "ignore:.*no activation")


class Joined(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.camera, self.head = nn.Sequential(nn.Conv2d(2, 3, 3, 2), nn.ReLU(), nn.Flatten()), nn.Linear(15, 2)

    def forward(self, image: Tensor, state: Tensor) -> Tensor:
        outputs: Tensor = self.head(torch.cat([self.camera(image), state], 1))
        return outputs


@pytest.fixture(scope="module")
def model() -> nn.Module:
    torch.manual_seed(0)
    return Joined().eval()


@pytest.fixture(scope="module")
def network(model: nn.Module) -> Network:
    return lc.convert(model, RAW, board="kapoho_point", timesteps=4, preprocessing=EACH)


def test_what_is_stored_for_each_input_is_done_by_everything_that_runs(model: nn.Module, network: Network, tmp_path: Path) -> None:
    by_hand = lc.convert(model, TAKEN, board="kapoho_point", timesteps=4)
    batches = [{name: x[i : i + 5] for name, x in RAW.items()} for i in (0, 5, 10)]
    streamed = lc.convert(model, iter(batches), board="kapoho_point", timesteps=4, preprocessing=EACH)
    network.save(tmp_path / "net.lnet")
    read = lc.load(tmp_path / "net.lnet")
    assert read.preprocessing == streamed.preprocessing == EACH
    assert by_hand.preprocessing is None
    expected = lc.run(by_hand, TAKEN).potentials
    ways: list[tuple[Any, Any]] = [(network, RAW), (streamed, RAW), (read, tuple(RAW.values())), (read.with_preprocessing(None), TAKEN)]
    for found, x in ways:
        assert np.array_equal(lc.run(found, x).potentials, expected)
    labels = np.arange(12) % 2
    by_it, done = (lc.compare(model, *what, backends=["emulator"]) for what in ((network, (RAW, labels)), (by_hand, (TAKEN, labels))))
    assert by_it.backends["emulator"].agreement == done.backends["emulator"].agreement
    assert lc.check(model, {"image": (2, 6, 6), "state": (3,)}, calibration=RAW, preprocessing=EACH).ok


def test_sweeps_apply_it_to_both_parts(model: nn.Module) -> None:
    labels = np.arange(12) % 2
    some: dict[str, Any] = {"board": "kapoho_point", "axes": {"timesteps": [4]}}
    by_it, by_hand = lc.sweep(model, RAW, (RAW, labels), preprocessing=EACH, **some), lc.sweep(model, TAKEN, (TAKEN, labels), **some)
    assert (by_it.ann, by_it.rows[0].outcome) == (by_hand.ann, by_hand.rows[0].outcome)


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        (IMAGE, InvalidSetting, "for 2 inputs.*say which input it is for"),
        ({"imag": IMAGE}, InvalidSetting, "no input is called 'imag'.*'image'"),
        ({"image": 3}, InvalidSetting, "3; a Preprocessing expected"),
        ({"image": replace(IMAGE, layout="HW")}, InvalidData, "input image, preprocessing: .*2 axes"),
        ({"image": replace(IMAGE, mean=(1, 2, 3))}, InvalidData, "input image, mean: 3 numbers for 2 channels"),
    ],
)
def test_what_fits_no_input_is_refused(model: nn.Module, wrong: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        lc.convert(model, RAW, board=None, timesteps=4, preprocessing=wrong)


def test_one_input_has_its_own_without_a_name() -> None:
    with pytest.raises(InvalidSetting, match="'x' for a network with one input"):
        check_inputs({"x": IMAGE}, ["x"])
    check_preprocessing(None)


def test_files_add_what_samples_look_like_and_may_repeat_what_is_stored(network: Network) -> None:
    _, x, notes = each_fitted(network, RAW, {"state": (Preprocessing(5), frozenset({"mean"}))})
    assert all(x[name] is RAW[name] for name in RAW)
    assert len(notes) == 2
    with pytest.raises(InvalidSetting, match="preprocessing of input state: mean 4 given, 5 stored"):
        each_fitted(network, RAW, {"state": (Preprocessing(4), frozenset({"mean"}))})
    half = network.with_preprocessing({"state": STATE})
    _, x, notes = each_fitted(half, RAW, {"image": (Preprocessing(0.5, 0.25), frozenset({"mean", "std"}))})
    np.testing.assert_array_equal(x["image"], TAKEN["image"])
    assert x["state"] is RAW["state"]
    with pytest.raises(InvalidSetting, match="no input is called 'other'"):
        each_fitted(half, RAW, {"other": (Preprocessing(1), frozenset({"mean"}))})


def test_words_and_fields() -> None:
    assert in_words(EACH) == f"image: {IMAGE}; state: (x - 5) / 3"
    assert in_words(IMAGE) == str(IMAGE)
    assert as_json({"state": STATE}) == {"state": {"mean": (5.0,), "std": (3.0,), "scale": 1.0, "layout": ""}}
    assert as_json(None) is None
    assert taken(None, RAW) is RAW
    np.testing.assert_array_equal(taken(EACH, RAW)["image"], each_applied(EACH, RAW)["image"])
