"""Parts of what a network takes and gives, where that is several arrays: each has a name and a shape, and one follows the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from loihiconv.core.ending import LastFunction, Shaped, ending_shape, finish, joined
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.given import did_you_mean, shown
from loihiconv.core.linear import Array, Shape


@dataclass(frozen=True)
class Part:
    """One of several arrays.

    Attributes
    ----------
    name : str
        Key of the dict, name of the field or of the argument, or place that it has in the model.
    shape : tuple of int
        Without the batch axis; () for one number per sample.
    """

    name: str
    shape: Shape

    @property
    def size(self) -> int:
        """Number of its values."""
        return prod(self.shape)

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(map(str, self.shape or (1,)))})"


@dataclass(frozen=True)
class OutputPart(Part):
    """One of several outputs, which are neurons of one readout.

    Attributes
    ----------
    scale : float
        Potential per step that stands for an output of 1 of the float network, in multiples of the readout's ``scale``: outputs of small
        values are not drowned by those of large ones.
    ending : tuple of HostFunction
        The float network's own last functions of this output, on values of its shape; see `loihiconv.core.ending`.
    """

    scale: float = 1.0
    ending: tuple[LastFunction, ...] = ()

    @property
    def output_shape(self) -> Shape:
        """Shape of what the float network returns: after the last functions."""
        return ending_shape(self.ending, self.shape)

    def __str__(self) -> str:
        return str(Part(self.name, self.output_shape))

    @property
    def flat_ending(self) -> tuple[LastFunction, ...]:
        """The last functions on flattened values, as those of the only output of a network are."""
        return joined((Shaped(self.shape), *self.ending), (self.size,))


def slices(parts: Sequence[Part]) -> dict[str, slice]:
    """{name: where its values are}, one after the other."""
    ends = np.cumsum([part.size for part in parts]).tolist()
    return {part.name: slice(end - part.size, end) for part, end in zip(parts, ends, strict=True)}


def divided(values: Array, parts: Sequence[Part]) -> dict[str, Array]:
    """{name: array (N, \\*shape)} of values (N, all of them)."""
    places = slices(parts)
    return {part.name: values[:, places[part.name]].reshape(len(values), *part.shape) for part in parts}


def finished(parts: Sequence[OutputPart], values: Array) -> dict[str, Array]:
    """{name: array (N, \\*output_shape)} of what neurons (N, all of them) give, the last functions of each output applied."""
    each = divided(values, parts)
    return {part.name: finish(part.ending, each[part.name]) for part in parts}


def returned(parts: Sequence[OutputPart]) -> tuple[Part, ...]:
    """The outputs in the shapes that the float network returns."""
    return tuple(Part(part.name, part.output_shape) for part in parts)


def described(parts: Sequence[Part], what: str) -> str:
    """Such as "2 outputs: policy (6), value (1)"."""
    return f"{len(parts)} {what}: {', '.join(map(str, parts))}"


def find(parts: Sequence[Part], name: object, what: str) -> int:
    """Place of the part of a name.

    Raises
    ------
    InvalidSetting
        If there is none.
    """
    names = [part.name for part in parts]
    if not isinstance(name, str) or name not in names:
        said = did_you_mean(name, names) if isinstance(name, str) else ""
        raise InvalidSetting(f"{what} {shown(name)}{said}", where=what, limit=f"{' or '.join(names)} expected")
    return names.index(name)
