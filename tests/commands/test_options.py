"""Data as the command line reads it."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from loihiconv.demo import digits, digits_cnn

FACTORY = "loihiconv.demo.model:digits_cnn"


def test_images_of_bytes_are_read_as_totensor_does(run, tmp_path: Path) -> None:
    x_train, y_train, x_test, y_test = digits()
    bytewise = {name: np.rint(x[:, 0] * 255).astype(np.uint8) for name, x in (("x_train", x_train), ("x_test", x_test))}
    np.savez(tmp_path / "bytes.npz", **bytewise, y_train=y_train, y_test=y_test)
    code, out, _ = run("compare", FACTORY, tmp_path / "bytes.npz", "--samples", 100, "-T", 16, "--json")
    assert code == 0
    assert json.loads(out)["backends"]["emulator"]["accuracy"] > 0.95


def test_normalised_and_signed_inputs(run, npz: Path) -> None:
    code, out, _ = run("compare", FACTORY, npz, "--samples", 20, "--mean", "0.5", "--std", "0.25", "--json")
    assert code == 0
    assert json.loads(out)["backends"]["ann"]["n"] == 20
    assert "3 numbers for 1 channels" in " ".join(run("compare", FACTORY, npz, "--mean", "1,2,3")[2].split())


def onnx_file(folder: Path) -> Path:
    pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    path = folder / "digits.file"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(digits_cnn().eval(), (torch.zeros(1, 1, 8, 8),), str(path), dynamo=False)
    return path


def test_a_model_file_takes_the_place_of_a_factory(run, npz: Path, tmp_path: Path) -> None:
    model, net = onnx_file(tmp_path), tmp_path / "net.lnet"
    code, out, _ = run("check", model, "--json", "--board", "kapoho_point")
    assert code == 0
    assert json.loads(out)["layers"][0]["shape"] == [1, 8, 8]
    assert run("convert", model, "--calibration", npz, "--out", net, "-T", 8)[0] == 0
    code, out, _ = run("compare", model, npz, "--net", net, "--samples", 50, "--json")
    assert code == 0
    assert json.loads(out)["backends"]["ann"]["accuracy"] > 0.9


def test_images_of_bytes_are_arranged_as_a_file_takes_them(run, tmp_path: Path) -> None:
    pytest.importorskip("h5py", reason="h5py is not installed")
    model = Path(__file__).parents[1] / "fixtures" / "keras" / "keras2_functional.h5"
    x = np.random.default_rng(0).integers(0, 256, (30, 9, 8, 3)).astype(np.uint8)
    np.savez(tmp_path / "images.npz", x=x, y=np.zeros(30, int))
    net = tmp_path / "net.lnet"
    code, _, err = run("convert", model, "--calibration", tmp_path / "images.npz", "--out", net, "-T", 4, "--mean", "0.4,0.5,0.6")
    assert code == 0 or "cannot be converted" in err  # LeakyReLU
    np.savez(tmp_path / "other.npz", x=x[:, :5])
    assert "the file takes (9, 8, 3)" in run("convert", model, "--calibration", tmp_path / "other.npz", "--out", net)[2]


def test_names_that_lead_nowhere(run, tmp_path: Path) -> None:
    assert "none.onnx: no such file" in run("check", "none.onnx")[2]
    assert "is neither a file nor a factory; write package.module:function, or a file's path" in " ".join(run("check", "lenet")[2].split())
    assert "the shape of a sample is not known" in run("check", FACTORY)[2]
    for shape in ("1.5,8,8", "nan,8,8", "inf"):
        assert f"--shape: '{shape}'; whole numbers separated by commas expected" in " ".join(
            run("check", FACTORY, "--shape", shape)[2].split()
        )
    (tmp_path / "weights.pt").touch()
    model = onnx_file(tmp_path)
    assert "only an nn.Module takes weights" in " ".join(run("check", model, "--weights", tmp_path / "weights.pt")[2].split())
