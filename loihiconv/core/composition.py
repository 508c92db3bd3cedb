"""Products of linear maps: two layers that follow one another without a ReLU between them are one."""

from __future__ import annotations

from math import prod

import numpy as np

from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Pair, Shape, Sparse, from_matrix, sparse

MOST_SYNAPSES = 1 << 22
"""Largest `Sparse` that a product may become: 4 million synapses, about what a hundred of Loihi 2's cores hold."""


class CannotCompose(ValueError):
    """Two linear maps have no product that is small enough to write out."""


def compose(second: LinearMap, first: LinearMap, input_shape: Shape, *, synapses: int = MOST_SYNAPSES) -> LinearMap:
    """The map x -> second(first(x)) for inputs of ``input_shape``: a `Conv` or `Dense` where it is one, else a `Sparse`.

    Parameters
    ----------
    synapses : int
        Most synapses of a `Sparse`; 0 allows none.

    Raises
    ------
    CannotCompose
        If it is neither convolution nor dense and has too many synapses. So it is where ``second`` pads what ``first`` returns
        and the zeros that it adds are not what ``first`` would compute beyond its border.
    """
    if isinstance(second, Dense):
        rows = second.weight.reshape(len(second.weight), *first.output_shape(input_shape))
        return Dense(first.adjoint(rows, input_shape).reshape(len(rows), -1))
    if isinstance(second, Conv) and isinstance(first, Conv):
        try:
            return _compose_conv(second, first, input_shape)
        except CannotCompose as error:
            return _written_out(second, first, input_shape, synapses, str(error))
    if isinstance(second, Sparse) and isinstance(first, Dense) and len(second.outputs) == 1 and _mostly_there(second):
        return Dense(np.asarray(second.matrix @ first.weight))
    return _written_out(second, first, input_shape, synapses, "no convolution")


def _mostly_there(linear: Sparse) -> bool:
    """Whether most outputs have synapses: a few classes beside the pixels of a dense output are no reason for a matrix of all of them."""
    return 2 * len(np.unique(linear.rows)) >= linear.outputs[0]


def _written_out(second: LinearMap, first: LinearMap, input_shape: Shape, limit: int, why: str) -> Sparse:
    """The product with every synapse by itself."""
    middle = first.output_shape(input_shape)
    if max(synapses(second, middle), synapses(first, input_shape)) <= MOST_SYNAPSES and limit:
        outer, inner = sparse(second, middle).matrix, sparse(first, input_shape).matrix
        products = np.diff(inner.indptr)[outer.indices].sum()  # before those for the same pair are added up
        if products <= 4 * MOST_SYNAPSES:
            product = from_matrix(outer @ inner, second.output_shape(middle), input_shape)
            if product.weight.size <= limit:
                return product
    raise CannotCompose(f"{why}, and written out it would have more than {limit:,} synapses" if limit else why)


def synapses(linear: LinearMap, input_shape: Shape) -> int:
    """Synapses of a map, those that find only padding included."""
    outputs = prod(linear.output_shape(input_shape)[1:]) if isinstance(linear, Conv) else 1
    return linear.weight.size * outputs


def _compose_conv(second: Conv, first: Conv, input_shape: Shape) -> Conv:
    padding = (*_composed_padding(second, first, input_shape, 0), *_composed_padding(second, first, input_shape, 1))
    stride = (first.stride[0] * second.stride[0], first.stride[1] * second.stride[1])
    groups = int(np.gcd(first.groups, second.groups))
    outer = ungrouped(second, first.weight.shape[0])
    inner = ungrouped(first, input_shape[0])
    if inner.shape[2:] == (1, 1):
        dilation = (second.dilation[0] * first.stride[0], second.dilation[1] * first.stride[1])
        weight = np.ascontiguousarray(np.tensordot(outer, inner[:, :, 0, 0], axes=(1, 0)).transpose(0, 3, 1, 2))
        return Conv(grouped(weight, groups), stride, padding, dilation, groups)
    outer, inner = _dilated(outer, second.dilation), _dilated(inner, first.dilation)
    (ko_y, ko_x), (ki_y, ki_x), (sy, sx) = outer.shape[2:], inner.shape[2:], first.stride
    weight = np.zeros((len(outer), inner.shape[1], (ko_y - 1) * sy + ki_y, (ko_x - 1) * sx + ki_x), np.result_type(outer, inner))
    for y in range(ko_y):
        for x in range(ko_x):
            weight[:, :, y * sy : y * sy + ki_y, x * sx : x * sx + ki_x] += np.tensordot(outer[:, :, y, x], inner, axes=(1, 0))
    return Conv(grouped(weight, groups), stride, padding, groups=groups)


def _composed_padding(second: Conv, first: Conv, input_shape: Shape, axis: int) -> Pair:
    """Padding (before, after) of the product along one axis, so that it reads just as far as its windows go."""
    size, count = input_shape[axis + 1], first.output_shape(input_shape)[axis + 1]
    stride, extent = first.stride[axis], first.extent[axis]
    first_before, before, after = first.padding[2 * axis], second.padding[2 * axis], second.padding[2 * axis + 1]
    # Zeros around the intermediate result equal zeros around the input only where windows of `first` that lie outside see nothing.
    if before > 0 and extent > stride + first_before:
        raise CannotCompose("padding before what overlapping windows return")
    if after > 0 and count * stride - first_before < size:
        raise CannotCompose("padding after windows that leave border pixels out or overlap")
    total_before = first_before + before * stride
    windows = second.output_shape(first.output_shape(input_shape))[axis + 1]
    reach = (second.extent[axis] - 1) * stride + extent
    total_after = (windows - 1) * second.stride[axis] * stride + reach - total_before - size
    if total_before < -size or total_after < -size:
        raise CannotCompose("windows that see nothing but padding")
    return total_before, total_after


def _dilated(weight: Array, dilation: Pair) -> Array:
    """Weights with the zeros of the dilation written out."""
    kh, kw = weight.shape[2:]
    full = np.zeros((*weight.shape[:2], (kh - 1) * dilation[0] + 1, (kw - 1) * dilation[1] + 1), weight.dtype)
    full[:, :, :: dilation[0], :: dilation[1]] = weight
    return full


def ungrouped(conv: Conv, c_in: int) -> Array:
    """Weights with the zeros between groups written out: (C_out, C_in, kH, kW)."""
    per_in, per_out = c_in // conv.groups, conv.weight.shape[0] // conv.groups
    full = np.zeros((conv.weight.shape[0], c_in, *conv.weight.shape[2:]), conv.weight.dtype)
    for g in range(conv.groups):
        rows = slice(g * per_out, (g + 1) * per_out)
        full[rows, g * per_in : (g + 1) * per_in] = conv.weight[rows]
    return full


def grouped(weight: Array, groups: int) -> Array:
    """Weights (C_out, C_in, kH, kW) without the zeros between groups: (C_out, C_in / groups, kH, kW)."""
    c_out, c_in = weight.shape[0] // groups, weight.shape[1] // groups
    return np.concatenate([weight[g * c_out : (g + 1) * c_out, g * c_in : (g + 1) * c_in] for g in range(groups)])
