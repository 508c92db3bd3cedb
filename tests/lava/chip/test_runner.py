"""Registers of a chip as signed numbers."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
lava = pytest.mark.lava


@lava
def test_signs_of_24_bit_registers(lava_python):
    program = "from loihiconv.lava.chip.runner import sign_extended; print(sign_extended([5, 2**23 - 1, 2**24 - 1, 2**23, -7.0]).tolist())"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([lava_python, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert json.loads(done.stdout) == [5, 2**23 - 1, -1, -(2**23), -7]
