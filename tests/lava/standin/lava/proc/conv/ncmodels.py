from __future__ import annotations

from lava.proc.conv.models import PyConvModelFixed
from standin_log import note
from standin_models import FAULTS, Core, connection


@connection
class NcModelConv(PyConvModelFixed, Core):
    def __init__(self, proc_params) -> None:
        note("model", name="NcModelConv", bits=int(proc_params["num_message_bits"]))
        super().__init__(proc_params)

    def clamp_precision(self, x):
        clamped = super().clamp_precision(x)
        return abs(clamped) if "Conv" in FAULTS else clamped
