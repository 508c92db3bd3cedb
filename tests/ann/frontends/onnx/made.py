"""ONNX files made by hand, and what is expected of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

import onnx
from onnx import TensorProto, helper, numpy_helper

from loihiconv.ann.evaluator import forward, outputs_of
from loihiconv.ann.frontends.onnx.model import OnnxModel
from loihiconv.core.errors import LoihiconvError, UnsupportedLayer
from loihiconv.core.linear import Array, Shape

N = 5
"""Samples that outputs are compared on."""


def node(kind: str, inputs: str, output: str = "y", **attributes: Any) -> onnx.NodeProto:
    """A node; names of inputs and outputs are separated by spaces, and "-" leaves one out."""
    names = [[name.replace("-", "") for name in text.split()] for text in (inputs, output)]
    domain = attributes.pop("domain", "")
    return helper.make_node(kind, *names, name=attributes.pop("name", f"the_{kind.lower()}"), domain=domain, **attributes)


def made(
    nodes: Sequence[onnx.NodeProto],
    shape: Sequence[int | str],
    constants: Mapping[str, Any] | None = None,
    *,
    batch: int | str = "N",
    opset: int = 17,
    output: str = "y",
    domains: Sequence[str] = (),
) -> onnx.ModelProto:
    """A model with input x of (batch, \\*shape)."""
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()]
    entry = helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, *shape])
    graph = helper.make_graph(list(nodes), "graph", [entry], [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)], tensors)
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8 if opset < 21 else 10)


def saved(model: onnx.ModelProto, folder: Path) -> Path:
    """The model in a file, whose name tells nothing."""
    path = folder / "model.bin"
    path.write_bytes(model.SerializeToString())
    return path


def samples(shape: Sequence[int | str], seed: int = 0) -> Array:
    """Samples from -1 to 1; an open axis is 8 long."""
    sizes = [n if isinstance(n, int) else 8 for n in shape]
    return np.random.default_rng(seed).uniform(-1, 1, (N, *sizes)).astype(np.float32)


def weights(*shape: int, seed: int = 1) -> Array:
    """Random weights."""
    return np.asarray(np.random.default_rng(seed).normal(0, 0.5, shape), np.float32)


def carried_out(model: onnx.ModelProto, shape: Sequence[int | str], folder: Path, x: Array | None = None) -> Array:
    """What onnxruntime computes, once the operators here have computed the same, and the network read from them if there is one."""
    opened = OnnxModel(saved(model, folder))
    x = samples(shape) if x is None else x
    expected = opened.outputs(x)
    np.testing.assert_allclose(opened._reader.outputs(x), expected, rtol=1e-4, atol=1e-5)
    read_alike(opened, x, expected)
    return expected


def read_alike(opened: OnnxModel, x: Array, expected: Array) -> bool:
    """Whether a network can be read, after it has computed what is expected; else there is a reason."""
    sizes: Shape = tuple(x.shape[1:])
    try:
        ann = opened.ann(sizes)
    except LoihiconvError:
        assert opened.problems(sizes)
        return False
    read = outputs_of(ann, forward(ann, x)[0]).numpy()
    np.testing.assert_allclose(read, expected, rtol=1e-3, atol=1e-4)
    return True


def refusal(model: onnx.ModelProto, shape: Sequence[int | str], folder: Path) -> str:
    """The reason for which a model is refused, as it can be converted no further."""
    sizes = tuple(n if isinstance(n, int) else 8 for n in shape)
    with pytest.raises((UnsupportedLayer, LoihiconvError)) as caught:
        OnnxModel(saved(model, folder)).ann(sizes)
    assert "\n" not in str(caught.value)
    return str(caught.value)
