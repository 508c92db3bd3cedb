"""Networks of lava-dl's ``netx`` as layers: what its HDF5 files hold; `netx_file` reads them and `netx_write` writes them.

``layer/0``, ``layer/1``, ... hold a type, weights, a bias and a neuron each, one layer after the other. Weights are whole numbers as
Loihi has them. A file means what lava-dl's own loader (``lava.lib.dl.netx.hdf5`` of version 0.6) makes of it: shapes are (C, H, W),
kernels are those of a cross-correlation, biases are cut to whole numbers and have an exponent of 6.
"""

from __future__ import annotations

from dataclasses import dataclass

from loihiconv.core.choices import Coding
from loihiconv.core.linear import Array, LinearMap, Shape

SPIKING, SIGMA_DELTA = ("CUBA", "LOIHI"), "SDNN"
NO_DECAY, FULL_DECAY = 0, 4096
OURS = "loihiconv"
"""The group of a file in which we say what the format has no place for."""


@dataclass(frozen=True)
class Neuron:
    """A layer's neurons.

    Parameters
    ----------
    kind : "CUBA", "LOIHI" or "SDNN"
    threshold : int
        ``vThMant``.
    current_decay, voltage_decay : int
        ``iDecay`` and ``vDecay``: 4096 lets nothing stay of a step, 0 all.
    activation : str
        Of SDNN.
    sigma_output : bool
        Of SDNN: the output itself, without activation.
    """

    kind: str
    threshold: int
    current_decay: int = FULL_DECAY
    voltage_decay: int = NO_DECAY
    activation: str = "relu"
    sigma_output: bool = False


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer with neurons, and what leads to it.

    Parameters
    ----------
    name : str
        Type and number, such as "conv1".
    shape : tuple of int
        (C, H, W) or (n,).
    map : Dense or Conv
        Whole-numbered weights in float64.
    bias : float64 array that broadcasts to shape, or None
    neuron : Neuron or None
        None integrates and never spikes.
    """

    name: str
    shape: Shape
    map: LinearMap
    bias: Array | None
    neuron: Neuron | None


@dataclass(frozen=True, eq=False)
class Ours:
    """What a file of ours says beyond the format; fields are named as in the file.

    Parameters
    ----------
    coding, scale, payload_max, signed, bias_plane, seed, given, order
        Of the input; see `loihiconv.core.network.Input`. ``given`` and ``order`` are None where samples come as the input's shape is.
    unit : float
        Potential per step of the readout, which is the last layer, that stands for an output of 1.
    names : str
        The populations behind the input, one a line.
    """

    coding: Coding
    scale: float
    payload_max: int
    signed: bool
    bias_plane: bool
    seed: int
    unit: float
    names: str
    given: Array | None = None
    order: Array | None = None


@dataclass(frozen=True, eq=False)
class Netx:
    """A chain of layers.

    Parameters
    ----------
    path : str
    shape : tuple of int
        Of the input.
    neuron : Neuron or None
        Of the input; None where spikes enter.
    weight, bias : int
        Of the input's neurons: their current is weight x + bias.
    layers : tuple of Layer
    timesteps : int or None
        That it was trained with, where the file says it.
    ours : Ours or None
        Where we have written it.
    """

    path: str
    shape: Shape
    neuron: Neuron | None
    weight: int
    bias: int
    layers: tuple[Layer, ...]
    timesteps: int | None
    ours: Ours | None = None

    @property
    def sigma_delta(self) -> bool:
        """Whether it is a network of sigma-delta neurons, which is a float network that sends changes."""
        return any(n is not None and n.kind == SIGMA_DELTA for n in (self.neuron, *(layer.neuron for layer in self.layers)))
