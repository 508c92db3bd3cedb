"""From layers of Keras to a graph of operations."""

from __future__ import annotations

from dataclasses import replace

import loihiconv.ann.frontends.keras.layers  # noqa: F401  registers the layers
from loihiconv.ann.frontends import remedies
from loihiconv.ann.frontends.keras.calls import OPERATION, OTHERWISE
from loihiconv.ann.frontends.keras.layers.registry import Value, Work, handler
from loihiconv.ann.frontends.keras.network import KerasNetwork, Layer
from loihiconv.ann.frontends.onnx.graph import Graph, Operation, ordered
from loihiconv.ann.frontends.onnx.signs import with_facts
from loihiconv.core.errors import InvalidModel, LoihiconvError, UnsupportedLayer
from loihiconv.core.linear import Array

_CODE = "use Keras' own layers; what stands in the file is code, which is never carried out"
_REMEDIES = {
    **dict.fromkeys(("Lambda", "TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"), _CODE),
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN", "ConvLSTM2D", "Bidirectional"), remedies.remedy("lstm")),
    "TimeDistributed": "a Dense layer takes each step without it; for others, give each step as a sample of its own",
    **dict.fromkeys(("MultiHeadAttention", "Attention", "AdditiveAttention"), remedies.remedy("multihead_attention")),
    **dict.fromkeys(("LayerNormalization", "GroupNormalization", "RMSNormalization"), remedies.remedy("layer_norm")),
}


def translated(network: KerasNetwork) -> tuple[Graph | None, tuple[LoihiconvError, ...]]:
    """The graph of a network, or None and what stands in its way."""
    entries = network.inputs
    axes = [len(sample) + 1 for sample in network.samples]
    values: dict[str, Value | None] = {entry: Value(entry, count) for entry, count in zip(entries, axes, strict=True)}
    operations: list[Operation] = []
    constants: dict[str, Array] = {}
    problems: list[LoihiconvError] = []
    for layer in network.layers[len(entries) :]:
        inputs = [values[name] for name in layer.inputs]
        work = Work(layer)
        try:
            values[layer.name] = _translate(work, inputs)
        except LoihiconvError as error:
            problems.append(error)
            values[layer.name] = next(filter(None, inputs), None)
        operations += work.operations
        constants.update(work.constants)
    if problems:
        return None, tuple(problems)
    outputs: dict[str, str] = {}
    for name, result in network.outputs.items():
        end = Work(replace(network.layers[-1], name=f"{result}.result"))
        value = values[result]
        assert value is not None  # there are no problems
        outputs[name] = end.logical(value)
        operations += end.operations
        constants.update(end.constants)
    if set(outputs.values()) <= set(entries):
        return None, (InvalidModel("the model has no layers", where=next(iter(network.outputs))),)
    last = tuple(outputs.values())
    known = ordered(operations, last, {*constants, *entries})
    return Graph(tuple(with_facts(known, entries, constants)), constants, entries, last, network.samples, tuple(outputs)), ()


def _translate(work: Work, inputs: list[Value | None]) -> Value:
    layer = work.layer
    translate = handler(layer.kind)
    if translate is None:
        raise _unknown(layer)
    known = [value for value in inputs if value is not None]
    try:
        return translate(work, *known)
    except LoihiconvError:
        raise
    except Exception as error:  # a damaged configuration breaks in many ways
        said = (str(error).splitlines() or [""])[0]
        raise InvalidModel(f"{layer.kind} contradicts itself: {type(error).__name__}: {said}", where=layer.name) from error


def _unknown(layer: Layer) -> UnsupportedLayer:
    known = OTHERWISE if layer.kind.startswith(OPERATION) else remedies.remedy(layer.kind)
    return layer.refuse("cannot be converted", _REMEDIES.get(layer.kind) or known)
