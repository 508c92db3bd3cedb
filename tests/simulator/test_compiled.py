"""Compiled kernels are made again when a function that they inline changes in another file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import loihiconv
from loihiconv.simulator import compiled as module

PROGRAM = """
import numpy as np
import torch
from loihiconv.simulator.neurons import Firing
v, counts = (torch.zeros((1, 128), dtype=torch.int32) for _ in range(2))
out, bias = torch.zeros((1, 1, 128), dtype=torch.uint8), torch.full((1, 128), 65, dtype=torch.int32)
firing = Firing(bias, v, threshold=64.0, v_max=float(2**23 - 1), to_zero=False, spikes=out, counts=counts, ends=out[0].clone())
firing.advance(torch.zeros((1, 128)), slice(0, 1), slice(0, 1))
print(int(out.sum()))
"""


def test_a_change_in_an_inlined_function_is_seen(tmp_path: Path) -> None:
    package = tmp_path / "loihiconv"
    shutil.copytree(Path(loihiconv.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}

    def spikes() -> int:
        done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, cwd=tmp_path, env=environment)
        return int(done.stdout)

    assert spikes() == 128
    kept = sorted(p.name for p in (tmp_path / "cache").rglob("*.nb*"))
    assert kept
    assert spikes() == 128
    assert sorted(p.name for p in (tmp_path / "cache").rglob("*.nb*")) == kept  # nothing was compiled again
    neurons = package / "simulator" / "vectors.py"
    neurons.write_text(neurons.read_text() + "\n# a change in a file that kernels inline\n")
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "cache").rglob("*.nbi")}
    assert spikes() == 128
    assert any(p.stat().st_mtime_ns != before.get(p) for p in (tmp_path / "cache").rglob("*.nbi"))


def test_where_nothing_can_be_kept_functions_are_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.caching.FunctionCache, "save_overload", full)
    assert module.compiled(lambda x: x + 1)(2) == 3
    monkeypatch.setattr(module._KEPT, "_locator_classes", [])
    assert module.compiled(lambda x: x + 2)(2) == 4
