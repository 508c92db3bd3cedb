"""Fixed-point models in Python, for our processes and faster ones for Lava's stock connections."""

from __future__ import annotations

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
from lava.proc.sparse.process import Sparse
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from loihiconv.core.network import STATE_SHIFT, SUM_LIMIT
from loihiconv.core.neurons import current, fire, integrate
from loihiconv.lava.files import PotentialRecorder, Samples, SpikeRecorder
from loihiconv.lava.layout import LavaConv
from loihiconv.lava.processes.process import Delay, GradedIF, PayloadInput, ReadoutIntegrator, ResetToZeroIF, SubtractiveIF
from loihiconv.lava.sums import ConvSums, DenseSums, SparseSums, Sums

Array: TypeAlias = NDArray[Any]


@implements(proc=PayloadInput, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PayloadInputModel(PyLoihiProcessModel):
    """See `PayloadInput`."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=32)

    def __init__(self, proc_params: dict[str, Any]) -> None:
        super().__init__(proc_params)
        self.window = proc_params["window"]
        self.samples = Samples(proc_params["payload"], proc_params["shape"])
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
    v: Array = LavaPyType(np.ndarray, np.int32, precision=24)
    v_init: Array = LavaPyType(np.ndarray, np.int32, precision=24)
    bias_mant: Array = LavaPyType(np.ndarray, np.int32, precision=13)
    bias_exp: Array = LavaPyType(np.ndarray, np.int32, precision=3)

    def __init__(self, proc_params: dict[str, Any]) -> None:
        super().__init__(proc_params)
        self.window = proc_params["window"]
        self.biases = Samples(proc_params["biases"], proc_params["shape"]) if proc_params["biases"] else None
        self.bias: Array = np.zeros(1, np.int32)
        self.synapses = proc_params["synapses"]
        self.sums: Array = np.zeros(proc_params["shape"], np.int32)

    def run_spk(self) -> None:
        if self.synapses is None:
            self.advance(self.a_in.recv())
            return
        # Connection and neurons in one: send first and read then, as connections do, so that each takes one step.
        self.advance(self.sums)
        self.sums = self.synapses(self.a_in.recv())

    def advance(self, a_in: Array) -> None:
        """One step, with the sums that arrive in it."""
        raise NotImplementedError

    def integrate(self, v: Array, a_in: Array, sample: int, step: int, first: int = 0) -> None:
        """One step of potentials, in place; strict: a sum that would wrap the 24-bit u is an error, not a number."""
        if step == first:
            v[:] = self.v_init
            self.bias = self.bias_mant << self.bias_exp if self.biases is None else self.biases[sample]
            if self.window.silent:
                v += self.window.timesteps * self.bias
                self.bias = np.zeros_like(self.bias)
        largest = int(np.abs(a_in).max(initial=0))
        if largest >= SUM_LIMIT:
            name, place = self.proc_params["name"], f"step {step + 1} of sample {sample}"
            raise OverflowError(f"{name}: a synaptic sum of magnitude {largest} in {place}; it must stay below 2^17 = {SUM_LIMIT}")
        integrate(v, current(a_in, self.bias), out=v)


class _IntegrateAndFireModel(_NeuronsModel):
    """Spikes, and their recording; see `IntegrateAndFire`."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=1)
    vth: Array = LavaPyType(np.ndarray, np.int32, precision=17)

    def __init__(self, proc_params: dict[str, Any]) -> None:
        super().__init__(proc_params)
        self.silence = np.zeros(proc_params["shape"], np.int32)
        self.w = self.silence.copy()
        self.recorder = SpikeRecorder(proc_params)

    def advance(self, a_in: Array) -> None:
        """Integrate in v the sample that is being sent, and in w one that is not yet."""
        comes, sends = self.window.locate(self.time_step), self.window.sends(self.time_step)
        if sends is not None and sends[1] == 0:
            self.v[:] = self.w
        if comes is not None:
            v = self.v if comes[1] >= self.window.silent else self.w
            self.integrate(v, a_in, *comes)
        if sends is None:
            self.s_out.send(self.silence)
            return
        spikes = self.fire(int(self.vth[0]) << STATE_SHIFT)
        self.s_out.send(spikes.astype(np.int32))
        self.recorder.record(spikes, sends[1])

    def fire(self, threshold: int) -> Array:
        """Spikes of this step; they change v."""
        raise NotImplementedError


@implements(proc=SubtractiveIF, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SubtractiveIFModel(_IntegrateAndFireModel):
    """See `SubtractiveIF`."""

    def fire(self, threshold: int) -> Array:
        return fire(self.v, threshold)


@implements(proc=ResetToZeroIF, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class ResetToZeroIFModel(_IntegrateAndFireModel):
    """See `ResetToZeroIF`."""

    def fire(self, threshold: int) -> Array:
        return fire(self.v, threshold, "zero")


@implements(proc=GradedIF, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class GradedIFModel(_IntegrateAndFireModel):
    """See `GradedIF`."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=8)

    def __init__(self, proc_params: dict[str, Any]) -> None:
        super().__init__(proc_params)
        self.sent = np.zeros(proc_params["shape"], np.int32)

    def fire(self, threshold: int) -> Array:
        largest = self.proc_params["payload_max"]
        if not self.proc_params["signed"]:
            return fire(self.v, threshold, payload_max=largest).astype(np.uint8)
        if self.window.sends(self.time_step)[1] == 0:
            self.sent[:] = 0
        return fire(self.v, threshold, payload_max=largest, sent=self.sent).astype(np.int8)


@implements(proc=ReadoutIntegrator, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class ReadoutIntegratorModel(_NeuronsModel):
    """See `ReadoutIntegrator`."""

    def __init__(self, proc_params: dict[str, Any]) -> None:
        super().__init__(proc_params)
        self.recorder = PotentialRecorder(proc_params)

    def advance(self, a_in: Array) -> None:
        place = self.window.locate(self.time_step)
        if place is None:
            return
        sample, step = place
        if step < (first := self.proc_params["delay"]):
            self.v[:] = self.v_init
        else:
            self.integrate(self.v, a_in, sample, step, first)
        if self.recorder.wants(self.time_step):
            self.recorder.record(self.v, self.time_step)


@implements(proc=Delay, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class DelayModel(PyLoihiProcessModel):
    """See `Delay`."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=32)

    def __init__(self, proc_params: dict[str, Any]) -> None:
        super().__init__(proc_params)
        self.ring = np.zeros((proc_params["steps"], *proc_params["shape"]), np.int32)

    def run_spk(self) -> None:
        slot = self.ring[self.time_step % len(self.ring)]
        self.s_out.send(slot)
        slot[:] = self.s_in.recv()


class _ConnectionModel(PyLoihiProcessModel):
    """What the fast models share: send the previous step's sum, then compute this step's; see `loihiconv.lava.sums`."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    num_message_bits: Array = LavaPyType(np.ndarray, np.int32, precision=5)

    def __init__(self, proc_params: dict[str, Any]) -> None:
        super().__init__(proc_params)
        self.last: Array | None = None
        self.sums: Sums | None = None

    def run_spk(self) -> None:
        if self.sums is None:
            self.sums, self.last = self.prepare(int(self.num_message_bits[0])), np.zeros(self.a_out._shape, np.int32)
        self.a_out.send(self.last)
        messages = self.s_in.recv()
        if not self.num_message_bits[0]:
            messages = messages.astype(bool)
        self.last = np.right_shift(self.sums(messages), -self.exponent())

    def exponent(self) -> int:
        """Of the weights; Lava's ``Dense`` and ``Sparse`` keep it aside from their variables."""
        return int(self.proc_params.get("weight_exp", 0))

    def prepare(self, message_bits: int) -> Sums:
        """Arrange the weights, once."""
        raise NotImplementedError


@implements(proc=Dense, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt", "loihiconv")
class FastDenseModel(_ConnectionModel):
    """Lava's ``Dense`` with the work in proportion to the neurons that fire."""

    a_buff: Array = LavaPyType(np.ndarray, np.int32, precision=24)
    weights: Array = LavaPyType(np.ndarray, np.int32, precision=8)

    def prepare(self, message_bits: int) -> DenseSums:
        return DenseSums(self.weights, message_bits)


@implements(proc=Sparse, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt", "loihiconv")
class FastSparseModel(_ConnectionModel):
    """Lava's ``Sparse`` without picking columns of a matrix that is stored by rows."""

    a_buff: Array = LavaPyType(np.ndarray, np.int32, precision=24)
    weights: csr_matrix = LavaPyType(csr_matrix, np.int32, precision=8)

    def prepare(self, message_bits: int) -> SparseSums:
        return SparseSums(self.weights)


@implements(proc=Conv, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt", "loihiconv")
class FastConvModel(_ConnectionModel):
    """Lava's ``Conv`` as one matrix product over all windows instead of a Python loop over channel pairs.

    Geometry is taken from int32 fields: Lava's model has it in int8, so that 128 groups or more wrap.
    """

    a_buf: Array = LavaPyType(np.ndarray, np.int32, precision=24)
    weight: Array = LavaPyType(np.ndarray, np.int32, precision=8)
    weight_exp: Array = LavaPyType(np.ndarray, np.int32, precision=8)
    num_weight_bits: Array = LavaPyType(np.ndarray, np.int32, precision=5)
    kernel_size: Array = LavaPyType(np.ndarray, np.int32, precision=32)
    stride: Array = LavaPyType(np.ndarray, np.int32, precision=32)
    padding: Array = LavaPyType(np.ndarray, np.int32, precision=32)
    dilation: Array = LavaPyType(np.ndarray, np.int32, precision=32)
    groups: Array = LavaPyType(np.ndarray, np.int32, precision=32)

    def exponent(self) -> int:
        return int(self.weight_exp[0])

    def prepare(self, message_bits: int) -> ConvSums:
        (sw, sh), (pw, ph), (dw, dh) = self.stride.tolist(), self.padding.tolist(), self.dilation.tolist()
        conv = LavaConv(self.weight, (sw, sh), (pw, ph), (dw, dh), int(self.groups[0]))
        return ConvSums(conv, self.s_in._shape, self.a_out._shape, message_bits)


FAST: dict[Any, Any] = {Conv: FastConvModel, Dense: FastDenseModel, Sparse: FastSparseModel}
"""Faster models of Lava's own processes, for a run configuration."""
