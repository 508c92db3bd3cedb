"""One neuron for the chip, and the host's ends of the graph. Shapes are Lava's, (W, H, C) or (n,)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lava.magma.core.process.ports.ports import InPort, OutPort, RefPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var

from loihiconv.core.linear import Array, Shape
from loihiconv.core.network import Input
from loihiconv.lava.window import Reading, Window


class SoftResetIF(AbstractProcess):
    """Integrate-and-fire neurons without leak that reset by subtraction; Lava has none.

    At each step, with act_shift = vth_shift = 6 as in Lava's ``LIF``::

        v = clip(v + (a_in << 6) + (bias_mant << bias_exp))    to +-(2^23 - 1)
        s_out = v > vth << 6
        v = v - (vth << 6) where s_out

    This is the process that a NeuroCore model for the realization "native" implements.

    Parameters
    ----------
    vth : int
        17 bits, unsigned.
    v : int array (\\*shape)
        24 bits, signed.
    bias_mant, bias_exp : int array (\\*shape)
        13 bits, signed, and 3 bits.
    """

    def __init__(self, *, shape: Shape, vth: int, v: Array, bias_mant: Array, bias_exp: Array, name: str) -> None:
        super().__init__(shape=shape, vth=vth, v=v, bias_mant=bias_mant, bias_exp=bias_exp, name=name)
        self.a_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)
        self.v = Var(shape=shape, init=v)
        self.bias_mant = Var(shape=shape, init=bias_mant)
        self.bias_exp = Var(shape=shape, init=bias_exp)
        self.vth = Var(shape=(1,), init=vth)


class SeparatedIF(SoftResetIF):
    """The same, which spikes in some steps of each sample alone: all populations of a network in which one has silent steps.

    Neurons count their steps from where the host sets ``step`` to 0, before each sample::

        s_out = v > vth << 6 and first <= step < last
        step = step + 1

    Parameters
    ----------
    first, last : int
        The first step in which neurons may spike, and the first in which they no longer may.
    """

    def __init__(self, *, shape: Shape, vth: int, v: Array, bias_mant: Array, bias_exp: Array, name: str, first: int, last: int) -> None:
        super().__init__(shape=shape, vth=vth, v=v, bias_mant=bias_mant, bias_exp=bias_exp, name=name)
        self.step = Var(shape=(1,), init=last)
        self.first = Var(shape=(1,), init=first)
        self.last = Var(shape=(1,), init=last)


class HostSource(AbstractProcess):
    """Sends what enters the network, from the host: payloads, evenly spaced spikes or Poisson spikes.

    Parameters
    ----------
    window : Window
        When it sends; silent outside.
    population : Input
    payload : path
        ``.npy`` file, int32 (N, \\*shape) channels first: as `loihiconv.core.input_coding.payloads` gives it.
    counts, spikes : path or None
        Where its spikes are written, as by `SpikeSink`.
    """

    def __init__(
        self, *, shape: Shape, window: Window, population: Input, payload: Path, counts: Path | None, spikes: Path | None, name: str
    ) -> None:
        super().__init__(shape=shape, window=window, population=population, payload=payload, counts=counts, spikes=spikes, name=name)
        self.s_out = OutPort(shape=shape)


class SpikeSink(AbstractProcess):
    """Takes a population's spikes on the host and writes them into files; see `loihiconv.lava.files.SpikeRecorder`.

    Parameters
    ----------
    window : Window
        The population's.
    counts : path
    spikes : path or None
    """

    def __init__(self, *, shape: Shape, window: Window, counts: Path, spikes: Path | None, name: str) -> None:
        super().__init__(shape=shape, window=window, counts=counts, spikes=spikes, name=name)
        self.a_in = InPort(shape=shape)


class PotentialReader(AbstractProcess):
    """Reads a readout's potentials while the graph runs on, in Lava's CPU simulator; see `loihiconv.lava.files.PotentialRecorder`.

    Parameters
    ----------
    window : Window
        The readout's.
    delay : int
        Steps of each window that the readout lets pass.
    potentials : path
    course : path or None
        Where the potentials after every step are written.
    """

    def __init__(self, *, shape: Shape, window: Window, delay: int, potentials: Path, course: Path | None, name: str) -> None:
        super().__init__(shape=shape, window=window, delay=delay, potentials=potentials, course=course, name=name)
        self.state = RefPort(shape=shape)


class PotentialSink(AbstractProcess):
    """Takes what an adapter on the chip reads of a readout: `PotentialReader` of a board.

    Parameters
    ----------
    reading : Reading
        When the adapter reads.
    late : int
        Steps after its own in which a potential is read.
    others
        As `PotentialReader` takes them.
    """

    def __init__(self, *, reading: Reading, late: int, shape: Shape, **others: Any) -> None:
        super().__init__(reading=reading, late=late, shape=shape, **others)
        self.a_in = InPort(shape=shape)
