"""loihiconv on a Python newer than Lava allows, Lava's worker on 3.10: every spike equal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / ".venv-core" / "bin" / "python"
PROGRAM = """
import json, sys
import loihiconv as lc
from loihiconv.demo import digits, digits_cnn
x_train, _, x_test, y_test = digits()
net = lc.convert(digits_cnn(), x_train[:200], board="kapoho_point", timesteps=8)
comparison = lc.compare(digits_cnn(), net, (x_test[:3], y_test[:3]), ["emulator", "lava"])
print(json.dumps({"version": sys.version_info[:2], "spikes": comparison.mismatched_spikes, "potentials": comparison.mismatched_potentials}))
"""


@pytest.mark.lava
def test_newer_python_with_lava_in_another(lava_python: str, tmp_path: Path) -> None:
    newer = sys.executable if sys.version_info >= (3, 11) else str(CORE)
    if not Path(newer).exists():
        pytest.skip("no environment of Python 3.11 to 3.13 here; `make test` makes .venv-core where it finds such a Python")
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    environment |= {"LOIHICONV_LAVA_PYTHON": lava_python, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([newer, "-c", PROGRAM], capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["version"] >= [3, 11]
    assert result["spikes"] == {"0": 0, "3": 0, "7": 0}
    assert result["potentials"] == 0
