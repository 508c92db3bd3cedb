"""Samples from files, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loihiconv.core.dataset import holds, read_npz
from loihiconv.core.errors import InvalidData


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.npz"


def test_parts_are_told_apart(path: Path) -> None:
    np.savez(path, x_train=np.zeros((3, 2)), y_train=np.arange(3)[:, None], x_test=np.ones((1, 2)))
    assert (holds(path, "train"), holds(path, "test")) == (True, True)
    train, test = read_npz(path, "train"), read_npz(path, "test")
    assert (train.x.shape, test.x.tolist(), test.y) == ((3, 2), [[1, 1]], None)
    assert train.y is not None
    assert train.y.tolist() == [0, 1, 2]
    np.savez(path, x=np.ones((1, 2)), y=[4])
    assert not holds(path, "train")
    plain = read_npz(path, "train").y
    assert plain is not None
    assert plain.tolist() == [4]


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [((2, 5, 4), (2, 1, 5, 4)), ((2, 5, 4, 3), (2, 3, 5, 4)), ((2, 3, 5, 4), (2, 3, 5, 4)), ((2, 1, 4, 3), (2, 1, 4, 3))],
)
def test_bytes_are_images_channels_first_in_0_to_1(path: Path, shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    bytewise = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    np.savez(path, x=bytewise)
    found = read_npz(path, "train").x
    assert (found.shape, found.dtype) == (wanted, np.float32)
    assert sorted(found.ravel().tolist()) == sorted((bytewise / np.float32(255)).ravel().tolist())
    assert found[1].flat[-1] == bytewise[1].flat[-1] / np.float32(255)


def test_channels_are_standardised(path: Path) -> None:
    np.savez(path, x=np.array([[[[3.0]], [[8.0]]]]))
    assert read_npz(path, "train", mean=[1, 2], std=[4, 3]).x.tolist() == [[[[0.5]], [[2]]]]
    assert read_npz(path, "train", mean=[1]).x.tolist() == [[[[2]], [[7]]]]
    with pytest.raises(InvalidData, match="mean: 3 numbers for 2 channels"):
        read_npz(path, "train", mean=[1, 2, 3])
    with pytest.raises(InvalidData, match=r"std: std \[0\.0\]; finite numbers other than 0"):
        read_npz(path, "train", std=[0.0])


def test_what_cannot_be_read_is_said(path: Path) -> None:
    with pytest.raises(InvalidData, match="no such file"):
        read_npz(path, "train")
    np.savez(path, y=[1])
    with pytest.raises(InvalidData, match="has no x_train; arrays x_train and y_train or x and y expected"):
        read_npz(path, "train")
    np.savez(path, x=np.zeros((2, 1)), y=[1])
    with pytest.raises(InvalidData, match="2 samples in x, 1 labels in y"):
        read_npz(path, "train")
    np.savez(path, x=np.array([{}], object))
    with pytest.raises(InvalidData, match=r"is not a readable \.npz file of plain arrays"):
        read_npz(path, "train")
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(InvalidData, match="a single array"):
        read_npz(path, "train")


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        ((5, 4), (5, 4, 1)),
        ((5, 4), (5, 4)),
        ((5, 4, 3), (5, 4, 3)),
        ((3, 5, 4), (5, 4, 3)),
        ((5, 4, 3), (3, 5, 4)),
        ((5, 4), (1, 5, 4)),
        ((5, 4, 3), (9, 9, 9)),
    ],
)
def test_bytes_are_brought_to_the_shape_that_a_network_takes(path: Path, stored: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    np.savez(path, x=np.random.default_rng(0).integers(0, 256, (2, *stored)).astype(np.uint8))
    found = read_npz(path, "train", shape=wanted).x
    assert found.shape[1:] == (wanted if wanted != (9, 9, 9) else (3, 5, 4))
    assert found.max() <= 1


def test_means_are_of_the_last_axis_where_channels_are_last(path: Path) -> None:
    x = np.random.default_rng(0).random((2, 5, 4, 3), np.float32)
    np.savez(path, x=x)
    found = read_npz(path, "train", mean=(0.1, 0.2, 0.3), std=(2,), shape=(5, 4, 3)).x
    np.testing.assert_allclose(found, (x - np.array([0.1, 0.2, 0.3], np.float32)) / 2, rtol=1e-5)
