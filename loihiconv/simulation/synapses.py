"""Spikes times weights, batched, in the narrowest arithmetic that is exact.

Fixed point, per connection:

- *int8*: binary spikes and weights that fit into signed 8 bits, halved where all of them are even (weights of mixed
  sign always are). oneDNN multiplies unsigned bytes by signed bytes, sums in int32 and returns float32 below 2^24. Payloads are
  left to float32: a processor without VNNI adds pairs of products in 16 bits, and 2 * 255 * 127 would saturate them.
- *float32*: everything else. Every partial sum is an integer of magnitude at most sum |w| x payload; below 2^24
  float32 holds all of them, so the result does not depend on the order of summation.

Beyond 2^24 a connection is refused: u would have wrapped at 2^17 long before. Float networks use float32.

Results are in units of v: the shift by 2^6 is in the scale, and a power of two changes no bit of a mantissa.

On an accelerator, convolutions are windows copied side by side and one matrix product in IEEE float32. Its own convolutions
would not do: they may transform (Winograd, FFT), which rounds, or cut factors down to TF32.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from loihiconv.errors import LimitExceeded
from loihiconv.linear import Conv, Dense, LinearMap, Shape
from loihiconv.network import Connection, Network

EXACT_FLOAT32 = 2**24
"""All integers up to here are float32 numbers."""


def channels_last(weight: torch.Tensor, source: Shape, target: Shape) -> torch.Tensor:
    """A dense weight (out, in) with the rows and columns of images reordered from (C, H, W) to (H, W, C)."""
    if len(source) == 3:
        weight = weight.reshape(-1, *source).permute(0, 2, 3, 1).reshape(len(weight), -1)
    if len(target) == 3:
        weight = weight.reshape(*target, -1).permute(1, 2, 0, 3).reshape(len(weight), -1)
    return weight


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
        self.source_shape, self.target_shape = source.shape, target.shape
        self.map: LinearMap = connection.map
        self.unit = float(2**network.shift)
        self.portable = portable
        weight = torch.from_numpy(np.ascontiguousarray(self.map.weight))
        if network.fixed_point:
            self._check_exact(connection, 1 if source.spiking else network.input.payload_max)
        if isinstance(self.map, Dense):
            weight = channels_last(weight, source.shape, target.shape)
        self.weight = weight.to(device, torch.float32) * self.unit
        if isinstance(self.map, Conv) and not portable:
            self.weight = self.weight.contiguous(memory_format=torch.channels_last)
        self.int8: Int8Product | None = None
        if network.fixed_point and source.spiking and not portable:
            self.int8 = Int8Product.prepare(self, weight)

    @staticmethod
    def _check_exact(connection: Connection, payload: int) -> None:
        weight = np.abs(connection.map.weight)
        largest = int(weight.reshape(len(weight), -1).sum(axis=1, dtype=np.int64).max()) * payload
        if largest >= EXACT_FLOAT32:
            raise LimitExceeded(
                f"the sum of |weight x payload| can reach {largest}", where=connection.name,
                limit=f"below 2^24 = {EXACT_FLOAT32} for exact sums", remedy="scale the weights down",
            )  # fmt: skip

    @property
    def row_bytes(self) -> int:
        """Bytes that one row of the result takes, and of what is made on the way to it."""
        size = 4 * prod(self.target_shape)
        if self.int8 is None:
            size += 4 * prod(self.source_shape)
        if self.portable and isinstance(self.map, Conv):
            windows = prod(self.target_shape) // len(self.map.weight)
            size *= 2
            size += 4 * windows * prod(self.map.weight.shape[1:]) * self.map.groups
        return size

    def __call__(self, spikes: torch.Tensor) -> torch.Tensor:
        """Sums per neuron of the target, in units of v.

        Parameters
        ----------
        spikes : tensor (N, neurons of the source)
            uint8 spikes or float32 payloads; (H, W, C) order for images.

        Returns
        -------
        float32 tensor (N, neurons of the target), (H, W, C) order for images
        """
        if self.int8 is not None:
            return self.int8(spikes)
        return self.float32(spikes)

    def float32(self, spikes: torch.Tensor) -> torch.Tensor:
        """The product in float32."""
        x = spikes.to(torch.float32)
        if isinstance(self.map, Dense):
            return x @ self.weight.T
        x = self.image(x)
        (top, bottom, left, right), c = self.map.padding, self.map
        if self.portable:
            return self._windows_times_weights(F.pad(x, (left, right, top, bottom)), c)
        if (top, left) == (bottom, right) and top >= 0 and left >= 0:
            y = F.conv2d(x, self.weight, None, c.stride, (top, left), c.dilation, c.groups)
        else:
            y = F.conv2d(F.pad(x, (left, right, top, bottom)), self.weight, None, c.stride, 0, c.dilation, c.groups)
        return self.flat(y)

    def _windows_times_weights(self, x: torch.Tensor, c: Conv) -> torch.Tensor:
        """A convolution of padded images (N, C, H, W) as one matrix product per group."""
        _, height, width = c.output_shape(self.source_shape)
        columns = F.unfold(x, c.weight.shape[2:], c.dilation, 0, c.stride).view(len(x), c.groups, -1, height * width)
        y = self.weight.view(c.groups, len(self.weight) // c.groups, -1) @ columns
        return self.flat(y.reshape(len(x), -1, height, width))

    def image(self, x: torch.Tensor) -> torch.Tensor:
        """(N, H W C) as (N, C, H, W) in channels-last memory, without a copy."""
        c, h, w = self.source_shape
        return x.view(len(x), h, w, c).permute(0, 3, 1, 2)

    def flat(self, y: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) as (N, neurons): (H, W, C) order for image-shaped targets, (C, H, W) for flat ones."""
        if len(self.target_shape) == 3:
            y = y.permute(0, 2, 3, 1)
        return y.reshape(len(y), -1)


