"""``loihiconv finetune``: from a model to a file that convert takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import loihiconv as lc
from loihiconv.finetuning import training

SMALL = ("--samples", "48", "--epochs", "1", "--batch", "24", "-T", "3")


def test_it_is_trained_converted_and_compared(run, nets: Path, npz: Path, tmp_path: Path) -> None:
    out, net = tmp_path / "tuned.safetensors", tmp_path / "tuned.lnet"
    code, stdout, err = run("finetune", "nets_of_test:untrained", npz, "--out", out, *SMALL, "--board", "kapoho_point", "--json")
    assert code == 0
    found = json.loads(stdout)
    assert (found["timesteps"], found["samples"], found["weight_bits"], len(found["losses"])) == (3, 48, 8, 1)
    assert list(tmp_path.glob("*safetensors*")) == [out]
    assert run("convert", out, "--calibration", npz, "-T", "3", "--calibration-samples", "50", "--out", net)[0] == 0
    assert "fine-tuned for timesteps=3" in lc.load(net).record.notes[0]
    assert run("compare", out, npz, "--net", net, "--samples", "5")[0] == 0
    code, _, err = run("finetune", "nets_of_test:untrained", npz, "--out", out, *SMALL, "--loss", "labels", "--rates", "rounded")
    assert code == 0
    said = " ".join(err.split())
    assert "mean loss of each epoch" in said
    assert "loihiconv convert" in said
    assert "-T 3 --silent-steps 3 --buffered" in said


def test_what_is_cut_off_goes_on(run, nets: Path, npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, out = tmp_path / "whole.safetensors", tmp_path / "tuned.safetensors"
    arguments = ("finetune", "nets_of_test:untrained", npz, *SMALL, "--out")
    assert run(*arguments, whole)[0] == 0
    with monkeypatch.context() as patch:
        patch.setattr(training, "PAUSE", -1.0)
        written = training.write_checkpoint

        def cut(path: Path, *what: object) -> None:
            written(path, *what)  # type: ignore[arg-type]
            raise KeyboardInterrupt

        patch.setattr(training, "write_checkpoint", cut)
        code, _, err = run(*arguments, out)
    assert code == 130
    assert "to go on: loihiconv finetune" in " ".join(err.split())
    assert "interrupted" in err
    assert not out.exists()
    code, _, err = run(*arguments, out)
    assert code == 2
    assert "an unfinished training is kept there; go on with it: --resume" in " ".join(err.split())
    assert run(*arguments, out, "--resume")[0] == 0
    assert out.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.glob("*safetensors*")) == ["tuned.safetensors", "whole.safetensors"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-T", "64"), "timesteps 64; a whole number from 1 to 63 expected"),
        (("--rates", "counts"), "rates 'counts'"),
        (("--board", "loihi9"), "loihi9"),
        (("--out", "missing/tuned.safetensors"), "its folder does not exist"),
    ],
)
def test_errors_are_a_line(run, nets: Path, npz: Path, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    code, stdout, err = run("finetune", "nets_of_test:untrained", npz, "--out", tmp_path / "tuned.safetensors", *options)
    assert (code, stdout) == (2, "")
    assert said in " ".join(err.split())
    assert len(err.strip().splitlines()) == 1
