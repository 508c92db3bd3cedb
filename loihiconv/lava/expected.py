"""What a self-test compares with: samples, and all that the emulator predicts of them. Imports numpy alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import numpy as np

from loihiconv.core.errors import ArtifactError
from loihiconv.core.files import write_npz
from loihiconv.core.linear import Array
from loihiconv.core.network import Network, Recording
from loihiconv.core.npz import NoArrays, opened


@dataclass(frozen=True, eq=False)
class Expected:
    """Samples of a network, and its spikes and potentials.

    Parameters
    ----------
    x : array (N, \\*input shape)
    potentials : int array (N, \\*readout shape)
        After each sample's last step.
    spikes : {population: bool array (N, T, \\*shape)}
    digests : {name: array of str}
        What tells whether the network is still the one that was written.
    """

    x: Array
    potentials: Array
    spikes: Mapping[str, Array]
    digests: Mapping[str, Array] = field(default_factory=dict)

    @classmethod
    def of(cls, x: Array, recording: Recording) -> Expected:
        """What a recording with all spikes says of its samples."""
        return cls(x, recording.potentials, recording.spikes)

    def write(self, path: Path) -> None:
        """Write as ``.npz``, spikes packed into bits."""
        spikes = {f"spikes/{name}": np.packbits(s.reshape(len(self.x), -1), axis=1) for name, s in self.spikes.items()}
        digests = {f"digests/{name}": digest for name, digest in self.digests.items()}
        write_npz(path, {"x": self.x, "potentials": self.potentials, **spikes, **digests}, compressed=True)

    @classmethod
    def read(cls, path: Path, network: Network) -> Expected:
        """Read what `write` wrote for a network.

        Raises
        ------
        ArtifactError
            If it cannot be read.
        """
        try:
            with opened(path) as file:
                x, potentials = file["x"], file["potentials"]
                members = {name: file[name] for name in file.names if "/" in name}
        except NoArrays as error:
            raise ArtifactError(f"cannot be read: {error}", where=str(path), remedy="deploy again") from error
        _check(path, "potentials", potentials, (len(potentials) if potentials.ndim else 0, *network.readout.shape), "iu")
        _check(path, "x", x, (len(potentials), *x.shape[1:]), "biuf")
        spikes: dict[str, Array] = {}
        for name in (p.name for p in network.populations if f"spikes/{p.name}" in members):
            shape, packed = (network.timesteps, *network[name].shape), members[f"spikes/{name}"]
            _check(path, f"spikes of {name}", packed, (len(x), -(-prod(shape) // 8)), "u")
            spikes[name] = np.unpackbits(packed, axis=1, count=prod(shape)).view(np.bool_).reshape(len(x), *shape)
        digests = {name.removeprefix("digests/"): values for name, values in members.items() if name.startswith("digests/")}
        return cls(x, potentials, spikes, digests)

    def difference(self, network: Network, found: Recording) -> str | None:
        """The first population, from the input on, that differs in a recording, and how; None where all is equal."""
        if (text := first_difference(network, self.spikes, found.spikes)) is not None:
            return text
        wrong = int((self.potentials != found.potentials).sum())
        if not wrong:
            return None
        return f"population {network.readout.name}: {wrong:,} of {self.potentials.size:,} potentials differ, all spikes are equal"

    def __str__(self) -> str:
        spikes = f"{sum(int(s.sum()) for s in self.spikes.values()):,} spikes and " if self.spikes else ""
        return f"{spikes}{self.potentials.size:,} potentials of {len(self.x)} sample{'s' if len(self.x) > 1 else ''} equal"


def _check(path: Path, name: str, values: Array, shape: tuple[int, ...], kinds: str) -> None:
    """Raise `ArtifactError` unless an array has a shape and a kind of numbers."""
    if values.shape != shape or values.dtype.kind not in kinds or (kinds == "u" and values.dtype != np.uint8):
        what = f"{name}: {values.dtype} of shape {values.shape}, {shape} expected"
        raise ArtifactError(what, where=str(path), remedy="deploy again")


def first_difference(network: Network, expected: Mapping[str, Array], found: Mapping[str, Array]) -> str | None:
    """The first population, from the input on, whose spikes differ: how many, and where the first of them is. None if all are equal."""
    for population in network.populations:
        if population.name not in expected:
            continue
        wrong = expected[population.name] != found[population.name]
        if wrong.any():
            sample, step, *neuron = (int(i) for i in np.argwhere(wrong)[0])
            return (
                f"population {population.name}: {int(wrong.sum()):,} of {wrong.size:,} spikes differ, "
                f"the first in step {step + 1} of sample {sample}, neuron {tuple(neuron)}"
            )
    return None
