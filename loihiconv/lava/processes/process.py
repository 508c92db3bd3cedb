"""Processes: populations of a `loihiconv.core.network.Network`, and a delay line.

Shapes are Lava's, (W, H, C) or (n,). All processes of a population know its `Window` and write what is recorded into
files as they go, because reading a Lava variable back costs 20 us per element and works only while paused.
"""

from __future__ import annotations

from pathlib import Path

from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var

from loihiconv.core.linear import Array, Conv, Shape
from loihiconv.core.network import Input, MaxPool
from loihiconv.lava.sums import Synapses
from loihiconv.lava.window import Window


class PoissonInput(AbstractProcess):
    """Sends random spikes, see `loihiconv.core.input_coding.poisson_spikes`, and nothing outside of the windows.

    Parameters
    ----------
    shape : (W, H, C) or (n,)
    population : Input
    payload : path
        As of `PayloadInput`.
    counts, spikes : path, and path or None
        As of `IntegrateAndFire`.
    """

    def __init__(
        self, *, shape: Shape, window: Window, population: Input, payload: Path, counts: Path, spikes: Path | None, name: str
    ) -> None:
        super().__init__(shape=shape, window=window, population=population, payload=payload, counts=counts, spikes=spikes, name=name)
        self.s_out = OutPort(shape=shape)


class MaxPoolGate(AbstractProcess):
    """Lets only the spikes of each window's busiest unit pass; see `loihiconv.core.network.MaxPool`.

    It takes spikes straight from the source, without synapses, and keeps them for one step, as a connection would.

    Parameters
    ----------
    shape, source : (W, H, C)
        Of the gates, and of the units that they pool.
    population : MaxPool
    windows : Conv
        The map of the connection into it.
    counts, spikes : path, and path or None
        As of `IntegrateAndFire`.
    """

    def __init__(
        self,
        *,
        shape: Shape,
        source: Shape,
        window: Window,
        population: MaxPool,
        windows: Conv,
        counts: Path,
        spikes: Path | None,
        name: str,
    ) -> None:
        super().__init__(
            shape=shape, source=source, window=window, population=population, windows=windows, counts=counts, spikes=spikes, name=name
        )
        self.s_in = InPort(shape=source)
        self.s_out = OutPort(shape=shape)


class PayloadInput(AbstractProcess):
    """Sends the payload of sample k at every step of its window, and zeros outside.

    Parameters
    ----------
    shape : (W, H, C) or (n,)
    payload : path
        ``.npy`` file, int32 (N, \\*shape) channels first; read one sample at a time.
    """

    def __init__(self, *, shape: Shape, window: Window, payload: Path, name: str) -> None:
        super().__init__(shape=shape, window=window, payload=payload, name=name)
        self.s_out = OutPort(shape=shape)


class Neurons(AbstractProcess):
    """What spiking neurons and the readout share: v <- clip(v + (a_in << 6) + bias), from v_init in each window.

    Parameters
    ----------
    shape : (W, H, C) or (n,)
    v_init : int array (\\*shape)
        Membrane potential at the start of each window, in units of v.
    bias_mant, bias_exp : int array (\\*shape)
        bias_mant << bias_exp is added to v at each step.
    biases : path or None
        ``.npy`` file, int32 (N, \\*shape) channels first: biases, in units of v, that the host would load before
        each sample; used instead of bias_mant and bias_exp.
    synapses : Synapses or None
        The one connection into the population, if it is computed in the same process: then what arrives are not sums but
        the messages of the source. That saves Lava a process, and a message of the size of the population per step.
    """

    def __init__(
        self,
        *,
        shape: Shape,
        window: Window,
        v_init: Array,
        bias_mant: Array,
        bias_exp: Array,
        biases: Path | None,
        name: str,
        synapses: Synapses | None = None,
        **files: Path | None,
    ) -> None:
        super().__init__(shape=shape, window=window, biases=biases, name=name, synapses=synapses, **files)
        self.a_in = InPort(shape=shape if synapses is None else synapses.source)
        self.v = Var(shape=shape, init=v_init)
        self.v_init = Var(shape=shape, init=v_init)
        self.bias_mant = Var(shape=shape, init=bias_mant)
        self.bias_exp = Var(shape=shape, init=bias_exp)


