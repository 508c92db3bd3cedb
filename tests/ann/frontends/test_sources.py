"""One place to add a kind of model: what is registered goes all the way; what is not is refused in one line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.ann.frontends import FloatModel, FrontEnd, readable, register, unregister
from loihiconv.ann.frontends.loading import load_factory, load_weights
from loihiconv.ann.graph import Ann, Input, Linear, Relu
from loihiconv.core.errors import InvalidModel, InvalidSetting, UnsupportedLayer
from loihiconv.core.linear import Array, Dense, Shape


@dataclass(frozen=True, eq=False)
class Perceptron:
    """A made-up kind of model: two matrices."""

    first: Array
    last: Array
    cap: float = np.inf


class PerceptronModel(FloatModel):
    """Its front end."""

    def __init__(self, source: Perceptron) -> None:
        self.name, self.source = "perceptron", source

    def ann(self, shape: Shape) -> Ann:
        if self.source.cap < 0:
            raise UnsupportedLayer("a negative cap", where="relu")
        nodes = (
            Input("input", shape=shape),
            Linear("first", ("input",), Dense(self.source.first)),
            Relu("relu", ("first",)),
            Linear("last", ("relu",), Dense(self.source.last)),
        )
        return Ann(nodes)

    def outputs(self, x: Array) -> Array:
        return np.clip(x @ self.source.first.T, 0, self.source.cap) @ self.source.last.T


class Deeper(Perceptron):
    """A subclass."""


NAME = f"{Perceptron.__module__}.{Perceptron.__qualname__}"


@pytest.fixture(autouse=True)
def front_end() -> Iterator[None]:
    register(FrontEnd(NAME, "a Perceptron", PerceptronModel))
    yield
    unregister(NAME)


def perceptron(kind: type[Perceptron] = Perceptron, cap: float = np.inf) -> Perceptron:
    rng = np.random.default_rng(0)
    return kind(rng.normal(size=(12, 6)).astype(np.float32), rng.normal(size=(3, 12)).astype(np.float32), cap)


def samples(n: int = 40) -> Array:
    return np.random.default_rng(1).random((n, 6), np.float32)


@pytest.mark.parametrize("kind", [Perceptron, Deeper])
def test_a_registered_kind_goes_all_the_way(kind: type[Perceptron]) -> None:
    model, x = perceptron(kind), samples()
    y = PerceptronModel(model).outputs(x).argmax(axis=1)
    checked = lc.check(model, (6,), "kapoho_point")
    assert checked.ok
    assert [layer.neurons for layer in checked.layers] == [6, 12, 3]
    net = lc.convert(model, x, board="kapoho_point", timesteps=32)
    comparison = lc.compare(model, net, (x, y), explain=True)
    assert comparison.backends["ann"].accuracy == 1
    assert comparison.backends["emulator"].accuracy > 0.8
    assert comparison.analysis is not None
    assert comparison.analysis.workloads["ann"].footprint == 4 * (12 * 6 + 3 * 12)
    swept = lc.sweep(model, x, (x, y), board="kapoho_point", axes={"timesteps": [4, 32]})
    assert [row.outcome.value for row in swept.rows if row.outcome][1] == comparison.backends["emulator"].accuracy


def test_what_it_cannot_read_is_a_problem() -> None:
    assert lc.check(perceptron(cap=-1), (6,)).problems == ("relu: a negative cap",)


def test_what_it_reads_is_held_against_the_source() -> None:
    with pytest.raises(InvalidModel, match=r"perceptron: the model's outputs differ by up to"):
        lc.convert(perceptron(cap=0.1), samples(), board=None, timesteps=4)


def test_a_front_end_is_registered_once() -> None:
    with pytest.raises(InvalidSetting, match=r"there is a front end for .*Perceptron already"):
        register(FrontEnd(NAME, "a Perceptron", PerceptronModel))


def test_a_readable_model_is_read_as_it_is() -> None:
    model = readable(perceptron())
    assert readable(model) is model


REFUSED = {
    "lenet.onnx": "lenet.onnx: no such file",
    "nets:lenet": "model: 'nets:lenet' names a factory, no file; an nn.Module, .* or a Perceptron expected",
    Path("lenet.pt"): "lenet.pt: no such file",
    nn.Linear: r"model: Linear is a class, no network; .*give an instance: Linear\(...\)",
    3: "model: a int is no network that can be read; .*register a front end",
    len: "model: a builtin_function_or_method is no network .*give the network that it returns",
}


@pytest.mark.parametrize("source", REFUSED)
def test_unknown_kinds_are_refused_in_one_line(source: object) -> None:
    net = lc.convert(perceptron(), samples(), board=None, timesteps=4)
    calls = (
        lambda: lc.convert(source, samples(), board=None, timesteps=4),
        lambda: lc.check(source, (6,)),
        lambda: lc.compare(source, net, (samples(), np.zeros(40, int)), ["float"]),
        lambda: lc.sweep(source, samples(), (samples(), np.zeros(40, int)), board=None, axes={"timesteps": [4]}),
    )
    for call in calls:
        with pytest.raises(InvalidModel, match=REFUSED[source]) as caught:  # type: ignore[index]
            call()
        assert "\n" not in str(caught.value)


def test_weights_alone_are_no_network() -> None:
    with pytest.raises(InvalidModel, match=r"a OrderedDict is no network that can be read; .*load_state_dict"):
        lc.check(nn.Linear(2, 2).state_dict(), (2,))


def test_a_factory_may_return_any_kind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, "percept", sys.modules[__name__])
    model = load_factory("percept:perceptron")
    assert isinstance(model, Perceptron)
    path = tmp_path / "weights.pt"
    torch.save({}, path)
    with pytest.raises(InvalidModel, match=r"weights for a Perceptron; only an nn\.Module"):
        load_weights(model, path)


def test_torch_is_imported_with_the_first_module_alone() -> None:
    program = (
        "import sys\nfrom loihiconv.ann.frontends import readable\n"
        "try: readable(3)\nexcept Exception as error: assert 'nn.Module' in str(error)\n"
        "assert 'torch' not in sys.modules\nfrom torch import nn\nassert readable(nn.ReLU()).name == 'ReLU'"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(lc.__file__).parents[1])
