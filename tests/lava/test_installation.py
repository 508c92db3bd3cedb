"""An environment for Lava is made whole or not at all; the real programs make it, of a package that only looks like Lava."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from loihiconv.core.errors import BackendFailed, BackendUnavailable, InvalidSetting
from loihiconv.lava import installation
from loihiconv.lava.interpreter import HOME_VARIABLE, environment_python

METADATA = "Metadata-Version: 2.1\nName: lava-nc\nVersion: 0.10.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the environment goes; packages come from a folder that is empty so far."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(wheels)}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
        monkeypatch.setenv(f"UV_{name}", value)
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "lava"))
    return tmp_path / "lava"


def pack(wheels: Path) -> None:
    info = "lava_nc-0.10.0.dist-info"
    files = {"lava/__init__.py": "", "lava/magma/__init__.py": "", f"{info}/METADATA": METADATA, f"{info}/WHEEL": WHEEL}
    with zipfile.ZipFile(wheels / "lava_nc-0.10.0-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"]))


def test_what_fails_half_way_leaves_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path, say: object, python: object) -> None:
        folder.mkdir()
        raise BackendFailed("the disk is full")

    monkeypatch.setattr(installation, "_make", fail)
    with pytest.raises(BackendFailed, match="the disk is full"):
        installation.install()
    assert [path.name for path in home.parent.iterdir()] == ["wheels"]
    with pytest.raises(BackendFailed, match=r"^lava install: /bin/sh fails with status 3: out of space$"):
        installation._output(["/bin/sh", "-c", "echo out of space; exit 3"])


@pytest.mark.slow
def test_made_found_made_again_and_removed(home: Path) -> None:
    said: list[str] = []
    try:
        installation._base(None)
    except BackendUnavailable as error:
        pytest.skip(str(error))
    pack(home.parent / "wheels")
    assert installation.install(said.append) == "0.10.0"
    assert "installs lava-nc>=0.10,<0.11" in said[-1]
    assert installation.installed_version() == "0.10.0"
    with pytest.raises(BackendUnavailable, match=r"/bin/sh is no Python 3\.10 that starts; lava-nc runs on no other"):
        installation._base("/bin/sh")
    assert installation.remove()
    assert not installation.remove()
    assert [path.name for path in home.parent.iterdir()] == ["wheels"]


def test_without_python_or_uv(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "_candidates", lambda: iter(["/nowhere/python3.10", "/bin/sh"]))
    monkeypatch.setattr(installation.shutil, "which", lambda name: None)
    with pytest.raises(BackendUnavailable, match=r"no Python 3\.10 is on this machine, and no uv .*; install uv"):
        installation.install()
    assert not home.exists()


def test_nothing_else_is_ever_replaced_or_removed(home: Path) -> None:
    home.mkdir()
    (home / "thesis.tex").touch()
    for action in (installation.install, installation.remove):
        with pytest.raises(InvalidSetting, match="holds something that 'loihiconv lava install' has not made"):
            action()
    assert (home / "thesis.tex").exists()


def test_an_environment_that_broke(home: Path) -> None:
    assert installation.installed_version() is None
    environment_python().parent.mkdir(parents=True)
    environment_python().write_text("#!/bin/sh\nexit 1\n")
    environment_python().chmod(0o755)
    assert installation.installed_version() is None


def test_what_is_installed_is_what_the_package_asks_for() -> None:
    pyproject = (Path(__file__).resolve().parents[2] / "pyproject.toml").read_text()
    assert f'"{installation.REQUIREMENT}; python_version' in pyproject
