"""Windows of convolutions and pooling: kernel, stride, dilation, and what surrounds the input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from loihiconv.ann.frontends.onnx.graph import Operation

_LARGEST = 2**15
"""Of a kernel, a stride, a dilation or a padding; a damaged file may have any number."""


@dataclass(frozen=True)
class Window:
    """A window per spatial axis; each attribute has one number for each of them.

    Attributes
    ----------
    input : tuple of int
        Spatial sizes.
    begin, end : tuple of int
        Padding before and after.
    """

    input: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    begin: tuple[int, ...]
    end: tuple[int, ...]

    @property
    def symmetric(self) -> tuple[int, ...] | None:
        """The padding if it is the same before and after, else None."""
        return self.begin if self.begin == self.end else None

    @property
    def reach(self) -> tuple[int, ...]:
        """How far a window reaches, dilation included."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))


def window(op: Operation, x: Any, kernel: Sequence[int], *, transposed: bool = False) -> Window:
    """What an operation's attributes say of its windows on ``x`` (N, C, \\*sizes).

    ``auto_pad`` is resolved as ONNX defines it: SAME gives ceil(size / stride) results, and the odd pixel comes after the input
    (SAME_UPPER) or before it (SAME_LOWER). Of a transposed convolution it is not resolved: it depends on the result.
    """
    sizes, dims = tuple(int(n) for n in x.shape[2:]), len(kernel)
    given = {
        "kernel": tuple(int(k) for k in kernel),
        "strides": _numbers(op, "strides", dims, 1),
        "dilations": _numbers(op, "dilations", dims, 1),
    }
    pads = _numbers(op, "pads", 2 * dims, 0)
    if (
        len(sizes) != dims
        or any(not 1 <= n <= _LARGEST for values in given.values() for n in values)
        or not all(0 <= n <= _LARGEST for n in pads)
    ):
        raise op.broken(f"has windows of {given} with pads {pads} on an input of shape {tuple(x.shape)}")
    found = Window(sizes, given["kernel"], given["strides"], given["dilations"], pads[:dims], pads[dims:])
    mode = op.get("auto_pad", "NOTSET") or "NOTSET"
    if mode == "NOTSET" or transposed:
        return found
    if mode not in ("VALID", "SAME_UPPER", "SAME_LOWER"):
        raise op.broken(f"has auto_pad {mode!r}")
    needed = (0,) * dims
    if mode != "VALID":
        reached = zip(sizes, found.stride, found.reach, strict=True)
        needed = tuple(max(0, (-(-size // stride) - 1) * stride + reach - size) for size, stride, reach in reached)
    small, large = tuple(n // 2 for n in needed), tuple(n - n // 2 for n in needed)
    begin, end = (large, small) if mode == "SAME_LOWER" else (small, large)
    return Window(sizes, found.kernel, found.stride, found.dilation, begin, end)


def flat_pads(begin: Sequence[int], end: Sequence[int]) -> tuple[int, ...]:
    """Padding as `torch.nn.functional.pad` takes it: the last axis first."""
    return tuple(n for pair in zip(reversed(begin), reversed(end), strict=True) for n in pair)


def _numbers(op: Operation, attribute: str, count: int, default: int) -> tuple[int, ...]:
    given = op.get(attribute)
    numbers = tuple(int(n) for n in given) if given else (default,) * count
    if len(numbers) != count:
        raise op.broken(f"has {len(numbers)} numbers as {attribute}, where {count} are expected")
    return numbers
