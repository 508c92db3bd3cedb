#!/usr/bin/env python3
"""A real SLURM of one node on this machine, for as long as this takes: the same results as alone, also after jobs were cancelled.

    apt-get install slurm-wlm           # as root, who also runs this
    python benchmarks/slurm.py

SLURM's daemons listen on loopback, with their own configuration and files in a temporary folder; nothing stays behind. A sweep and a run
go through ``--cluster slurm:profile.yaml`` while a job is cancelled; then a batch job that runs a network on Lava is preempted by another
one in the middle of its samples, is queued again by SLURM, and goes on with ``--resume``; and so is a job of a cluster's. Without
authentication (auth/none): not for machines whose users are not trusted.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from loihiconv.lava.faults import VARIABLE  # noqa: E402

CONFIGURATION = """ClusterName=loihiconv
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
SlurmctldPort={controller}
SlurmdPort={node}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=10
AuthInfo=cred_expire=10
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=bf_interval=3,sched_interval=3
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=16000 State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=20
PartitionName=urgent Nodes={host} MaxTime=INFINITE State=UP PriorityTier=2
"""
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")
FACTORY = "loihiconv.demo.model:digits_cnn"
EVERYTHING = ("--exclusive", "--requeue", "--open-mode=append")
PATIENCE = 240.0
"""Seconds that whatever is waited for may take."""


def main(cpus: Annotated[int, typer.Option(min=2, help="CPUs that the node says it has.")] = 4) -> None:
    """Start SLURM, run on it, cancel jobs, and compare."""
    if missing := [name for name in PROGRAMS if shutil.which(name) is None]:
        typer.echo(f"error: no program {missing[0]}: apt-get install slurm-wlm", err=True)
        raise typer.Exit(2)
    if os.geteuid() != 0:
        typer.echo("error: slurmd starts jobs as other users do: run this as root, in a container", err=True)
        raise typer.Exit(2)
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="loihiconv-slurm-") as name, slurm(Path(name), cpus):
        folder = Path(name)
        _files(folder, cpus)
        for try_one in (_sweep, _run, _preempted, _job_preempted):
            begin = time.monotonic()
            said, holds = try_one(folder)
            typer.echo(f"{said}: {'the same as alone' if holds else 'ANOTHER RESULT'}, {time.monotonic() - begin:.0f} s")
            wrong += [] if holds else [said]
        _wait(lambda: not _squeue(), "jobs to be gone from the queue")
    if left := _processes(name):
        wrong.append(f"processes are left: {left}")
        typer.echo(wrong[-1])
    raise typer.Exit(bool(wrong))


@contextmanager
def slurm(folder: Path, cpus: int) -> Iterator[None]:
    """SLURM's daemons, and this process's environment for its programs."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    controller, node = _free_ports()
    host = socket.gethostname().partition(".")[0]
    values = {"host": host, "folder": folder, "cpus": cpus, "controller": controller, "node": node}
    (folder / "slurm.conf").write_text(CONFIGURATION.format(**values))
    environment = {"SLURM_CONF": str(folder / "slurm.conf"), "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    before = {name: os.environ.get(name) for name in environment}
    os.environ |= environment
    daemons = [
        subprocess.Popen([program, "-D"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for program in ("slurmctld", "slurmd")
    ]
    try:
        _wait(lambda: "idle" in _said("sinfo", "-h", "-o", "%T"), "SLURM to start")
        yield
    finally:
        _said("scancel", "--quiet", "--state=RUNNING", "--full")
        _said("scancel", "--quiet", "--state=PENDING")
        for daemon in reversed(daemons):
            daemon.terminate()
            daemon.wait(PATIENCE)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


def _files(folder: Path, cpus: int) -> None:
    """A profile, data, and a network."""
    import loihiconv as lc
    from loihiconv.demo import digits, digits_cnn

    x_train, y_train, x_test, y_test = digits()
    many = np.tile(x_test, (160, 1, 1, 1))
    np.savez(folder / "data.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    np.savez(folder / "many.npz", x_test=many)
    lc.save(lc.convert(digits_cnn(), x_train[:100], board="kapoho_point", timesteps=32, input_coding="poisson"), folder / "net.lnet")
    logs = f"log_directory: {folder}/logs\nlocal_directory: {folder}\n"
    (folder / "profile.yaml").write_text(f"jobs: 2\ncores: {cpus // 2}\nmemory: 4 GiB\npartition: cpu\ninterface: lo\n{logs}")


def _sweep(folder: Path) -> tuple[str, bool]:
    command = ["sweep", FACTORY, "data.npz", "-T", "2,4,8,16", "--percentile", "99,99.9", "--samples", "600", "--json", "--cache"]
    alone = json.loads(_loihiconv(folder, *command, "alone"))
    spread = json.loads(_loihiconv(folder, *command, "spread", "--cluster", "slurm:profile.yaml", meanwhile=_cancel_one))
    return f"a sweep of {len(alone['rows'])} points on two jobs, one of them cancelled", spread["rows"] == alone["rows"]


def _run(folder: Path) -> tuple[str, bool]:
    _loihiconv(folder, "run", "net.lnet", "many.npz", "--out", "alone.npz")
    _loihiconv(folder, "run", "net.lnet", "many.npz", "--out", "spread.npz", "--cluster", "slurm:profile.yaml", meanwhile=_cancel_one)
    return "a run on two jobs, one of them cancelled", (folder / "alone.npz").read_bytes() == (folder / "spread.npz").read_bytes()


ON_LAVA = ("run", "net.lnet", "data.npz", "--backend", "lava", "--samples", "24", "--out")


def _preempted(folder: Path) -> tuple[str, bool]:
    """A batch job that makes room for one of a partition of higher priority, and is queued again by SLURM: its script says --resume.

    A process of Lava's waits at its sixth sample for that, once (`loihiconv.lava.faults`), so that it is the middle.
    """
    _loihiconv(folder, *ON_LAVA, "lava.npz")
    mark = folder / "mark"
    command = f"export {VARIABLE}=sample:hang:6:{mark}\nexec {sys.executable} -W ignore -m loihiconv {' '.join(ON_LAVA)} job.npz --resume"
    job = _submit(folder, command, *EVERYTHING)
    _wait(mark.exists, "the middle of the samples")
    _submit(folder, "sleep 1", *EVERYTHING, "--partition=urgent")
    _wait(lambda: not _squeue(), "both jobs to end")
    log = (folder / f"slurm-{job}.out").read_text()
    told = next((line.partition(" are kept")[0] for line in log.splitlines() if " are kept" in line), "it had ended")
    same = (folder / "job.npz").exists() and (folder / "job.npz").read_bytes() == (folder / "lava.npz").read_bytes()
    return f"a batch job on Lava preempted after {told} and queued again", same and told != "it had ended"


def _job_preempted(folder: Path) -> tuple[str, bool]:
    """A run on SLURM's jobs of which one is preempted in the middle of its samples: these are run again, by whichever job there is then."""
    mark = folder / "another-mark"
    profile = (folder / "profile.yaml").read_text()
    (folder / "waits.yaml").write_text(f"{profile}prologue: ['export {VARIABLE}=sample:hang:4:{mark}']\n")

    def make_room() -> bool:
        if mark.exists():
            _submit(folder, "sleep 1", *EVERYTHING, "--partition=urgent")
        return mark.exists()

    _loihiconv(folder, *ON_LAVA, "spread-lava.npz", "--cluster", "slurm:waits.yaml", meanwhile=make_room)
    same = (folder / "spread-lava.npz").read_bytes() == (folder / "lava.npz").read_bytes()
    return "a run on two jobs, preempted in the middle of a slice", same and mark.exists()


def _cancel_one() -> bool:
    """Cancel the first job that runs, once work has reached it."""
    running = [line.split()[0] for line in _squeue().splitlines() if line.split()[1:] == ["RUNNING"]]
    if not running:
        return False
    time.sleep(5)
    _said("scancel", running[0])
    return True


def _submit(folder: Path, command: str, *options: str) -> str:
    (folder / "job.sh").write_text(f"#!/bin/sh\n{command}\n")
    return _said("sbatch", "--parsable", "-D", str(folder), "-o", str(folder / "slurm-%j.out"), *options, str(folder / "job.sh")).strip()


def _loihiconv(folder: Path, *arguments: str, meanwhile: Callable[[], bool] | None = None) -> str:
    """What a command prints; meanwhile something else is tried until it was done."""
    command = [sys.executable, "-W", "ignore", "-m", "loihiconv", *arguments]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        while meanwhile is not None and process.poll() is None:
            if meanwhile():
                break
            time.sleep(0.5)
        out, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"loihiconv {arguments[0]} ended with status {process.returncode}")
    return out


def _squeue() -> str:
    return _said("squeue", "-h", "-o", "%i %T")


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _wait(condition: Callable[[], Any], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"waited {PATIENCE:g} s for {what}")
        time.sleep(0.2)


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


def _processes(text: str) -> list[str]:
    """Processes that have a text in their command."""
    return [path.parent.name for path in Path("/proc").glob("[0-9]*/cmdline") if text.encode() in path.read_bytes()]


if __name__ == "__main__":
    typer.run(main)
