"""Files that compute with other numbers than float32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.ann.frontends.onnx.types import computes_in_half, takes_bytes
from loihiconv.core.errors import InvalidData
from tests.ann.frontends.onnx.made import made, node, samples, saved, weights

import onnx  # isort: skip  # there, or the module above has skipped this one

SHAPE = (2, 6, 6)
LAYERS = [node("Conv", "i w", "c"), node("Relu", "c", "r"), node("Flatten", "r", "f"), node("MatMul", "f v", "o")]
CONSTANTS = {"w": weights(4, 2, 3, 3), "v": weights(64, 5)}


def in_bytes() -> onnx.ModelProto:
    nodes = [node("Cast", "x", "s", to=onnx.TensorProto.FLOAT, name="cast"), node("Mul", "s k", "i"), *LAYERS, node("Identity", "o")]
    model = made(nodes, SHAPE, {**CONSTANTS, "k": np.float32(1 / 255)})
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.UINT8
    return model


def in_half(*, all_of_it: bool) -> onnx.ModelProto:
    """Half precision throughout, or between casts, as converters do that leave inputs and outputs as they are."""
    casts = [onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT16 if all_of_it else onnx.TensorProto.FLOAT]
    nodes = [node("Cast", "x", "i", to=casts[0], name="begin"), *LAYERS, node("Cast", "o", to=casts[1], name="end")]
    model = made(nodes, SHAPE, {name: values.astype(np.float16) for name, values in CONSTANTS.items()})
    if all_of_it:
        for entry in (*model.graph.input, *model.graph.output):
            entry.type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    return model


@pytest.mark.parametrize("all_of_it", [True, False])
def test_half_precision_is_held_to_its_own_rounding(all_of_it: bool, tmp_path: Path) -> None:
    path = saved(in_half(all_of_it=all_of_it), tmp_path)
    assert lc.check(path, board="kapoho_point").ok
    assert lc.convert(
        path, np.abs(np.concatenate([samples(SHAPE, seed) for seed in range(8)])), board="kapoho_point", timesteps=8
    ).populations


def test_files_of_bytes_take_bytes(tmp_path: Path) -> None:
    path = saved(in_bytes(), tmp_path)
    assert lc.check(path, board="kapoho_point").ok
    x = np.random.default_rng(0).integers(0, 256, (20, *SHAPE)).astype(np.uint8)
    net = lc.convert(path, x, board="kapoho_point", timesteps=32)
    assert lc.compare(path, net, (x, np.zeros(len(x), int))).backends["emulator"].agreement >= 0.8
    for wrong in (x / 255, x - 3.0, x + 3.0):
        with pytest.raises(InvalidData, match=r"samples that are no bytes; .* give the bytes as they are"):
            lc.convert(path, wrong.astype(np.float32), board="kapoho_point", timesteps=8)


def test_files_say_what_they_compute_with() -> None:
    plain = made(LAYERS, SHAPE, CONSTANTS)
    assert [takes_bytes(model) for model in (plain, in_bytes(), in_half(all_of_it=True))] == [False, True, False]
    assert [computes_in_half(m) for m in (plain, in_bytes(), in_half(all_of_it=True), in_half(all_of_it=False))] == [
        False,
        False,
        True,
        True,
    ]
