"""Samples from ``.npz`` files, brought into the form that networks take."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from loihiconv.core.errors import InvalidData
from loihiconv.core.linear import Array, Shape
from loihiconv.core.samples import count, rows

Part: TypeAlias = Literal["train", "test"]
PAIRS: dict[Part, tuple[str, str]] = {"train": ("x_train", "y_train"), "test": ("x_test", "y_test")}
PLAIN = ("x", "y")
_CHANNELS = (1, 3, 4)
"""Channels that images of bytes have."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples (N, \\*shape), channels first unless the network takes others, and labels (N,) or None where the file has none.

    Of networks with several inputs the samples are {input: array}.
    """

    x: Array | dict[str, Array]
    y: Array | None

    def __len__(self) -> int:
        return count(self.x)

    def rows(self, which: Any) -> Dataset:
        """Some of the samples, by an index of the first axis."""
        return Dataset(rows(self.x, which), None if self.y is None else self.y[which])


def read_npz(
    path: str | Path,
    part: Part,
    *,
    mean: Sequence[float] = (),
    std: Sequence[float] = (),
    shape: Shape | None = None,
    shapes: Mapping[str, Shape] | None = None,
) -> Dataset:
    """Read one part of a file of arrays.

    Bytes are taken for images and treated as torchvision's ``ToTensor`` does: divided by 255, with (N, H, W) and
    (N, H, W, C) brought to (N, C, H, W), or to the shape that the network takes. Floats are taken as they are.

    Parameters
    ----------
    path : str or Path
        ``.npz`` with x_train, y_train, x_test, y_test, or with x and y. Where samples are several arrays, these are called x_train/NAME
        and so on, NAME being the input's. No pickled objects are read.
    part : "train" or "test"
        Where the file has only x and y, they are it.
    mean, std : sequences of float, optional
        Per channel (or one for all): x <- (x - mean) / std afterwards.
    shape : tuple of int, optional
        Of the samples that the network takes, where it is known: networks of Keras take images (H, W, C).
    shapes : {input: tuple of int}, optional
        The same of several inputs.

    Raises
    ------
    InvalidData
        If the file is missing, is no npz, or lacks the arrays.
    """
    arrays = _arrays(Path(path), [name for pair in (PAIRS[part], PLAIN) for name in pair])
    names = next((pair for pair in (PAIRS[part], PLAIN) if _named(arrays, pair[0])), None)
    if names is None:
        wanted = " or ".join(" and ".join(pair) for pair in (PAIRS[part], PLAIN))
        raise InvalidData(f"has no {PAIRS[part][0]}", where=str(path), limit=f"arrays {wanted} expected")
    x, y = _named(arrays, names[0]), arrays.get(names[1])
    if y is not None:
        y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
        for name, values in x.items():
            if len(y) != len(values):
                where = f"{names[0]}/{name}" if name else names[0]
                raise InvalidData(
                    f"{len(values)} samples in {where}, {len(y)} labels in {names[1]}", where=str(path), limit="as many expected"
                )
    if set(x) == {""}:
        return Dataset(_standardised(_images(x[""], shape), mean, std, _channel_axis(shape)), y)
    if mean or std:
        raise InvalidData(
            f"mean and std for several inputs ({', '.join(x)})",
            where=str(path),
            limit="they are of one",
            remedy="standardise them in the file",
        )
    return Dataset({name: _images(values, (shapes or {}).get(name)) for name, values in x.items()}, y)


def holds(path: str | Path, part: Part) -> bool:
    """Whether a file has samples that are marked as this part."""
    with _archive(Path(path)) as archive:
        return any(name.split("/")[0] == PAIRS[part][0] for name in archive.files)


def _arrays(path: Path, wanted: Sequence[str]) -> dict[str, Array]:
    with _archive(path) as archive:
        return {name: archive[name] for name in archive.files if name.split("/")[0] in wanted}


def _named(arrays: Mapping[str, Array], name: str) -> dict[str, Array]:
    """The array of a name, under "", or those of several inputs by theirs."""
    if name in arrays:
        return {"": arrays[name]}
    return {key.partition("/")[2]: values for key, values in arrays.items() if key.startswith(f"{name}/")}


@contextmanager
def _archive(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    """An open ``.npz``, whose arrays are read as they are asked for."""
    if not path.is_file():
        raise InvalidData("no such file", where=str(path), remedy="give the path of an .npz file")
    remedy = "write it with numpy.savez"
    try:
        archive = np.load(path, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("a single array")
        with archive:
            yield archive
    except (ValueError, OSError, zipfile.BadZipFile, EOFError, KeyError) as error:
        raise InvalidData(f"is not a readable .npz file of plain arrays ({error})", where=str(path), remedy=remedy) from error


def _images(x: Array, shape: Shape | None) -> Array:
    if x.dtype != np.uint8:
        return x
    arranged = _channels_first(x)
    if shape is not None and arranged.shape[1:] != shape:
        ways = (x, x[..., None], x.transpose(0, *range(2, x.ndim), 1) if x.ndim > 2 else x)
        arranged = next((way for way in ways if way.shape[1:] == shape), arranged)
    return np.ascontiguousarray(arranged, np.float32) / np.float32(255)


def _channels_first(x: Array) -> Array:
    if x.ndim == 3:
        return np.asarray(x[:, None])
    if x.ndim == 4 and x.shape[-1] in _CHANNELS and x.shape[1] not in _CHANNELS:
        return x.transpose(0, 3, 1, 2)
    return x


def _channel_axis(shape: Shape | None) -> int:
    """Axis of a batch that the channels are on."""
    last = shape is not None and len(shape) == 3 and shape[-1] in _CHANNELS and shape[0] not in _CHANNELS
    return 3 if last else 1


def _standardised(x: Array, mean: Sequence[float], std: Sequence[float], axis: int) -> Array:
    if not mean and not std:
        return x
    axis = min(axis, x.ndim - 1)
    channels = x.shape[axis] if x.ndim > 1 else 1
    for name, values in (("mean", mean), ("std", std)):
        if len(values) not in (0, 1, channels):
            raise InvalidData(f"{len(values)} numbers for {channels} channels", where=name, limit="one, or one per channel, expected")
    if any(value == 0 or not np.isfinite(value) for value in std):
        raise InvalidData(f"std {list(std)}", where="std", limit="finite numbers other than 0 expected")
    spread = (-1, *[1] * (x.ndim - 1 - axis))
    shift = np.asarray(mean or [0.0], np.float32).reshape(spread)
    scale = np.asarray(std or [1.0], np.float32).reshape(spread)
    return np.asarray((x.astype(np.float32) - shift) / scale)
