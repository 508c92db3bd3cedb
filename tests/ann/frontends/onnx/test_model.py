"""ONNX files all the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.core.errors import InvalidData, InvalidModel
from tests.ann.frontends.onnx.made import made, node, samples, saved, weights

import onnx  # isort: skip  # there, or the module above has skipped this one


def cnn(folder: Path) -> Path:
    nodes = [
        node("Conv", "x w b", "c", pads=[1, 1, 1, 1], name="/conv/Conv"),
        node("Relu", "c", "r", name="/relu/Relu"),
        node("GlobalAveragePool", "r", "p"),
        node("Flatten", "p", "f"),
        node("Gemm", "f v", name="/head/Gemm"),
    ]
    return saved(made(nodes, (2, 6, 6), {"w": weights(8, 2, 3, 3), "b": weights(8), "v": weights(8, 4)}), folder)


def test_a_file_goes_all_the_way(tmp_path: Path) -> None:
    path = cnn(tmp_path)
    checked = lc.check(path, board="kapoho_point")
    assert checked.ok
    assert [layer.name for layer in checked.layers] == ["input", "conv", "head"]
    x = np.abs(samples((2, 6, 6)))
    x = np.concatenate([x * scale for scale in (0.4, 0.7, 1)])
    net = lc.convert(path, x, board="kapoho_point", timesteps=32)
    y = lc.compare(path, net, (x, np.zeros(len(x), int)), ["float"]).backends["ann"]
    assert y.n == len(x)
    assert lc.run(net, x).predictions.shape == (len(x),)
    swept = lc.sweep(str(path), x, (x, np.zeros(len(x), int)), board=None, axes={"timesteps": [4, 8]})
    assert len(swept.rows) == 2


def test_several_inputs_and_outputs_go_all_the_way(tmp_path: Path) -> None:
    nodes = [
        *(node("Flatten", "x", "f"), node("MatMul", "f w", "a", name="one"), node("MatMul", "z v", "b", name="two")),
        *(node("Add", "a b", "s"), node("Relu", "s", "h"), node("MatMul", "h u", "policy", name="head")),
        node("ReduceMean", "h", "value", axes=[1], keepdims=0),
    ]
    model = made(nodes, (1, 2, 3), {"w": weights(6, 8), "v": weights(2, 8), "u": weights(8, 3)}, output="policy")
    model.graph.input.append(onnx.helper.make_tensor_value_info("z", onnx.TensorProto.FLOAT, ["N", 2]))
    model.graph.output.append(onnx.helper.make_tensor_value_info("value", onnx.TensorProto.FLOAT, None))
    path = saved(model, tmp_path)
    checked = lc.check(path, board="kapoho_point")
    assert checked.ok, checked.problems
    assert "2 outputs: policy (3), value (1)" in checked.notes
    x = {"z": np.abs(samples((2,))), "x": np.abs(samples((1, 2, 3)))}
    net = lc.convert(path, x, board="kapoho_point", timesteps=64)
    assert [(p.name, p.sample_shape) for p in net.inputs] == [("x", (1, 2, 3)), ("z", (2,))]
    outputs = lc.run(net, x).outputs
    assert isinstance(outputs, dict)
    assert {name: values.shape for name, values in outputs.items()} == {"policy": (5, 3), "value": (5, 1)}
    judged = lc.compare(path, net, (x, np.zeros(5, int)), ["emulator"], output="policy")
    assert judged.title.endswith(" time steps, output policy")
    assert judged.backends["emulator"].n == 5
    with pytest.raises(InvalidData, match=r"2 inputs; \{'x': \.\.\., 'z': \.\.\.\} expected"):
        lc.check(path, (2,))
    with pytest.raises(InvalidData, match=r"model.bin, input z: samples of shape \(3,\); the file takes \(2\)"):
        lc.convert(path, {"x": x["x"], "z": np.ones((5, 3))}, board=None, timesteps=4)


def test_samples_that_do_not_fit_and_shapes_that_are_not_known(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match=r"samples of shape \(6, 6, 2\); the file takes \(2, 6, 6\)"):
        lc.convert(cnn(tmp_path), np.zeros((3, 6, 6, 2), np.float32), board=None, timesteps=4)
    path = saved(made([node("MatMul", "x w")], ("features",), {"w": weights(6, 3)}), tmp_path)
    with pytest.raises(InvalidData, match=r"model\.bin: the shape of a sample is not known; .*\(--shape\)"):
        lc.check(path)
    assert lc.check(path, (6,)).ok


def test_damaged_files_end_in_a_line(tmp_path: Path) -> None:
    data = cnn(tmp_path).read_bytes()
    rng, path = np.random.default_rng(0), tmp_path / "damaged"
    for trial in range(150):
        damaged = bytearray(data)
        if trial % 3 == 0:
            damaged = damaged[: int(rng.integers(1, len(data)))]
        else:
            places = rng.integers(0, len(data), 3) if trial % 3 == 1 else rng.integers(0, 60, 2)
            for at in places:
                damaged[at] = int(rng.integers(0, 256))
        path.write_bytes(damaged)
        try:
            problems = lc.check(path).problems
        except lc.LoihiconvError as error:
            problems = (str(error),)
        assert all("\n" not in problem for problem in problems)


def test_without_onnx_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = cnn(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(InvalidModel, match=r"onnx is needed for this file; pip install loihiconv\[onnx\]"):
        lc.check(path)
