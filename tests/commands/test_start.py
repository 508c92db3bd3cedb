"""The command line starts at once: help, usage errors, completion, boards and placements load nothing that is large.

All command lines run in one interpreter of their own, which has loaded the command line and forks for each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import loihiconv as lc
from loihiconv.commands.app import app
from loihiconv.demo import digits, digits_cnn

HEAVY = {"torch", "numba", "sklearn", "scipy", "lava.magma", "matplotlib", "jinja2"}
"""Never loaded by what answers at once."""
LARGE = HEAVY | {"numpy", "yaml", "loihiconv.hardware.board", "rich.progress"}
"""Not loaded by help and completion either; pydantic is typer's own."""
COMMANDS = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback is not None]

HELP = [[], ["--help"], ["-h"], *([command, "--help"] for command in COMMANDS)]
ANSWERS = [["boards"], ["schema"], ["boards", "--json"], ["place", "net.lnet"], ["place", "net.lnet", "--board", "kapoho_point", "--json"]]
CONVERT = ["convert", "nets:f", "--calibration", "x.npz", "--out", "o.lnet"]
MISTAKES = [
    ["no-such-command"],
    ["convert", "--no-such-option"],
    *([command] for command in COMMANDS if command not in ("boards", "demo", "schema")),
    [*CONVERT, "-T", "many"],
    [*CONVERT, "-T", "0"],
    [*CONVERT, "--scale", "best"],
    [*CONVERT, "--optimize", "best"],
    [*CONVERT, "--percentile", "200"],
    [*CONVERT, "--board", "loihi9"],
    [*CONVERT, "--calibration-samples", "0"],
    ["check", "nets:f", "--shape", "a"],
    ["check", "nets:f", "--shape", "1,8,8", "--maxpool", "best"],
    ["check", "nets:f", "--shape", "1,8,8", "--board", "loihi9"],
    ["compare", "nets:f", "x.npz", "--html", "nowhere/report.html"],
    ["compare", "nets:f", "x.npz", "--spike-bits", "9"],
    ["demo", "--board", "loihi9"],
    ["demo", "-T", "0"],
    ["deploy", "net.lnet", "--samples", "x.npz", "--out", "o", "--realization", "best"],
    ["deploy", "net.lnet", "--samples", "x.npz", "--out", "o", "--selftest-samples", "0"],
    ["export", "net.lnet"],
    ["import", "x.nir", "--out", "o.lnet", "--reset", "none"],
    ["import", "x.nir", "--out", "o.lnet", "--board", "loihi9"],
    ["import", "x.nir", "--out", "o.lnet", "-T", "0"],
    ["run", "net.lnet", "x.npz", "--realization", "best"],
    ["run", "missing.lnet", "x.npz"],
    ["run", "net.lnet", "missing.npz"],
    ["sweep", "nets:f", "x.npz", "-T", "2,x"],
    ["sweep", "nets:f", "x.npz", "--scale", "best"],
    ["sweep", "nets:f", "x.npz", "--weight-bits", "9"],
    ["sweep", "nets:f", "x.npz", "--on", "both"],
    ["sweep", "nets:f", "x.npz", "--board", "loihi9"],
]
COMPLETIONS = [
    "loihiconv ",
    "loihiconv convert --sc",
    "loihiconv convert --scale ",
    "loihiconv sweep --",
    "loihiconv check --maxpool re",
    "loihiconv place net.lnet --board kapoho_",
    "loihiconv compare --backends float,l",
]

