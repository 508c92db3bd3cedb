"""Which of several results are a model's outputs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import loihiconv as lc
from loihiconv.ann.evaluator import forward
from loihiconv.ann.frontends import readable
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from loihiconv.core.parts import OutputPart
from tests.ann.frontends.nets import Net


class Named(NamedTuple):
    scores: Tensor
    features: Tensor


@dataclass
class Output:
    logits: Tensor | None = None
    hidden: Any = None


class Ordered(OrderedDict[str, Any]):
    """As outputs of transformers are."""


def net(function: Callable[[Any, Tensor, Tensor], Any]) -> Net:
    model = Net(lambda m, x: function(m, m.a(x), m.b(m.a(x).relu())), a=nn.Linear(4, 3), b=nn.Linear(3, 2))
    model.register_buffer("constant", torch.ones(2))
    return model


# Always b is taken; and what the note says.
TAKEN: dict[str, tuple[Callable[[Any, Tensor, Tensor], Any], str]] = {
    "one in a tuple": (lambda m, a, b: (b,), ""),
    "one in a dict": (lambda m, a, b: {"anything": b}, ""),
    "one in a list of lists": (lambda m, a, b: [[b], []], ""),
    "one beside constants": (lambda m, a, b: {"y": b, "c": m.constant, "n": 3, "none": None}, "y is taken as the output; c left out"),
    "one beside classes": (lambda m, a, b: (b, b.argmax(1)), "0 is taken as the output; 1 left out"),
    "logits": (lambda m, a, b: {"hidden": a, "logits": b}, "logits is taken as the output; hidden left out"),
    "named tuple": (lambda m, a, b: Named(b, a), "scores is taken as the output; features left out"),
    "dataclass": (lambda m, a, b: Output(b, (a, a)), "logits is taken as the output; hidden.0, hidden.1 left out"),
    "dataclass with one": (lambda m, a, b: Output(hidden=b), ""),
    "ordered": (lambda m, a, b: Ordered(last_hidden_state=b, pooled=a), "last_hidden_state is taken as the output; pooled left out"),
    "nested": (lambda m, a, b: {"outputs": {"y": b}, "aux": [a]}, "outputs.y is taken as the output; aux.0 left out"),
    "several results of one operation": (lambda m, a, b: b.unsqueeze(1).max(1), "0 is taken as the output; 1 left out"),
}


@pytest.mark.parametrize("case", TAKEN)
def test_one_result_is_taken(case: str) -> None:
    function, note = TAKEN[case]
    model, plain = net(function), net(lambda m, a, b: b)
    plain.load_state_dict(model.state_dict())
    x = np.random.default_rng(0).random((5, 4), np.float32)
    read = readable(model)
    np.testing.assert_array_equal(read.outputs(x), readable(plain).outputs(x))
    assert read.ann((4,)).shapes[read.ann((4,)).output.name] == (2,)
    assert read.notes == ((f"of what forward() returns, {note}",) if note else ())


def test_the_note_goes_with_the_network() -> None:
    model = net(lambda m, a, b: {"logits": b, "features": a})
    note = "of what forward() returns, logits is taken as the output; features left out"
    assert note in lc.check(model, (4,)).notes
    assert note in lc.convert(model, np.random.default_rng(0).random((5, 4), np.float32), board=None, timesteps=4).record.notes


# The outputs a and b, and what they are called.
SEVERAL: dict[str, tuple[Callable[[Any, Tensor, Tensor], Any], tuple[str, str]]] = {
    "tuple": (lambda m, a, b: (a, b), ("0", "1")),
    "dict": (lambda m, a, b: {"boxes": a, "classes": b, "count": a.argmax(1)}, ("boxes", "classes")),
    "list of dicts": (lambda m, a, b: [{"out": a}, {"out": b}], ("0.out", "1.out")),
    "a usual name and another": (lambda m, a, b: {"value": a, "logits": b}, ("value", "logits")),
    "two usual names": (lambda m, a, b: {"out": a, "logits": b}, ("out", "logits")),
    "alike once they are written": (lambda m, a, b: {"a.b": a, "a": {"b": b}}, ("a.b_0", "a.b_1")),
}


@pytest.mark.parametrize("case", SEVERAL)
def test_all_others_are_outputs(case: str) -> None:
    function, names = SEVERAL[case]
    model = net(function)
    x = np.random.default_rng(0).random((5, 4), np.float32)
    read, ann = readable(model), read_torch(model, (4,))
    assert ann.parts == (OutputPart(names[0], (3,)), OutputPart(names[1], (2,)))
    assert f"2 outputs: {names[0]} (3), {names[1]} (2)" in ann.notes
    a = model.a(torch.from_numpy(x))
    np.testing.assert_array_equal(read.outputs(x), torch.cat([a, model.b(a.relu())], 1).detach().numpy())
    np.testing.assert_allclose(forward(ann, x)[0].numpy(), read.outputs(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda m, a, b: "text", r"Net: forward\(\) returns str, without a tensor of numbers"),
        (lambda m, a, b: None, r"Net: forward\(\) returns NoneType, without"),
    ],
)
def test_others_are_refused(function: Callable[[Any, Tensor, Tensor], Any], message: str) -> None:
    with pytest.raises(UnsupportedLayer, match=message):
        read_torch(net(function), (4,))


@pytest.mark.parametrize("function", [lambda m, a, b: {"c": m.constant}, lambda m, a, b: m.constant])
def test_constants_are_no_result(function: Callable[[Any, Tensor, Tensor], Any]) -> None:
    with pytest.raises(InvalidModel, match="Net: the result does not depend on the input"):
        read_torch(net(function), (4,))


def test_each_output_has_its_own_last_functions() -> None:
    """They are the host's: the network's outputs are the model's, in its shapes, and one by itself has the same."""
    model = net(lambda m, a, b: {"class": a.softmax(1), "value": b.tanh().reshape(-1, 1, 2), "logits": a})
    x = np.random.default_rng(0).random((40, 4), np.float32)
    network = lc.convert(model, x, board=None, timesteps=400)
    assert [str(part) for part in network.outputs] == ["class (3)", "value (1, 2)", "logits (3)"]
    found = lc.run(network, x, "float").outputs
    assert isinstance(found, dict)
    for name, values in model(torch.from_numpy(x)).items():
        np.testing.assert_allclose(found[name], values.detach().numpy(), atol=0.02)
    np.testing.assert_allclose(lc.run(lc.only(network, "class"), x, "float").outputs, found["class"], rtol=1e-5)  # type: ignore[arg-type]
    assert [p.name for p in lc.convert(model, x, board=None, timesteps=4, output="value").outputs] == ["value"]
