"""How few cores a population could take, by each resource alone, however it is cut."""

from __future__ import annotations

import numpy as np

from loihiconv.hardware.demand import Layer
from loihiconv.hardware.places import Geometry
from loihiconv.hardware.region import Region
from loihiconv.hardware.synapse_memory import kernel_words
from loihiconv.hardware.synapses import Synapses, reach


def layer_bounds(layer: Layer) -> dict[str, float]:
    """Cores that a population needs at least, in fractions, by each resource alone.

    Neurons by their compartments; memory with every weight stored once and without overhead; input axons with every source
    pixel that is seen arriving once; output axons with every pixel sent once to each population that it feeds.
    """
    board, channels = layer.board, layer.shape[0]
    bits, word = board.weight_bits.value, board.synapse_word_bits.value
    if board.compiler is not None:  # it stores weights in as few bits as they take
        words = sum(kernel_words(_stored(s), weight_bits=s.halved_weight_bits, word_bits=word) for s in layer.synapses)
    else:
        words = sum(kernel_words(s.weights, weight_bits=bits, word_bits=word) for s in layer.synapses)
    arriving = sum(_arriving(s) for s in layer.synapses)
    leaving = sum(_leaving(s, channels) for s in layer.consumers)
    return {
        "neurons": layer.neurons * layer.per_neuron / board.neurons_per_core.value,
        "synapse_memory": words / board.synapse_memory_words.value,
        "axons_in": arriving / board.input_axons_per_core.value,
        "axons_out": leaving / board.output_axons_per_core.value,
    }


def _stored(synapses: Synapses) -> int:
    """Weights that the compiler's lists hold at least: of a convolution that is written out, those of synapses that there are."""
    if synapses.kernel is None or synapses.conv is not None:
        return synapses.weights
    high, wide = (
        sum(len(axis.targets(y, (0, size))) for y in axis.reached_from((0, size)))
        for axis, size in zip(synapses.axes, synapses.target[1:], strict=True)
    )
    return int(np.prod(synapses.kernel.weight.shape[:2])) * high * wide


def _arriving(synapses: Synapses) -> int:
    """Input axons of all source pixels, or neurons, that reach any target."""
    if synapses.kernel is not None and synapses.conv is None and synapses.board.compiler is not None:
        high, wide = (len(axis.reached_from((0, size))) for axis, size in zip(synapses.axes, synapses.target[1:], strict=True))
        return synapses.source[0] * high * wide
    if synapses.conv is not None and synapses.board.compiler is not None:
        return 1  # so its tables say
    if synapses.places is not None:
        return synapses.axons_of(np.flatnonzero(synapses.seen(_all(synapses.target))))
    return _seen(synapses) * (1 if synapses.population_axons else synapses.source[0])


def _leaving(synapses: Synapses, channels: int) -> int:
    """Slots of output axons if a population of so many channels sent every pixel once."""
    if synapses.places is not None:
        target = _all(synapses.target)
        return reach(synapses, _all(synapses.source), ((target.channels,), (target.rows,), (target.columns,)))
    return _seen(synapses) * synapses.entries(channels, 1)


def _all(shape: Geometry) -> Region:
    """A whole population."""
    return Region((0, shape[0]), (0, shape[1]), (0, shape[2]))


def _seen(synapses: Synapses) -> int:
    """Source pixels that reach any target."""
    if synapses.conv is None:
        return synapses.source[1] * synapses.source[2]
    return synapses.pixels(0, (0, synapses.target[1]), (0, synapses.source[1])) * synapses.pixels(
        1, (0, synapses.target[2]), (0, synapses.source[2])
    )
