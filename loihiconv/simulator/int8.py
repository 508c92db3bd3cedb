"""Spikes times weights of 8 bits: bytes times bytes, summed in int32.

oneDNN multiplies unsigned bytes by signed bytes and returns float32 below 2^24 (`Int8Product`), or signed bytes by signed bytes
and returns int32 (`Int8Matmul`, binary spikes only). Payloads of 8 bits are left to float32: a processor without VNNI adds pairs of
products in 16 bits, and 2 * 255 * 127 would saturate them; 2 * 127 * 127 does not, nor does 2 * 129 * 127, which is what it makes
of signed binary spikes. Signed payloads are multiplied as unsigned ones with a zero point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F

from loihiconv.core.linear import Conv, Sparse
from loihiconv.simulator.layout import Geometry
from loihiconv.simulator.timing import shortest

Exact: TypeAlias = Callable[[torch.Tensor], torch.Tensor]
"""The same product in float32, to compare with: spikes (N, neurons of the source) to sums in units of v."""

LARGEST_PAYLOAD = 127
"""Of graded spikes that are multiplied as bytes; of signed ones the range from the smallest to the largest."""
FEW_WEIGHTS = 2**16
"""Bytes of weights up to which `Int8Matmul` is chosen: it arranges them anew in every call."""


@dataclass(frozen=True)
class Bytes:
    """Weights as signed bytes.

    Attributes
    ----------
    values : int8 tensor, shaped as the weights
    halved : int
        1 if every weight is twice its value, 0 if it is the value.
    """

    values: torch.Tensor
    halved: int

    @classmethod
    def of(cls, weight: torch.Tensor) -> Bytes | None:
        """Integer weights, halved where all of them are even; None if their magnitudes exceed 127."""
        halved = 0 if bool((weight & 1).any()) else 1
        low, high = torch.aminmax(weight)
        if max(-int(low), int(high)) >> halved > 127:
            return None
        return cls((weight >> halved).to(torch.int8), halved)


class Int8Product:
    """Bytes times bytes through oneDNN's quantized operators, where this build of torch has them.

    They are semi-public, so `prepare` first compares them with float32, on random spikes and with every neuron firing, and gives
    them up on any difference or error.

    Parameters
    ----------
    geometry : Geometry
    weights : Bytes
    shift : int
        From whole sums to units of v.
    zero : int
        The byte that stands for no spike: how far below 0 payloads go.
    """

    def __init__(self, geometry: Geometry, weights: Bytes, shift: int, zero: int = 0) -> None:
        ops, narrow = torch.ops.onednn, weights.values
        self.geometry, self.ops, self.zero = geometry, ops, zero
        self.scales = torch.full((len(narrow),), float(2 ** (weights.halved + shift)))
        self.zeros = torch.zeros(len(narrow), dtype=torch.int64)
        if geometry.pixelwise:
            self.packed = ops.qlinear_prepack(narrow.flatten(1), None)
        elif isinstance(geometry.map, Conv):
            top, bottom, left, right = geometry.map.padding
            # torch pads symmetrically; anything else is padded (or cropped) as bytes beforehand
            self.symmetric = (top, left) == (bottom, right) and top >= 0 and left >= 0
            padding = [top, left] if self.symmetric else [0, 0]
            c = geometry.map
            self.windows: tuple[Any, ...] = (list(c.stride), padding, list(c.dilation), c.groups)
            self.packed = ops.qconv_prepack(narrow, self.scales, 1.0, zero, *self.windows, None)
        else:
            self.packed = ops.qlinear_prepack(narrow, None)

    @classmethod
    def prepare(cls, geometry: Geometry, weights: Bytes, shift: int, payloads: tuple[int, int], exact: Exact) -> Int8Product | None:
        """The byte-wise product for payloads from the smallest to the largest; None if it is not exact or not there, as for a `Sparse`.

        A convolution that is blind, all of whose sums are 0, ends the process in oneDNN's kernels: nothing could catch that.
        """
        smallest, largest = payloads
        if isinstance(geometry.map, Sparse) or geometry.blind or largest - smallest > LARGEST_PAYLOAD:
            return None
        generator, kind = torch.Generator().manual_seed(0), torch.int8 if smallest < 0 else torch.uint8
        spikes = torch.randint(smallest, largest + 1, (4, prod(geometry.source)), generator=generator, dtype=kind)
        spikes[0], spikes[1] = smallest, largest
        try:
            product = cls(geometry, weights, shift, -smallest)
            if torch.equal(product(spikes), exact(spikes)):
                return product
        except (RuntimeError, AttributeError, TypeError, NotImplementedError):
            pass  # this torch has no such operator, or not for this geometry: float32 is exact as well
        return None

    def __call__(self, spikes: torch.Tensor) -> torch.Tensor:
        g, output = self.geometry, torch.float32
        if self.zero:
            spikes = spikes.add(self.zero).view(torch.uint8)
        if not isinstance(g.map, Conv) or g.pixelwise:
            rows = spikes.view(-1, g.source[0]) if g.pixelwise else spikes
            result: torch.Tensor = self.ops.qlinear_pointwise(
                rows, 1.0, self.zero, self.packed, self.scales, self.zeros, None, 1.0, 0, output, "none", [], ""
            )
            return result.view(len(spikes), -1)
        x = g.image(spikes)
        if not self.symmetric:
            top, bottom, left, right = g.map.padding
            x = F.pad(x, (left, right, top, bottom), value=self.zero).contiguous(memory_format=torch.channels_last)
        return g.flat(
            self.ops.qconv2d_pointwise(
                x, 1.0, self.zero, self.packed, self.scales, self.zeros, None, *self.windows, 1.0, 0, output, "none", [], ""
            )
        )


class Int8Matmul:
    """A convolution of single pixels as a matrix product that writes into an array of the caller's.

    A call costs 2 us instead of the 25 of `Int8Product`'s, so that products may be so small that sums are still in the second-level
    cache when neurons integrate them.

    Parameters
    ----------
    weights : Bytes
        Of the convolution, (C_out, C_in, 1, 1).
    shift : int
        From whole sums to units of v; `shift` of the product's results is one more if weights are halved.
    """

    kind = torch.int32

    def __init__(self, weights: Bytes, shift: int) -> None:
        self.weight = weights.values.flatten(1).T
        self.shift = shift + weights.halved

    @classmethod
    def prepare(cls, geometry: Geometry, weights: Bytes, shift: int, exact: Exact) -> Int8Matmul | None:
        """The product, or None where the map is no convolution of single pixels, or this is not the fastest or not exact."""
        if not geometry.pixelwise or weights.values.numel() > FEW_WEIGHTS or not has_fast_matmul():
            return None
        product = cls(weights, shift)
        generator = torch.Generator().manual_seed(0)
        spikes = torch.randint(0, 2, (3, prod(geometry.source)), generator=generator, dtype=torch.uint8)
        spikes[0] = 1
        sums = torch.empty((3, prod(geometry.target)), dtype=torch.int32)
        product(spikes, sums)
        return product if torch.equal(sums.to(torch.float32) * 2**product.shift, exact(spikes)) else None

    def __call__(self, spikes: torch.Tensor, sums: torch.Tensor) -> None:
        """Multiply.

        Parameters
        ----------
        spikes : uint8 tensor (..., neurons of the source), in (H, W, C) order
        sums : int32 tensor (..., neurons of the target)
            Written, in units of v / 2^shift.
        """
        inputs, outputs = self.weight.shape
        torch._int_mm(spikes.view(torch.int8).view(-1, inputs), self.weight, out=sums.view(-1, outputs))

    def by_rows(self, spikes: Sequence[torch.Tensor], sums: torch.Tensor) -> Callable[[int, int], None]:
        """The same for some rows of (rows, neurons) at a time, into the first rows of ``sums``: a call's cost is the product's."""
        inputs, outputs = self.weight.shape
        (rows,) = spikes
        pixels = rows.shape[1] // inputs
        x, y, product, weight = rows.view(torch.int8).view(-1, inputs), sums.view(-1, outputs), torch._int_mm, self.weight

        def multiply(begin: int, end: int) -> None:
            product(x[begin * pixels : end * pixels], weight, out=y[: (end - begin) * pixels])

        return multiply


@cache
def has_fast_matmul() -> bool:
    """Whether torch multiplies bytes at least as fast as float32: where oneDNN does not do it, plain loops do, many times slower."""
    a, b = torch.ones((512, 64), dtype=torch.int8), torch.ones((64, 64), dtype=torch.int8)
    x, y = a.float(), b.float()
    try:
        return shortest(lambda: torch._int_mm(a, b)) <= shortest(lambda: torch.mm(x, y))
    except (RuntimeError, AttributeError, NotImplementedError):
        return False
