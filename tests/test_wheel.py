"""What a user gets who installs the wheel instead of working in a checkout."""

from __future__ import annotations

import email
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("loihiconv-*.whl")
    return path


def test_boards_are_inside_and_tests_are_not(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    inside = {name.removeprefix("loihiconv/hw_configs/") for name in names if name.startswith("loihiconv/hw_configs/")}
    assert inside == {str(path.relative_to(ROOT / "hw_configs")) for path in (ROOT / "hw_configs").rglob("*.yaml")}
    assert {name.split("/")[0] for name in names} == {"loihiconv", f"{wheel.name.split('-py3')[0]}.dist-info"}
    assert "loihiconv/py.typed" in names
    assert {f"loihiconv/backends/deployed/{name}" for name in ("README.md", "requirements.txt", "run.sh")} <= set(names)
    assert any(name.endswith("LICENSE") for name in names)


def test_metadata(wheel):
    from loihiconv.core.version import __version__

    with zipfile.ZipFile(wheel) as archive:
        metadata = email.message_from_bytes(archive.read(next(n for n in archive.namelist() if n.endswith("METADATA"))))
    assert metadata["Version"] == __version__
    assert metadata["Requires-Python"] == ">=3.10"
    assert "lava-nc<0.11,>=0.10; (python_version < '3.11') and extra == 'lava'" in metadata.get_all("Requires-Dist")


def test_an_installed_package_finds_its_boards(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import loihiconv.hardware.board as c;"
        "assert c.__file__.startswith(sys.argv[1]); assert str(c.config_folder()).startswith(sys.argv[1]); print(len(c.boards()))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "7\n"
