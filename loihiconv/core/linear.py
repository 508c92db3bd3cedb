"""The linear maps that everything is made of, in plain numpy.

`Dense`, `Conv` and `Sparse` carry the weights of float layers, of fixed-point connections and of Lava processes alike. Their
`apply` is the reference that faster kernels are tested against.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Shape: TypeAlias = tuple[int, ...]
Pair: TypeAlias = tuple[int, int]
Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Dense:
    """y = W x on the flattened (channels first) input.

    Parameters
    ----------
    weight : array (out, in)
    """

    weight: Array

    @property
    def kind(self) -> str:
        """What a reader of tables calls it."""
        return "dense"

    def output_shape(self, input_shape: Shape) -> Shape:
        """Shape of the output, without the batch axis; raises ValueError where the input does not fit."""
        if prod(input_shape) != self.weight.shape[1]:
            raise ValueError(f"{self.weight.shape[1]} inputs expected, got {prod(input_shape)} (shape {input_shape})")
        return (self.weight.shape[0],)

    def apply(self, x: Array) -> Array:
        """Apply to a batch (N, \\*input_shape); the result is (N, out)."""
        return np.asarray(x.reshape(len(x), -1) @ self.weight.T)

    def adjoint(self, y: Array, input_shape: Shape) -> Array:
        """Apply the transposed map to a batch (N, out); the result is (N, \\*input_shape)."""
        return np.asarray((y.reshape(len(y), -1) @ self.weight).reshape(len(y), *input_shape))

    def with_weight(self, weight: Array) -> Dense:
        """The same map with other weights of the same shape."""
        return Dense(weight)

    def scaled(self, rows: Array, columns: Array) -> Dense:
        """The map x -> rows * (W (columns * x)), with a factor for each output and each input, in any shape."""
        return Dense(self.weight * columns.reshape(1, -1) * rows.reshape(-1, 1))

    def row_sums(self, values: Array) -> Array:
        """Sums of values, one for each weight, over the synapses of each output: (out,)."""
        return np.asarray(values.sum(axis=1))


@dataclass(frozen=True, eq=False)
class Conv:
    """Two-dimensional cross-correlation, as ``torch.nn.functional.conv2d`` computes it.

    Parameters
    ----------
    weight : array (C_out, C_in / groups, kH, kW)
    stride, dilation : (vertical, horizontal)
    padding : (top, bottom, left, right)
        Zeros added around the input; negative numbers crop.
    groups : int
    """

    weight: Array
    stride: Pair = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1

    @property
    def kind(self) -> str:
        """What a reader of tables calls it."""
        return "convolution"

    @property
    def extent(self) -> Pair:
        """Height and width that the kernel covers, dilation included."""
        (kh, kw), (dh, dw) = self.weight.shape[2:], self.dilation
        return (kh - 1) * dh + 1, (kw - 1) * dw + 1

    def output_shape(self, input_shape: Shape) -> Shape:
        """Shape (C_out, H_out, W_out); raises ValueError where the input does not fit."""
        if len(input_shape) != 3 or input_shape[0] != self.weight.shape[1] * self.groups:
            raise ValueError(f"an input of {self.weight.shape[1] * self.groups} channels (C, H, W) expected, got shape {input_shape}")
        top, bottom, left, right = self.padding
        height = (input_shape[1] + top + bottom - self.extent[0]) // self.stride[0] + 1
        width = (input_shape[2] + left + right - self.extent[1]) // self.stride[1] + 1
        if height < 1 or width < 1:
            raise ValueError(
                f"the kernel covers {self.extent[0]}x{self.extent[1]} pixels, more than the padded input of shape {input_shape}"
            )
        return self.weight.shape[0], height, width

    def _pad(self, x: Array) -> Array:
        top, bottom, left, right = self.padding
        x = x[:, :, max(-top, 0) : x.shape[2] - max(-bottom, 0), max(-left, 0) : x.shape[3] - max(-right, 0)]
        return np.pad(x, ((0, 0), (0, 0), (max(top, 0), max(bottom, 0)), (max(left, 0), max(right, 0))))

    def columns(self, x: Array) -> Array:
        """What kernels are multiplied with, (groups, N H_out W_out, C_in / groups kH kW), of a batch (N, C, H, W)."""
        _, height, width = self.output_shape(x.shape[1:])
        (sh, sw), (dh, dw) = self.stride, self.dilation
        windows = np.lib.stride_tricks.sliding_window_view(self._pad(x), self.extent, axis=(2, 3))  # type: ignore[call-overload, unused-ignore]  # stubs of numpy 1 know no tuple
        windows = windows[:, :, ::sh, ::sw, ::dh, ::dw]
        columns = windows.reshape(len(x), self.groups, -1, height, width, *self.weight.shape[2:]).transpose(1, 0, 3, 4, 2, 5, 6)
        return np.asarray(columns.reshape(self.groups, len(x) * height * width, -1))

    def apply(self, x: Array) -> Array:
        """Apply to a batch (N, C, H, W); the result is (N, C_out, H_out, W_out)."""
        c_out, height, width = self.output_shape(x.shape[1:])
        n, g = len(x), self.groups
        kernels = self.weight.reshape(g, c_out // g, -1).transpose(0, 2, 1)
        y = (self.columns(x) @ kernels).reshape(g, n, height, width, c_out // g)
        return np.asarray(y.transpose(1, 0, 4, 2, 3).reshape(n, c_out, height, width))

    def adjoint(self, y: Array, input_shape: Shape) -> Array:
        """Apply the transposed map to a batch (N, C_out, H_out, W_out); the result is (N, \\*input_shape)."""
        (c_in, height, width), (sh, sw), (dh, dw) = input_shape, self.stride, self.dilation
        top, bottom, left, right = self.padding
        n, g = len(y), self.groups
        _, c_out, h_out, w_out = y.shape
        padded = np.zeros((n, c_in, height + top + bottom, width + left + right), np.result_type(y, self.weight))
        flat = np.ascontiguousarray(y.reshape(n, g, c_out // g, h_out * w_out).transpose(1, 2, 0, 3)).reshape(g, c_out // g, -1)
        kernels = self.weight.reshape(g, c_out // g, c_in // g, *self.weight.shape[2:])
        for ky in range(kernels.shape[3]):
            for kx in range(kernels.shape[4]):
                tap = np.ascontiguousarray(kernels[:, :, :, ky, kx].swapaxes(1, 2))  # else matmul does without BLAS
                part = tap * flat if tap.shape[1:] == (1, 1) else tap @ flat
                part = part.reshape(c_in, n, h_out, w_out).swapaxes(0, 1)
                rows = slice(ky * dh, ky * dh + (h_out - 1) * sh + 1, sh)
                columns = slice(kx * dw, kx * dw + (w_out - 1) * sw + 1, sw)
                padded[:, :, rows, columns] += part
        inverse = Conv(self.weight, padding=(-top, -bottom, -left, -right))
        return inverse._pad(padded)

    def with_weight(self, weight: Array) -> Conv:
        """The same map with other weights of the same shape."""
        return Conv(weight, self.stride, self.padding, self.dilation, self.groups)

    def scaled(self, rows: Array, columns: Array) -> Conv:
        """The map x -> rows * (W (columns * x)), with a factor for each output and each input, the same all over a channel."""
        per_output, per_input = rows.reshape(len(self.weight), -1)[:, 0], columns.reshape(self.groups, self.weight.shape[1], -1)[:, :, 0]
        # the weights of an output channel belong to the input channels of its group
        grouped = per_input.repeat(len(self.weight) // self.groups, axis=0)
        return self.with_weight(self.weight * grouped[:, :, None, None] * per_output[:, None, None, None])

    def row_sums(self, values: Array) -> Array:
        """Sums of values, one for each weight, over the kernel of each output channel: (C_out, 1, 1)."""
        return np.asarray(values.sum(axis=(1, 2, 3))[:, None, None])


@dataclass(frozen=True, eq=False)
class Sparse:
    """y[rows[k]] += weight[k] x[columns[k]] on the flattened input: any linear map of which few weights are not zero.

    What is no convolution is one: picking, reordering and spreading values, means over unequal windows, interpolation.

    Parameters
    ----------
    weight : array (synapses,)
    rows, columns : int array (synapses,)
        Places in the flattened output and input; sorted by row, then by column, and no pair twice.
    outputs, inputs : tuple of int
        Shapes.
    """

    weight: Array
    rows: Array
    columns: Array
    outputs: Shape
    inputs: Shape

    @property
    def kind(self) -> str:
        """What a reader of tables calls it."""
        return "sparse"

    @cached_property
    def _flaw(self) -> str:
        """What is wrong with its places, if anything is."""
        if not self.weight.shape == self.rows.shape == self.columns.shape == (self.weight.size,):
            return f"weights, rows and columns have shapes {self.weight.shape}, {self.rows.shape} and {self.columns.shape}"
        if self.rows.dtype.kind != "i" or self.columns.dtype.kind != "i":
            return "rows and columns are no integers"
        for places, shape, what in ((self.rows, self.outputs, "rows"), (self.columns, self.inputs, "columns")):
            if places.size and not 0 <= int(places.min()) <= int(places.max()) < prod(shape):
                return f"{what} lie outside of shape {shape}"
        if (np.diff(self.rows.astype(np.int64) * prod(self.inputs) + self.columns) <= 0).any():
            return "synapses are not sorted by row and column, or one is there twice"
        return ""

    def output_shape(self, input_shape: Shape) -> Shape:
        """Shape of the output, without the batch axis; raises ValueError where the input does not fit, or its places are no map's."""
        if self._flaw:
            raise ValueError(self._flaw)
        if prod(input_shape) != prod(self.inputs):
            raise ValueError(f"{prod(self.inputs)} inputs expected, got {prod(input_shape)} (shape {input_shape})")
        return self.outputs

    @cached_property
    def matrix(self) -> csr_array:
        """The weights as a matrix (outputs, inputs)."""
        from scipy.sparse import csr_array

        starts = np.searchsorted(self.rows, np.arange(prod(self.outputs) + 1))
        return csr_array((self.weight, self.columns, starts), shape=(prod(self.outputs), prod(self.inputs)))

    def apply(self, x: Array) -> Array:
        """Apply to a batch (N, \\*input_shape); the result is (N, \\*outputs)."""
        return np.asarray((self.matrix @ x.reshape(len(x), -1).T).T.reshape(len(x), *self.outputs))

    def adjoint(self, y: Array, input_shape: Shape) -> Array:
        """Apply the transposed map to a batch (N, \\*outputs); the result is (N, \\*input_shape)."""
        return np.asarray((self.matrix.T @ y.reshape(len(y), -1).T).T.reshape(len(y), *input_shape))

    def with_weight(self, weight: Array) -> Sparse:
        """The same map with other weights at the same places."""
        return Sparse(weight, self.rows, self.columns, self.outputs, self.inputs)

    def scaled(self, rows: Array, columns: Array) -> Sparse:
        """The map x -> rows * (W (columns * x)), with a factor for each output and each input, in any shape."""
        return self.with_weight(self.weight * columns.reshape(-1)[self.columns] * rows.reshape(-1)[self.rows])

    def row_sums(self, values: Array) -> Array:
        """Sums of values, one for each weight, over the synapses of each output, in float64: (\\*outputs)."""
        return np.bincount(self.rows, values, prod(self.outputs)).reshape(self.outputs)

    def at(self, rows: Array, columns: Array, outputs: Shape, inputs: Shape) -> Sparse:
        """The same weights between other places, in which synapses need not be sorted."""
        order = np.lexsort((columns, rows))
        by_row, by_column = (np.asarray(places[order], np.int32) for places in (rows, columns))
        return Sparse(self.weight[order], by_row, by_column, outputs, inputs)

    def same_places(self, other: Sparse) -> bool:
        """Whether its synapses join the same neurons as those of another."""
        return np.array_equal(self.rows, other.rows) and np.array_equal(self.columns, other.columns)