FORKING = """
import contextlib, io, json, os, sys, tempfile
from loihiconv.commands.app import main

def outcome(arguments, environment):
    os.environ.update(environment)
    sys.argv = ["loihiconv", *arguments]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as exit:
            code = exit.code or 0
    return {"code": code, "out": out.getvalue(), "err": err.getvalue(), "modules": sorted(sys.modules)}

results = []
for arguments, environment in json.load(sys.stdin):
    with tempfile.TemporaryFile("w+") as file:
        pid = os.fork()
        if not pid:
            json.dump(outcome(arguments, environment), file)
            file.flush()
            os._exit(0)
        os.waitpid(pid, 0)
        file.seek(0)
        results.append(json.load(file))
json.dump(results, sys.stdout)
"""
ONE = """
import json, runpy, sys
try:
    sys.argv = ["loihiconv", "--help"]
    runpy.run_module("loihiconv", run_name="__main__")
finally:
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(json.dumps({"peak": int(peak.split()[1]), "modules": sorted(sys.modules)}), file=sys.stderr)
"""


def _run(arguments: list[str]) -> tuple[list[str], dict[str, str]]:
    return arguments, {}


def _complete(line: str) -> tuple[list[str], dict[str, str]]:
    return [], {"_LOIHICONV_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What each command line gave, and the modules that were loaded then."""
    folder = tmp_path_factory.mktemp("start")
    lc.save(lc.convert(digits_cnn(), digits()[0], board="kapoho_point", timesteps=8), folder / "net.lnet")
    cases = {" ".join(arguments): _run(arguments) for arguments in (*HELP, *ANSWERS, *MISTAKES)} | {c: _complete(c) for c in COMPLETIONS}
    environment = os.environ | {"PYTHONPATH": str(Path(lc.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", FORKING],
        input=json.dumps(list(cases.values())),
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        check=True,
    )
    return dict(zip(cases, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("line", [" ".join(arguments) for arguments in HELP])
def test_help_loads_nothing_large(outcomes: dict[str, dict[str, Any]], line: str) -> None:
    found = outcomes[line]
    assert "Usage: loihiconv" in found["out"] + found["err"]
    assert LARGE.isdisjoint(found["modules"]), sorted(LARGE & set(found["modules"]))


@pytest.mark.parametrize("line", COMPLETIONS)
def test_completion_loads_nothing_large(outcomes: dict[str, dict[str, Any]], line: str) -> None:
    found = outcomes[line]
    assert found["out"].split(), found["err"]
    assert LARGE.isdisjoint(found["modules"]), sorted(LARGE & set(found["modules"]))


def test_choices_of_settings_are_completed(outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes["loihiconv convert --scale "]["out"].split() == ["percentile", "mse", "balanced"]
    assert outcomes["loihiconv check --maxpool re"]["out"].split() == ["relu-tree"]


def test_boards_and_back_ends_are_completed(outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes["loihiconv place net.lnet --board kapoho_"]["out"].split() == ["kapoho_bay", "kapoho_point"]
    assert outcomes["loihiconv compare --backends float,l"]["out"].split() == ["float,lava", "float,loihi"]


@pytest.mark.parametrize("line", [" ".join(arguments) for arguments in ANSWERS])
def test_boards_and_placements_load_neither_torch_nor_numba(outcomes: dict[str, dict[str, Any]], line: str) -> None:
    found = outcomes[line]
    assert found["code"] == 0, found["err"]
    assert found["out"]
    assert HEAVY.isdisjoint(found["modules"]), sorted(HEAVY & set(found["modules"]))


@pytest.mark.parametrize("line", [" ".join(arguments) for arguments in MISTAKES])
def test_mistakes_are_found_before_anything_large_is_loaded(outcomes: dict[str, dict[str, Any]], line: str) -> None:
    found = outcomes[line]
    assert found["code"] == 2
    assert found["err"]
    assert HEAVY.isdisjoint(found["modules"]), sorted(HEAVY & set(found["modules"]))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_the_module_is_the_command_line_and_small() -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(lc.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", ONE], capture_output=True, text=True, env=environment, check=True)
    found = json.loads(done.stderr.splitlines()[-1])
    assert "Trained float networks on Intel Loihi" in done.stdout
    assert found["peak"] <= 80 * 1024
    assert LARGE.isdisjoint(found["modules"]), sorted(LARGE & set(found["modules"]))
