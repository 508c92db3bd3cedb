"""``loihiconv convert``: options reach the network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import loihiconv as lc

FACTORY = "loihiconv.demo.model:digits_cnn"


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


def test_max_pooling_is_what_the_board_can_run(run, nets: Path, npz: Path, tmp_path: Path) -> None:
    """Unasked; gates come with a warning, and do not fit the board."""
    out, check = tmp_path / "pooling.lnet", ("check", "nets_of_test:pooling", "--shape", "1,8,8", "--json")
    common = ("convert", "nets_of_test:pooling", "--calibration", npz, "--out", out, "--calibration-samples", "50", "-T", "4")
    code, stdout, err = run(*common, "--json")
    assert code == 0
    assert json.loads(stdout)["settings"]["maxpool"] == "relu-tree"
    assert "gates" not in err
    assert run("place", out)[0] == 0
    kinds = {board: [layer["kind"] for layer in json.loads(run(*check, *board)[1])["layers"]] for board in ((), ("--board", "nahuku32"))}
    assert kinds[()] == ["input", "spiking", "max-pooling", "readout"]
    assert kinds["--board", "nahuku32"] == ["input", *["spiking"] * 5, "readout"]
    code, _, err = run(*common, "--maxpool", "gate")
    assert code == 2
    assert "no chip has gates" in " ".join(err.split())
    assert run("place", out)[0] == 2


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


def test_what_no_board_runs_is_not_called_fitting_alone(run, npz: Path, tmp_path: Path) -> None:
    """Neither by convert nor by place: a tick would stand for a network that nothing but simulators run."""
    net = tmp_path / "net.lnet"
    common = ("convert", FACTORY, "--calibration", npz, "--out", net, "-T", "2", "--calibration-samples", "50")
    for options, what in ((("--silent-steps", "2", "--buffered"), "silent steps"), (("--spike-bits", "2"), "graded spikes")):
        code, out, _ = run(*common, *options)
        said = " ".join(out.split())
        assert code == 0
        assert "! fits Kapoho Point" in said
        assert "cores, but no board runs it yet" in said
        assert json.loads(run(*common, *options, "--json")[1])["unwritten"] == [what]
        assert f"! Neurons with {what} need a program that is not written" in " ".join(run("place", net)[1].split())
        assert json.loads(run("place", net, "--json")[1])["unwritten"] == [what]
    assert "✓ fits Kapoho Point" in run(*common)[1]
    assert "need a program" not in run("place", net)[1]


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


def test_all_commands_mean_the_same_by_what_fits(run, npz: Path, tmp_path: Path) -> None:
    """The digits' network takes 11 cores: a board of 11 holds it, one of 10 does not."""
    for cores, code in ((11, 0), (10, 2)):
        board, net = tmp_path / f"{cores}.yaml", tmp_path / f"{cores}.lnet"
        limits = "".join(f"{name}: {{value: {value}, source: ours}}\n" for name, value in (("chips", 1), ("cores_per_chip", cores)))
        board.write_text(f"extends: loihi2\nname: of_{cores}\ntitle: Ours\n{limits}")
        options = ("--board", board, "-T", "8", "--calibration-samples", "50")
        found, out, _ = run("convert", FACTORY, "--calibration", npz, "--out", net, *options)
        said = "fits Ours: 11 of 11 cores" if cores == 11 else "does not fit Ours: network: cores 11, limit 10"
        assert (found, said in " ".join(out.split())) == (code, True)
        assert run("place", net, "--board", board)[0] == code
        assert run("check", FACTORY, "--shape", "1,8,8", "--board", board)[0] == code
        found, _, err = run("deploy", net, "--board", board, "--samples", npz, "--out", tmp_path / f"bundle{cores}")
        assert found == code, err


def test_a_target_for_the_loss_says_what_it_found(run, npz: Path, tmp_path: Path) -> None:
    options = ("convert", FACTORY, "--calibration", npz, "--out", tmp_path / "net.lnet", "--calibration-samples", "50", "-T", "8")
    given = "--bias-correction --scale mse --hold-back 0.5 --rounding nearest --readout-delay 0"
    code, _, err = run(*options, *given.split(), "--target-loss", "100")
    assert code == 0
    assert "target loss of 100.00 points: met with T = 4" in " ".join(err.split())
    assert lc.load(tmp_path / "net.lnet").timesteps == 4
    code, _, err = run(*options, "--max-latency", "4")
    assert code == 2
    assert "max_latency: T = 8; a sample may take 4 steps" in " ".join(err.split())
