"""What a back end, or the float network itself, answered on some samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loihiconv.ann.frontends import Source, readable
from loihiconv.ann.frontends.selection import several
from loihiconv.core.ending import Argmax, HostFunction, ending_range, ending_shape, finish, yes_above
from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Array, Shape
from loihiconv.core.network import Network, Readout, Recording


@dataclass(frozen=True, eq=False)
class Answers:
    """Outputs of a network on N samples.

    Attributes
    ----------
    outputs : array (N, \\*shape)
        As the float network returns them.
    named : int array (N,) or None
        Classes, where a readout decides for them otherwise than by its largest output: a spiking softmax.
    """

    outputs: Array
    named: Array | None = None

    def __len__(self) -> int:
        return len(self.outputs)

    def __getitem__(self, part: slice) -> Answers:
        return Answers(self.outputs[part], None if self.named is None else self.named[part])


@dataclass(frozen=True)
class End:
    """What a network's end says of its outputs.

    Attributes
    ----------
    shape : tuple of int
        Of one sample's outputs.
    indices : int
        Where outputs are indices of classes, as an argmax gives them: how many classes there are; else 0.
    low, high : float
        Between which values they lie.
    """

    shape: Shape
    indices: int = 0
    low: float = -np.inf
    high: float = np.inf

    @property
    def threshold(self) -> float:
        """Above which an output says yes."""
        return yes_above((self.low, self.high))


def end_of(ending: Sequence[HostFunction], size: int) -> End:
    """What last functions say of the outputs of a network, whose readout has so many neurons."""
    low, high = ending_range(ending)
    indices = 0
    for i, function in enumerate(ending):
        if isinstance(function, Argmax):
            indices = ending_shape(ending[:i], (size,))[function.axis]
    return End(ending_shape(ending, (size,)), indices, low, high)


def end_of_network(network: Network) -> End:
    """What the last functions of a spiking network say of its outputs."""
    return end_of(network.readout.ending, network.readout.size)


def recorded(recording: Recording) -> Answers:
    """Answers of a run of a network with one output."""
    assert not isinstance(recording.outputs, dict)  # one of several is judged by itself
    return Answers(recording.outputs, None if recording.output_spikes is None else recording.predictions)


def finished(readout: Readout, logits: Array) -> Answers:
    """Answers from outputs (N, n) before the network's last functions."""
    return Answers(finish(readout.ending, logits.astype(np.float64)))


def over_time(readout: Readout, potentials: Array, unit: float) -> Array:
    """Outputs (N, \\*shape) from potentials (N, n) after some steps, of which 1 of the float network is worth a unit."""
    return finish(readout.ending, potentials.reshape(len(potentials), -1) / np.float64(unit))


def answer(model: Source, x: Array, shape: Shape) -> Answers:
    """Answers of the float network, which is not changed.

    Parameters
    ----------
    shape : tuple of int
        Of one sample's outputs.

    Raises
    ------
    InvalidSetting
        If it has several outputs, and none of them is named.
    InvalidModel
        If it returns another number of values, or some that are no numbers.
    """
    model = readable(model)
    outputs = model.outputs(x)
    if outputs[0].size != int(np.prod(shape)):
        if parts := model.ann(x.shape[1:]).parts:
            raise several(parts)
        raise InvalidModel(
            f"the model returns {outputs[0].size} values",
            where=model.name,
            limit=f"the spiking network has {int(np.prod(shape))} outputs",
            remedy="compare with the model that it was converted from",
        )
    if not np.isfinite(outputs).all():
        raise InvalidModel("outputs are NaN or infinite", where=model.name, remedy="check that samples are as in training")
    return Answers(outputs.reshape(len(x), *shape))
