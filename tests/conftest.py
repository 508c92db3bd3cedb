"""What several rooms of tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings

from loihiconv.core.errors import BackendUnavailable

ROOT = Path(__file__).resolve().parent.parent
STANDIN = ROOT / "tests" / "lava" / "standin"

# Networks of tests are so small that threads cost more than they bring. Read when numpy and torch are first imported, here and in children.
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

# The same examples on every run of CI, new ones on every run by hand; on no machine does a clock decide.
settings.register_profile("by hand", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
# For scripts/mutants.py: it wants to know that a test fails, not the smallest example of it.
settings.register_profile("mutants", deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate))
settings.load_profile("ci" if os.environ.get("CI") else "by hand")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Notebooks first, or one worker would be left with them at the end. All others stay beside those whose fixtures they share."""
    items.sort(key=lambda item: item.path.name != "test_tutorials.py")


@pytest.fixture(scope="session")
def lava_python() -> str:
    """Interpreter with Lava; without one the test is skipped, with the reason."""
    from loihiconv.lava.interpreter import find_python

    try:
        return find_python()
    except BackendUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A client of a cluster of dask's that takes no processes: two workers in threads of this one."""
    distributed = pytest.importorskip("distributed", reason="dask is not installed: pip install 'loihiconv[cluster]'")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "protocol": "tcp", "host": "127.0.0.1"}
    with distributed.LocalCluster(processes=False, **options) as workers, distributed.Client(workers) as client:
        yield client


@pytest.fixture(scope="session")
def netx_python(lava_python: str) -> str:
    """Interpreter with Lava and lava-dl; without one the test is skipped, with the reason."""
    program = "from importlib.util import find_spec; print(all(find_spec(n) for n in ('lava.lib', 'lava.lib.dl.netx', 'h5py')))"
    from loihiconv.lava.client import interpreter_environment

    environment = interpreter_environment(lava_python)
    done = subprocess.run([lava_python, "-c", program], capture_output=True, text=True, check=False, env=environment)
    if done.stdout.strip() != "True":
        pytest.skip(f"{lava_python} has no lava-dl: pip install h5py, and pip install --no-deps lava-dl==0.6.0")
    return lava_python


@pytest.fixture
def diary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lava_python: str) -> Path:
    """lava-loihi's stand-in and a SLURM on the path; gives the stand-in's diary."""
    if not os.path.samefile(lava_python, sys.executable):
        pytest.skip("Lava is in another interpreter, which gets no path of this one's, and so no stand-in")
    log = tmp_path / "diary"
    log.touch()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(STANDIN)]))
    monkeypatch.setenv("PATH", os.pathsep.join([str(STANDIN / "bin"), os.environ["PATH"]]))
    monkeypatch.setenv("STANDIN_LOG", str(log))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    for name in ("SLURM", "NOSLURM", "PARTITION", "BOARD", "NXSDKHOST", "LOIHI_GEN", "LOIHICONV_NEUROCORE_MODEL"):
        monkeypatch.delenv(name, raising=False)
    return log
