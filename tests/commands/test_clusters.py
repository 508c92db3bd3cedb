"""``--cluster``: where commands run, and what they say of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

FACTORY = "loihiconv.demo.model:digits_cnn"


def test_commands_run_on_a_cluster(run, npz: Path, lnet: Path, tmp_path: Path, cluster: Any) -> None:
    address = cluster.scheduler.address
    commands = {
        "run": ("run", lnet, npz, "--out"),
        "compare": ("compare", FACTORY, npz, "--net", lnet, "--keep"),
        "sweep": ("sweep", FACTORY, npz, "-T", "2,4", "--samples", 40, "--calibration-samples", 40, "--json", "--cache"),
    }
    for name, command in commands.items():
        code, out, err = run(*command, tmp_path / f"{name}-cluster", "--cluster", address)
        assert code == 0, err
        assert f"cluster {address}: 2 workers" in err
        assert run(*command, tmp_path / f"{name}-alone")[:2] == (0, out)
    assert (tmp_path / "run-cluster").read_bytes() == (tmp_path / "run-alone").read_bytes()


@pytest.mark.parametrize("command", ["run", "compare", "sweep"])
def test_what_is_no_cluster_is_refused_first(run, command: str) -> None:
    code, out, err = run(command, "nowhere", "nowhere.npz", *(() if command == "run" else ("-T", "4")), "--cluster", "locl:2")
    assert (code, out) == (2, "")
    assert err.startswith(
        "error: cluster: 'locl:2', did you mean 'local'?; local[:workers], tcp://scheduler:port or slurm:profile.yaml expected"
    )
