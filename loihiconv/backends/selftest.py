"""Run the self-test of a folder that `loihiconv.backends.deploy.deploy` wrote: on a board, or in Lava's CPU simulator."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from loihiconv.core.errors import BackendUnavailable, InvalidSetting
from loihiconv.lava.interpreter import find_python, interpreter_environment


@dataclass(frozen=True)
class SelfTest:
    """What the self-test said.

    Attributes
    ----------
    passed : bool
        Whether every spike and every potential of every stage was equal.
    text : str
        A line for each stage, and the result.
    """

    passed: bool
    text: str

    def __repr__(self) -> str:
        return self.text


def command(folder: Path, *, simulate: bool) -> list[str]:
    """What runs it."""
    return [str(folder / "run.sh"), "selftest", *(["--simulate"] if simulate else [])]


def run_selftest(folder: str | os.PathLike[str], *, simulate: bool = False) -> SelfTest:
    """Run it with the interpreter that loihiconv uses for Lava, and wait for it.

    Parameters
    ----------
    folder : path
        As `deploy` wrote it.
    simulate : bool
        The same process graphs in Lava's CPU simulator, without a board.

    Raises
    ------
    InvalidSetting
        If it is no such folder.
    BackendUnavailable
        If there is no Lava, or no board within reach.
    """
    here = Path(os.path.abspath(folder))
    if not (here / "run.sh").is_file():
        raise InvalidSetting("is no deployed folder: it has no run.sh", where=str(folder), remedy="write one with loihiconv.deploy")
    python = find_python()
    environment = interpreter_environment(python) | {"PYTHON": python}
    done = subprocess.run(command(here, simulate=simulate), env=environment, capture_output=True, text=True, check=False)
    if done.returncode == BackendUnavailable.exit_code:
        said = done.stderr.strip().removeprefix("error: ") or "no board is within reach"
        raise BackendUnavailable(said, where="self-test", remedy="" if simulate else "simulate=True needs none")
    return SelfTest(done.returncode == 0, "\n".join(filter(None, (done.stdout.strip(), done.stderr.strip()))))
