"""Fixed-point models in Python, for our processes and faster ones for Lava's stock connections."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.conv.process import Conv
from lava.proc.dense.process import Dense
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from loihiconv.lava.processes.process import Delay, PayloadInput, ReadoutIntegrator, ResetToZeroIF, SubtractiveIF
from loihiconv.network import STATE_SHIFT, SUM_LIMIT, V_MAX

Array: TypeAlias = NDArray[Any]
FLOAT32_EXACT = 2**24
"""Integers up to here, and so sums that never pass it, are exact in float32."""


class _Samples:
    """Rows of a ``.npy`` file (N, \\*shape), channels first, as Lava's arrays; mapped, so one sample is read at a time."""

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self._rows, self._shape = np.load(path, mmap_mode="r"), shape

    def __getitem__(self, sample: int) -> Array:
        return np.ascontiguousarray(self._rows[sample].reshape(self._shape[::-1]).T, dtype=np.int32)


def _append(path: Path, values: Array) -> None:
    """Append one sample in a single write, so that a reader meets whole samples but for the last one."""
    with path.open("ab", buffering=0) as file:
        file.write(np.ascontiguousarray(values).data)


@implements(proc=PayloadInput, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PayloadInputModel(PyLoihiProcessModel):
    """See `PayloadInput`."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=32)

    def __init__(self, proc_params: dict) -> None:
        super().__init__(proc_params)
        self.window = proc_params["window"]
        self.samples = _Samples(proc_params["payload"], proc_params["shape"])
        self.nothing = np.zeros(proc_params["shape"], np.int32)
        self.current = self.nothing

    def run_spk(self) -> None:
        place = self.window.locate(self.time_step)
        if place is None:
            self.s_out.send(self.nothing)
            return
        sample, step = place
        if step == 0:
            self.current = self.samples[sample]
        self.s_out.send(self.current)


class _NeuronsModel(PyLoihiProcessModel):
    """Integration, common to spiking neurons and readout; see `Neurons`."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    v_init: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    bias_mant: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=13)
    bias_exp: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=3)

    def __init__(self, proc_params: dict) -> None:
        super().__init__(proc_params)
        self.window = proc_params["window"]
        self.biases = _Samples(proc_params["biases"], proc_params["shape"]) if proc_params["biases"] else None
        self.bias: Array | None = None

    def integrate(self, a_in: Array, sample: int, step: int) -> None:
        """One step of v; strict: a sum that would wrap the 24-bit u is an error, not a number."""
        if step == 0:
            self.v[:] = self.v_init
            self.bias = self.bias_mant << self.bias_exp if self.biases is None else self.biases[sample]
        largest = int(np.abs(a_in).max(initial=0))
        if largest >= SUM_LIMIT:
            name, place = self.proc_params["name"], f"step {step + 1} of sample {sample}"
            raise OverflowError(f"{name}: a synaptic sum of magnitude {largest} in {place}; it must stay below 2^17 = {SUM_LIMIT}")
        np.clip(self.v + (a_in << STATE_SHIFT) + self.bias, -V_MAX, V_MAX, out=self.v)


class _IntegrateAndFireModel(_NeuronsModel):
    """Spikes, and their recording; see `IntegrateAndFire`."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=1)
    vth: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=17)

    def __init__(self, proc_params: dict) -> None:
        super().__init__(proc_params)
        self.counts = np.zeros(proc_params["shape"], np.int32)
        self.silence = np.zeros(proc_params["shape"], np.int32)
        self.raster: list[Array] = []

    def run_spk(self) -> None:
        a_in = self.a_in.recv()
        place = self.window.locate(self.time_step)
        if place is None:
            self.s_out.send(self.silence)
            return
        sample, step = place
        self.integrate(a_in, sample, step)
        threshold = int(self.vth[0]) << STATE_SHIFT
        spikes = self.v > threshold
        self.reset(spikes, threshold)
        self.s_out.send(spikes.astype(np.int32))
        self.record(spikes, step)

    def reset(self, spikes: Array, threshold: int) -> None:
        """What a spike does to v."""
        raise NotImplementedError

    def record(self, spikes: Array, step: int) -> None:
        """Count, and at the end of the window write."""
        self.counts += spikes
        if self.proc_params["spikes"]:
            self.raster.append(np.packbits(spikes.T.ravel()))
        if not self.window.is_last(step):
            return
        if self.proc_params["spikes"]:
            _append(self.proc_params["spikes"], np.concatenate(self.raster))
            self.raster = []
        _append(self.proc_params["counts"], self.counts.T)
        self.counts[:] = 0


@implements(proc=SubtractiveIF, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SubtractiveIFModel(_IntegrateAndFireModel):
    """See `SubtractiveIF`."""

    def reset(self, spikes: Array, threshold: int) -> None:
        self.v[spikes] -= threshold


@implements(proc=ResetToZeroIF, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class ResetToZeroIFModel(_IntegrateAndFireModel):
    """See `ResetToZeroIF`."""

    def reset(self, spikes: Array, threshold: int) -> None:
        self.v[spikes] = 0


@implements(proc=ReadoutIntegrator, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class ReadoutIntegratorModel(_NeuronsModel):
    """See `ReadoutIntegrator`."""

    def __init__(self, proc_params: dict) -> None:
        super().__init__(proc_params)
        self.course: list[Array] = []

    def run_spk(self) -> None:
        a_in = self.a_in.recv()
        place = self.window.locate(self.time_step)
        if place is None:
            return
        sample, step = place
        self.integrate(a_in, sample, step)
        if self.proc_params["potentials_over_time"]:
            self.course.append(self.v.T.flatten())
        if not self.window.is_last(step):
            return
        if self.proc_params["potentials_over_time"]:
            _append(self.proc_params["potentials_over_time"], np.concatenate(self.course))
            self.course = []
        _append(self.proc_params["potentials"], self.v.T)


@implements(proc=Delay, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class DelayModel(PyLoihiProcessModel):
    """See `Delay`."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=32)

    def __init__(self, proc_params: dict) -> None:
        super().__init__(proc_params)
        self.ring = np.zeros((proc_params["steps"], *proc_params["shape"]), np.int32)

    def run_spk(self) -> None:
        slot = self.ring[self.time_step % len(self.ring)]
        self.s_out.send(slot)
        slot[:] = self.s_in.recv()