class Int8Product:
    """Bytes times bytes through oneDNN's quantized operators, where this build of torch has them.

    They are semi-public, so `prepare` first compares them with float32, on random spikes and with every neuron firing, and gives
    them up on any difference or error.
    """

    def __init__(self, synapses: Synapses, weight: torch.Tensor, scale: int) -> None:
        ops = torch.ops.onednn
        self.synapses, self.ops = synapses, ops
        narrow = (weight >> scale - 1).to(torch.int8)  # halved if even
        self.scales = torch.full((len(weight),), scale * synapses.unit)
        self.zeros = torch.zeros(len(weight), dtype=torch.int64)
        self.pixelwise = _is_pixelwise(synapses.map, synapses.target_shape)
        if self.pixelwise:
            self.packed = ops.qlinear_prepack(narrow.flatten(1), None)
        elif isinstance(synapses.map, Conv):
            top, bottom, left, right = synapses.map.padding
            # torch pads symmetrically; anything else is padded (or cropped) as bytes beforehand
            self.symmetric = (top, left) == (bottom, right) and top >= 0 and left >= 0
            padding = [top, left] if self.symmetric else [0, 0]
            c = synapses.map
            self.geometry: tuple[Any, ...] = (list(c.stride), padding, list(c.dilation), c.groups)
            self.packed = ops.qconv_prepack(narrow, self.scales, 1.0, 0, *self.geometry, None)
        else:
            self.packed = ops.qlinear_prepack(narrow, None)

    @classmethod
    def prepare(cls, synapses: Synapses, weight: torch.Tensor) -> Int8Product | None:
        """The byte-wise product for integer weights of ``synapses``, or None where it is not exact or not there."""
        scale = 1 if bool((weight & 1).any()) else 2
        low, high = torch.aminmax(weight)
        if max(-int(low), int(high)) // scale > 127:
            return None
        generator = torch.Generator().manual_seed(0)
        spikes = torch.randint(0, 2, (3, prod(synapses.source_shape)), generator=generator, dtype=torch.uint8)
        spikes[0] = 1
        try:
            product = cls(synapses, weight, scale)
            if torch.equal(product(spikes), synapses.float32(spikes)):
                return product
        except (RuntimeError, AttributeError, TypeError, NotImplementedError):
            pass  # this torch has no such operator, or not for this geometry: float32 is exact as well
        return None

    def __call__(self, spikes: torch.Tensor) -> torch.Tensor:
        s, output = self.synapses, torch.float32
        if isinstance(s.map, Dense) or self.pixelwise:
            rows = spikes.view(-1, s.source_shape[0]) if self.pixelwise else spikes
            result: torch.Tensor = self.ops.qlinear_pointwise(
                rows, 1.0, 0, self.packed, self.scales, self.zeros, None, 1.0, 0, output, "none", [], ""
            )
            return result.view(len(spikes), -1)
        x = s.image(spikes)
        if not self.symmetric:
            top, bottom, left, right = s.map.padding
            x = F.pad(x, (left, right, top, bottom)).contiguous(memory_format=torch.channels_last)
        return s.flat(
            self.ops.qconv2d_pointwise(
                x, 1.0, 0, self.packed, self.scales, self.zeros, None, *self.geometry, 1.0, 0, output, "none", [], ""
            )
        )


def _is_pixelwise(linear: LinearMap, target: Shape) -> bool:
    """Whether it is a convolution of single pixels: a matrix product over all of them, which has less to set up."""
    if not isinstance(linear, Conv) or len(target) != 3:
        return False
    return linear.weight.shape[2:] == (1, 1) and (linear.stride, linear.padding, linear.groups) == ((1, 1), (0, 0, 0, 0), 1)
