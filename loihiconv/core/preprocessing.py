"""What is done with samples before a network sees them: part of the network, stored with it and applied by everything that runs it.

For one sample x, with c its channels' axis::

    y[c] = (scale x[c] - mean[c]) / std[c]

and then its axes are brought from the order in which they come to the one that the network takes. All of it in float32.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from math import isfinite
from numbers import Real
from typing import Any

import numpy as np

from loihiconv.core.errors import InvalidData, InvalidSetting
from loihiconv.core.given import shown
from loihiconv.core.linear import Array, Shape

BYTE = 1 / 255
"""What bytes of images are multiplied by, so that they are from 0 to 1."""
CHANNELS = (1, 3, 4)
"""Channels that images have."""
LISTED = 4
"""Numbers that are written out."""
_LAYOUT = re.compile(r"([A-Z]+)(?:\s*->\s*([A-Z]+))?")


@dataclass(frozen=True)
class Preprocessing:
    """What a network's samples are multiplied by, shifted and divided by, and how their axes are arranged, in this order.

    Parameters
    ----------
    mean, std : float or sequence of float, optional
        Subtracted from each channel, and what it is divided by afterwards; one number for all channels, or one for each.
    scale : float
        What samples are multiplied by first: 1 / 255 brings bytes to 0 to 1.
    layout : str
        A sample's axes as they come, in letters with C for channels, such as "HWC", "HW" or "LC"; and after an arrow as the network
        takes them, "HWC->HWC" where that is not channels first, as it is of networks of Keras. Empty: as they come, channels first.

    Raises
    ------
    InvalidSetting
        If a number is not finite, a std is 0, or the layout cannot be read.
    """

    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    scale: float = 1.0
    layout: str = ""

    def __post_init__(self) -> None:
        for name in ("mean", "std"):
            object.__setattr__(self, name, _numbers(getattr(self, name), name))
        if not isinstance(self.scale, Real) or isinstance(self.scale, bool) or not isfinite(self.scale) or not self.scale:
            raise InvalidSetting(f"scale {shown(self.scale)}", where="scale", limit="a finite number other than 0 expected")
        object.__setattr__(self, "scale", float(self.scale))
        if len(self.mean) > 1 and len(self.std) > 1 and len(self.mean) != len(self.std):
            raise InvalidSetting(f"{len(self.mean)} and {len(self.std)} numbers", where="mean and std", limit="as many channels expected")
        object.__setattr__(self, "layout", _layout(self.layout))

    @property
    def axes(self) -> tuple[str, str]:
        """Letters of a sample's axes as they come, and as the network takes them; both empty where nothing is said of them."""
        given, _, taken = self.layout.partition("->")
        return given, taken

    @property
    def plain(self) -> bool:
        """Whether samples stay as they are."""
        given, taken = self.axes
        return not self.mean and not self.std and self.scale == 1 and given == taken

    def given_shape(self, taken: Shape) -> Shape:
        """Shape of one sample as it comes, for a network that takes samples of shape ``taken``.

        Raises
        ------
        InvalidSetting
            If the layout is not one of such samples.
        """
        came, goes = self.axes
        if not came:
            return taken
        sizes = dict(zip(goes, taken, strict=False))
        if len(goes) != len(taken) or ("C" not in came and sizes.get("C", 1) != 1):
            limit = f"the network takes samples of shape {taken}"
            raise InvalidSetting(f"layout {self.layout}", where="layout", limit=limit, remedy='write it as "HWC" or "HWC->CHW"')
        return tuple(sizes.get(axis, 1) for axis in came)

    def apply(self, x: Array) -> Array:
        """Samples (N, \\*shape as they come) as the network takes them, float32.

        Raises
        ------
        InvalidData
            If they have other axes or channels than were said.
        """
        x = np.asarray(x)
        came, goes = self.axes
        if came and x.ndim != len(came) + 1:
            limit = f"layout {came} of {len(came)} axes beside the first expected"
            bare = came.replace("C", "")
            remedy = f"layout {bare} is of one channel that has no axis" if x.ndim == len(bare) + 1 else ""
            raise InvalidData(f"samples of shape {x.shape[1:]}", where="preprocessing", limit=limit, remedy=remedy)
        y = self._standardised(np.asarray(x, np.float32), came)
        if came == goes:
            return y
        if "C" not in goes:
            y, came = self._without_channels(y, came)
        y = y.transpose(0, *(came.index(axis) + 1 for axis in goes if axis in came))
        places = tuple(k + 1 for k, axis in enumerate(goes) if axis not in came)
        return np.ascontiguousarray(np.expand_dims(y, places))

    def _without_channels(self, x: Array, came: str) -> tuple[Array, str]:
        axis = came.index("C") + 1
        if x.shape[axis] != 1:
            raise InvalidData(f"{x.shape[axis]} channels", where="preprocessing", limit=f"one expected for layout {self.layout}")
        return x.squeeze(axis), came.replace("C", "")

    def _standardised(self, x: Array, came: str) -> Array:
        if self.scale != 1:
            # Bytes are divided, as torchvision's ToTensor does: a float32 product with 1 / 255 differs in its last bit.
            x = x / np.float32(1 / self.scale) if abs(self.scale) < 1 else x * np.float32(self.scale)
        if not self.mean and not self.std:
            return x
        axis = came.index("C") + 1 if "C" in came else 1
        channels = 1 if (came and "C" not in came) or x.ndim < 2 else x.shape[axis]
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (0, 1, channels):
                raise InvalidData(f"{len(values)} numbers for {channels} channels", where=name, limit="one, or one per channel, expected")
        spread = (-1, *[1] * max(x.ndim - 1 - axis, 0))
        shift = np.asarray(self.mean or [0.0], np.float32).reshape(spread)
        return np.asarray((x - shift) / np.asarray(self.std or [1.0], np.float32).reshape(spread))

    def __str__(self) -> str:
        """In words and formulas, as commands say it: "x / 255, then (x - 0.286) / 0.353, HWC -> CHW"."""
        steps = [] if self.scale == 1 else [_times(self.scale)]
        if self.mean or self.std:
            shifted = f"(x - {_short(self.mean)})" if self.mean else "x"
            steps.append(shifted + (f" / {_short(self.std)}" if self.std else ""))
        text = ", then ".join(steps)
        came, goes = self.axes
        if came != goes:
            text += (", " if text else "") + f"{came} -> {goes}"
        return text or "none"


