from __future__ import annotations

import os

import numpy as np
from lava.magma.core.decorator import implements
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from standin_log import note
from standin_models import FAULTS, Embedded
from standin_models import adapter as embedded


class _Adapter(AbstractProcess):
    def __init__(self, *, shape, num_message_bits=0, **given) -> None:
        super().__init__(shape=shape, num_message_bits=num_message_bits)
        shown = {key: getattr(value, "name", value) for key, value in given.items()}
        note("adapter", name=type(self).__name__, shape=[int(n) for n in shape], bits=num_message_bits, given=shown)
        self.inp = InPort(shape=shape)
        self.out = OutPort(shape=shape)


class PyToNxAdapter(_Adapter):
    pass


class PyToN3ConvAdapter(_Adapter):
    pass


class NxToPyAdapter(_Adapter):
    pass


class _Model(PyLoihiProcessModel):
    inp: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def run_spk(self) -> None:
        if self.time_step == int(os.environ.get("STANDIN_FAILS_AT", "0")):
            raise ConnectionResetError("the board went away")
        values = self.inp.recv().astype(np.int32)
        if "payloads" in FAULTS and self.proc_params["num_message_bits"]:
            values = (values + 16) % 32 - 16
        self.out.send(values)


def _model(process):
    model = type(f"{process.__name__}Model", (_Model, Embedded), {"__module__": __name__})
    return embedded(implements(proc=process, protocol=LoihiProtocol)(model))


PyToNxAdapterModel = _model(PyToNxAdapter)
PyToN3ConvAdapterModel = _model(PyToN3ConvAdapter)
NxToPyAdapterModel = _model(NxToPyAdapter)
