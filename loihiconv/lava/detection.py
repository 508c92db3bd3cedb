"""What of a way to a Loihi is there: looked for, never started, and never an exception.

The interpreter that runs Lava may be another one, so it is asked in a process of its own, which imports nothing of Lava.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loihiconv.core.errors import BackendUnavailable
from loihiconv.lava.chip.realizations import Realization
from loihiconv.lava.chip.settings import NEUROCORE_VARIABLE, USUAL_CHIPS, BoardAccess
from loihiconv.lava.interpreter import INSTALL, find_python, interpreter_environment

SECONDS = 20.0
"""How long an interpreter or SLURM may take to answer."""
LAVA_LOIHI = "lava-loihi is Intel's, for members of its neuromorphic research community (INRC): install it beside lava-nc, as they say"
_QUESTION = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

def has(name):
    try:
        return find_spec(name) is not None
    except Exception:
        return False

try:
    lava = version("lava-nc")
except PackageNotFoundError:
    lava = "of unknown version" if has("lava.magma") else None
modules = {name: has(name) for name in ("lava.utils.loihi2_profiler", "lava.proc.embedded_io", "lava.magma.core.model.nc.model")}
print(json.dumps({"python": ".".join(map(str, sys.version_info[:3])), "lava": lava, "modules": modules}))
"""


@dataclass(frozen=True)
class Finding:
    """One thing that a run on a board needs.

    Attributes
    ----------
    name : str
    found : bool
    detail : str
        What was found, or why nothing was.
    remedy : str
        What to do where nothing was found; empty where it is not needed.
    """

    name: str
    found: bool
    detail: str
    remedy: str = ""


@dataclass(frozen=True)
class Detection:
    """What was found.

    Attributes
    ----------
    python : str or None
        Interpreter that runs Lava.
    findings : {"lava", "lava-loihi", "slurm", "ethernet", "chip", "neurocore": Finding}
    """

    python: str | None
    findings: Mapping[str, Finding]

    @property
    def ready(self) -> bool:
        """Whether a run on a board can be tried: lava-loihi, and SLURM or a host."""
        found = {name: f.found for name, f in self.findings.items()}
        return found["lava"] and found["lava-loihi"] and (found["slurm"] or found["ethernet"])

    def to_json(self) -> dict[str, Any]:
        """The findings as JSON values."""
        return {"ready": self.ready, "python": self.python, "findings": {name: vars(f) for name, f in self.findings.items()}}


def detect(access: BoardAccess | None = None) -> Detection:
    """Look for everything that the back end "loihi" needs. Never raises."""
    access = access or BoardAccess()
    python, answer, reason = _ask()
    findings = {
        "lava": _lava(python, answer, reason),
        "lava-loihi": _lava_loihi(answer),
        "slurm": _slurm(access),
        "ethernet": _ethernet(access),
        "chip": _chip(access),
        "neurocore": _neurocore(access),
    }
    return Detection(python, findings)


def require_loihi(access: BoardAccess, realization: Realization, *, instead: str = 'backend "lava" with a realization') -> str:
    """The interpreter to run a realization on a board with.

    Parameters
    ----------
    access : BoardAccess
    realization : one of `loihiconv.lava.chip.realizations.REALIZATIONS`
    instead : str
        What runs the same on a CPU, for the message.

    Raises
    ------
    BackendUnavailable
        If something is missing, with what and what to do; nothing else is run instead.
    """
    detection = detect(access)
    needed = ["lava", "lava-loihi", "ethernet" if access.host is not None else "slurm"]
    needed += ["neurocore"] if realization == "native" else []
    missing = [detection.findings[name] for name in needed if not detection.findings[name].found]
    if missing or detection.python is None:
        first = missing[0]
        others = f" (also missing: {', '.join(f.name for f in missing[1:])})" if missing[1:] else ""
        raise BackendUnavailable(
            f"no run on a Loihi is possible from here: {first.name}: {first.detail}{others}",
            where="backend loihi",
            remedy=f"{first.remedy}; {instead} runs the same process graph on a CPU",
        )
    return detection.python


