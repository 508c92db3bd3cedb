from __future__ import annotations

import numpy as np
from lava.magma.core.decorator import implements
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.cyclic_buffer.process import CyclicBuffer
from standin_models import FAULTS, Core, connection


@connection
@implements(proc=CyclicBuffer, protocol=LoihiProtocol)
class NcModelCyclicBuffer(PyLoihiProcessModel, Core):
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def run_spk(self) -> None:
        frames = self.proc_params["frames"]
        place = self.time_step - 1 - ("late" in FAULTS)
        if place < 0:
            self.s_out.send(np.zeros_like(frames[..., 0]))
            return
        frame = frames[..., place if place < 1 else 1 + (place - 1) % (frames.shape[-1] - 1)]
        self.s_out.send(np.zeros_like(frame) if "CyclicBuffer" in FAULTS else frame)
