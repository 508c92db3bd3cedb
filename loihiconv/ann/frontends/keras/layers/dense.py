"""Layers with kernels: dense ones and convolutions."""

# ruff: noqa: D103  each function is named after what it translates, and says nothing that its decorator does not

from __future__ import annotations

from typing import Any

import numpy as np

from loihiconv.ann.frontends.keras.layers.activations import activated
from loihiconv.ann.frontends.keras.layers.registry import Value, Work, layer
from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Array


@layer("Dense")
def dense(work: Work, x: Value) -> Value:
    kernel, bias = work.weights["kernel"], work.weights.get("bias")
    if kernel.ndim != 2:
        raise InvalidModel(f"has a kernel of shape {kernel.shape}", where=work.layer.name)
    if x.rank == 2:
        y = Value(work.add("Gemm", x.tensor, kernel, bias), 2)
    elif x.rank in (3, 4):  # of every pixel alone: a convolution of one pixel
        weight = kernel.T.reshape(*kernel.T.shape, *(1,) * (x.rank - 2))
        y = Value(work.add("Conv", work.first(x), weight, bias), x.rank, moved=True)
    else:
        raise work.layer.refuse(f"acts on {x.rank - 1} axes", "use it on up to three")
    return activated(work, y, work.config.get("activation"))


@layer("Conv1D", "Conv2D", "Conv3D")
def conv(work: Work, x: Value) -> Value:
    dims, kernel = _dims(work, x), work.weights["kernel"]
    window = _window(work, dims)
    return _activated(work, x, work.add("Conv", work.image(x), _out_first(kernel), _bias(work), group=_groups(work), **window))


@layer("DepthwiseConv1D", "DepthwiseConv2D")
def depthwise_conv(work: Work, x: Value) -> Value:
    dims = _dims(work, x)
    return _activated(work, x, _depthwise(work, work.image(x), dims, _bias(work)))


@layer("SeparableConv1D", "SeparableConv2D")
def separable_conv(work: Work, x: Value) -> Value:
    dims = _dims(work, x)
    spread = _depthwise(work, work.image(x), dims, None)
    return _activated(work, x, work.add("Conv", spread, _out_first(work.weights["pointwise_kernel"]), _bias(work)))


@layer("Conv1DTranspose", "Conv2DTranspose")
def conv_transpose(work: Work, x: Value) -> Value:
    dims, kernel = _dims(work, x), work.weights["kernel"]
    strides, padding = work.numbers("strides", dims), work.config.get("padding", "valid")
    if any(d != 1 for d in work.numbers("dilation_rate", dims)) or work.config.get("output_padding") is not None:
        raise work.layer.refuse("is dilated or has output_padding", "train with dilation_rate=1 and output_padding=None")
    sizes = zip(kernel.shape[:dims], strides, strict=True)
    surplus = [k - s for k, s in sizes]  # what the result would be too large, or, below 0, too small by
    extra = tuple(max(0, -n) for n in surplus)
    begin = [max(0, n) // 2 if padding == "same" else 0 for n in surplus]
    end = [max(0, n) - b if padding == "same" else 0 for n, b in zip(surplus, begin, strict=True)]
    weight = _out_first(kernel)  # of which Keras keeps the axes of channels the other way round here
    window = {"strides": strides, "pads": (*begin, *end), "output_padding": extra}
    return _activated(work, x, work.add("ConvTranspose", work.image(x), weight, _bias(work), **window))


def _dims(work: Work, x: Value) -> int:
    kernel = work.weights.get("kernel", work.weights.get("depthwise_kernel", np.zeros(())))
    dims = kernel.ndim - 2
    if dims != x.rank - 2 or dims < 1:
        raise InvalidModel(f"has kernels of shape {kernel.shape} on an input of {x.rank - 1} axes", where=work.layer.name)
    return dims


def _window(work: Work, dims: int) -> dict[str, Any]:
    strides, dilations = work.numbers("strides", dims), work.numbers("dilation_rate", dims)
    window = {"strides": strides, "dilations": dilations}
    if work.config.get("padding") == "causal" and dims == 1:
        reach = (work.weights["kernel"].shape[0] - 1) * dilations[0]
        return {**window, "pads": (reach, 0)}
    return {**window, **work.padding()}


def _groups(work: Work) -> int:
    groups = work.config.get("groups", 1)
    return groups if isinstance(groups, int) else 1


def _depthwise(work: Work, x: str, dims: int, bias: Array | None) -> str:
    kernel = work.weights["depthwise_kernel"]
    channels, times = kernel.shape[-2:]
    weight = np.moveaxis(kernel, (-2, -1), (0, 1)).reshape(channels * times, 1, *kernel.shape[:-2])
    return work.add("Conv", x, weight, bias, group=channels, **_window(work, dims))


def _out_first(kernel: Array) -> Array:
    """(\\*k, in, out) -> (out, in, \\*k)."""
    return np.ascontiguousarray(np.moveaxis(kernel, (-1, -2), (0, 1)))


def _bias(work: Work) -> Array | None:
    return work.weights.get("bias")


def _activated(work: Work, x: Value, tensor: str) -> Value:
    return activated(work, work.result(tensor, x.rank), work.config.get("activation"))
