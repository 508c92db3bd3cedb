"""What `fuzz` reads: every kind of file that loihiconv takes from others, whole ones to begin with, and the door that it comes in by.

Those that it wrote itself are in `fuzz_kept`.
"""

from __future__ import annotations

import io
import pickle
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import fuzz_archives as archives
import fuzz_mutations as mutations
import fuzz_onnx
import numpy as np
import torch
from fuzz_hdf5 import of_hdf5
from fuzz_images import of_image
from fuzz_kept import KEPT
from fuzz_small import Parser, converted, network, samples, written

import loihiconv as lc
from loihiconv.ann.frontends import readable
from loihiconv.ann.frontends.checkpoints import NESTS
from loihiconv.ann.frontends.loading import load_weights
from loihiconv.clusters.cluster import check_cluster
from loihiconv.commands.app import app
from loihiconv.commands.configuration import Options, options_of, read_config
from loihiconv.commands.data import Said
from loihiconv.core import image_folder
from loihiconv.core.dataset import read_npz
from loihiconv.exchange.importing import import_network
from loihiconv.hardware.board import load_board

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "fixtures"
SMALL = 40_000
"""Bytes of the largest file to begin with."""


def _small(folder: Path, pattern: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob(pattern)) if path.stat().st_size <= SMALL]


def _networks() -> list[bytes]:
    return [written(lambda path: lc.save(converted(), path)), *_small(FIXTURES / "v0", "*.lnet")[:6]]


def _arrays() -> list[bytes]:
    x, files = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4), []
    for save in (np.savez, np.savez_compressed):
        for arrays in ({"x_test": x, "y_test": np.arange(2)}, {"x": x, "y": [[1], [0]]}, {"x_test/a": x, "x_test/b": x[:, 0]}):
            buffer = io.BytesIO()
            save(buffer, **arrays)
            files.append(buffer.getvalue())
    return files


def _nir() -> list[bytes]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [written(lambda path: lc.export_nir(converted(), path))]


def _netx() -> list[bytes]:
    return [written(lambda path: lc.export_netx(lc.realize(converted(), "netx"), path))]


def _checkpoints() -> list[bytes]:
    state = network().state_dict()
    contents: list[Any] = [state, {"state_dict": state, "epoch": 3}, {"model": {f"module.{k}": v for k, v in state.items()}}]
    contents += [{0: state["0.bias"], "a": state["0.bias"]}, [state], {"state_dict": {"x": {"state_dict": {}}}}, {**state, "x": "y"}]
    contents.append(itself := dict[str, Any]())
    itself["state_dict"] = itself
    contents.append(everywhere := dict[str, Any]())
    everywhere.update(dict.fromkeys(NESTS, everywhere))
    files = []
    for content in contents:
        for zipped in (True, False):
            buffer = io.BytesIO()
            torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
            files.append(buffer.getvalue())
    return [*files, pickle.dumps(_Executes()), pickle.dumps({"state_dict": _Executes()})]


class _Executes:
    """What a pickle would do."""

    def __reduce__(self) -> Any:
        import os

        return os.system, ("false",)


def _safetensors() -> list[bytes]:
    from safetensors.torch import save

    return [save(dict(network().state_dict())), save({"x": torch.zeros(3, dtype=torch.float16)})]


def _tuned() -> list[bytes]:
    return [written(lc.finetune(network(), samples(), timesteps=3, epochs=1).save)]


def _configuration() -> list[bytes]:
    plain = "model: m:f\ndata: a.npz\nboard: kapoho_point\ntimesteps: 32\nsweep: {timesteps: [4, 8], percentile: [99.9, 100]}\n"
    several = b"mean: image=0.4,0.5;state=5\ninput-scale: image=1/255\nlayout: image=HWC;state=C\nconvert: {std: 'image=2,2'}\n"
    return [plain.encode(), several, b"check: &a {shape: ['image=1,8,8', 'b=5']}\nrun: {<<: *a, samples: 10, strict: yes}\ndevice: cpu\n"]


def _images() -> list[bytes]:
    from PIL import Image

    files = []
    for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"):
        buffer = io.BytesIO()
        Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(buffer, kind)
        files.append(buffer.getvalue())
    return files


@cache
def commands() -> dict[str, Options]:
    """Of the command line, for configurations."""
    import typer

    return dict(options_of(typer.main.get_command(app)))


def _read_model(path: Path) -> None:
    model = readable(path)
    for shape in ((1, 4, 4), model.sample_shape):
        if shape is not None:
            model.problems(shape)
    lc.check(path, (1, 4, 4))


def _read_image(path: Path) -> None:
    image_folder.read(path.parent, "test")


def _read_configuration(path: Path) -> None:
    """Read options, and those whose text has a form of its own."""
    for told in read_config(path, commands()).values():
        Said(**{name: str(told[name]) for name in ("mean", "std", "input_scale", "layout") if name in told}).check()
        check_cluster(str(told["cluster"]) if "cluster" in told else None)


def _import(path: Path) -> None:
    import_network(path, timesteps=4)


PARSERS = (
    *KEPT,
    Parser("lnet", ".lnet", _networks, lc.load, archives.of_zip),
    Parser("board", ".yaml", lambda: _small(ROOT / "hw_configs", "**/*.yaml"), load_board, mutations.of_text),
    Parser("configuration", ".yaml", _configuration, _read_configuration, mutations.of_text),
    Parser("npz", ".npz", _arrays, lambda path: read_npz(path, "test"), archives.of_zip),
    Parser("onnx", ".onnx", fuzz_onnx.whole, _read_model, fuzz_onnx.of_onnx, {"weights.bin": lambda: bytes(192)}),
    Parser("nir", ".nir", _nir, _import, of_hdf5),
    Parser("netx", ".net", _netx, _import, of_hdf5),
    Parser("keras", ".keras", lambda: _small(FIXTURES / "keras", "*.keras"), _read_model, archives.of_zip),
    Parser("keras-hdf5", ".h5", lambda: _small(FIXTURES / "keras", "*.h5"), _read_model, of_hdf5),
    Parser("checkpoint", ".pt", _checkpoints, lambda path: load_weights(network(), path), archives.of_checkpoint),
    Parser("safetensors", ".safetensors", _safetensors, lambda path: load_weights(network(), path), mutations.of_safetensors),
    Parser("tuned", ".safetensors", _tuned, _read_model, mutations.of_safetensors),
    Parser("image", ".png", _images, _read_image, of_image),
)
