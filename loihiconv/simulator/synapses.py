"""Spikes times weights, batched, in the narrowest arithmetic that is exact.

Fixed point, per connection:

- *int8*: spikes, binary or with payloads of at most 7 bits, and weights that fit into signed 8 bits, halved where all of them are even
  (weights of mixed sign always are); see `int8`.
- *float32*: everything else. Every partial sum is an integer of magnitude at most sum |w| x payload; below 2^24
  float32 holds all of them, so the result does not depend on the order of summation.

Beyond 2^24 a connection is refused: u would have wrapped at 2^17 long before.

Float networks use float32, but for dense layers on the CPU: there a BLAS adds up in an order that hangs on how many rows it gets, so
these are summed in float64 and rounded, by which cutting samples and steps into pieces does not show.

Results are in units of v, but for those of `int8.Int8Matmul`: the shift by 2^6 is in the scale, and a power of
two changes no bit of a mantissa. A connection's ``weight_exp`` shifts what it brings in a step, with `floor`.

Sparse maps have a kernel of their own on the CPU, see `sparse`, and are products of sparse matrices on an accelerator.

On an accelerator, convolutions are windows copied side by side and one matrix product in IEEE float32. Its own convolutions
would not do: they may transform (Winograd, FFT), which rounds, or cut factors down to TF32.
"""

from __future__ import annotations

from math import prod

import numpy as np
import torch
import torch.nn.functional as F

from loihiconv.core.linear import Conv, Dense, LinearMap, Sparse
from loihiconv.core.network import Connection, Network, assert_never
from loihiconv.simulator.int8 import Bytes, Int8Matmul, Int8Product
from loihiconv.simulator.layout import Geometry, dense_channels_last, sparse_channels_last, without_idle_strides
from loihiconv.simulator.sparse import SparseProduct
from loihiconv.simulator.timing import shortest

MOST_WRITTEN_OUT = 2**21
"""Weights of a sparse map, zeros included, up to which it is tried as a dense one."""
TIMED_ROWS = 256


