"""The command line as a user meets it: tables, JSON and nothing else on stdout, one line per mistake."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import loihiconv as lc
from loihiconv.commands.app import main
from loihiconv.demo import digits, digits_cnn

FACTORY = "loihiconv.demo.model:digits_cnn"
NETS = """
import torch
from torch import nn

def sigmoid():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.Sigmoid(), nn.Linear(10, 10))

def untrained():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.ReLU(), nn.Linear(10, 10))

def with_nan():
    model = untrained()
    model[1].weight.data[0, 0] = float("nan")
    return model

def pooling():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 10))

def huge_bias():
    model = untrained()
    model[3].bias.data[0] = 1e20
    model[3].weight.data[:, 0] = 1e-20
    return model
"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """Run the command line; gives exit code, stdout and stderr."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["loihiconv", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        out, err = capsys.readouterr()
        code = caught.value.code
        return (code if isinstance(code, int) else 1), out, err

    return call


@pytest.fixture(scope="module")
def npz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits in the form that the command line reads."""
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    x_train, y_train, x_test, y_test = digits()
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return path


@pytest.fixture(scope="module")
def lnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A converted network."""
    path = tmp_path_factory.mktemp("net") / "digits.lnet"
    lc.save(lc.convert(digits_cnn(), digits()[0], board="kapoho_point", timesteps=8), path)
    return path


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module of factories in the working directory."""
    (tmp_path / "nets_of_test.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


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
    assert run("convert", FACTORY, "--calibration", npz, "--out", net)[1].count("weights of") >= 1
    assert "accuracy" in run("run", net, npz, "--samples", 5)[1]
    assert "float SNN" in run("compare", FACTORY, npz, "--net", net, "--samples", 5)[1]


def test_what_saturates_is_said_and_refused(run, npz: Path, lnet: Path, tmp_path: Path) -> None:
    net = lc.load(lnet)
    readout = replace(net.readout, v_init=np.array([2**23 - 1], np.int32), bias=np.array([64], np.int32))
    path, page = tmp_path / "full.lnet", tmp_path / "report.md"
    lc.save(replace(net, populations=(*net.populations[:-1], readout), origin=None), path)
    name, x, y = readout.name, digits()[2][:5], digits()[3][:5]
    said = f"{name}: potentials of 5 of 5 samples saturate (5 at the upper end, 0 at the lower); 24 bits hold +-8,388,607; use fewer"
    code, out, _ = run("run", path, npz, "--samples", 5, "--json")
    assert code == 0
    assert json.loads(out)["saturated"] == [{"population": name, "register": "potentials", "samples": 5, "above": 5, "below": 0}]
    code, _, err = run("run", path, npz, "--samples", 5, "--strict")
    assert code == 2
    assert said in err
    with pytest.warns(UserWarning, match=re.escape(said)):
        lc.run(lc.load(path), x)
    arguments = ("compare", FACTORY, npz, "--net", path, "--samples", 5, "--backends", "emulator")
    assert said in run(*arguments)[1]
    (line,) = json.loads(run(*arguments, "--json")[1])["saturated"]
    assert said in line
    lc.save_report(lc.compare(digits_cnn(), lc.load(path), (x, y), ["emulator"]), page)
    assert said in page.read_text()


@pytest.mark.lava
def test_demo_ends_with_no_mismatch(run, tmp_path: Path, lava_python: str) -> None:
    code, out, _ = run("demo", "-T", 16, "--lava-samples", 5, "--out", tmp_path / "demo", "--json")
    assert code == 0
    result = json.loads(out)
    assert result == json.loads((tmp_path / "demo" / "demo.json").read_text())
    assert set(result["mismatched_spikes"].values()) == {0} == {result["mismatched_potentials"]}
    assert result["backends"]["emulator"]["n"] == 360
    assert abs(result["backends"]["emulator"]["accuracy"] - result["backends"]["ann"]["accuracy"]) <= 0.01
    assert lc.load(tmp_path / "demo" / "digits.lnet").timesteps == 16


def test_options_of_the_paper_reach_the_network(run, nets: Path, npz: Path, tmp_path: Path) -> None:
    out = tmp_path / "pooling.lnet"
    common = ("convert", "nets_of_test:pooling", "--calibration", npz, "--out", out, "--calibration-samples", "50")
    options = "--maxpool relu-tree --per-channel --input-coding poisson --readout softmax --seed 3 --reset zero"
    assert run(*common, *options.split())[0] == 0
    net = lc.load(out)
    assert (net.input.coding, net.input.seed, net.readout.decision, net.readout.seed) == ("poisson", 3, "softmax", 3)
    assert "2.max0" in net
    assert len(net.record.calibration.scales["0"]) == 4
    assert run(*common, "--percentile", "0")[0] == 0
    assert lc.load(out).record.calibration.scales["0"] == (1.0,)
    assert any(p.name == "2" and p.spiking for p in lc.load(out).populations)
    code, _, err = run("check", "nets_of_test:pooling", "--shape", "1,8,8")
    assert code == 0
    assert "no chip has gates" in " ".join(err.split())


def test_graded_spikes_are_reported_apart(run, npz: Path, tmp_path: Path) -> None:
    net, result = tmp_path / "graded.lnet", tmp_path / "result.npz"
    options = ("--spike-bits", "3", "-T", "2", "--calibration-samples", "50")
    code, out, _ = run("convert", FACTORY, "--calibration", npz, "--out", net, *options, "--json")
    assert code == 0
    assert json.loads(out)["settings"]["spike_bits"] == 3
    assert lc.load(net).payload_max == 7
    code, out, _ = run("run", net, npz, "--samples", 5, "--out", result, "--json")
    assert json.loads(out)["largest_payload"] == 7
    with np.load(result) as arrays:
        counts, sums = arrays["spike_counts/0"], arrays["payload_sums/0"]
    assert counts.max() <= 2
    assert (sums >= counts).all()
    assert 7 < sums.max() <= 14
    shown = run("compare", FACTORY, npz, "--net", net, "--samples", 5)[1]
    assert "2 time steps, graded spikes with payloads of up to 7" in " ".join(shown.split())
    assert json.loads(run("compare", FACTORY, npz, "--net", net, "--samples", 5, "--json")[1])["payload_max"] == 7


def test_a_search_shows_what_each_step_bought(run, nets: Path, npz: Path, tmp_path: Path) -> None:
    out = tmp_path / "found.lnet"
    code, stdout, err = run(
        "convert", "nets_of_test:pooling", "--calibration", npz, "--out", out, "-T", "6", "--optimize", "latency", "--json"
    )
    assert code == 0
    found = json.loads(stdout)
    assert found["timesteps"] == lc.load(out).timesteps == found["search"][-1]["timesteps"] <= 6
    text = " ".join(err.split())
    assert "Search on calibration samples" in text
    assert "hold_back=0.25" in text


def test_check_and_boards(run, nets: Path) -> None:
    code, out, _ = run("check", FACTORY, "--shape", "1,8,8", "--board", "kapoho_point")
    assert code == 0
    assert "can be converted" in out
    code, out, _ = run("check", "nets_of_test:sigmoid", "--shape", "1,8,8", "--json")
    assert code == 2
    assert "Sigmoid" in json.loads(out)["problems"][0]
    assert "kapoho_point" in run("boards")[1]
    assert json.loads(run("boards", "--json")[1])["kapoho_bay"]["generation"] == 1


def test_images_of_bytes_are_read_as_totensor_does(run, tmp_path: Path) -> None:
    x_train, y_train, x_test, y_test = digits()
    bytewise = {name: np.rint(x[:, 0] * 255).astype(np.uint8) for name, x in (("x_train", x_train), ("x_test", x_test))}
    np.savez(tmp_path / "bytes.npz", **bytewise, y_train=y_train, y_test=y_test)
    code, out, _ = run("compare", FACTORY, tmp_path / "bytes.npz", "--samples", 100, "-T", 16, "--json")
    assert code == 0
    assert json.loads(out)["backends"]["emulator"]["accuracy"] > 0.95


def test_normalised_and_signed_inputs(run, npz: Path) -> None:
    code, out, _ = run("compare", FACTORY, npz, "--samples", 20, "--mean", "0.5", "--std", "0.25", "--json")
    assert code == 0
    assert json.loads(out)["backends"]["ann"]["n"] == 20
    assert "3 numbers for 1 channels" in " ".join(run("compare", FACTORY, npz, "--mean", "1,2,3")[2].split())


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
    np.savez("wrong.npz", images=x)
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


def test_without_lava_the_remedy_is_named(run, npz: Path, lnet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOIHICONV_LAVA_PYTHON", raising=False)
    monkeypatch.setattr("loihiconv.lava.client._has_lava", lambda: False)
    code, _, err = run("run", lnet, npz, "--backend", "lava", "--samples", 1)
    assert code == 3
    assert "pip install 'loihiconv[lava]'" in err
    assert "LOIHICONV_LAVA_PYTHON" in err


def test_boards_say_what_is_missing_here(run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LOIHICONV_LAVA_PYTHON", "/nowhere/python")
    monkeypatch.delenv("NXSDKHOST", raising=False)
    code, out, _ = run("boards")
    assert code == 0
    for text in (
        "✗ Lava: LOIHICONV_LAVA_PYTHON: /nowhere/python is no program",
        "✗ lava-loihi",
        "✗ SLURM: no program sinfo",
        "✗ Ethernet host",
    ):
        assert text in out
    assert "No run on a board is possible from here" in out
    here = json.loads(run("boards", "--json")[1])["here"]
    assert here["ready"] is False
    assert here["findings"]["slurm"]["found"] is False


def test_a_run_on_a_board_that_is_not_there(run, npz: Path, lnet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOIHICONV_LAVA_PYTHON", "/nowhere/python")
    code, out, err = run("run", lnet, npz, "--backend", "loihi", "--realization", "atrlif", "--samples", 1)
    assert (code, out) == (3, "")
    assert len(err.splitlines()) == 1
    assert "backend loihi: no run on a Loihi is possible from here" in err


def test_run_shows_the_accuracy_of_a_realization(run, npz: Path, lnet: Path) -> None:
    code, out, err = run("run", lnet, npz, "--realization", "lif", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["realization"] == {"name": "lif", "quantized_again": True, "ratio": 8.0}
    assert 0 < found["accuracy"] <= 1
    code, _, err = run("run", lnet, npz, "--realization", "cuba")
    assert code == 2
