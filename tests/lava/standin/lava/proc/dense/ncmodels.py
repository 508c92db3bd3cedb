from __future__ import annotations

from lava.proc.dense.models import PyDenseModelBitAcc
from standin_log import note
from standin_models import FAULTS, Core, connection


@connection
class NcModelDense(PyDenseModelBitAcc, Core):
    def __init__(self, proc_params) -> None:
        note("model", name="NcModelDense", bits=int(proc_params["num_message_bits"]))
        super().__init__(proc_params)

    def run_spk(self) -> None:
        super().run_spk()
        self.a_buff = abs(self.a_buff) if "Dense" in FAULTS else self.a_buff
