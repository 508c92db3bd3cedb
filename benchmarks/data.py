#!/usr/bin/env python3
"""Data sets of the benchmarks as arrays, channels first; images in [0, 1].

    python benchmarks/data.py mnist out.npz      # writes the .npz that `loihiconv compare` reads

``benchmarks/get_data.py`` fetches them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, TypeAlias

import numpy as np
import numpy.typing as npt
import typer

Images: TypeAlias = npt.NDArray[np.float32]
Labels: TypeAlias = npt.NDArray[np.int64]
Split: TypeAlias = tuple[Images, Labels, Images, Labels]

NAMES = ("mnist", "fashion_mnist", "cifar10", "vowels")


def folder() -> Path:
    """Where the data lies: ``$LOIHICONV_DATA``, or ``~/.cache/loihiconv-data``."""
    return Path(os.environ.get("LOIHICONV_DATA") or Path.home() / ".cache/loihiconv-data")


def load(name: str) -> Split:
    """Load a data set.

    Parameters
    ----------
    name : {"mnist", "fashion_mnist", "cifar10", "vowels"}
        Which one. The last are nine speakers that say the vowels "ae", as 12 cepstral coefficients over 25 frames.

    Returns
    -------
    x_train, y_train, x_test, y_test
        Images as float32 (N, C, H, W) in [0, 1], pixel / 255, or series as float32 (N, C, L); labels as int64 (N,).

    Raises
    ------
    ValueError
        The name is not known.
    FileNotFoundError
        It has not been fetched; the message holds the command that does.
    """
    if name not in NAMES:
        raise ValueError(f"unknown data set '{name}'; known are {', '.join(NAMES)}")
    path = folder() / f"{name}.npz"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing; fetch it with: python benchmarks/get_data.py {name}")
    with np.load(path, allow_pickle=False) as file:
        x_train, x_test = channels_first(file["x_train"]), channels_first(file["x_test"])
        return x_train, file["y_train"].astype(np.int64), x_test, file["y_test"].astype(np.int64)


def channels_first(images: npt.NDArray[np.uint8 | np.float32]) -> Images:
    """Bytes (N, H, W) or (N, H, W, C) to float32 (N, C, H, W) in [0, 1]; float32 as it is."""
    if images.dtype == np.float32:
        return images  # type: ignore[return-value]  # what was just asked
    images = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(images, dtype=np.float32) / np.float32(255)


def write(name: str, out: Path) -> None:
    """Write a data set as ``loihiconv compare`` reads it; ``out`` appears only when it is complete."""
    x_train, y_train, x_test, y_test = load(name)
    part = out.with_name(f".{out.name}.part")
    try:
        with part.open("wb") as file:
            np.savez(file, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def main(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(NAMES)}.")],
    out: Annotated[Path, typer.Argument(help="The .npz file to write.")],
) -> None:
    """Write a data set as the .npz that `loihiconv compare` reads."""
    try:
        write(name, out)
    except (ValueError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(str(out))


if __name__ == "__main__":
    typer.run(main)
