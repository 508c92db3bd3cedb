"""NIR's linear nodes, each as what it makes of a `Signal`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

import numpy as np

from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from loihiconv.core.linear import Array, Conv, Dense, Pair, Shape
from loihiconv.exchange.nir_graph import NirNode, text
from loihiconv.exchange.signals import Signal, compressed, limited, per_neuron


def population_shape(numbers: tuple[int, ...], where: str) -> Shape:
    """A shape of NIR as one of a population: (n,) and (C, H, W) as they are, (C, L) as (C, 1, L)."""
    if not numbers or min(numbers) < 1 or len(numbers) > 3:
        raise UnsupportedLayer(f"a signal of shape {numbers}", where=where, limit="(n,), (C, L) or (C, H, W) without a batch axis expected")
    return limited((numbers[0], 1, numbers[1]) if len(numbers) == 2 else numbers, where)


def _identity(node: NirNode, signal: Signal) -> Signal:
    return signal


def _affine(node: NirNode, signal: Signal) -> Signal:
    weight = node.finite("weight")
    if weight.ndim != 2:
        raise UnsupportedLayer(f"{node.kind} with weights of shape {weight.shape}", where=node.name, limit="(out, in) expected")
    result = signal.through(Dense(weight), node.name)
    return result.plus(node.finite("bias"), node.name) if node.kind == "Affine" else result


def _scale(node: NirNode, signal: Signal) -> Signal:
    return signal.times(per_neuron(node.finite("scale"), signal.shape, node.name, "a scale"), node.name)


def _flatten(node: NirNode, signal: Signal) -> Signal:
    shape = signal.shape
    if len(shape) == 3 and shape[1] == 1 and _rank(node) == 2:
        shape = (shape[0], shape[2])
    start, end = node.integer("start_dim", 0), node.integer("end_dim", -1)
    start, end = (axis + len(shape) if -len(shape) <= axis < 0 else axis for axis in (start, end))
    if not 0 <= start <= end < len(shape):
        raise InvalidModel(f"flattens axes {start} to {end} of shape {shape}", where=node.name)
    return signal.reshaped(population_shape((*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :]), node.name))


def _rank(node: NirNode) -> int:
    """Axes of what a flattening takes, where its node says it."""
    return len(node.integers("input_type")) if node.has("input_type") and not isinstance(node.fields["input_type"], Mapping) else 3


def _conv(node: NirNode, signal: Signal) -> Signal:
    weight, axes = node.finite("weight"), 1 if node.kind == "Conv1d" else 2
    if weight.ndim != axes + 2 or 0 in weight.shape:
        raise InvalidModel(f"{node.kind} with weights of shape {weight.shape}", where=node.name)
    if axes == 1:
        weight = weight[:, :, None]
    kernel = (weight.shape[2], weight.shape[3])
    stride, dilation = (_along(node, name, axes, 1) for name in ("stride", "dilation"))
    groups = node.integer("groups", 1)
    if min(*stride, *dilation, groups) < 1 or len(weight) % groups:
        raise InvalidModel(f"stride {stride}, dilation {dilation}, groups {groups}", where=node.name, limit="at least 1 each expected")
    padding = _padding(node, kernel, stride, dilation, axes)
    result = signal.through(Conv(weight, stride, padding, dilation, groups), node.name)
    return result.plus(node.finite("bias"), node.name) if node.has("bias") else result


def _along(node: NirNode, field: str, axes: int, other: int) -> Pair:
    """A number for each of two axes, of a node with one or two."""
    pair = node.pair(field)
    return pair if axes == 2 else (other, pair[0])


def _padding(node: NirNode, kernel: Pair, stride: Pair, dilation: Pair, axes: int) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) of "same", "valid", or numbers, as PyTorch understands them."""
    given = text(node.fields.get("padding"))
    if given == "valid":
        return 0, 0, 0, 0
    if given == "same":
        if stride != (1, 1):
            raise InvalidModel(f'padding "same" with stride {stride}', where=node.name, limit="stride 1 expected")
        (top, bottom), (left, right) = ((d * (k - 1) // 2, d * (k - 1) - d * (k - 1) // 2) for k, d in zip(kernel, dilation, strict=True))
        return top, bottom, left, right
    vertical, horizontal = _along(node, "padding", axes, 0)
    if min(vertical, horizontal) < 0:
        raise InvalidModel(f"padding {(vertical, horizontal)}", where=node.name, limit="at least 0 expected")
    return vertical, vertical, horizontal, horizontal


def _pool(node: NirNode, signal: Signal) -> Signal:
    if len(signal.shape) != 3:
        raise InvalidModel(f"pools a signal of shape {signal.shape}", where=node.name, limit="(C, H, W) expected")
    kernel, stride, (vertical, horizontal) = node.pair("kernel_size"), node.pair("stride"), node.pair("padding")
    if min(*kernel, *stride) < 1 or min(vertical, horizontal) < 0 or prod(kernel) > 2**20:
        raise InvalidModel(f"windows of {kernel[0]}x{kernel[1]}, stride {stride}, padding {(vertical, horizontal)}", where=node.name)
    weight = np.full((signal.shape[0], 1, *kernel), 1.0 if node.kind == "SumPool2d" else 1 / prod(kernel))
    return signal.through(Conv(weight, stride, (vertical, vertical, horizontal, horizontal), groups=signal.shape[0]), node.name)


def _delay(node: NirNode, signal: Signal) -> Signal:
    if node.array("delay").any():
        raise UnsupportedLayer("Delay of more than 0", where=node.name, limit="delays of 0 expected", remedy="train without it")
    return signal


LAYERS: Mapping[str, Callable[[NirNode, Signal], Signal]] = {
    "Affine": _affine,
    "AvgPool2d": _pool,
    "Conv1d": _conv,
    "Conv2d": _conv,
    "Delay": _delay,
    "Flatten": _flatten,
    "Identity": _identity,
    "Linear": _affine,
    "Output": _identity,
    "Scale": _scale,
    "SumPool2d": _pool,
}
"""What becomes of a signal in each kind of linear node."""


def channelwise(values: Array) -> Array:
    """Values per neuron in float32, one for each channel where that is all that they are."""
    return compressed(values).astype(np.float32)
