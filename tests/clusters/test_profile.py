"""Profiles of SLURM's jobs: what they ask for, and what is said of those that are broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from loihiconv.clusters.profile import Profile, read_profile
from loihiconv.core.errors import InvalidSetting


def test_what_jobs_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("jobs: 10\ncores: 32\nmemory: 64 GiB\npartition: cpu\nwalltime: '00:30:00'\ndirectives: [--mail-type=NONE]\n")
    profile = read_profile(path)
    asked = profile.arguments()
    assert (profile.jobs, asked["cores"], asked["processes"], asked["job_cpu"], asked["queue"]) == (10, 32, 32, 32, "cpu")
    assert (asked["memory"], asked["walltime"], asked["job_extra_directives"]) == ("64 GiB", "00:30:00", ["--mail-type=NONE"])
    board = profile.arguments(boards=True)
    assert (board["cores"], board["processes"], board["job_extra_directives"]) == (1, 1, ["--mail-type=NONE", "--exclusive"])
    assert Profile(jobs=1, directives=["--exclusive"]).arguments(boards=True)["job_extra_directives"] == ["--exclusive"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cores: 4", "jobs is missing"),
        ("jobs: 0", "jobs is 0; Input should be greater than or equal to 1"),
        ("jobs: many", "jobs is 'many'"),
        ("jobs: 1\ncors: 4", "cors is not a known field, did you mean 'cores'?"),
        ("jobs: 1\nwalltime: 30:00", "walltime is 1800"),
        ("- 1", "names and values expected"),
        ("jobs: [", "cannot be read"),
        ("", "holds None"),
    ],
)
def test_broken_profiles(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(InvalidSetting) as caught:
        read_profile(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
