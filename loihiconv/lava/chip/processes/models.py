"""Python models of the processes next door; the host's two run in Python on a board as well."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort, PyRefPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from loihiconv.core.linear import Array
from loihiconv.core.network import STATE_SHIFT
from loihiconv.core.neurons import current, fire, integrate
from loihiconv.lava.chip.processes.process import HostSource, PotentialReader, PotentialSink, SeparatedIF, SoftResetIF, SpikeSink
from loihiconv.lava.files import PotentialRecorder, Samples, SpikeRecorder, sign_extended
from loihiconv.lava.messages import Messages


class _SoftResetModel(PyLoihiProcessModel):
    """Common to both neurons that reset by subtraction; Lava lets no model derive from one that implements a process."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    v: Array = LavaPyType(np.ndarray, np.int32, precision=24)
    bias_mant: Array = LavaPyType(np.ndarray, np.int32, precision=13)
    bias_exp: Array = LavaPyType(np.ndarray, np.int32, precision=3)
    vth: Array = LavaPyType(np.ndarray, np.int32, precision=17)

    def run_spk(self) -> None:
        bias = np.left_shift(self.bias_mant, self.bias_exp)
        integrate(self.v, current(self.a_in.recv(), bias), out=self.v)
        self.s_out.send(self.spikes().astype(np.int32))

    def spikes(self) -> Array:
        """Of this step; they change v."""
        return fire(self.v, int(self.vth[0]) << STATE_SHIFT)


@implements(proc=SoftResetIF, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SoftResetIFModel(_SoftResetModel):
    """See `SoftResetIF`: what a NeuroCore model of it has to compute, bit for bit."""


@implements(proc=SeparatedIF, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SeparatedIFModel(_SoftResetModel):
    """See `SeparatedIF`."""

    step: Array = LavaPyType(np.ndarray, np.int32, precision=16)
    first: Array = LavaPyType(np.ndarray, np.int32, precision=16)
    last: Array = LavaPyType(np.ndarray, np.int32, precision=16)

    def spikes(self) -> Array:
        step = int(self.step[0])
        self.step += step < self.last[0]
        return super().spikes() if self.first[0] <= step < self.last[0] else np.zeros(self.v.shape, bool)


@implements(proc=HostSource, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class HostSourceModel(PyLoihiProcessModel):
    """See `HostSource`."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: dict[str, Any]) -> None:
        super().__init__(proc_params)
        self.window = proc_params["window"]
        samples = Samples(proc_params["payload"], proc_params["shape"])
        self.messages = Messages(proc_params["population"], samples, self.window.first)
        self.silence = np.zeros(proc_params["shape"], np.int32)
        self.recorder = SpikeRecorder(proc_params) if proc_params["counts"] else None

    def run_spk(self) -> None:
        place = self.window.locate(self.time_step)
        if place is None:
            self.s_out.send(self.silence)
            return
        sample, step = place[0] % len(self.messages), place[1]  # a measurement runs them again and again
        message = self.messages.at(sample, step)
        self.s_out.send(message)
        if self.recorder:
            self.recorder.record(message.astype(bool), step)


@implements(proc=SpikeSink, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SpikeSinkModel(PyLoihiProcessModel):
    """See `SpikeSink`."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: dict[str, Any]) -> None:
        super().__init__(proc_params)
        self.window = proc_params["window"]
        self.recorder = SpikeRecorder(proc_params)

    def run_spk(self) -> None:
        spikes = self.a_in.recv()
        place = self.window.locate(self.time_step)
        if place is not None:
            self.recorder.record(spikes.astype(bool), place[1])


@implements(proc=PotentialReader, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PotentialReaderModel(PyLoihiProcessModel):
    """See `PotentialReader`."""

    state: PyRefPort = LavaPyType(PyRefPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: dict[str, Any]) -> None:
        super().__init__(proc_params)
        self.recorder = PotentialRecorder(proc_params, proc_params["delay"])

    def post_guard(self) -> bool:
        return self.recorder.wants(self.time_step)

    def run_post_mgmt(self) -> None:
        self.recorder.record(np.asarray(self.state.read(), np.int64), self.time_step)


@implements(proc=PotentialSink, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PotentialSinkModel(PyLoihiProcessModel):
    """See `PotentialSink`."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: dict[str, Any]) -> None:
        super().__init__(proc_params)
        self.reading = proc_params["reading"]
        self.late = proc_params["late"] + self.reading.later
        self.recorder = PotentialRecorder(proc_params, proc_params["delay"])

    def run_spk(self) -> None:
        if not self.reading.arrives(self.time_step):
            return
        values = self.a_in.recv()
        if self.recorder.wants(self.time_step - self.late):
            self.recorder.record(sign_extended(values), self.time_step - self.late)
