"""What ``slurm:profile.yaml`` says: which jobs SLURM is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.given import did_you_mean, shown
from loihiconv.hardware.yaml_file import read_yaml


class Profile(BaseModel):
    """Jobs for SLURM, each with workers of one thread.

    Attributes
    ----------
    jobs : int
        How many; those that end early are started again.
    cores, memory : int, str
        Of a job: a worker per core, and memory for all of them.
    partition, account, walltime : str
        As sbatch takes them.
    interface : str
        Network interface that nodes reach one another by, such as ib0.
    python : str
        Interpreter on the nodes; by default the one that runs this.
    directives : list of str
        Further lines of #SBATCH, such as "--gres=gpu:1".
    prologue : list of str
        Commands of the shell before the workers, such as "module load python". SLURM carries them out.
    local_directory, log_directory : str
        For temporary files on a node, and for what jobs print.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    jobs: int = Field(ge=1, le=100_000)
    cores: int = Field(default=1, ge=1, le=4096)
    memory: str = Field(default="4 GiB", min_length=1)
    partition: str | None = None
    account: str | None = None
    walltime: str = "01:00:00"
    interface: str | None = None
    python: str | None = None
    directives: list[str] = []
    prologue: list[str] = []
    local_directory: str | None = None
    log_directory: str | None = None

    def arguments(self, *, boards: bool = False) -> dict[str, Any]:
        """What `dask_jobqueue.SLURMCluster` takes; for boards a node to itself, and one worker on it."""
        return {
            "cores": 1 if boards else self.cores,
            "processes": 1 if boards else self.cores,
            "job_cpu": self.cores,
            "memory": self.memory,
            "queue": self.partition,
            "account": self.account,
            "walltime": self.walltime,
            "interface": self.interface,
            "python": self.python,
            "job_extra_directives": [*self.directives, *(["--exclusive"] if boards and "--exclusive" not in self.directives else [])],
            "worker_extra_args": ["--no-nanny"] if boards else [],  # the board is given back with the worker
            "job_script_prologue": self.prologue,
            "local_directory": self.local_directory,
            "log_directory": self.log_directory,
        }


def read_profile(path: Path) -> Profile:
    """Read a profile.

    Raises
    ------
    InvalidSetting
        If there is none, or it is broken: with the first field that is wrong.
    """
    known = ", ".join(Profile.model_fields)
    try:
        content = read_yaml(path)
    except (OSError, ValueError) as error:  # BrokenYaml, and a NUL in the path
        what = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise InvalidSetting(what, where=str(path), limit="a profile of SLURM's jobs expected") from error
    if not isinstance(content, dict):
        raise InvalidSetting(f"holds {shown(content)}", where=str(path), limit=f"names and values expected: {known}")
    try:
        return Profile.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        if first["type"] == "missing":
            raise InvalidSetting(f"{name} is missing", where=str(path), limit=f"known are {known}") from error
        if first["type"] == "extra_forbidden":
            what = f"{name} is not a known field{did_you_mean(name, Profile.model_fields)}"
            raise InvalidSetting(what, where=str(path), limit=f"known are {known}") from error
        raise InvalidSetting(f"{name} is {shown(first['input'])}", where=str(path), limit=first["msg"]) from error
