"""What to do about operations that cannot be converted."""

from __future__ import annotations

from dataclasses import dataclass

from loihiconv.ann.graph import Node
from loihiconv.core.errors import UnsupportedLayer


@dataclass(frozen=True, eq=False)
class Refused(Node):
    """Holds the place of an operation that cannot be converted while a model is read.

    Parameters
    ----------
    error : UnsupportedLayer
        What to tell the user if the network's result depends on it.
    fine_at_end : bool
        Whether it can be left out as the last operation, since the largest output stays the largest.
    """

    error: UnsupportedLayer
    fine_at_end: bool = False


_RELU = "retrain with ReLU, whose values firing rates can stand for"
_BATCH_NORM = "use BatchNorm2d, whose statistics are constants after training"
_NO_RECURRENCE = "use a feed-forward network"
_NO_ATTENTION = "use convolutions; products of two activations have no spiking counterpart here"
_CONV2D = "use Conv2d with a kernel of height 1 on inputs of shape (C, 1, L)"
_POOL2D = "use the 2d pooling layer with a window of height 1 on inputs of shape (C, 1, L)"
_STRIDED = "downsample with a strided Conv2d and leave upsampling out"
_PRODUCT = "products of two activations have no spiking counterpart; constant factors are fine"
_CONCAT = "add branches of equal shape instead of joining their channels"
_ZEROS = "pad with zeros"
_MEAN = "use nn.AdaptiveAvgPool2d(1) and nn.Flatten() for a mean over height and width"
_JUMP = "train without jumps; rates cannot stand for them"
_LAYER = "use nn.Linear or nn.Conv2d with constant weights"
_ORDER = "arrange the data before it enters the network, channels first"
_SLICE = "crop with nn.ZeroPad2d and negative sizes; channels cannot be picked"
_QUANTIZED = "convert the float network; quantization is done here"

_REMEDIES = {
    **dict.fromkeys(("gelu", "silu", "mish", "elu", "celu", "selu", "softplus", "softsign", "hardswish", "glu", "tanhshrink"), _RELU),
    **dict.fromkeys(("exp", "log", "log1p", "sqrt", "rsqrt", "sin", "cos", "erf", "reciprocal"), _RELU),
    **dict.fromkeys(("sign", "sgn", "heaviside", "hardshrink", "where", "eq", "ne", "lt", "le", "gt", "ge"), _JUMP),
    **dict.fromkeys(
        ("sigmoid", "logsigmoid", "tanh"), "retrain with ReLU; after the last layer it does not change which output is largest"
    ),
    **dict.fromkeys(("addcmul", "addcdiv", "prod", "dot"), _PRODUCT),
    **dict.fromkeys(("groupnorm", "layernorm", "instancenorm2d", "instancenorm1d", "localresponsenorm"), _BATCH_NORM),
    **dict.fromkeys(("lstm", "gru", "rnn", "lstmcell", "grucell", "rnncell"), _NO_RECURRENCE),
    **dict.fromkeys(("multiheadattention", "transformerencoderlayer", "scaleddotproductattention", "bmm"), _NO_ATTENTION),
    **dict.fromkeys(("conv1d", "conv3d", "batchnorm3d"), _CONV2D),
    **dict.fromkeys(("avgpool1d", "maxpool1d", "adaptiveavgpool1d", "adaptivemaxpool1d", "avgpool3d", "maxpool3d"), _POOL2D),
    **dict.fromkeys(("convtranspose1d", "convtranspose2d", "interpolate", "upsample", "pixelshuffle", "upsamplingnearest2d"), _STRIDED),
    **dict.fromkeys(("cat", "concat", "stack"), _CONCAT),
    **dict.fromkeys(("reflectionpad2d", "replicationpad2d", "circularpad2d"), _ZEROS),
    "mean": _MEAN,
    **dict.fromkeys(("matmul", "mm", "einsum", "bilinear"), _LAYER),
    **dict.fromkeys(("permute", "transpose", "t", "movedim", "channelshuffle", "unsqueeze"), _ORDER),
    **dict.fromkeys(("getitem", "chunk", "split", "narrow"), _SLICE),
    **dict.fromkeys(("quantize", "dequantize", "quantstub", "dequantstub", "quantizepertensor", "fakequantize"), _QUANTIZED),
    "softmax2d": "remove it; at the end of a network it does not change the class",
    "embedding": "feed the network with images or feature vectors",
    "lppool2d": "use AvgPool2d or MaxPool2d",
    "fractionalmaxpool2d": "use MaxPool2d",
}
_SUPPORTED = (
    "Linear, Conv2d, BatchNorm, ReLU and its kin, AvgPool2d, MaxPool2d, padding with zeros, flattening, Dropout and sums can be converted"
)


def remedy(operation: str) -> str:
    """What to do about an operation, by its name in PyTorch ("GELU", "max_pool1d", "add_", ...)."""
    return _REMEDIES.get(operation.replace("_", "").lower(), f"train a network without it; {_SUPPORTED}")
