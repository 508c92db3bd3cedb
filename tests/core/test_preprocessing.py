"""Preprocessing is what its formula says, goes into files and back, and what cannot be meant is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import loihiconv as lc
from loihiconv.core.errors import InvalidData, InvalidSetting, LoihiconvError
from loihiconv.core.linear import Dense
from loihiconv.core.network import IF, Connection, Input, Network, Readout
from loihiconv.core.preprocessing import Preprocessing, differences, likely_layout

LAYOUTS = ("", "CHW", "HWC", "HW", "HWC->HWC", "WHC->HCW", "L", "LC", "CL")
STATED = Preprocessing(0.286, 0.353, 1 / 255, "HW")


def tiny(shape: tuple[int, ...] = (1, 2, 3)) -> Network:
    """A float network that passes its values on."""
    size = int(np.prod(shape))
    populations = (
        Input("input", shape),
        IF("hidden", (size,), 1.0, np.zeros(1), np.zeros(1)),
        Readout("out", (size,), np.zeros(1), np.zeros(1)),
    )
    eye = Dense(np.eye(size, dtype=np.float32))
    return Network(populations, (Connection("input", "hidden", eye), Connection("hidden", "out", eye)), 4)


@given(st.data())
def test_it_is_its_formula(data: st.DataObject) -> None:
    layout = data.draw(st.sampled_from(LAYOUTS))
    came = layout.partition("->")[0] or "CHW"
    sizes = {axis: data.draw(st.integers(1, 4)) for axis in came}
    channels = sizes.get("C", 1)
    numbers = st.floats(-2, 2, width=32)
    mean = data.draw(st.sampled_from([0, 1, channels]).flatmap(lambda n: st.lists(numbers, min_size=n, max_size=n)))
    std = data.draw(st.sampled_from([0, 1, channels]).flatmap(lambda n: st.lists(st.floats(0.25, 2), min_size=n, max_size=n)))
    preprocessing = Preprocessing(mean, std, data.draw(st.sampled_from([1, 1 / 255, 2.0])), layout)
    x = np.random.default_rng(0).integers(0, 256, (3, *(sizes[axis] for axis in came))).astype(np.uint8)
    goes = layout.partition("->")[2] or "C" + came.replace("C", "")
    y = torch.from_numpy(x).double() * preprocessing.scale  # worked out by names of axes, in another library
    if "C" not in came:
        y, came = y.unsqueeze(-1), came + "C"
    y = y.permute(0, *(came.index(axis) + 1 for axis in goes)).movedim(goes.index("C") + 1, -1)
    y = (y - torch.tensor(mean or [0.0]).double()) / torch.tensor(std or [1.0]).double()
    expected = y.movedim(-1, goes.index("C") + 1).numpy()
    found = preprocessing.apply(x)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert preprocessing.given_shape(found.shape[1:]) == x.shape[1:]


def test_bytes_become_what_totensor_makes_of_them() -> None:
    x = np.arange(256, dtype=np.uint8).reshape(1, 256)
    assert (Preprocessing(scale=1 / 255).apply(x) == torch.from_numpy(x).div(255).numpy()).all()


def test_it_is_said() -> None:
    assert str(STATED) == "x / 255, then (x - 0.286) / 0.353, HW -> CHW"
    assert str(Preprocessing([0.25] * 9)) == "(x - [0.25, 0.25, ... 9 numbers])"
    assert str(Preprocessing((1, 2), scale=3)) == "3 x, then (x - [1, 2])"
    assert str(Preprocessing(layout="HWC->HWC")) == "none"
    assert Preprocessing([0.286], np.float64(0.353), 1 / 255, "hw -> chw") == STATED
    assert differences(Preprocessing((0.5, 0.5)), Preprocessing(0.5), ("mean",)) == []
    assert differences(Preprocessing(std=2), STATED, ("std", "layout")) == [
        "std 2 given, 0.353 stored",
        "layout none given, HW->CHW stored",
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mean": "a"}, "a number, or one per channel"),
        ({"mean": [np.nan]}, "finite numbers"),
        ({"std": [1, 0]}, r"std \[1\.0, 0\.0\]; finite numbers other than 0"),
        ({"mean": [1, 2], "std": [1, 2, 3]}, "as many channels"),
        ({"scale": 0}, "scale 0; a finite number other than 0"),
        ({"scale": "1/255"}, "finite number other than 0"),
        *(({"layout": layout}, "letters such as") for layout in ("HHW", "H-W", "HWC->HC", "HW->CHWL", 5, "->CHW")),
    ],
)
def test_what_cannot_be_meant(fields: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidSetting, match=said):
        Preprocessing(**fields)  # type: ignore[arg-type]


def test_samples_of_other_axes_and_channels() -> None:
    with pytest.raises(InvalidData, match=r"samples of shape \(2, 2, 1\); layout HW of 2 axes"):
        STATED.apply(np.zeros((1, 2, 2, 1)))
    with pytest.raises(InvalidData, match="layout LC of 2 axes beside the first expected; layout L is of one channel that has no axis"):
        Preprocessing(layout="LC").apply(np.zeros((1, 9)))
    with pytest.raises(InvalidData, match="mean: 3 numbers for 2 channels"):
        Preprocessing((1, 2, 3), layout="HWC").apply(np.zeros((1, 4, 4, 2)))
    with pytest.raises(InvalidData, match="2 channels; one expected"):
        Preprocessing(layout="CHW->HW").apply(np.zeros((1, 2, 4, 4)))
    assert Preprocessing(layout="CHW->HW").apply(np.zeros((1, 1, 4, 5))).shape == (1, 4, 5)


@pytest.mark.parametrize(
    ("sample", "wanted", "images", "layout"),
    [
        ((28, 28), None, True, "HW->CHW"),
        ((28, 28), None, False, ""),
        ((32, 30, 3), None, True, "HWC->CHW"),
        ((3, 32, 30), None, True, ""),
        ((64,), None, True, ""),
        ((28, 28), (28, 28), True, ""),
        ((28, 28), (28, 28, 1), False, "HW->HWC"),
        ((32, 30, 3), (32, 30, 3), True, "HWC->HWC"),
        ((32, 30, 3), (3, 32, 30), False, "HWC->CHW"),
        ((3, 32, 30), (32, 30, 3), True, "CHW->HWC"),
        ((1, 28, 28), (28, 28), True, "CHW->HW"),
        ((5, 4, 3), (9, 9, 9), True, "HWC->CHW"),
        ((16, 1), (1, 16), False, "LC->CL"),
        ((16, 3), (3, 16), False, "LC->CL"),
        ((16, 1), (16,), False, "LC->L"),
        ((16,), (1, 16), False, "L->CL"),
        ((16, 1), None, False, ""),
    ],
)
def test_layouts_are_told_by_shapes(sample: tuple[int, ...], wanted: tuple[int, ...] | None, images: bool, layout: str) -> None:
    assert likely_layout(sample, wanted, images=images) == layout


def test_a_network_has_it_and_its_file_too(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (5, 2, 3)).astype(np.uint8)
    plain, own = tiny(), tiny().with_preprocessing(Preprocessing(0.1, 0.5, 1 / 255, "HW"))
    own.save(tmp_path / "own.lnet")
    read = lc.load(tmp_path / "own.lnet")
    assert read.input.preprocessing == own.input.preprocessing
    assert (read.input.sample_shape, read.input.taken_shape) == ((2, 3), (1, 2, 3))
    assert "preprocessed here: x / 255, then (x - 0.1) / 0.5, HW -> CHW" in repr(read)
    assert "preprocessed as for calibration" in plain.samples
    expected = lc.run(plain, own.input.preprocessing.apply(x), "float")
    assert (lc.run(read, x, "float").potentials == expected.potentials).all()
    assert (lc.run(read.with_preprocessing(None), own.input.preprocessing.apply(x), "float").potentials == expected.potentials).all()


@pytest.mark.parametrize("wrong", [5, Preprocessing(layout="HWC"), Preprocessing((1, 2)), Preprocessing(layout="LC")])
def test_one_that_does_not_fit_a_network(wrong: Preprocessing) -> None:
    if wrong == Preprocessing(layout="HWC"):
        assert tiny().with_preprocessing(wrong).input.sample_shape == (2, 3, 1)
        return
    with pytest.raises(LoihiconvError):
        tiny().with_preprocessing(wrong)
