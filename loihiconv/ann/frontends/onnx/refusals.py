"""What cannot be carried out: why, and what takes its place so that the rest of the network is looked at too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor, fx

from loihiconv.ann.frontends import remedies
from loihiconv.ann.frontends.registry import Call, Signal, on_function
from loihiconv.ann.graph import Node
from loihiconv.core.errors import UnsupportedLayer
from loihiconv.core.linear import Shape

Shapes: TypeAlias = Callable[[Sequence[Shape]], Mapping[str, Shape]]
"""From the shapes of batches, one for each input, to those of all tensors that are known."""

CHOICES = ("If", "Loop", "Scan")
"""Operators that hold graphs."""
_REMEDIES = {
    **dict.fromkeys(CHOICES, "export the network for one shape of input, so that no choice is left in the graph"),
    **dict.fromkeys(
        ("ai.onnx.ml.ArrayFeatureExtractor", "ai.onnx.ml.ZipMap", "ai.onnx.ml.LabelEncoder"),
        "it names classes, which is for you to do: keep the network up to its last numbers, as "
        "onnx.utils.extract_model(path, 'network.onnx', ['X'], ['probabilities']) does (with skl2onnx, options={'zipmap': False} before)",
    ),
    **dict.fromkeys(("Attention", "com.microsoft.Attention"), remedies.remedy("multihead_attention")),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), remedies.remedy("lstm")),
    **dict.fromkeys(("DynamicQuantizeLinear", "MatMulInteger", "ConvInteger"), remedies.remedy("quantize")),
}


def remedy(kind: str) -> str:
    """What to do about an operator that is not known."""
    return _REMEDIES.get(kind) or remedies.remedy(kind.rpartition(".")[2])


def stand_in(
    error: UnsupportedLayer, inputs: Sequence[Any], shapes: Callable[[], Mapping[str, Shape]], outputs: Sequence[str]
) -> tuple[Any, ...]:
    """Results that stand for those of an operation that is refused, while a model is recorded.

    Parameters
    ----------
    shapes : callable () -> {name: shape}
        Of the tensors that are known; called where it is needed.
    outputs : sequence of str
        Names of the results.

    Raises
    ------
    UnsupportedLayer
        The error itself, where nothing is recorded, or nobody knows the results' shapes.
    """
    recorder = next((value.tracer for value in inputs if isinstance(value, fx.Proxy)), None)
    if recorder is None:
        raise error
    results, known = [], shapes()
    for name in outputs:
        if name not in known:
            raise error
        said = {"shape": known[name], "what": error.what, "where": error.where, "remedy": error.remedy}
        given = tuple(value for value in inputs if isinstance(value, fx.Proxy))
        results.append(recorder.create_proxy("call_function", refused, given, said))
    return tuple(results)


def refused(*inputs: Tensor, shape: Shape, what: str, where: str, remedy: str) -> Tensor:
    """A tensor of a refused operation's shape; whoever reads the recording gets the reason."""
    return torch.zeros(shape)


@on_function(refused)
def read_refused(call: Call, *inputs: Signal, shape: Shape, what: str, where: str, remedy: str) -> Node:
    """Raise the reason."""
    raise UnsupportedLayer(what, where=where, remedy=remedy)
