"""What PyTorch's exporters write is read back as the paths of the layers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import loihiconv as lc
from loihiconv.ann.frontends.onnx.graph import Operation
from loihiconv.ann.frontends.onnx.naming import layer, named_as_layers
from tests.ann.frontends.onnx.test_interpreter import exported


@pytest.mark.parametrize(
    ("name", "kind", "weight", "scopes", "path"),
    [
        ("/features/features.0/Conv", "Conv", "onnx::Conv_45", "", "features.0"),
        ("/layer1/layer1.0/down/down.1/Conv_2", "Conv", "", "", "layer1.0.down.1"),
        ("/layer1.0/conv1/Conv", "Conv", "", "", "layer1.0.conv1"),
        ("/Relu_3", "Relu", "", "", ""),
        ("node_Conv_29", "Conv", "layer1.conv1.weight", "['', 'layer1', 'layer1.bn1', 'native_batch_norm']", "layer1.conv1"),
        ("node_relu_2", "Relu", "", "['', 'layer1', 'relu_2']", "layer1"),
        ("node_relu_2", "Relu", "", "['relu_2']", None),
        ("sequential/dense/MatMul", "MatMul", "sequential/dense/kernel:0", "", None),
        ("/model.0/Mine", "Conv", "", "", None),
        ("", "Conv", "", "", None),
    ],
)
def test_the_layer_of_an_operation(name: str, kind: str, weight: str, scopes: str, path: str | None) -> None:
    assert layer(Operation(name, kind, ("x", weight), ("y",)), scopes) == path


def test_what_a_layer_calls_beside_its_layers_is_named_by_what_it_does() -> None:
    files = ["/block/conv/Conv", "/block/Relu", "/pool/MaxPool", "/act/Mul", "/act/Add", "mine"]
    operations = [Operation(name, name.split("/")[-1], ("x",), (name,)) for name in files]
    named = [operation.name for operation in named_as_layers(operations, {})]
    assert named == ["block.conv", "block.relu", "pool", "act.mul", "act.add", "mine"]


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn = nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.bn(self.conv(x)) + x)


@pytest.mark.parametrize("dynamo", [False, True])
def test_populations_are_called_as_in_the_model(dynamo: bool, tmp_path: Path) -> None:
    model = nn.Sequential(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()), Block(), nn.Flatten(), nn.Linear(32, 3)).eval()
    path = exported(model, (1, 6, 6), tmp_path / "model.onnx", dynamo=dynamo, open_batch=True)
    assert [found.name for found in lc.check(path).layers] == [found.name for found in lc.check(model, (1, 6, 6)).layers]
