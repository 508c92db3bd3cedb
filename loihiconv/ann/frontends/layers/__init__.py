"""Handlers for the layers and functions of PyTorch that can be converted, by what they do; importing this registers them."""

from loihiconv.ann.frontends.layers import (
    activations,
    arithmetic,
    brevitas,
    casts,
    endings,
    moves,
    pooling,
    quantized_training,
    quantizers,
    resampling,
    selections,
    trials,
    weights,
)

__all__ = [
    "activations",
    "arithmetic",
    "brevitas",
    "casts",
    "endings",
    "moves",
    "pooling",
    "quantized_training",
    "quantizers",
    "resampling",
    "selections",
    "trials",
    "weights",
]
