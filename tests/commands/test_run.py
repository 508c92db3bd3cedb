"""``loihiconv run``: back ends that are not there, and realizations."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.commands.run import _measured
from loihiconv.demo import digits, digits_cnn
from loihiconv.simulator import simulate

FACTORY = "loihiconv.demo.model:digits_cnn"


def test_without_lava_the_remedy_is_named(run, npz: Path, lnet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOIHICONV_LAVA_PYTHON", raising=False)
    monkeypatch.setattr("loihiconv.lava.interpreter._has_lava", lambda: False)
    code, _, err = run("run", lnet, npz, "--backend", "lava", "--samples", 1)
    assert code == 3
    assert "loihiconv lava install" in err
    assert "LOIHICONV_LAVA_PYTHON" in err


def test_a_run_on_a_board_that_is_not_there(run, npz: Path, lnet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOIHICONV_LAVA_PYTHON", "/nowhere/python")
    code, out, err = run("run", lnet, npz, "--backend", "loihi", "--realization", "atrlif", "--samples", 1)
    assert (code, out) == (3, "")
    assert len(err.splitlines()) == 1
    assert "backend loihi: no run on a Loihi is possible from here" in err


@pytest.mark.lava
def test_a_board_that_would_not_be_used_ends_with_3(run, npz: Path, lnet: Path, diary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDIN_WITHOUT", "Conv")
    code, out, err = run("run", lnet, npz, "--backend", "loihi", "--realization", "lif", "--samples", 1)
    assert (code, out) == (3, "")
    assert re.search(
        r"backend loihi: nothing was run, because Lava would run \d of \d+ processes that belong on a chip .*\(Conv as Py", err
    )
    assert len(err.splitlines()) == 1


def test_run_shows_the_accuracy_of_a_realization(run, npz: Path, lnet: Path) -> None:
    code, out, err = run("run", lnet, npz, "--realization", "lif", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["realization"] == {"name": "lif", "quantized_again": True, "ratio": 3.0, "corrected": True}
    assert 0 < found["accuracy"] <= 1
    code, _, err = run("run", lnet, npz, "--realization", "cuba")
    assert code == 2


def test_what_saturates_is_said_and_refused(run, npz: Path, lnet: Path, tmp_path: Path) -> None:
    net = lc.load(lnet)
    readout = replace(net.readout, v_init=np.array([2**23 - 1], np.int32), bias=np.array([64], np.int32))
    path, page = tmp_path / "full.lnet", tmp_path / "report.md"
    lc.save(replace(net, populations=(*net.populations[:-1], readout), origin=None), path)
    name, x, y = readout.name, digits()[2][:5], digits()[3][:5]
    said = f"{name}: potentials of 5 of 5 samples and 100.00% of neurons saturate (5 at the upper end, 0 at the lower); "
    said += "24 bits hold +-8,388,607; use fewer"
    code, out, _ = run("run", path, npz, "--samples", 5, "--json")
    assert code == 0
    (found,) = json.loads(out)["saturated"]
    assert found == {"population": name, "register": "potentials", "samples": 5, "above": 5, "below": 0, "share": 1.0}
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


def test_labels_are_checked_before_anything_runs(run, lnet: Path, tmp_path: Path) -> None:
    x, y = digits()[2][:30], digits()[3][:30]
    given = {"text": np.array([f"digit{label}" for label in np.minimum(y, 8)]), "late": y + 1, "one_hot": np.eye(10)[y]}
    for name, labels in given.items():
        np.savez(tmp_path / f"{name}.npz", x=x, y=labels)
    code, _, err = run("run", lnet, tmp_path / "text.npz")
    assert (code, "9 names" in err, "the network has 10 classes" in err) == (2, True, True)
    code, _, err = run("run", lnet, tmp_path / "late.npz")
    assert (code, "0 to 9, as the network has 10 outputs" in " ".join(err.split())) == (2, True)
    code, out, _ = run("run", lnet, tmp_path / "one_hot.npz", "--json")
    assert code == 0
    assert json.loads(out)["accuracy"] > 0.9


def test_predictions_are_what_the_task_decides(run, lnet: Path, tmp_path: Path) -> None:
    x = digits()[2][:3]
    labels = (np.arange(30).reshape(3, 10) % 3 == 0).astype(int)
    np.savez(tmp_path / "labels.npz", x=x, y=labels)
    np.savez(tmp_path / "alone.npz", x=x)
    found = json.loads(run("run", lnet, tmp_path / "labels.npz", "--json")[1])
    assert (found["task"], np.shape(found["predictions"])) == ("multilabel", (3, 10))
    assert np.shape(json.loads(run("run", lnet, tmp_path / "alone.npz", "--json")[1])["predictions"]) == (3,)
    code, out, _ = run("run", lnet, tmp_path / "alone.npz", "--task", "regression", "--json", "--out", tmp_path / "out.npz")
    assert (code, "predictions" in json.loads(out)) == (0, False)
    assert {"outputs", "potentials"} <= set(np.load(tmp_path / "out.npz").files) - {"predictions"}


def test_measured_figures_have_their_units() -> None:
    measured = {
        "measurement": "latency",
        "steps": 10_004,
        "time_per_step_us": 12.5,
        "power_total_w": 0.75,
        "energy_per_sample_mj": 0.075,
        "profiler": {"a": {}},
    }
    assert _measured(measured) == {
        "steps": 10_004,
        "time_per_step": "12.5 µs",
        "power_total": "0.75 W",
        "energy_per_sample": "0.075 mJ",
    }


def test_measured_figures_are_shown(run, npz: Path, lnet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = {"measurement": "latency", "steps": 10_004, "time_per_step_us": 12.5, "samples_per_second": 2500.0, "profiler": {}}
    asked = []

    def measure(net, x, *_, access, **__):
        asked.append(access)
        return replace(simulate(net, x), profile=measured)

    monkeypatch.setattr("loihiconv.backends.run.run", measure)
    code, out, _ = run("run", lnet, npz, "--backend", "loihi", "--profile", "latency", "--read-late", 2)
    assert (code, asked[0].read_late, asked[0].profile) == (0, 2, "latency")
    shown = {" ".join(line.split()) for line in out.splitlines()}
    assert {"measured", "steps 10004", "time per step 12.5 µs", "samples per second 2,500"} <= shown


def test_only_a_board_is_measured(run, npz: Path, lnet: Path) -> None:
    code, out, err = run("run", lnet, npz, "--profile", "throughput")
    assert (code, out, err.splitlines()[-1]) == (
        2,
        "",
        "error: profile: back end 'emulator' has no time and power of a chip; a board can be measured",
    )


def test_only_a_board_reads_late(run, npz: Path, lnet: Path) -> None:
    code, out, err = run("run", lnet, npz, "--read-late", 1)
    assert (code, out, err.splitlines()[-1]) == (
        2,
        "",
        "error: read_late: back end 'emulator' reads potentials when they are due; only a board reads late",
    )
