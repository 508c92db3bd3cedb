"""Whole Keras files, read and held against what Keras itself computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.core.errors import InvalidData, InvalidModel
from tests.ann.frontends.keras.files import FILES, FOLDER, assert_reads, expected


@pytest.mark.parametrize("name", FILES)
def test_files_are_read_as_keras_computes_them(name: str) -> None:
    assert_reads(FOLDER / name, *expected(name))


def test_samples_of_another_layout_are_refused() -> None:
    said = r"sequential\.keras: samples of shape \(3, 9, 8\); the file takes \(9, 8, 3\); arrange samples as the model takes them"
    with pytest.raises(InvalidData, match=said):
        lc.convert(str(FOLDER / "sequential.keras"), np.zeros((4, 3, 9, 8), np.float32), board=None, timesteps=4)
    assert "the file takes (9, 8, 3)" in lc.check(FOLDER / "sequential.keras", (3, 9, 8)).problems[0]


def test_check_needs_no_shape_and_names_layers() -> None:
    checked = lc.check(FOLDER / "activated.keras")
    assert any(problem.startswith("dense_9.gelu: gelu cannot be converted; retrain with ReLU") for problem in checked.problems)


@pytest.mark.parametrize("name", [name for name in FILES if name.split(".")[0] in ("residual", "nested")])
def test_damaged_files_end_in_a_line(name: str, tmp_path: Path) -> None:
    data = (FOLDER / name).read_bytes()
    rng = np.random.default_rng(0)
    for trial in range(40):
        damaged = bytearray(data)
        if trial % 2:
            damaged = damaged[: int(rng.integers(1, len(data)))]
        else:
            for at in rng.integers(0, len(data), 20):
                damaged[at] = int(rng.integers(0, 256))
        path = tmp_path / "damaged"
        path.write_bytes(damaged)
        try:
            problems = lc.check(path).problems
        except lc.LoihiconvError as error:
            problems = (str(error),)
        assert all("\n" not in problem and "Traceback" not in problem for problem in problems)


def test_without_h5py_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(InvalidModel, match=r"h5py is needed for this file; pip install loihiconv\[keras\]"):
        lc.check(FOLDER / "sequential.keras")
