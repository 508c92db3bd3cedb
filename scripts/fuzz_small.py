"""What files of `fuzz_parsers` and `fuzz_kept` are made with: what a parser is, and a small network."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import loihiconv as lc


@dataclass(frozen=True)
class Parser:
    """A kind of file.

    Attributes
    ----------
    name : str
    file : str
        What a file is called; an ending alone is one of any name.
    whole : callable () -> list of bytes
        Files that are read.
    read : callable (path)
        The door.
    damage : callable (bytes, Generator) -> bytes
        What knows the format; bytes alone are damaged as well.
    beside : mapping of str to callable () -> bytes
        Files that lie there, too, and are whole.
    """

    name: str
    file: str
    whole: Callable[[], list[bytes]]
    read: Callable[[Path], Any]
    damage: Callable[[bytes, np.random.Generator], bytes]
    beside: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)

    def path(self, folder: Path) -> Path:
        """Where a file of this kind is put."""
        return folder / (f"file{self.file}" if self.file.startswith(".") else self.file)


@cache
def samples() -> np.ndarray[Any, Any]:
    """What the network takes (8, 1, 4, 4)."""
    return np.random.default_rng(0).random((8, 1, 4, 4), np.float32)


@cache
def network() -> nn.Module:
    """A small network of convolutions."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12, 4), nn.ReLU(), nn.Linear(4, 3)]
    return nn.Sequential(*layers).eval()


@cache
def converted() -> lc.Network:
    """The same as a spiking network."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return lc.convert(network(), samples(), board="kapoho_point", timesteps=4)


def written(write: Callable[[Path], Any]) -> bytes:
    """What is in a file that something writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file")
        write(path)
        return path.read_bytes()
