"""Spikes times weights, batched, in the narrowest arithmetic that is exact.

Fixed point, per connection:

- *int8*: binary spikes and weights that fit into signed 8 bits, halved where all of them are even (weights of mixed
  sign always are). oneDNN multiplies unsigned bytes by signed bytes, sums in int32 and returns float32 below 2^24.
- *float32*: everything else. Every partial sum is an integer of magnitude at most sum |w| x payload; below 2^24
  float32 holds all of them, so the result does not depend on the order of summation.

Beyond 2^24 a connection is refused: u would have wrapped at 2^17 long before. Float networks use float32.
"""

from __future__ import annotations

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
    """

    def __init__(self, network: Network, connection: Connection, device: torch.device) -> None:
        source, target = network[connection.source], network[connection.target]
        self.source_shape, self.target_shape = source.shape, target.shape
        self.map: LinearMap = connection.map
        self.binary = source.spiking
        weight = torch.from_numpy(np.ascontiguousarray(self.map.weight))
        if network.fixed_point:
            self._check_exact(connection, 1 if source.spiking else network.input.payload_max)
        if isinstance(self.map, Dense):
            weight = channels_last(weight, source.shape, target.shape)
        self.weight = weight.to(device, torch.float32)
        if isinstance(self.map, Conv):
            self.weight = self.weight.contiguous(memory_format=torch.channels_last)
        self.int8: Int8Product | None = None
        if network.fixed_point and source.spiking and device.type == "cpu":
            self.int8 = Int8Product.prepare(self, weight)

    @staticmethod
    def _check_exact(connection: Connection, payload: int) -> None:
        weight = np.abs(connection.map.weight.astype(np.int64))
        largest = int(weight.reshape(len(weight), -1).sum(axis=1).max()) * payload
        if largest >= EXACT_FLOAT32:
            raise LimitExceeded(
                f"the sum of |weight x payload| can reach {largest}", where=connection.name,
                limit=f"below 2^24 = {EXACT_FLOAT32} for exact sums", remedy="scale the weights down",
            )  # fmt: skip

    def __call__(self, spikes: torch.Tensor) -> torch.Tensor:
        """Sums per neuron of the target.

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
        if (top, left) == (bottom, right) and top >= 0 and left >= 0:
            y = F.conv2d(x, self.weight, None, c.stride, (top, left), c.dilation, c.groups)
        else:
            y = F.conv2d(F.pad(x, (left, right, top, bottom)), self.weight, None, c.stride, 0, c.dilation, c.groups)
        return self.flat(y)

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

    They are semi-public, so `prepare` first compares them with float32 on random spikes and gives them up on any
    difference or error.
    """

    def __init__(self, synapses: Synapses, weight: torch.Tensor, scale: int) -> None:
        ops = torch.ops.onednn
        self.synapses, self.ops = synapses, ops
        narrow = (weight // scale).to(torch.int8)
        self.scales = torch.full((len(weight),), float(scale))
        self.zeros = torch.zeros(len(weight), dtype=torch.int64)
        if isinstance(synapses.map, Conv):
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
        scale = 2 if bool((weight % 2 == 0).all()) else 1
        if int(weight.abs().max()) // scale > 127:
            return None
        generator = torch.Generator().manual_seed(0)
        spikes = torch.randint(0, 2, (3, int(np.prod(synapses.source_shape))), generator=generator, dtype=torch.uint8)
        try:
            product = cls(synapses, weight, scale)
            if torch.equal(product(spikes), synapses.float32(spikes)):
                return product
        except (RuntimeError, AttributeError, TypeError, NotImplementedError):
            pass  # this torch has no such operator, or not for this geometry: float32 is exact as well
        return None

    def __call__(self, spikes: torch.Tensor) -> torch.Tensor:
        s, output = self.synapses, torch.float32
        if isinstance(s.map, Dense):
            result: torch.Tensor = self.ops.qlinear_pointwise(
                spikes, 1.0, 0, self.packed, self.scales, self.zeros, None, 1.0, 0, output, "none", [], ""
            )
            return result
        x = s.image(spikes)
        if not self.symmetric:
            top, bottom, left, right = s.map.padding
            x = F.pad(x, (left, right, top, bottom)).contiguous(memory_format=torch.channels_last)
        return s.flat(
            self.ops.qconv2d_pointwise(
                x, 1.0, 0, self.packed, self.scales, self.zeros, None, *self.geometry, 1.0, 0, output, "none", [], ""
            )
        )
