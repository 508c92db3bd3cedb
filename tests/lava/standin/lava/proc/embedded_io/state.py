from __future__ import annotations

import numpy as np
from lava.magma.core.decorator import implements
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyOutPort, PyRefPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import OutPort, RefPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from standin_log import note
from standin_models import Embedded
from standin_models import adapter as embedded


class Read(AbstractProcess):
    """Sends what it read after the step before, as no process in Python can send while others manage.

    It reads after steps t with (t - 1) mod interval = offset, and as ``VoltageReader`` in lava-dl's PilotNet does it, its stand-in there.
    """

    def __init__(self, *, shape, **given) -> None:
        super().__init__(shape=shape, **given)
        note("adapter", name=type(self).__name__, shape=[int(n) for n in shape], bits=None, given=given)
        self.state = RefPort(shape=shape)
        self.out = OutPort(shape=shape)

    def connect_var(self, var) -> None:
        self.state.connect_var(var)


class ReadConv(Read):
    pass


class _Model(PyLoihiProcessModel):
    state: PyRefPort = LavaPyType(PyRefPort.VEC_DENSE, np.int32, precision=24)
    out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params) -> None:
        super().__init__(proc_params)
        self.last = np.zeros(proc_params["shape"], np.int32)
        self.interval = proc_params["interval"] if "interval" in proc_params._parameters else 1
        self.offset = proc_params["offset"] if "offset" in proc_params._parameters else 0

    def run_spk(self) -> None:
        if self.interval == 1 or (self.time_step > 1 and (self.time_step - 2) % self.interval == self.offset):
            self.out.send(self.last & 0xFFFFFF)  # 24 bits, without the signs in front of them

    def post_guard(self) -> bool:
        return (self.time_step - 1) % self.interval == self.offset

    def run_post_mgmt(self) -> None:
        self.last = np.asarray(self.state.read(), np.int32)


def _model(process):
    model = type(f"{process.__name__}Model", (_Model, Embedded), {"__module__": __name__})
    return embedded(implements(proc=process, protocol=LoihiProtocol)(model))


ReadModel = _model(Read)
ReadConvModel = _model(ReadConv)