def from_matrix(matrix: Any, outputs: Shape, inputs: Shape) -> Sparse:
    """A `Sparse` of a matrix (outputs, inputs), dense or one of scipy's; what is zero is left out."""
    from scipy.sparse import csr_array

    csr = csr_array(matrix)
    csr.sum_duplicates()
    csr.eliminate_zeros()
    csr.sort_indices()
    rows = np.repeat(np.arange(csr.shape[0], dtype=np.int32), np.diff(csr.indptr))
    return Sparse(csr.data, rows, csr.indices.astype(np.int32), outputs, inputs)


LinearMap: TypeAlias = Dense | Conv | Sparse


def sparse(linear: LinearMap, input_shape: Shape) -> Sparse:
    """The same map, for inputs of one shape, with every synapse written out."""
    if isinstance(linear, Sparse):
        return linear
    if isinstance(linear, Dense):
        return from_matrix(linear.weight, linear.output_shape(input_shape), input_shape)
    from scipy.sparse import coo_array

    c_out, height, width = linear.output_shape(input_shape)
    groups, inputs = linear.groups, prod(input_shape)
    # Where each weight of a kernel finds its input, 0 for padding: the same windows over an image of numbered pixels.
    places = linear.columns(np.arange(1, inputs + 1, dtype=np.int64).reshape(1, *input_shape))
    kernels = linear.weight.reshape(groups, c_out // groups, 1, -1)
    outputs = np.arange(c_out * height * width).reshape(groups, c_out // groups, height * width, 1)
    weight, rows, columns = np.broadcast_arrays(kernels, outputs, places[:, None])
    there = (columns > 0) & (weight != 0)
    matrix = coo_array((weight[there], (rows[there], columns[there] - 1)), shape=(c_out * height * width, inputs))
    return from_matrix(matrix.tocsr(), (c_out, height, width), input_shape)
