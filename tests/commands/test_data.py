"""Data on the command line: what convert is told is stored, said, and needs no second time; folders and functions are read like files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.ann.frontends import readable
from loihiconv.commands.data import Said, labelled
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.samples import Dataset
from loihiconv.demo import digits, digits_cnn

FACTORY = "loihiconv.demo.model:digits_cnn"
USER = """
import numpy as np
from loihiconv.demo.model import digits_cnn
print("imported")
def data(part):
    print("called")
    d = np.load("raw.npz")
    return ((x, int(y)) for x, y in zip(d["x_" + part], d["y_" + part]))
def net():
    print("built")
    return digits_cnn()
def exits():
    raise SystemExit(0)
"""


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits as bytes (N, H, W) of x / 2 + 0.1, which a mean of 0.1 and a std of 0.5 undo."""
    path = tmp_path_factory.mktemp("raw") / "raw.npz"
    x_train, y_train, x_test, y_test = digits()
    arrays = {name: np.rint(255 * (x[:, 0] / 2 + 0.1)).astype(np.uint8) for name, x in (("x_train", x_train), ("x_test", x_test))}
    np.savez(path, **arrays, y_train=y_train, y_test=y_test)
    return path


@pytest.fixture(scope="module")
def stored(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stored") / "raw.lnet"
    preprocessing = lc.Preprocessing(0.1, 0.5, 1 / 255, "HW")
    x = np.load(raw)["x_train"][:200]
    lc.convert(digits_cnn(), x, board="kapoho_point", timesteps=16, preprocessing=preprocessing).save(path)
    return path


def test_convert_stores_what_run_and_deploy_apply(run: Any, raw: Path, stored: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.lnet"
    shift = ("--mean", 0.1, "--std", 0.5)
    code, text, err = run("convert", FACTORY, "--calibration", raw, "--calibration-samples", 200, *shift, "-T", 16, "--out", out, "--json")
    assert code == 0
    assert json.loads(text)["preprocessing"] == {"mean": [0.1], "std": [0.5], "scale": 1 / 255, "layout": "HW->CHW"}
    assert "stored in the network: x / 255, then (x - 0.1) / 0.5, HW -> CHW" in " ".join(err.split())
    assert lc.load(out).input.preprocessing == lc.load(stored).input.preprocessing
    code, text, err = run("run", out, raw, "--samples", 100)
    assert (code, "(x - 0.1) / 0.5" in err, "warning" in err) == (0, True, False)
    accuracy = float(text.split("emulator")[1].split()[0])
    assert accuracy > 95
    assert [word for word in ("accuracy", "95 % interval", "firing", "syn. ops") if word not in text] == []
    code, text, _ = run("run", out, raw, "--samples", 100, *shift, "--json")
    assert (code, round(100 * json.loads(text)["accuracy"], 2)) == (0, accuracy)
    code, _, err = run("run", out, raw, "--mean", 0.2)
    assert (code, "mean 0.2 given, 0.1 stored" in err) == (2, True)
    assert run("deploy", out, "--samples", raw, "--out", tmp_path / "bundle", "--selftest-samples", 1, "--no-run")[0] == 0
    assert "(8, 8), preprocessed here: x / 255" in (tmp_path / "bundle" / "README.md").read_text()
    assert lc.load(tmp_path / "bundle" / "network.lnet").input.preprocessing == lc.load(out).input.preprocessing


def test_compare_and_sweep_take_it_from_a_network(run: Any, raw: Path, stored: Path, tmp_path: Path) -> None:
    code, text, _ = run("compare", FACTORY, raw, "--net", stored, "--samples", 100, "--json")
    found = json.loads(text)["backends"]
    assert (code, found["ann"]["accuracy"] > 0.95, found["emulator"]["accuracy"] > 0.95) == (0, True, True)
    sizes = ("--samples", 50, "--calibration-samples", 100, "--cache", tmp_path / "cache.json")
    code, text, _ = run("sweep", FACTORY, raw, "--net", stored, "-T", 8, *sizes, "--json")
    assert (code, json.loads(text)["rows"][0]["outcome"]["value"] > 0.9) == (0, True)


def test_samples_that_are_not_like_calibrations_are_said(run: Any, npz: Path, stored: Path) -> None:
    code, _, err = run("run", stored, npz, "--samples", 50)
    assert (code, "not preprocessed already" in " ".join(err.split())) == (0, True)


def test_folders(run: Any, raw: Path, stored: Path, tmp_path: Path) -> None:
    image, data = pytest.importorskip("PIL.Image"), np.load(raw)
    for k in range(40):
        place = tmp_path / "images" / "test" / str(data["y_test"][k])
        place.mkdir(parents=True, exist_ok=True)
        image.fromarray(data["x_test"][k]).save(place / f"{k}.png")
    code, text, err = run("run", stored, tmp_path / "images", "--json")
    assert (code, json.loads(text)["accuracy"] > 0.9, "10 classes: 0 0, 1 1" in " ".join(err.split())) == (0, True, True)
    code, _, err = run("compare", FACTORY, tmp_path / "images")
    assert (code, "holds no train folder" in " ".join(err.split())) == (2, True)


def test_functions_that_print_and_that_exit(run: Any, raw: Path, stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "noisy_of_test.py").write_text(USER.replace("raw.npz", str(raw)))
    monkeypatch.chdir(tmp_path)
    code, text, err = run("compare", "noisy_of_test:net", "noisy_of_test:data", "--net", stored, "--samples", 30, "--json")
    assert (code, json.loads(text)["backends"]["ann"]["n"]) == (0, 30)
    assert [word for word in ("its code was executed", "called", "built") if word not in err] == []
    code, text, err = run("check", "noisy_of_test:exits", "--shape", "1,8,8", "--json")
    assert (code, text, "ends the program" in err) == (2, "", True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--input-scale", "a"), "such as 1/255"),
        (("--std", "0"), "other than 0"),
        (("--layout", "XX"), "letters"),
        (("--mean", "a"), "--mean"),
    ],
)
def test_mistyped_options(run: Any, raw: Path, stored: Path, options: tuple[str, str], said: str) -> None:
    code, _, err = run("run", stored, raw, *options)
    assert (code, said in " ".join(err.split())) == (2, True), err


@pytest.mark.parametrize(("shape", "said"), [((64, 1), True), ((1, 64), False), ((64,), False)])
def test_a_series_that_looks_like_channels_is_said(shape: tuple[int, ...], said: bool, capsys: pytest.CaptureFixture[str]) -> None:
    Said().chosen(Dataset(np.zeros((5, *shape), np.float32), None), None)
    assert ("64 channels of length 1; --layout LC says that they are one channel" in capsys.readouterr().err) == said


def test_bytes_stay_what_they_are_for_files_that_take_them() -> None:
    file = readable(digits_cnn())
    assert Said().for_file(file) == Said().for_file(None) == Said()
    file.takes_bytes = True
    assert Said(mean="3").for_file(file) == Said(mean="3", input_scale="1")
    assert Said(input_scale="1/255").for_file(file) == Said(input_scale="1/255")  # the file then says what it thinks of it
    assert Said().for_file(file).chosen(Dataset(np.zeros((5, 1, 8, 8), np.uint8), None), (1, 8, 8)).plain


def test_samples_keep_their_labels() -> None:
    x, y = np.zeros((3, 2)), np.arange(3)
    found = labelled(x, y)
    assert (found.x is x, found.y is y) == (True, True)
    assert labelled(x, None) is x
    assert labelled({"a": x}, y) == {"a": x}


def test_what_is_said_of_several_inputs_has_their_names() -> None:
    each = Said(mean="image=0.4,0.5;state=5", std="state = 3", layout="image=HWC").each()
    assert each == {
        "image": (lc.Preprocessing((0.4, 0.5), layout="HWC"), {"mean", "layout"}),
        "state": (lc.Preprocessing(5, 3), {"mean", "std"}),
    }
    for wrong in (Said(mean="0.5"), Said(std="image=1;3"), Said(layout="=HWC")):
        with pytest.raises(InvalidSetting, match=r"for several inputs.*say which one it is for"):
            wrong.each()
    with pytest.raises(InvalidSetting, match="numbers separated by commas"):
        Said(mean="image=a").check()


def test_commands_store_and_apply_it_for_each_input(run: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images, states = rng.integers(0, 256, (20, 12, 12, 1)).astype(np.uint8), rng.normal(5, 3, (20, 5)).astype(np.float32)
    data, out = tmp_path / "robot.npz", tmp_path / "robot.lnet"
    np.savez(data, **{"x/image": images, "x/vector": states, "y": rng.integers(0, 4, 20)})
    network = ("tests.zoo.several:ImageAndVector", "--calibration", data)
    code, text, _ = run("convert", *network, "--mean", "vector=5", "--std", "vector=3", "-T", 4, "--out", out, "--json")
    stored = {"image": lc.Preprocessing(scale=1 / 255, layout="HWC"), "vector": lc.Preprocessing(5, 3)}
    assert (code, json.loads(text)["preprocessing"].keys()) == (0, {"image", "vector"})
    assert lc.load(out).preprocessing == stored
    assert run("run", out, data, "--out", tmp_path / "found.npz")[0] == 0
    expected = lc.run(lc.load(out), {"image": images, "vector": states})
    assert np.array_equal(np.load(tmp_path / "found.npz")["potentials"], expected.potentials)
    code, _, err = run("run", out, data, "--mean", "vector=4")
    assert (code, "preprocessing of input vector: mean 4 given, 5 stored" in " ".join(err.split())) == (2, True)
