"""What to do about operations that cannot be converted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loihiconv.ann.graph import BatchNorm, Linear, MaxPool, Node
from loihiconv.core.ending import LastFunction
from loihiconv.core.errors import UnsupportedLayer
from loihiconv.core.linear import Shape


@dataclass(frozen=True, eq=False)
class Refused(Node):
    """Holds the place of an operation that cannot be converted while a model is read.

    Parameters
    ----------
    error : UnsupportedLayer
        What to tell the user if the network's result depends on it.
    on_host : tuple of HostFunction
        What the host computes in its place if it is among the last operations; empty where it cannot be.
    given : tuple of int
        Shape of the values that these take, without the batch axis.
    """

    error: UnsupportedLayer
    on_host: tuple[LastFunction, ...] = ()
    given: Shape = ()


def with_way_out(refused: Refused, nodes: Sequence[Node]) -> UnsupportedLayer:
    """Why an operation is refused; and behind the last layer, where detectors decode their boxes, that users may compute it themselves.

    Parameters
    ----------
    refused : Refused
    nodes : sequence of Node
        What outputs depend on, in order.
    """
    error, behind = refused.error, {refused.name}
    for node in nodes:
        if not behind.isdisjoint(node.inputs):
            if isinstance(node, BatchNorm | MaxPool) or (isinstance(node, Linear) and not _is_sum(node)):
                return error
            behind.add(node.name)
    last = _last_layers([node for node in nodes if node.name not in behind], [node for node in nodes if node.name in behind])
    if not last:
        return error
    layers = f"{last[0]} gives" if len(last) == 1 else f"{' and '.join(last)} give"
    raw = f"let the model return what {layers}, and compute what comes after it from its outputs yourself"
    if refused.on_host:
        what = f"{error.what.split()[0]} after the last layer is joined with other results"
        return UnsupportedLayer(
            what, where=error.where, limit="the host computes functions of all outputs, one after the other", remedy=raw
        )
    return UnsupportedLayer(error.what, where=error.where, limit=error.limit, remedy=f"{error.remedy}; or {raw}")


def _is_sum(node: Linear) -> bool:
    """Whether a linear map only sums, as the expected value of a softmax does, so that it is no layer."""
    weight = node.map.weight
    return node.bias is None and bool((weight == weight.flat[0]).all())


def _last_layers(before: Sequence[Node], behind: Sequence[Node]) -> list[str]:
    """The layers whose results some operations are made of; none where one is made of anything else."""
    by_name = {node.name: node for node in before}
    known = {node.name for node in behind}
    waiting = [name for node in behind for name in node.inputs if name not in known]
    found: dict[str, None] = {}
    while waiting:
        node = by_name[waiting.pop(0)]
        if isinstance(node, Linear):
            found[node.layer or node.name] = None
        elif not node.inputs:
            return []
        else:
            waiting += node.inputs
    return list(found)


_RELU = "retrain with ReLU, whose values firing rates can stand for"
_BATCH_NORM = "use batch normalisation (BatchNorm2d), whose statistics are constants after training"
_NO_RECURRENCE = "use a feed-forward network"
_NO_ATTENTION = "use convolutions; products of two activations have no spiking counterpart here"
_PRODUCT = "products of two activations have no spiking counterpart; constant factors are fine"
_ORDER = "train without sorting activations; their maximum over windows or axes is fine"
_STATISTICS = "train without lengths and deviations of activations; batch normalisation has constants instead"
_JUMP = "train without jumps; rates cannot stand for them"
_SUMS = "use AvgPool2d and sums as they are; rates need no shorter sums"
_QUANTIZED = "convert the float network; quantization is done here"

_REMEDIES = {
    **dict.fromkeys(("gelu", "mish", "elu", "celu", "selu", "hardswish", "glu", "tanhshrink"), _RELU),
    **dict.fromkeys(("log", "log1p", "sqrt", "rsqrt", "sin", "cos", "erf", "reciprocal"), _RELU),
    **dict.fromkeys(("sign", "sgn", "heaviside", "hardshrink", "eq", "ne", "lt", "le", "gt", "ge"), _JUMP),
    **dict.fromkeys(
        ("sigmoid", "logsigmoid", "tanh", "softplus", "softsign", "exp", "silu"),
        "retrain with ReLU; after the last layer the host computes it",
    ),
    **dict.fromkeys(("sort", "topk", "median", "kthvalue", "argsort", "mode", "quantile"), _ORDER),
    **dict.fromkeys(
        (
            "norm",
            "normalize",
            "std",
            "var",
            "linalgnorm",
            "lpnormalization",
            "unitnormalization",
            "cdist",
            "pairwisedistance",
            "cosinesimilarity",
        ),
        _STATISTICS,
    ),
    **dict.fromkeys(("addcmul", "addcdiv", "prod", "dot", "matmul", "mm", "bmm", "einsum", "tensordot", "bilinear"), _PRODUCT),
    **dict.fromkeys(("groupnorm", "layernorm", "rmsnorm", "localresponsenorm"), _BATCH_NORM),
    **dict.fromkeys(("instancenorm", "instancenorm1d", "instancenorm2d", "instancenorm3d"), _BATCH_NORM),
    **dict.fromkeys(("lstm", "gru", "rnn", "lstmcell", "grucell", "rnncell"), _NO_RECURRENCE),
    **dict.fromkeys(("multiheadattention", "scaleddotproductattention", "transformer"), _NO_ATTENTION),
    **dict.fromkeys(("transformerencoder", "transformerencoderlayer", "transformerdecoder", "transformerdecoderlayer"), _NO_ATTENTION),
    **dict.fromkeys(("quantize", "dequantize", "quantizepertensor", "fakequantize"), _QUANTIZED),
    **dict.fromkeys(("truncavgpool2d", "truncadaptiveavgpool2d", "truncquantaccumulator", "clampquantaccumulator"), _SUMS),
    "embedding": "feed the network with images or feature vectors",
    "lppool2d": "use AvgPool2d or MaxPool2d",
    "fractionalmaxpool2d": "use MaxPool2d",
}
_SUPPORTED = (
    "linear layers and convolutions, whatever is affine, batch normalisation, ReLU and its kin, maxima, sums, and what arranges values "
    "can be converted"
)


def remedy(operation: str) -> str:
    """What to do about an operation, by its name in PyTorch ("GELU", "max_pool1d", "add_", ...)."""
    return _REMEDIES.get(operation.replace("_", "").lower(), f"train a network without it; {_SUPPORTED}")
