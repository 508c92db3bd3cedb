"""ONNX's operators, one small function each; importing this package registers them all."""

from loihiconv.ann.frontends.onnx.operators import (
    activations,
    arithmetic,
    convolutions,
    normalization,
    pooling,
    quantized,
    resizing,
    selection,
    shapes,
    values,
)

__all__ = [
    "activations",
    "arithmetic",
    "convolutions",
    "normalization",
    "pooling",
    "quantized",
    "resizing",
    "selection",
    "shapes",
    "values",
]
