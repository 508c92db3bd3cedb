from __future__ import annotations

from lava.proc.atrlif.models import PyATRLIFModelFixed
from standin_log import note
from standin_models import Core, neuron


@neuron
class NcModelATRLIF(PyATRLIFModelFixed, Core):
    def __init__(self, proc_params) -> None:
        note("model", name="NcModelATRLIF")
        super().__init__(proc_params)