def differences(given: Preprocessing, stored: Preprocessing, names: tuple[str, ...]) -> list[str]:
    """Which of these fields of a preprocessing differ from those that a network has: "mean: 0.5 given, 0.286 stored"."""
    found = []
    for field in (f for f in fields(Preprocessing) if f.name in names):
        one, other = getattr(given, field.name), getattr(stored, field.name)
        if one != other and not (isinstance(one, tuple) and {*one} == {*other} and 1 in (len(one), len(other))):
            found.append(f"{field.name} {_said(one)} given, {_said(other)} stored")
    return found


def likely_layout(sample: Shape, wanted: Shape | None, *, images: bool) -> str:
    """How samples have to be arranged, judged by their shape: for a network that takes another one, or, of images, for channels first.

    Parameters
    ----------
    sample : tuple of int
        Shape of one sample as it comes.
    wanted : tuple of int or None
        The one that the network takes, where it is known.
    images : bool
        Whether they are images, whose last axis may be channels.

    Returns
    -------
    str
        As `Preprocessing.layout` has it; empty where they stay as they are.
    """
    channels_last = len(sample) == 3 and sample[-1] in CHANNELS and sample[0] not in CHANNELS
    if wanted == sample:
        return "HWC->HWC" if channels_last else ""
    if wanted is None:
        if not images:
            return ""
        return "HW->CHW" if len(sample) == 2 else "HWC->CHW" if channels_last else ""
    ways: dict[str, Shape] = {"L->CL": (1, *sample), "L->LC": (*sample, 1)} if len(sample) == 1 else {}
    if len(sample) == 2:
        ways = {"HW->CHW": (1, *sample), "HW->HWC": (*sample, 1), "LC->CL": sample[::-1], "LC->L": sample[:1], "CL->L": sample[1:]}
    if len(sample) == 3:
        ways = {"HWC->CHW": (sample[2], *sample[:2]), "CHW->HWC": (*sample[1:], sample[0]), "CHW->HW": sample[1:], "HWC->HW": sample[:2]}
    fits = {way: shape for way, shape in ways.items() if shape == wanted and np.prod(shape) == np.prod(sample)}
    return next(iter(fits), "HWC->CHW" if images and channels_last and len(wanted) == 3 else "")


def _numbers(value: Any, name: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(v) for v in np.asarray(value, np.float64).reshape(-1))
    except (TypeError, ValueError) as error:
        raise InvalidSetting(f"{name} {shown(value)}", where=name, limit="a number, or one per channel, expected") from error
    if not all(map(isfinite, numbers)) or (name == "std" and 0 in numbers):
        limit = "finite numbers other than 0 expected" if name == "std" else "finite numbers expected"
        raise InvalidSetting(f"{name} {list(numbers)}", where=name, limit=limit)
    return numbers


def _layout(text: Any) -> str:
    """A layout with its arrow; of what comes alone, channels become the first axis."""
    if text == "":
        return ""
    found = _LAYOUT.fullmatch(text.strip().upper()) if isinstance(text, str) else None
    came, goes = (found[1], found[2] or "") if found else ("", "")
    goes = goes or "C" + came.replace("C", "")
    twice = len(set(came)) < len(came) or len(set(goes)) < len(goes)
    if not came or twice or set(goes) - set(came) - {"C"} or set(came) - set(goes) - {"C"}:
        limit = 'letters such as "HWC" or "HWC->CHW" expected, each axis once'
        raise InvalidSetting(f"layout {shown(text)}", where="layout", limit=limit)
    return f"{came}->{goes}"


def _times(scale: float) -> str:
    inverse = 1 / scale
    return f"x / {inverse:g}" if abs(scale) < 1 and abs(inverse - round(inverse)) < 1e-6 * abs(inverse) else f"{scale:g} x"


def _short(values: tuple[float, ...]) -> str:
    if len(values) == 1:
        return f"{values[0]:g}"
    if len(values) > LISTED:
        return f"[{values[0]:.3g}, {values[1]:.3g}, ... {len(values)} numbers]"
    return f"[{', '.join(f'{v:g}' for v in values)}]"


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        return _short(value) if value else "none"
    return f"{value:.6g}" if isinstance(value, float) else value or "none"
