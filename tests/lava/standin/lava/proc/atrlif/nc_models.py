from __future__ import annotations

from lava.magma.core.decorator import requires
from lava.magma.core.model.nc.model import AbstractNcProcessModel
from lava.magma.core.resources import Loihi2NeuroCore
from lava.proc.atrlif.models import PyATRLIFModelFixed
from standin_log import note


@requires(Loihi2NeuroCore)
class NcATRLIF(PyATRLIFModelFixed, AbstractNcProcessModel):
    def __init__(self, proc_params) -> None:
        note("model", name="NcATRLIF")
        super().__init__(proc_params)
