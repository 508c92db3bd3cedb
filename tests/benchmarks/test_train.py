"""benchmarks/: training, networks, data sets and their fetcher, on made-up images; nothing is downloaded."""

import hashlib
import io
import json
import math
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from benchmarks import data, get_data, nets, train  # noqa: E402


def run(script, *arguments, folder):
    return subprocess.run(
        [sys.executable, ROOT / "benchmarks" / script, *map(str, arguments)],
        env={**os.environ, "LOIHICONV_DATA": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=200,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """300 images of noise for each data set, the brighter the higher the class."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for name, shape in (("mnist", (28, 28)), ("fashion_mnist", (28, 28)), ("cifar10", (32, 32, 3))):
        labels = rng.integers(0, 10, 300).astype(np.uint8)
        noise = rng.integers(0, 30, (300, *shape)) + 22 * labels.reshape(-1, *(1 for _ in shape))
        images = noise.astype(np.uint8)
        np.savez(folder / f"{name}.npz", x_train=images, y_train=labels, x_test=images[:100], y_test=labels[:100])
    series, labels = rng.random((60, 12, 25), np.float32), rng.integers(0, 9, 60).astype(np.uint8)
    np.savez(folder / "vowels.npz", x_train=series, y_train=labels, x_test=series[:20], y_test=labels[:20])
    return folder


def test_one_epoch_writes_weights_and_their_record(folder, tmp_path):
    done = run("train.py", "mnist_cnn", "--epochs", 1, "--limit", 256, "--out", tmp_path, folder=folder)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mnist_cnn.json", "mnist_cnn.safetensors"]
    record = json.loads((tmp_path / "mnist_cnn.json").read_text())
    assert record["n"] == 100
    assert record["epochs"] == record["settings"]["epochs"] == 1
    assert record["settings"]["training_images"] == 256
    assert record["wilson95"][0] <= record["accuracy"] <= record["wilson95"][1]
    model = nets.mnist_cnn()
    model.load_state_dict(load_file(tmp_path / "mnist_cnn.safetensors"))
    x, y = (torch.from_numpy(array) for array in small(folder, "mnist")[2:])
    assert train.count_correct(model, x, y) == round(record["accuracy"] * 100)


def small(folder, name):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOIHICONV_DATA", str(folder))
        return data.load(name)


@pytest.fixture
def _torch_settings_restored():
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)


@pytest.mark.usefixtures("_torch_settings_restored")
@pytest.mark.parametrize("name", sorted(train.RECIPES))
def test_the_same_seed_makes_the_same_weights(name, folder, monkeypatch):
    monkeypatch.setenv("LOIHICONV_DATA", str(folder))
    recipe = train.replace(train.RECIPES[name], epochs=1, batch=16)
    runs = [train.train(name, recipe, seed, 1, 32, validate=False)[0] for seed in (0, 0, 1)]
    assert all(torch.equal(runs[0][key], runs[1][key]) for key in runs[0])
    assert not all(torch.equal(runs[0][key], runs[2][key]) for key in runs[0])


def test_large_weights_are_scored_as_they_are_stored():
    model = nets.cifar10_cnn()
    state = train.weights(model, half=True)
    assert {key for key, value in state.items() if value.dtype == torch.float16} == {
        "3.weight",
        "8.weight",
        "11.weight",
        "17.weight",
        "21.weight",
    }
    model.load_state_dict(state)
    again = train.weights(model, half=True)
    assert all(torch.equal(state[key], again[key]) for key in state)


def test_nothing_changes_if_writing_fails(tmp_path, monkeypatch):
    (tmp_path / "net.safetensors").write_bytes(b"old weights")
    (tmp_path / "net.json").write_text("old record")
    write_bytes = Path.write_bytes

    def full_disk(path, content):
        write_bytes(path, content[:10])
        if ".json" in path.name:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space left"):
        train.write({"weight": torch.ones(3)}, {"accuracy": 1.0}, tmp_path, "net")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"net.safetensors": "old weights", "net.json": "old record"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "lenet"}, "unknown network 'lenet'; known are mnist_cnn"),
        ({"name": "mnist_cnn", "limit": 8}, "--limit would replace the shipped weights by worse ones"),
        ({"name": "mnist_cnn", "limit": 5000, "validate": True, "out": Path("elsewhere")}, "--limit 5000 leaves none to train on"),
        ({"name": "mnist_cnn"}, "python benchmarks/get_data.py mnist"),
    ],
)
@pytest.mark.usefixtures("_torch_settings_restored")
def test_mistakes_are_one_line_and_code_2(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LOIHICONV_DATA", str(tmp_path))  # where nothing is
    with pytest.raises(typer.Exit) as left:
        train.main(**arguments)
    assert left.value.exit_code == 2
    said = capsys.readouterr()
    assert message in said.err
    assert (said.out, said.err.count("\n")) == ("", 1)


@pytest.mark.parametrize("padding", ["constant", "reflect"])
def test_images_are_shifted_and_mirrored(padding):
    recipe = train.Recipe("cifar10", epochs=1, shift=2, padding=padding, flip=True)
    images = torch.arange(1.0, 2 * 36 + 1).reshape(1, 2, 6, 6).expand(400, -1, -1, -1)
    out = train.augment(images, recipe, torch.Generator().manual_seed(0))
    padded = torch.nn.functional.pad(images[:1], (2, 2, 2, 2), mode=padding)[0]
    crops = [padded[:, r : r + 6, c : c + 6] for r in range(5) for c in range(5)]
    possible = {np.ascontiguousarray(crop).tobytes() for c in crops for crop in (c.numpy(), c.flip(2).numpy())}
    seen = {np.ascontiguousarray(image.numpy()).tobytes() for image in out}
    assert seen <= possible
    assert len(seen) == len(possible) == 50


def neurons(name, shape):
    """Numbers of values that leave the convolutions, pools and dense layers, in order."""
    model, sizes = getattr(nets, name)().eval(), []
    for module in model:
        if isinstance(module, torch.nn.Conv2d | torch.nn.AvgPool2d | torch.nn.MaxPool2d | torch.nn.Linear):
            module.register_forward_hook(lambda _, __, output: sizes.append(math.prod(output.shape[1:])))
    assert model(torch.rand(2, *shape)).shape == (2, 10)
    return sizes


@pytest.mark.parametrize("name", ["mnist_cnn", "mnist_maxpool", "fashion_cnn", "sinabs_mnist"])
def test_mnist_sized_networks_give_ten_scores(name):
    assert neurons(name, (1, 28, 28))[-1] == 10


def test_cifar10_networks_have_the_published_sizes():
    assert len(neurons("cifar10_cnn", (3, 32, 32))) == 8
    assert sum(neurons("mobilenet", (3, 32, 32))) == 76_810  # NxTF's count


@pytest.mark.parametrize("name", [name for name in nets.NAMES if (nets.MODELS / f"{name}.safetensors").exists()])
def test_shipped_weights_load_and_are_documented(name):
    model = nets.trained(name)
    assert all(bool(value.isfinite().all()) for value in model.state_dict().values())
    assert all(value.dtype in (torch.float32, torch.int64) for value in model.state_dict().values())
    record = json.loads((nets.MODELS / f"{name}.json").read_text())
    assert record["network"] == name
    assert record["n"] == (370 if name == "vowels_dscnn" else 10_000)


def test_foreign_weights_are_read_from_the_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LOIHICONV_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"get_data\.py nets"):
        nets.trained("sinabs_mnist")
    state = nets.sinabs_mnist().state_dict()
    (tmp_path / "nets").mkdir()
    torch.save(state, tmp_path / "nets" / "sinabs_mnist.pt")
    loaded = nets.trained("sinabs_mnist").state_dict()
    assert all(torch.equal(loaded[key], state[key]) for key in state)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="known are mnist_cnn"):
        nets.trained("lenet")
    with pytest.raises(ValueError, match="known are mnist"):
        data.load("imagenet")


def test_data_is_channels_first_in_0_to_1(folder):
    x_train, y_train, x_test, y_test = small(folder, "cifar10")
    assert x_train.shape == (300, 3, 32, 32)
    assert x_test.shape == (100, 3, 32, 32)
    assert x_train.dtype == np.float32
    assert y_train.dtype == y_test.dtype == np.int64
    raw = np.load(folder / "cifar10.npz")["x_train"]
    assert x_train[7, 2, 3, 5] == np.float32(raw[7, 3, 5, 2]) / np.float32(255)
    assert small(folder, "mnist")[0].shape == (300, 1, 28, 28)
    assert np.array_equal(small(folder, "vowels")[0], np.load(folder / "vowels.npz")["x_train"])


def test_data_writes_the_file_that_compare_reads(folder, tmp_path):
    done = run("data.py", "mnist", tmp_path / "mnist.npz", folder=folder)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "mnist.npz") as file:
        for key, array in zip(("x_train", "y_train", "x_test", "y_test"), small(folder, "mnist"), strict=True):
            np.testing.assert_array_equal(file[key], array)
    assert [path.name for path in tmp_path.iterdir()] == ["mnist.npz"]
    assert run("data.py", "imagenet", tmp_path / "out.npz", folder=folder).returncode == 2


def test_fetching_leaves_what_is_there_and_explains_what_it_lacks(folder, tmp_path):
    assert get_data.fetch("mnist", folder) == folder / "mnist.npz"
    with pytest.raises(get_data.FetchError, match="'no-such-program' is needed"):
        get_data.run("no-such-program", cwd=tmp_path)
    with pytest.raises(get_data.FetchError, match="failed: went wrong"):
        get_data.run(sys.executable, "-c", "raise SystemExit('went wrong')", cwd=tmp_path)
    done = run("get_data.py", "imagenet", folder=folder)
    assert done.returncode == 2
    assert "known are mnist" in done.stderr


def test_an_altered_download_is_refused_and_nothing_kept(tmp_path, monkeypatch):
    def altered(scratch):
        return {key: np.zeros((2, 28, 28), np.uint8) for key in get_data.IDX_FILES}

    monkeypatch.setattr(get_data, "mnist", altered)
    with pytest.raises(get_data.FetchError, match=r"SHA-256 .* nothing was kept"):
        get_data.fetch("mnist", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_archives_are_checked_and_read_without_unpacking(tmp_path, monkeypatch):
    path = tmp_path / "made-up.tar"
    with tarfile.open(path, "w") as tar:
        for name in ("../outside.png", "package/inside.png", "package/other.txt"):
            member = tarfile.TarInfo(name)
            member.size = len(name)
            tar.addfile(member, io.BytesIO(name.encode()))
    monkeypatch.setitem(get_data.ARCHIVES, path.name, hashlib.sha256(path.read_bytes()).hexdigest())
    contents = get_data.read_archive(path, lambda name: name.endswith(".png"))
    assert contents == {"outside.png": b"../outside.png", "inside.png": b"package/inside.png"}
    assert [file.name for file in tmp_path.iterdir()] == ["made-up.tar"]
    monkeypatch.setitem(get_data.ARCHIVES, path.name, "0" * 64)
    with pytest.raises(get_data.FetchError, match="nothing was kept"):
        get_data.read_archive(path, lambda name: True)


def test_idx_files_are_read_by_their_own_shape():
    content = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3]) + bytes(range(6))
    np.testing.assert_array_equal(get_data.read_idx(content), [[0, 1, 2], [3, 4, 5]])


def test_series_are_read_channel_by_channel():
    x, y = get_data.read_ts("@classLabel true 1 2\n@data\n1,2,3:4,5,6:2\n7,8,9:0,1,2:1\n")
    np.testing.assert_array_equal(x, [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [0, 1, 2]]])
    assert y.tolist() == [1, 0]