class Synapses:
    """One connection, ready to run on a device.

    Parameters
    ----------
    network : Network
    connection : Connection
    device : torch.device
    portable : bool
        Compute as accelerators do, wherever it runs.
    """

    def __init__(self, network: Network, connection: Connection, device: torch.device, *, portable: bool = False) -> None:
        source, target = network[connection.source], network[connection.target]
        self.map: LinearMap = without_idle_strides(connection.map, source.shape)
        self.geometry = Geometry(self.map, source.shape, target.shape)
        self.unit = float(2**network.shift)
        self.exponent = connection.weight_exp
        self.portable = portable
        self.sparse: SparseProduct | None = None
        self.int8: Int8Product | None = None
        self.matmul: Int8Matmul | None = None
        payloads = source.smallest_message, source.largest_message
        if isinstance(self.map, Sparse):
            self._arrange(sparse_channels_last(self.map, source.shape, target.shape), device)
            if network.fixed_point and source.spiking and not portable:
                self.int8 = self._faster_dense(network, payloads)
            return
        weight = torch.from_numpy(np.ascontiguousarray(self.map.weight))
        if isinstance(self.map, Dense):
            weight = dense_channels_last(weight, source.shape, target.shape)
        self.weight = weight.to(device, torch.float32) * self.unit
        if isinstance(self.map, Dense) and not network.fixed_point and device.type == "cpu":
            self.weight = self.weight.double()
        if isinstance(self.map, Conv) and not portable:
            self.weight = self.weight.contiguous(memory_format=torch.channels_last)
        if network.fixed_point and source.spiking and not portable and (weights := Bytes.of(weight)) is not None:
            if not source.graded:
                self.matmul = Int8Matmul.prepare(self.geometry, weights, network.shift, self.float32)
            self.int8 = Int8Product.prepare(self.geometry, weights, network.shift, payloads, self.float32)

    def _arrange(self, linear: Sparse, device: torch.device) -> None:
        """Sparse weights, ready for the kernel or, on an accelerator, for its library."""
        if self.portable:
            places = torch.from_numpy(np.stack([linear.rows, linear.columns]).astype(np.int64))
            weight = torch.from_numpy(linear.weight).to(torch.float32) * self.unit
            shape = (prod(linear.outputs), prod(linear.inputs))
            self.weight = torch.sparse_coo_tensor(places, weight, shape, check_invariants=True).coalesce().to(device)
        else:
            self.sparse = SparseProduct(linear, self.unit)

    def _faster_dense(self, network: Network, payloads: tuple[int, int]) -> Int8Product | None:
        """A sparse map written out as bytes, where that is small and, on a processor with int8 matrix units, faster."""
        assert isinstance(self.map, Sparse)  # the caller asked
        inputs, outputs = prod(self.map.inputs), prod(self.map.outputs)
        if inputs * outputs > MOST_WRITTEN_OUT:
            return None
        written_out = Geometry(Dense(self.map.matrix.toarray()), self.geometry.source, self.geometry.target)
        weight = dense_channels_last(torch.from_numpy(written_out.map.weight), written_out.source, written_out.target)
        if (weights := Bytes.of(weight)) is None:
            return None
        product = Int8Product.prepare(written_out, weights, network.shift, payloads, self.float32)
        if product is None:
            return None
        spikes = torch.ones((TIMED_ROWS, inputs), dtype=torch.int8 if payloads[0] < 0 else torch.uint8)
        return product if shortest(lambda: product(spikes)) < shortest(lambda: self.float32(spikes)) else None

    @property
    def row_bytes(self) -> int:
        """Bytes that one row of the result takes, and of what is made on the way to it."""
        size = 4 * prod(self.geometry.target)
        if self.int8 is None and self.sparse is None:
            size += 4 * prod(self.geometry.source)
        if self.portable and isinstance(self.map, Sparse):
            size *= 2
        if self.portable and isinstance(self.map, Conv):
            windows = prod(self.geometry.target) // len(self.map.weight)
            size *= 2
            size += 4 * windows * prod(self.map.weight.shape[1:]) * self.map.groups
        return size

    def __call__(self, spikes: torch.Tensor) -> torch.Tensor:
        """Sums per neuron of the target, in units of v.

        Parameters
        ----------
        spikes : tensor (N, neurons of the source)
            uint8 spikes, int8 ones where they are signed, or float32 payloads of an input; (H, W, C) order for images.

        Returns
        -------
        float32 tensor (N, neurons of the target), (H, W, C) order for images
        """
        sums = self.float32(spikes) if self.int8 is None else self.int8(spikes)
        if self.exponent:  # sums are whole multiples of the unit, and powers of two change no bit of a mantissa
            sums.mul_(2.0**self.exponent / self.unit).floor_().mul_(self.unit)
        return sums

    def float32(self, spikes: torch.Tensor) -> torch.Tensor:
        """The product in float32."""
        match self.map:
            case Dense():
                return (spikes.to(self.weight.dtype) @ self.weight.T).to(torch.float32)
            case Sparse() if self.sparse is not None:
                return self.sparse(spikes)
            case Sparse():
                return torch.sparse.mm(self.weight, spikes.to(torch.float32).T).T.contiguous()  # type: ignore[no-any-return]
            case Conv():
                return self._convolution(spikes, self.map)
            case _:
                assert_never(self.map)

    def _convolution(self, spikes: torch.Tensor, c: Conv) -> torch.Tensor:
        if self.geometry.blind:
            return torch.zeros((len(spikes), prod(self.geometry.target)), device=spikes.device)
        x = self.geometry.image(spikes.to(torch.float32))
        top, bottom, left, right = c.padding
        if self.portable:
            return self._windows_times_weights(F.pad(x, (left, right, top, bottom)), c)
        if (top, left) == (bottom, right) and top >= 0 and left >= 0:
            y = F.conv2d(x, self.weight, None, c.stride, (top, left), c.dilation, c.groups)
        else:
            y = F.conv2d(F.pad(x, (left, right, top, bottom)), self.weight, None, c.stride, 0, c.dilation, c.groups)
        return self.geometry.flat(y)

    def _windows_times_weights(self, x: torch.Tensor, c: Conv) -> torch.Tensor:
        """A convolution of padded images (N, C, H, W) as one matrix product per group."""
        _, height, width = c.output_shape(self.geometry.source)
        columns = F.unfold(x, c.weight.shape[2:], c.dilation, 0, c.stride).view(len(x), c.groups, -1, height * width)
        y = self.weight.view(c.groups, len(self.weight) // c.groups, -1) @ columns
        return self.geometry.flat(y.reshape(len(x), -1, height, width))
