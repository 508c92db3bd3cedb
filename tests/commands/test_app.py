"""The command line as a user meets it: tables, JSON and nothing else on stdout, one line per mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from loihiconv.core.version import __version__

FACTORY = "loihiconv.demo.model:digits_cnn"


def test_convert_run_and_compare(run, npz: Path, tmp_path: Path) -> None:
    net, result = tmp_path / "net.lnet", tmp_path / "result.npz"
    code, out, _ = run("convert", FACTORY, "--calibration", npz, "--out", net, "-T", 16, "--json")
    assert code == 0
    assert json.loads(out)["settings"]["timesteps"] == 16
    code, out, _ = run("run", net, npz, "--samples", 50, "--out", result, "--json")
    assert code == 0
    summary = json.loads(out)
    assert summary["n"] == 50 == len(summary["predictions"])
    with np.load(result) as arrays:
        assert arrays["predictions"].tolist() == summary["predictions"]
        assert arrays["spike_counts/0"].shape == (50, 16, 8, 8)
    code, out, _ = run("compare", FACTORY, npz, "--net", net, "--samples", 100, "--json")
    assert code == 0
    backends = json.loads(out)["backends"]
    assert list(backends) == ["ann", "float", "emulator"]
    assert backends["emulator"]["n"] == 100
    assert backends["emulator"]["wilson95"][0] < backends["emulator"]["accuracy"]
    assert run("convert", FACTORY, "--calibration", npz, "--out", net)[1].count("✓ fits") == 1
    assert "accuracy" in run("run", net, npz, "--samples", 5)[1]
    assert "float SNN" in run("compare", FACTORY, npz, "--net", net, "--samples", 5)[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["convert", FACTORY, "--calibration", "missing.npz", "--out", "o.lnet"], "missing.npz: no such file"),
        (["convert", FACTORY, "--calibration", "wrong.npz", "--out", "o.lnet"], "wrong.npz: has no x_train; arrays"),
        (["convert", FACTORY, "--calibration", "broken.npz", "--out", "o.lnet"], "broken.npz: is not a readable .npz"),
        (["convert", FACTORY, "--calibration", "shape.npz", "--out", "o.lnet"], "3"),
        (["convert", FACTORY, "--calibration", "nan.npz", "--out", "o.lnet"], "NaN"),
        (["convert", FACTORY, "--calibration", "empty.npz", "--out", "o.lnet"], "calibration data: no samples"),
        (["convert", FACTORY, "--calibration", "good.npz", "--out", "nowhere/o.lnet"], "its folder does not exist"),
        (["convert", FACTORY, "--calibration", "good.npz", "--out", "o.lnet", "--board", "loihi9"], "unknown board 'loihi9'"),
        (["convert", FACTORY, "--calibration", "good.npz", "--out", "o.lnet", "--board", "broken.yaml"], "broken.yaml: broken YAML"),
        (["convert", FACTORY, "--calibration", "good.npz", "--out", "o.lnet", "-T", "0"], "timesteps 0"),
        (["convert", FACTORY, "--calibration", "good.npz", "--out", "o.lnet", "--spike-bits", "9"], "spike_bits 9; a whole number from 1"),
        (
            ["convert", FACTORY, "--calibration", "good.npz", "--out", "o.lnet", "--spike-bits", "2", "--board", "nahuku32"],
            "spike_bits: graded spikes of 2 bits; Nahuku, board of 32 Loihi 1: spikes are binary",
        ),
        (["convert", FACTORY, "--calibration", "good.npz", "--out", "o.lnet", "--weights", "none.pt"], "none.pt: no such file"),
        (["convert", FACTORY, "--calibration", "good.npz", "--out", "o.lnet", "--weights", "other.pt"], "other.pt: lacks"),
        (["convert", "nets_of_test:sigmoid", "--calibration", "good.npz", "--out", "o.lnet"], "Sigmoid"),
        (["convert", "nets_of_test:with_nan", "--calibration", "good.npz", "--out", "o.lnet"], "1"),
        (["convert", "nets_of_test:huge_bias", "--calibration", "good.npz", "--out", "o.lnet"], "3: "),
        (["convert", "nets_of_test:nothing", "--calibration", "good.npz", "--out", "o.lnet"], "has no 'nothing'"),
        (["convert", "no_such_module:f", "--calibration", "good.npz", "--out", "o.lnet"], "there is no module 'no_such_module'"),
        (["run", "missing.lnet", "good.npz"], "missing.lnet: no such file"),
        (["run", "truncated.lnet", "good.npz"], "truncated.lnet: truncated or altered"),
        (["run", "digits.lnet", "shape.npz"], "(1, 8, 8) expected"),
        (["run", "digits.lnet", "good.npz", "--backend", "gpu"], "unknown back end 'gpu'"),
        (["run", "digits.lnet", "good.npz", "--samples", "0"], "0 samples"),
        (["compare", FACTORY, "good.npz"], "calibration must not see test samples"),
        (["check", FACTORY, "--shape", "1,8,x8,"], "can be converted"),
        (["check", FACTORY, "--shape", "a"], "numbers separated by commas"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(run, nets: Path, lnet: Path, arguments: list[str], message: str) -> None:
    x = np.zeros((4, 1, 8, 8), np.float32)
    np.savez("good.npz", x=x, y=np.zeros(4, int))
    np.savez("wrong.npz", pictures=x)
    np.savez("shape.npz", x=np.zeros((4, 3, 9), np.float32))
    np.savez("nan.npz", x=np.full_like(x, np.nan))
    np.savez("empty.npz", x=x[:0])
    Path("broken.npz").write_bytes(b"PK\x03\x04 no zip")
    Path("broken.yaml").write_text("name: [unclosed")
    torch.save({"something": torch.zeros(1)}, "other.pt")
    Path("digits.lnet").write_bytes(lnet.read_bytes())
    Path("truncated.lnet").write_bytes(lnet.read_bytes()[:3000])
    before = sorted(Path.cwd().iterdir())
    code, out, err = run(*arguments)
    assert message in " ".join((err + out).split())
    if "can be converted" in message:
        return
    assert (code, out) == (2, "")
    assert len([line for line in err.splitlines() if line.startswith("error:")]) == 1
    assert "Traceback" not in err
    assert [p for p in sorted(Path.cwd().iterdir()) if p.name != "__pycache__"] == [p for p in before if p.name != "__pycache__"]


ALONE = """
import os
from loihiconv.commands.terminal import note, print_json, results_alone
with results_alone():
    print("from Python")
    os.write(1, b"past its streams\\n")
    os.system("echo from another program")
    note("odd:leaves: fails")
    print_json({"a": 1})
