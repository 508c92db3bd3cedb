"""Descriptions of models, as Keras 1 to 3 write them, and those that contradict themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loihiconv.ann.evaluator import forward
from loihiconv.ann.frontends.keras.model import KerasModel
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
    second = {**part("InputLayer", "y"), "config": {"name": "y", "batch_shape": [None, 5, 2]}}
    model["config"]["layers"].append(second)
    model["config"]["input_layers"].append(["y", 0, 0])
    model["config"]["output_layers"].append(["x", 0, 0])
    network = read_file(saved(tmp_path, model))
    assert (network.inputs, network.outputs, network.sample_shapes) == (("x", "y"), {"a": "a", "x": "x"}, ((3,), (5, 2)))
    model["config"]["output_layers"] = {"policy": ["a", 0, 0], "same": ["a", 0, 0]}
    assert read_file(saved(tmp_path, model)).outputs == {"policy": "a", "same": "a"}


def test_models_of_several_inputs_and_results_within_others(tmp_path: Path) -> None:
    inner = functional((3,), part("Add", "sum", ["x", "y"]), part("ReLU", "r", ["sum"]), output="r")
    inner["config"]["layers"].append({**part("InputLayer", "y"), "config": {"name": "y", "batch_shape": [None, 3]}})
    inner["config"] |= {"name": "inner", "input_layers": [["x", 0, 0], ["y", 0, 0]], "output_layers": [["r", 0, 0], ["sum", 0, 0]]}
    within = {**inner, "name": "inner", "inbound_nodes": [[["x", 0, 0, {}], ["z", 0, 0, {}]]]}
    outer = functional((3,), within, part("ReLU", "end"), output="end")
    outer["config"]["layers"][-1]["inbound_nodes"] = [[["inner", 0, 1, {}]]]
    outer["config"]["layers"].insert(0, {**part("InputLayer", "z"), "config": {"name": "z", "batch_shape": [None, 3]}})
    outer["config"]["input_layers"].append(["z", 0, 0])
    outer["config"]["output_layers"].append(["inner", 0, 0])
    opened = KerasModel(saved(tmp_path, outer))
    assert opened.sample_shape == (6,)
    x = np.random.default_rng(0).uniform(-1, 1, (4, 6)).astype(np.float32)
    total = np.maximum(x[:, :3] + x[:, 3:], 0)
    np.testing.assert_allclose(opened.outputs(x), np.concatenate([total, total], axis=1), rtol=1e-6)
    ann = opened.ann((6,))
    assert [part.name for part in ann.parts] == ["end", "inner"]
    np.testing.assert_allclose(forward(ann, x)[0].numpy(), opened.outputs(x), rtol=1e-6)


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
    assert (network.samples, network.sample_shapes) == (((None, None, 3),), None)
