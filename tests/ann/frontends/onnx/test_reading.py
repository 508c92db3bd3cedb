"""ONNX files of all kinds, and those that are not what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from packaging import version

from loihiconv.ann.frontends.onnx.reading import OPSETS, read_file
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from tests.ann.frontends.onnx.made import OnnxModel, carried_out, made, node, saved, weights

import onnxruntime  # isort: skip
import onnx  # isort: skip  # there, or the module above has skipped this one
from onnx import TensorProto, helper, numpy_helper  # isort: skip


def mlp() -> onnx.ModelProto:
    return made([node("MatMul", "x w", "h", name="first"), node("Relu", "h")], (6,), {"w": weights(6, 3)})


def test_names_sizes_and_dead_parts(tmp_path: Path) -> None:
    nodes = [
        node("MatMul", "x w", "h", name=""),
        node("Relu", "h", "r", name="twice"),
        node("Relu", "h", "s", name="twice"),
        node("Add", "r s"),
        node("Tanh", "h", "unused"),
    ]
    graph, _ = read_file(saved(made(nodes, (6,), {"w": weights(6, 3)}), tmp_path))
    assert [operation.name for operation in graph.operations] == ["h", "twice", "twice_1", "the_add"]
    assert graph.sample_shapes == ((6,),)
    assert all(operation.batch is None for operation in graph.operations)
    graph, _ = read_file(saved(made(nodes, ("features",), {"w": weights(6, 3)}, batch=4), tmp_path))
    assert (graph.sample_shapes, graph.samples) == (None, ((None,),))
    assert all(operation.batch == 4 for operation in graph.operations)


LAST = 25 if version.parse(onnxruntime.__version__) >= version.parse("1.24") else 23  # that this onnxruntime knows


@pytest.mark.parametrize("opset", range(OPSETS[0], LAST + 1))
def test_every_opset_says_the_same_in_its_own_way(opset: int, tmp_path: Path) -> None:
    """Operators whose attributes have become inputs, or whose defaults have changed, from one version to the next."""
    vectors = {"p": [0, 0, 1, 0, 0, 0, 0, 1], "from": [1], "to": [100], "along": [2], "two": [2, 1], "last": [3], "axes": [2, 3]}
    constants = {name: np.array(values) for name, values in vectors.items()} | {name: weights(2) for name in ("gamma", "beta", "mean")}
    constants |= {
        "var": np.ones(2, np.float32),
        "w": weights(2, 3),
        "low": np.float32(-0.5),
        "high": np.float32(0.7),
        "slope": weights(2, 1, 1),
    }
    nodes = [
        node("Pad", "x p", "a") if opset >= 11 else node("Pad", "x", "a", pads=vectors["p"]),
        node("Slice", "a from to along", "b") if opset >= 10 else node("Slice", "a", "b", starts=[1], ends=[100], axes=[2]),
        node("BatchNormalization", "b gamma beta mean var", "c", **({"training_mode": 0} if opset >= 14 else {})),
        node("Split", "c two", "d e", axis=2) if opset >= 13 else node("Split", "c", "d e", axis=2, split=[2, 1]),
        node("Concat", "e d", "f", axis=2 if opset < 11 else -2),
        node("Clip", "f low high", "g") if opset >= 11 else node("Clip", "f", "g", min=-0.5, max=float(np.float32(0.7))),
        node("PRelu", "g slope", "h"),
        node("Unsqueeze", "h along", "i") if opset >= 13 else node("Unsqueeze", "h", "i", axes=[2]),
        node("Squeeze", "i along", "j") if opset >= 13 else node("Squeeze", "i", "j", axes=[2]),
        node("ReduceSum", "j last", "k", keepdims=1) if opset >= 13 else node("ReduceSum", "j", "k", axes=[3], keepdims=1),
        node("Add", "j k", "l"),
        node("ReduceMean", "l axes", "m", keepdims=0) if opset >= 18 else node("ReduceMean", "l", "m", axes=[2, 3], keepdims=0),
        node("Dropout", "m", "n", **({"ratio": 0.5} if opset < 12 else {})),
        node("Gemm", "n w" if opset >= 11 else "n w none", "o"),
        node("Softmax", "o"),
    ]
    model = made(nodes, (2, 3, 4), constants | {"none": np.zeros(3, np.float32)}, opset=opset)
    carried_out(model, (2, 3, 4), tmp_path)
    assert not OnnxModel(saved(model, tmp_path)).problems((2, 3, 4))


def test_several_inputs_and_outputs_are_named(tmp_path: Path) -> None:
    model = mlp()
    model.graph.output.append(helper.make_tensor_value_info("h", TensorProto.FLOAT, None))
    model.graph.input.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, ["N", 1, 2]))
    graph, _ = read_file(saved(model, tmp_path))
    assert (graph.inputs, graph.outputs, graph.sample_shapes) == (("x", "other"), ("y", "h"), ((6,), (1, 2)))


@pytest.mark.parametrize(("field", "message"), [("input", "takes no input"), ("output", "returns nothing")])
def test_graphs_without_ends_are_refused(field: str, message: str, tmp_path: Path) -> None:
    model = mlp()
    del getattr(model.graph, field)[:]
    with pytest.raises(InvalidModel, match=message):
        read_file(saved(model, tmp_path))


def test_constants_that_stand_among_the_inputs_are_none(tmp_path: Path) -> None:
    model = mlp()
    model.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [6, 3]))
    carried_out(model, (6,), tmp_path)


@pytest.mark.parametrize("opset", [6, 26, 999])
def test_other_opsets_are_refused(opset: int, tmp_path: Path) -> None:
    model = mlp()
    model.opset_import[0].version = opset
    with pytest.raises(InvalidModel, match=rf"is of opset {opset}; opsets 7 to 25 are read; .*version_converter"):
        read_file(saved(model, tmp_path))


@pytest.mark.parametrize("opset", [7, 9, 13, 18, 22, 23])
def test_the_others_are_read(opset: int, tmp_path: Path) -> None:
    nodes = [node("Gemm", "x w b", "h"), node("Relu", "h", "r"), node("Flatten", "r", "f"), node("Identity", "f")]
    carried_out(made(nodes, (6,), {"w": weights(6, 3), "b": weights(3)}, opset=opset), (6,), tmp_path)


def test_functions_of_the_model_are_put_in_place(tmp_path: Path) -> None:
    body = [helper.make_node("MatMul", ["a", "b"], ["c"], name="inner"), helper.make_node("Relu", ["c"], ["d"])]
    function = helper.make_function("own", "Layer", ["a", "b"], ["d"], body, [helper.make_opsetid("", 17)])
    model = made([node("Layer", "x w", domain="own")], (6,), {"w": weights(6, 3)}, domains=["own"])
    model.functions.append(function)
    carried_out(model, (6,), tmp_path)


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16])
def test_other_floats_become_float32(kind: int, tmp_path: Path) -> None:
    tensor = helper.make_tensor("w", kind, [6, 3], weights(6, 3).ravel().tolist())
    model = mlp()
    model.graph.initializer[0].CopyFrom(tensor)
    graph, _ = read_file(saved(model, tmp_path))
    assert graph.constants["w"].dtype == np.float32
    np.testing.assert_allclose(graph.constants["w"], weights(6, 3), rtol=1e-2)


# --- values in other files


def outside(location: str) -> onnx.ModelProto:
    model = mlp()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.append(onnx.StringStringEntryProto(key="location", value=location))
    return model


def test_values_in_the_models_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "values").write_bytes(weights(6, 3).tobytes())
    carried_out(outside("values"), (6,), tmp_path)


@pytest.mark.parametrize("location", ["../values", "/etc/passwd", "", "sub/../../values", "link"])
def test_values_from_elsewhere_are_not(location: str, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "values").write_bytes(weights(6, 3).tobytes())
    (inner / "link").symlink_to(tmp_path / "values")
    with pytest.raises(InvalidModel, match=r"keeps values in .*; only files in the model's own folder are read"):
        read_file(saved(outside(location), inner))


def test_missing_and_short_files_are_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match="keeps values in 'gone', which is not there; copy that file too"):
        read_file(saved(outside("gone"), tmp_path))
    (tmp_path / "short").write_bytes(b"1234")
    with pytest.raises(InvalidModel, match=r"a tensor of shape \(6, 3\) cannot be read"):
        read_file(saved(outside("short"), tmp_path))


# --- files that are wrong


def test_absurd_and_wrong_sizes_are_said(tmp_path: Path) -> None:
    model = mlp()
    model.graph.initializer[0].dims[:] = [2**40, 2**20]
    with pytest.raises(InvalidModel, match="cannot be read"):
        read_file(saved(model, tmp_path))


def test_what_makes_no_network_is_said(tmp_path: Path) -> None:
    constant = made([node("Identity", "w")], (6,), {"w": weights(6, 3)})
    with pytest.raises(InvalidModel, match="the result does not depend on the input"):
        read_file(saved(constant, tmp_path))
    flat = made([node("Relu", "x")], ())
    with pytest.raises(UnsupportedLayer, match="the input has 1 axes; a batch axis and the axes of a sample expected"):
        read_file(saved(flat, tmp_path))
    strings = made([node("Constant", "", "c", value_string=b"text"), node("Relu", "x")], (6,))
    assert read_file(saved(strings, tmp_path))[0].constants.keys() == {"c"}
    empty = made([node("Constant", "", "c"), node("Add", "x c")], (6,))
    with pytest.raises(InvalidModel, match="a Constant without a dense value"):
        read_file(saved(empty, tmp_path))


def test_sparse_tensors_are_refused(tmp_path: Path) -> None:
    model = mlp()
    values = numpy_helper.from_array(np.ones(1, np.float32), "s")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, numpy_helper.from_array(np.array([0])), [2]))
    with pytest.raises(InvalidModel, match="holds sparse tensors"):
        read_file(saved(model, tmp_path))