class IntegrateAndFire(Neurons):
    """Integrate-and-fire neurons without leak: spike if v > vth << 6; how v is reset then, the kinds below say.

    Parameters
    ----------
    vth : int
    counts : path
        Spikes, or the sums of their payloads, per neuron and sample are appended here: int32, channels first.
    spikes : path or None
        Every spike is appended here, one bit each: per sample T rows, each filled up to whole bytes.
    """

    def __init__(
        self,
        *,
        shape: Shape,
        window: Window,
        vth: int,
        v_init: Array,
        bias_mant: Array,
        bias_exp: Array,
        biases: Path | None,
        counts: Path,
        spikes: Path | None,
        name: str,
        synapses: Synapses | None = None,
    ) -> None:
        super().__init__(
            shape=shape,
            window=window,
            v_init=v_init,
            bias_mant=bias_mant,
            bias_exp=bias_exp,
            biases=biases,
            counts=counts,
            spikes=spikes,
            name=name,
            synapses=synapses,
        )
        self.s_out = OutPort(shape=shape)
        self.vth = Var(shape=(1,), init=vth)


class SubtractiveIF(IntegrateAndFire):
    """Reset by subtraction: v <- v - (vth << 6) after a spike. Lava has no process that does this."""


class ResetToZeroIF(IntegrateAndFire):
    """Reset to zero: v <- 0 after a spike, as Lava's ``LIF`` with du = 4095 and dv = 0."""


class GradedIF(IntegrateAndFire):
    """Sends s = min(payload_max, max(0, floor(v / (vth << 6)))) and then has v <- v - s (vth << 6).

    With ``signed`` s can be negative, down to -payload_max and to minus what was sent since the start of the window.

    Parameters
    ----------
    payload_max : int
    signed : bool
    spikes : path or None
        Every payload is appended here, one byte each: per sample T rows.
    """

    def __init__(
        self,
        *,
        shape: Shape,
        window: Window,
        vth: int,
        v_init: Array,
        bias_mant: Array,
        bias_exp: Array,
        payload_max: int,
        signed: bool,
        biases: Path | None,
        counts: Path,
        spikes: Path | None,
        name: str,
        synapses: Synapses | None = None,
    ) -> None:
        super().__init__(
            shape=shape,
            window=window,
            vth=vth,
            v_init=v_init,
            bias_mant=bias_mant,
            bias_exp=bias_exp,
            biases=biases,
            counts=counts,
            spikes=spikes,
            name=name,
            synapses=synapses,
        )
        self.proc_params["payload_max"] = payload_max
        self.proc_params["signed"] = signed


class ReadoutIntegrator(Neurons):
    """Neurons that never spike; their potentials are the result.

    Parameters
    ----------
    potentials : path
        Potentials after each sample's last step are appended here: int32, channels first.
    course : path or None
        The same after each step, T rows per sample.
    delay : int
        Steps of each window in which v stays at its start.
    """

    def __init__(
        self,
        *,
        shape: Shape,
        window: Window,
        v_init: Array,
        bias_mant: Array,
        bias_exp: Array,
        biases: Path | None,
        potentials: Path,
        course: Path | None,
        name: str,
        synapses: Synapses | None = None,
        delay: int = 0,
    ) -> None:
        super().__init__(
            shape=shape,
            window=window,
            v_init=v_init,
            bias_mant=bias_mant,
            bias_exp=bias_exp,
            biases=biases,
            potentials=potentials,
            course=course,
            name=name,
            synapses=synapses,
        )
        self.proc_params["delay"] = delay


class Delay(AbstractProcess):
    """Sends what it received ``steps`` time steps ago.

    Parameters
    ----------
    steps : int, 1 or more
    """

    def __init__(self, *, shape: Shape, steps: int, name: str) -> None:
        super().__init__(shape=shape, steps=steps, name=name)
        self.s_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)