def _ask() -> tuple[str | None, dict[str, Any] | None, str]:
    """The interpreter with Lava, its answer, and why there is none."""
    try:
        python = find_python()
    except BackendUnavailable as error:
        return None, None, str(error)
    try:
        done = subprocess.run(
            [python, "-c", _QUESTION],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
            stdin=subprocess.DEVNULL,
            env=interpreter_environment(python),
        )
        return python, dict(json.loads(done.stdout.splitlines()[-1])), ""
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        return python, None, f"{python} does not answer: {error}"


def _lava(python: str | None, answer: dict[str, Any] | None, reason: str) -> Finding:
    if answer is None:
        return Finding("Lava", False, reason, INSTALL)
    if answer["lava"] is None:
        return Finding("Lava", False, f"{python} (Python {answer['python']}) has no lava-nc", INSTALL)
    return Finding("Lava", True, f"lava-nc {answer['lava']} in {python} (Python {answer['python']})")


def _lava_loihi(answer: dict[str, Any] | None) -> Finding:
    if answer is None:
        return Finding("lava-loihi", False, "not looked for, as Lava was not found", LAVA_LOIHI)
    absent = [name for name, there in answer["modules"].items() if not there]
    if absent:
        return Finding("lava-loihi", False, f"not installed: no module {absent[0]}", LAVA_LOIHI)
    return Finding("lava-loihi", True, "installed")


def _slurm(access: BoardAccess) -> Finding:
    remedy = "log in to a host of Intel's research cloud, or of a lab, that has SLURM"
    if not shutil.which("sinfo"):
        return Finding("SLURM", False, "no program sinfo", remedy)
    try:
        done = subprocess.run(
            ["sinfo", "--noheader", "--format=%R %D %T"],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("SLURM", False, f"sinfo fails: {_short(error)}", remedy)
    rows = [line.split() for line in done.stdout.splitlines() if line.strip()]
    partitions = sorted({row[0] for row in rows})
    if access.partition is not None and access.partition not in partitions:
        known = ", ".join(partitions) or "none"
        return Finding("SLURM", False, f"no partition {access.partition}; there are: {known}", "name another with --partition")
    up = ", ".join(f"{row[0]} ({row[1]} nodes {row[2]})" for row in rows if len(row) >= 3)
    return Finding("SLURM", bool(partitions), f"partitions: {up}" if partitions else "no partitions", "" if partitions else remedy)


def _ethernet(access: BoardAccess) -> Finding:
    host = access.host or os.environ.get("NXSDKHOST")
    remedy = "give a board's address with --ethernet"
    if not host:
        return Finding("Ethernet host", False, "no address given, and NXSDKHOST is not set", remedy)
    try:
        subprocess.run(["ping", host, "-c", "1"], capture_output=True, timeout=SECONDS, check=True, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("Ethernet host", False, f"{host} does not answer a ping: {_short(error)}", remedy)
    return Finding("Ethernet host", True, f"{host} answers")


def _chip(access: BoardAccess) -> Finding:
    given = os.environ.get("LOIHI_GEN")
    chosen = access.chip or f"{USUAL_CHIPS[2]} on Loihi 2, {USUAL_CHIPS[1]} on Loihi 1"
    return Finding("chip", True, f"{chosen}, unless --chip says otherwise" + (f" (LOIHI_GEN is {given} here)" if given else ""))


def _neurocore(access: BoardAccess) -> Finding:
    name = access.neurocore_model or os.environ.get(NEUROCORE_VARIABLE)
    if name:
        return Finding("NeuroCore model", True, f"{name}, not loaded yet")
    return Finding(
        "NeuroCore model",
        False,
        "none registered for SoftResetIF",
        'only realization "native" needs one: "netx", "lifreset" and "lif" do not',
    )


def _short(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return f"status {error.returncode}"
    if isinstance(error, subprocess.TimeoutExpired):
        return f"no answer within {error.timeout:g} s"
    return str(error)
