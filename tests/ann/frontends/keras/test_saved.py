"""What lies in a file is read from that file alone, and only as much as is there."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loihiconv.ann.frontends.keras.saved import array, attribute, datasets, opened, subgroup
from loihiconv.core.errors import InvalidModel
from tests.ann.frontends.keras.files import FOLDER
from tests.ann.frontends.keras.made import h5py, part, saved, sequential, weights


def kept(file: Any) -> Any:
    file["plain"] = weights(3, 2)
    file["compressed"] = np.zeros((100, 100), np.float32)
    file.create_dataset("packed", data=np.zeros((100, 100), np.float32), compression="gzip")
    file.create_dataset("dense", data=np.zeros(2**23, np.uint8), compression="gzip", chunks=(2**22,))
    file.create_dataset("claimed", shape=(2**40,), dtype="f4", chunks=(1024,))
    file["link"] = h5py.ExternalLink("other.h5", "/plain")
    file["soft"] = h5py.SoftLink("/plain")
    file.create_dataset("elsewhere", shape=(4,), dtype="u1", external=[("/etc/passwd", 0, 4)])
    file["text"] = "words"
    file["nan"] = np.array([1, np.nan], np.float32)
    file["group/inner"] = np.arange(3)
    return file


def test_arrays(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        kept(file)
        assert array(file, "plain", "layer").shape == (3, 2)
        assert array(file, "packed", "layer").shape == (100, 100)
        assert array(file, "group/inner", "layer").dtype == np.float32
        for name, said in {
            "claimed": r"layer: its weights 'claimed', float32 of shape \(1099511627776,\), take 0 bytes in the file",
            "dense": r"its weights 'dense', uint8 of shape \(8388608,\), take",
            "link": "its weights 'link' are missing",
            "soft": "its weights 'soft' are missing",
            "elsewhere": "its weights 'elsewhere', uint8",
            "text": "its weights 'text', object",
            "nan": "1 of 2 values of 'nan' are NaN or infinite",
            "group": "its weights 'group' are missing",
            "link/more": "are missing",
            "none/more": "are missing",
        }.items():
            with pytest.raises(InvalidModel, match=said):
                array(file, name, "layer")


def test_what_stands_where_a_group_belongs_is_not_searched(tmp_path: Path) -> None:
    """h5py would compare a name with all values of an array, one after the other."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["layers/dense"] = np.zeros(2**20)
        file["layers/link"] = h5py.SoftLink("/layers")
        assert subgroup(file, "layers") == file["layers"]
        for group, name in ((file["layers"], "dense"), (file["layers/dense"], "vars"), (file["layers"], "link"), (None, "x"), (file, "x")):
            assert subgroup(group, name) is None


def test_groups_that_lie_within_themselves_are_searched_once(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for i in range(20):
            file[f"{i}"] = file["/"]
        file["a/x"] = np.zeros(2)
        assert datasets(file) == ["a/x"]


def test_attributes_are_measured_before_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loihiconv.ann.frontends.keras.saved._MOST_TEXTS", 100)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["few"] = ["a", "b"]
        file.attrs["many"] = np.zeros(101, np.int8)
        assert list(attribute(file, "few")) == ["a", "b"]
        assert attribute(file, "none") is None
        with pytest.raises(InvalidModel, match="its attribute 'many' claims 101 values"):
            attribute(file, "many")


def test_datasets_are_those_of_the_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        kept(file)
        file["group/round"] = file["group"]
        found = datasets(file)
        assert {"plain", "group/inner"} <= set(found)
        assert not {"link", "soft", "group/round/inner"} & set(found)


def test_both_formats() -> None:
    with opened(FOLDER / "residual.keras") as found:
        assert (found.legacy, found.keras3, found.config["class_name"]) == (False, True, "Functional")
    with opened(FOLDER / "residual.h5") as found:
        assert (found.legacy, found.keras3, found.config["class_name"]) == (True, True, "Functional")
    with opened(FOLDER / "keras2_nested.h5") as found:
        assert (found.legacy, found.keras3) == (True, False)


def fails(path: Path) -> str:
    with pytest.raises(InvalidModel) as caught, opened(path):
        pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_files_without_a_model(tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"dense"]
    assert "is HDF5 that holds weights alone, and no description of the layers; save the whole model" in fails(path)
    with h5py.File(path, "w") as file:
        file["data"] = np.zeros(3)
    assert "is HDF5 that holds no Keras model" in fails(path)
    with h5py.File(path, "w") as file:
        file.create_group("node")
    assert "is a spiking network in NIR's format; a float network expected; take it with loihiconv import" in fails(path)
    path = saved(tmp_path, sequential((3,), part("ReLU")))
    path.write_bytes(path.read_bytes()[:900])
    assert "is a damaged Keras file" in fails(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", '{"config": {}}')
    assert "lacks model.weights.h5" in fails(path)


@pytest.mark.parametrize("text", ["nothing", "[" * 100_000, json.dumps([1]), json.dumps({"config": 3})])
def test_descriptions_that_are_none(text: str, tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", text)
        archive.writestr("model.weights.h5", "")
    assert "its description is n" in fails(path)