print("after it")
"""


def test_what_others_print_does_not_mix_with_json() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True)
    assert done.stdout == '{\n  "a": 1\n}\nafter it\n'
    assert {"from Python", "past its streams", "from another program", "odd:leaves: fails"} <= set(done.stderr.splitlines())


def test_the_version(run) -> None:
    assert run("--version")[1] == f"loihiconv {__version__}\n"


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (MemoryError(), "error: there is not enough memory"),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), "(libtorch_cpu.so: failed to map segment"),
        (
            RuntimeError("DefaultCPUAllocator:\n can't allocate memory: Error code 12 (Cannot allocate memory)"),
            "error: there is not enough",
        ),
    ],
)
def test_too_little_memory_is_one_line(run, monkeypatch: pytest.MonkeyPatch, raised: Exception, said: str) -> None:
    def app(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr("loihiconv.commands.app.app", app)
    code, _, err = run("boards")
    assert (code, err.count("\n")) == (2, 1)
    assert said in err
    raised = type(raised)("another")
    if not isinstance(raised, MemoryError):
        with pytest.raises(type(raised)):
            run("boards")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("command", [["schema"], ["schema", "--help"]])
def test_a_full_disk_is_one_line(command: list[str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "loihiconv", *command], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (2, "error: output cannot be written: No space left on device\n")
