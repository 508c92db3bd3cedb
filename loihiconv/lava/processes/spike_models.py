"""Fixed-point models of processes that send spikes without integrating: random input, and gates of max-pooling."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from loihiconv.core.linear import Array
from loihiconv.core.network import ESTIMATE_SHIFT
from loihiconv.lava.files import Samples, SpikeRecorder
from loihiconv.lava.messages import Messages
from loihiconv.lava.processes.process import MaxPoolGate, PoissonInput


@implements(proc=PoissonInput, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PoissonInputModel(PyLoihiProcessModel):
    """See `PoissonInput`."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=1)

    def __init__(self, proc_params: dict[str, Any]) -> None:
        super().__init__(proc_params)
        self.window = proc_params["window"]
        samples = Samples(proc_params["payload"], proc_params["shape"])
        self.messages = Messages(proc_params["population"], samples, self.window.first)
        self.silence = np.zeros(proc_params["shape"], np.int32)
        self.recorder = SpikeRecorder(proc_params)

    def run_spk(self) -> None:
        place = self.window.locate(self.time_step)
        if place is None:
            self.s_out.send(self.silence)
            return
        sample, step = place
        spikes = self.messages.at(sample, step)
        self.s_out.send(spikes)
        self.recorder.record(spikes.astype(bool), step)


@implements(proc=MaxPoolGate, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class MaxPoolGateModel(PyLoihiProcessModel):
    """See `MaxPoolGate`: its definition in plain numpy, unit after unit of all windows at once."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=8)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=8)

    def __init__(self, proc_params: dict[str, Any]) -> None:
        super().__init__(proc_params)
        self.window, self.population = proc_params["window"], proc_params["population"]
        self.recorder = SpikeRecorder(proc_params)
        shape, (width, height, c), conv = proc_params["shape"], proc_params["source"], proc_params["windows"]
        (top, bottom, left, right), (sh, sw), (dh, dw) = conv.padding, conv.stride, conv.dilation
        kh, kw = conv.weight.shape[2:]
        columns, rows = (shape[0] - 1) * sw + 1, (shape[1] - 1) * sh + 1
        self.units = [(slice(j * dw, j * dw + columns, sw), slice(i * dh, i * dh + rows, sh)) for i in range(kh) for j in range(kw)]
        padded = (width + left + right, height + top + bottom, c)
        inside = (slice(left, left + width), slice(top, top + height))
        # Padding has an estimate below all others. Writing to the insides is all that a step has to do.
        self._estimates, self._spikes = np.full(padded, -1, np.int32), np.zeros(padded, np.int32)
        self.estimates, self.spikes = self._estimates[inside], self._spikes[inside]
        self.waiting = np.zeros((width, height, c), np.int32)
        self.silence = np.zeros(shape, np.int32)
        self.passed = np.zeros(shape, np.int32)

    def run_spk(self) -> None:
        place = self.window.locate(self.time_step)
        passing = self.silence
        if place is not None:
            step = place[1]
            if step == 0:
                self.estimates[:] = 0
                self.passed[:] = 0
            passing = self.gate(self.waiting)
            self.recorder.record(passing.astype(np.uint8 if self.population.graded else bool), step)
        self.s_out.send(passing)
        self.waiting = self.s_in.recv()

    def gate(self, spikes: Array) -> Array:
        """Spikes that pass in this step."""
        if self.population.estimate == "count":
            self.estimates += spikes
            largest = np.max([self._estimates[unit] for unit in self.units], axis=0)
            # A gate whose unit keeps the maximum in a tie has passed as much as the maximum.
            passing = np.maximum(largest - self.passed, 0)
            self.passed += passing
            return np.asarray(passing)
        self.estimates += (spikes << ESTIMATE_SHIFT) - (self.estimates >> self.population.decay)
        self.spikes[:] = spikes
        largest, passing = np.full(self.silence.shape, -1, np.int32), self.silence
        for unit in self.units:
            wins = self._estimates[unit] > largest
            largest = np.where(wins, self._estimates[unit], largest)
            passing = np.where(wins, self._spikes[unit], passing)
        return np.asarray(passing)
