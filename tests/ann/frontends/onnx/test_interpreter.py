"""A graph as a module: names, constants, and whole networks from both of PyTorch's exporters."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from loihiconv.ann.frontends.onnx.interpreter import Interpreter
from loihiconv.ann.frontends.onnx.model import OnnxModel
from loihiconv.ann.frontends.onnx.reading import read_file
from tests.ann.frontends.onnx.made import made, node, read_alike, saved, weights


def interpreter(model: Any, folder: Path) -> Interpreter:
    return Interpreter(read_file(saved(model, folder))[0], lambda batch: {})


def test_constants_are_folded_once(tmp_path: Path) -> None:
    nodes = [node("Transpose", "w", "t", perm=[1, 0]), node("Neg", "t", "n"), node("MatMul", "x n")]
    module = interpreter(made(nodes, (6,), {"w": weights(3, 6)}), tmp_path)
    assert [name for name, _ in module.named_children()] == ["the_matmul"]
    x = torch.rand(2, 6)
    torch.testing.assert_close(module(x), x @ -torch.from_numpy(weights(3, 6)).T)


@pytest.mark.parametrize("name", ["/features/features.0/Conv", "a", "a.", "..", "forward", "training", "a.forward.b", "x;y:0"])
def test_names_are_kept(name: str, tmp_path: Path) -> None:
    nodes = [node("MatMul", "x w", "h", name=name), node("Relu", "h", "r", name=f"{name}.inner"), node("MatMul", "r v", name="a.b")]
    opened = OnnxModel(saved(made(nodes, (6,), {"w": weights(6, 3), "v": weights(3, 2)}), tmp_path))
    first, second, third = (n.name for n in opened.ann((6,)) if n.name != "input")
    assert first.startswith(name.replace("forward", "forward_").replace("training", "training_").strip(".") or "_")
    assert second.endswith("inner")
    assert third == "a.b"


def exported(model: nn.Module, shape: tuple[int, ...], path: Path, *, dynamo: bool, open_batch: bool) -> Path:
    example = torch.zeros(2 if open_batch else 1, *shape)
    options: dict[str, Any] = {"external_data": False, "verbose": False} if dynamo else {}
    if open_batch:
        options |= {"dynamic_shapes": ({0: torch.export.Dim("N")},)} if dynamo else {"dynamic_axes": {"x": {0: "N"}}, "input_names": ["x"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            torch.onnx.export(model.eval(), (example,), str(path), dynamo=dynamo, **options)
        finally:
            logging.disable(logging.NOTSET)
    return path


class Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.norm(self.conv(x)) + x)


LAYERS = {
    "conv": lambda c: nn.Sequential(nn.Conv2d(c, 4, 3, padding=1), nn.ReLU()),
    "strided": lambda c: nn.Sequential(nn.Conv2d(c, 4, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU()),
    "depthwise": lambda c: nn.Sequential(nn.Conv2d(c, c, 3, padding=1, groups=c), nn.ReLU(), nn.Conv2d(c, 4, 1)),
    "residual": lambda c: nn.Sequential(nn.Conv2d(c, 4, 1), Residual(4)),
    "max": lambda c: nn.Sequential(nn.Conv2d(c, 4, 1), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)),
    "average": lambda c: nn.Sequential(nn.Conv2d(c, 4, 1), nn.ReLU(), nn.AvgPool2d(2, 1)),
    "dropout": lambda c: nn.Sequential(nn.Conv2d(c, 4, 2, padding="same"), nn.Dropout(), nn.ReLU6()),
    "padded": lambda c: nn.Sequential(nn.ZeroPad2d((1, 0, 2, 1)), nn.Conv2d(c, 4, 3), nn.Hardtanh(0, 1)),
    "up": lambda c: nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(c, 4, 3, stride=2)),
}
HEADS = {
    "flat": lambda: nn.Sequential(nn.Flatten(), nn.LazyLinear(5)),
    "pooled": lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(5), nn.Softmax(1)),
}


def network(body: list[str], head: str, size: int, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    channels = [2, *(4 for _ in body)]
    model = nn.Sequential(*(LAYERS[kind](c) for kind, c in zip(body, channels, strict=False)), HEADS[head]())
    model.eval()(torch.zeros(1, 2, size, size))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    return model


BODIES = st.lists(st.sampled_from(sorted(LAYERS)), min_size=1, max_size=3)


def assert_exported_is_read(model: nn.Module, size: int, path: Path, *, dynamo: bool, open_batch: bool) -> None:
    shape = (2, size, size)
    opened = OnnxModel(exported(model, shape, path, dynamo=dynamo, open_batch=open_batch))
    assert opened.sample_shape == shape
    x = np.random.default_rng(0).uniform(-1, 1, (5, *shape)).astype(np.float32)
    with torch.no_grad():
        expected = model(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(opened.outputs(x), expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(opened._reader.outputs(x), expected, rtol=1e-3, atol=1e-4)
    read_alike(opened, x, expected)


@given(BODIES, st.sampled_from(sorted(HEADS)), st.sampled_from([7, 8]), st.booleans(), st.integers(0, 2**16))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_the_older_exporter_writes(tmp_path: Path, body: list[str], head: str, size: int, open_batch: bool, seed: int) -> None:
    model = network(body, head, size, seed)
    assert_exported_is_read(model, size, tmp_path / "model", dynamo=False, open_batch=open_batch)


@pytest.mark.slow
@given(BODIES, st.sampled_from(sorted(HEADS)), st.sampled_from([7, 8]), st.booleans(), st.integers(0, 2**16))
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_the_newer_exporter_writes(tmp_path: Path, body: list[str], head: str, size: int, open_batch: bool, seed: int) -> None:
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    model = network(body, head, size, seed)
    assert_exported_is_read(model, size, tmp_path / "model", dynamo=True, open_batch=open_batch)


def test_the_newer_exporter_once(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    model = network(["strided", "residual"], "pooled", 8, 0)
    assert_exported_is_read(model, 8, tmp_path / "model", dynamo=True, open_batch=True)
