"""Sums of weight x message in Lava's layout, as few BLAS calls as possible: without Lava.

Bit for bit what Lava's own models of ``Conv``, ``Dense`` and ``Sparse`` compute, for weights that those leave as they are (see `builder`).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from loihiconv.core.linear import Shape
from loihiconv.core.network import assert_never
from loihiconv.lava.layout import LavaConv, LavaDense, LavaMap, LavaSparse

Array: TypeAlias = NDArray[Any]
FLOAT32_EXACT = 2**24
"""Integers up to here, and so sums that never pass it, are exact in float32."""


def exact_type(sums: Array, message_bits: int) -> type[np.floating[Any]]:
    """Narrowest float type in which no sum can lose a bit, given the sums of |weight| per target."""
    return np.float32 if int(sums.max(initial=0)) << message_bits < FLOAT32_EXACT else np.float64


class DenseSums:
    """A matrix, with the work in proportion to the neurons that fire.

    Parameters
    ----------
    weight : int array (out, in)
    message_bits : int
        0 for binary spikes.
    """

    def __init__(self, weight: Array, message_bits: int) -> None:
        self.by_source = np.ascontiguousarray(weight.T, dtype=exact_type(np.abs(weight).sum(axis=1), message_bits))

    def __call__(self, messages: Array) -> Array:
        """Sums (out,) of messages, flattened in C order."""
        messages = messages.ravel()
        active = np.flatnonzero(messages)
        if 4 * len(active) > len(messages):  # copying the rows then costs more than it saves
            return (messages.astype(self.by_source.dtype) @ self.by_source).astype(np.int32)
        return np.asarray((messages[active].astype(self.by_source.dtype) @ self.by_source[active]).astype(np.int32))


class SparseSums:
    """A sparse matrix, with the work in proportion to the neurons that fire.

    Parameters
    ----------
    weight : csr_matrix (out, in) of int
    """

    def __init__(self, weight: Any) -> None:
        self.by_target = weight.astype(np.int32)
        self.by_source = self.by_target.T.tocsr()

    def __call__(self, messages: Array) -> Array:
        """Sums (out,) of messages, flattened in C order."""
        messages = messages.ravel().astype(np.int32)
        active = np.flatnonzero(messages)
        if 4 * len(active) > len(messages):  # picking rows then costs more than it saves
            return np.asarray(self.by_target @ messages)
        return np.asarray(self.by_source[active].T @ messages[active])


class ConvSums:
    """A convolution as one matrix product over all windows.

    Parameters
    ----------
    conv : LavaConv
    source, target : (W, H, C)
    message_bits : int
        0 for binary spikes.
    """

    def __init__(self, conv: LavaConv, source: Shape, target: Shape, message_bits: int) -> None:
        (width, height, c_in), (pw, ph), (sw, sh), (dw, dh) = source, conv.padding, conv.stride, conv.dilation
        c_out, kw, kh, _ = conv.weight.shape
        exact = exact_type(np.abs(conv.weight).sum(axis=(1, 2, 3)), message_bits)
        padded = np.zeros((width + 2 * pw, height + 2 * ph, c_in), exact)
        self.target = target
        self.inside = padded[pw : pw + width, ph : ph + height]
        extent = ((kw - 1) * dw + 1, (kh - 1) * dh + 1)
        # A view into `padded`, (W_out, H_out, C_in, kW, kH): writing `inside` is all that a step has to do.
        windows = sliding_window_view(padded, extent, axis=(0, 1))  # type: ignore[call-overload, unused-ignore]  # numpy 1.26 has no pair
        self.windows = windows[::sw, ::sh, :, ::dw, ::dh]
        flipped = conv.weight[:, ::-1, ::-1].transpose(0, 3, 1, 2)  # a true convolution reads its kernel backwards
        self.kernels = np.ascontiguousarray(flipped.reshape(conv.groups, c_out // conv.groups, -1).transpose(0, 2, 1), dtype=exact)

    def __call__(self, messages: Array) -> Array:
        """Sums (W, H, C) of messages (W, H, C)."""
        if not messages.any():
            return np.zeros(self.target, np.int32)
        self.inside[...] = messages.reshape(self.inside.shape)
        w_out, h_out, c_out = self.target
        groups, rows, _ = self.kernels.shape
        if groups == 1:
            return np.asarray((self.windows.reshape(w_out * h_out, rows) @ self.kernels[0]).astype(np.int32).reshape(w_out, h_out, c_out))
        columns = self.windows.reshape(w_out * h_out, groups, rows).transpose(1, 0, 2)
        return np.asarray((columns @ self.kernels).transpose(1, 0, 2).astype(np.int32).reshape(w_out, h_out, c_out))


Sums: TypeAlias = ConvSums | DenseSums | SparseSums


class Synapses:
    """A connection inside of the process of its target; arranged for the product at its first use, in that process.

    Parameters
    ----------
    linear : LavaConv, LavaDense or LavaSparse
    source : shape of the messages
    target : shape of the population
    message_bits : int
    weight_exp : int
        Sums are shifted right by -weight_exp.
    """

    def __init__(self, linear: LavaMap, source: Shape, target: Shape, message_bits: int, weight_exp: int = 0) -> None:
        self.linear, self.source, self.target, self.message_bits, self.weight_exp = linear, source, target, message_bits, weight_exp
        self._sums: Sums | None = None
        self._payload: Array | None = None
        self._current = np.zeros(target, np.int32)

    def __call__(self, messages: Array) -> Array:
        """Sums of weight x message, in the population's shape."""
        if self._sums is None:
            self._sums = self._arranged()
        if not self.message_bits:
            return self._shifted(self._sums(messages))
        if self._payload is None or not np.array_equal(messages, self._payload):  # a payload stays the same for T steps
            self._payload, self._current = messages.copy(), self._shifted(self._sums(messages))
        return self._current

    def _arranged(self) -> Sums:
        match self.linear:
            case LavaConv():
                return ConvSums(self.linear, self.source, self.target, self.message_bits)
            case LavaDense():
                return DenseSums(self.linear.weight, self.message_bits)
            case LavaSparse():
                return SparseSums(self.linear.weight)
            case _:
                assert_never(self.linear)

    def _shifted(self, sums: Array) -> Array:
        return np.right_shift(sums, -self.weight_exp).reshape(self.target)