class _ConnectionModel(PyLoihiProcessModel):
    """What the two fast models share: send the previous step's sum, then compute this step's, all at once in BLAS.

    Bit for bit the same as Lava's own models, for weights that those leave as they are (see `builder`).
    """

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    num_message_bits: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=5)

    def __init__(self, proc_params: dict) -> None:
        super().__init__(proc_params)
        self.last: Array | None = None
        self.ready = False

    def run_spk(self) -> None:
        if not self.ready:
            self.prepare()
            self.last, self.ready = np.zeros(self.a_out._shape, np.int32), True
        self.a_out.send(self.last)
        messages = self.s_in.recv()
        if not self.num_message_bits[0]:
            messages = messages.astype(bool)
        self.last = self.transmit(messages).astype(np.int32)

    def exact_type(self, sums: Array) -> type[np.floating]:
        """Narrowest float type in which no sum can lose a bit, given the sums of |weight| per target."""
        largest = int(sums.max(initial=0)) << int(self.num_message_bits[0])
        return np.float32 if largest < FLOAT32_EXACT else np.float64

    def prepare(self) -> None:
        """Arrange the weights, once."""
        raise NotImplementedError

    def transmit(self, messages: Array) -> Array:
        """Sums of weight x message."""
        raise NotImplementedError


@implements(proc=Dense, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt", "loihiconv")
class FastDenseModel(_ConnectionModel):
    """Lava's ``Dense`` with the work in proportion to the neurons that fire."""

    a_buff: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    weights: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=8)

    def prepare(self) -> None:
        exact = self.exact_type(np.abs(self.weights).sum(axis=1))
        self.by_source = np.ascontiguousarray(self.weights.T, dtype=exact)

    def transmit(self, messages: Array) -> Array:
        active = np.flatnonzero(messages)
        if 4 * len(active) > len(messages):  # copying the rows then costs more than it saves
            return messages.astype(self.by_source.dtype) @ self.by_source
        return messages[active].astype(self.by_source.dtype) @ self.by_source[active]


@implements(proc=Conv, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt", "loihiconv")
class FastConvModel(_ConnectionModel):
    """Lava's ``Conv`` as one matrix product over all windows instead of a Python loop over channel pairs.

    Geometry is taken from int32 fields: Lava's model has it in int8, so that 128 groups or more wrap.
    """

    a_buf: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    weight: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=8)
    weight_exp: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=8)
    num_weight_bits: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=5)
    kernel_size: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=32)
    stride: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=32)
    padding: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=32)
    dilation: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=32)
    groups: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=32)

    def prepare(self) -> None:
        (width, height, c_in), groups = self.s_in._shape, int(self.groups[0])
        (pw, ph), (sw, sh), (dw, dh) = self.padding, self.stride, self.dilation
        c_out, kw, kh, _ = self.weight.shape
        exact = self.exact_type(np.abs(self.weight).sum(axis=(1, 2, 3)))
        padded = np.zeros((width + 2 * pw, height + 2 * ph, c_in), exact)
        self.inside = padded[pw : pw + width, ph : ph + height]
        extent = ((kw - 1) * dw + 1, (kh - 1) * dh + 1)
        # A view into `padded`, (W_out, H_out, C_in, kW, kH): writing `inside` is all that a step has to do.
        windows = sliding_window_view(padded, extent, axis=(0, 1))  # type: ignore[call-overload, unused-ignore]  # numpy 1.26 has no pair
        self.windows = windows[::sw, ::sh, :, ::dw, ::dh]
        flipped = self.weight[:, ::-1, ::-1].transpose(0, 3, 1, 2)  # a true convolution reads its kernel backwards
        self.kernels = np.ascontiguousarray(flipped.reshape(groups, c_out // groups, -1).transpose(0, 2, 1), dtype=exact)

    def transmit(self, messages: Array) -> Array:
        if not messages.any():
            return np.zeros(self.a_out._shape, np.int32)
        self.inside[...] = messages
        w_out, h_out, c_out = self.a_out._shape
        groups, rows, _ = self.kernels.shape
        columns = self.windows.reshape(w_out * h_out, groups, rows).transpose(1, 0, 2)
        return (columns @ self.kernels).transpose(1, 0, 2).reshape(w_out, h_out, c_out)
