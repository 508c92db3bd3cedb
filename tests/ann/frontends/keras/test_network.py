"""Descriptions of models, as Keras 1 to 3 write them, and those that contradict themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loihiconv.ann.frontends.keras.network import read_file
from loihiconv.core.errors import InvalidModel, LoihiconvError, UnsupportedLayer
from tests.ann.frontends.keras.files import FOLDER
from tests.ann.frontends.keras.made import agreed, functional, part, saved, sequential, weights


def names(name: str) -> list[str]:
    return [layer.name for layer in read_file(FOLDER / name).layers]


def test_models_within_and_shared_layers_have_names_of_their_own() -> None:
    expected = ["input", "block.conv2d", "block.batch_normalization", "block.re_lu", "shared", "subtract", "shared_1"]
    assert names("nested.keras")[:7] == names("nested.h5")[:7] == expected
    assert names("keras2_nested.h5") == ["input", *expected[1:4], "shared", "shared_1", "concatenate", "flatten", "dense"]


def test_a_list_of_layers_is_a_sequential_model(tmp_path: Path) -> None:
    model = sequential((3,), part("Dense", "a"), part("ReLU"))
    model["config"] = model["config"]["layers"]
    agreed(tmp_path, model, {"a": {"kernel": weights(3, 2), "bias": weights(2)}})


def test_branches(tmp_path: Path) -> None:
    parts = (part("ReLU", "r", ["x"]), part("Add", "sum", ["r", "x"]), part("Flatten", "f", ["sum"]), part("ReLU", "unused", ["x"]))
    agreed(tmp_path, functional((4, 4, 2), *parts, output="f"))


def fails(folder: Path, model: dict[str, Any], kind: type[LoihiconvError]) -> str:
    with pytest.raises(kind) as caught:
        read_file(saved(folder, model))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_several_inputs_and_outputs(tmp_path: Path) -> None:
    model = functional((3,), part("ReLU", "a", ["x"]), output="a")
    model["config"]["output_layers"].append(["x", 0, 0])
    assert "returns 2 results (a, x); a spiking network here has one" in fails(tmp_path, model, UnsupportedLayer)
    model["config"]["input_layers"].append(["y", 0, 0])
    assert "takes 2 inputs (x, y)" in fails(tmp_path, model, UnsupportedLayer)


def test_classes_of_ones_own_are_refused(tmp_path: Path) -> None:
    model = {**sequential((3,), part("ReLU")), "class_name": "MyModel"}
    assert "MyModel is a class of its own, whose code the file does not hold" in fails(tmp_path, model, UnsupportedLayer)


def test_contradictions(tmp_path: Path) -> None:
    circle = functional((3,), part("Add", "a", ["x", "b"]), part("ReLU", "b", ["a"]), output="b")
    assert "layer 'a' takes what no layer gives" in fails(tmp_path, circle, InvalidModel)
    nowhere = functional((3,), part("ReLU", "a", ["x"]), output="z")
    assert "its output 'z' is none of its layers" in fails(tmp_path, nowhere, InvalidModel)
    twice = functional((3,), part("ReLU", "a", ["x"]), part("ReLU", "a", ["x"]), output="a")
    assert "two layers have the same name" in fails(tmp_path, twice, InvalidModel)
    empty = {**sequential((3,), part("ReLU")), "config": {"layers": []}}
    assert "has no layers" in fails(tmp_path, empty, InvalidModel)
    shapeless = {"class_name": "Sequential", "config": {"layers": [part("ReLU")]}}
    assert "does not say what shape its input has" in fails(tmp_path, shapeless, InvalidModel)


def test_open_axes(tmp_path: Path) -> None:
    network = read_file(saved(tmp_path, sequential((None, None, 3), part("ReLU"))))
    assert (network.sample, network.sample_shape) == ((None, None, 3), None)
