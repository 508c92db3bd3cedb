"""Data as the command line reads it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from loihiconv.demo import digits

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
