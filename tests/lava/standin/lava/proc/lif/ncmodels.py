from __future__ import annotations

from lava.proc.lif.models import PyLifModelBitAcc, PyLifResetModelBitAcc
from standin_log import note
from standin_models import FAULTS, Core, fixed_neuron, neuron


@neuron
class NcL2ModelLif(PyLifModelBitAcc, Core):
    def __init__(self, proc_params) -> None:
        note("model", name="NcL2ModelLif")
        super().__init__(proc_params)


@fixed_neuron
class NcModelLifHC(PyLifModelBitAcc, Core):
    def __init__(self, proc_params) -> None:
        note("model", name="NcModelLifHC")
        super().__init__(proc_params)


@neuron
class NcModelLifReset(PyLifResetModelBitAcc, Core):
    def __init__(self, proc_params) -> None:
        note("model", name="NcModelLifReset")
        super().__init__(proc_params)
        if "LIFReset" in FAULTS:
            self.reset_interval = 2**30
