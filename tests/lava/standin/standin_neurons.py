"""A "NeuroCore model" of SoftResetIF as a user would register one, and things that are none."""

from __future__ import annotations

from lava.magma.core.decorator import requires
from lava.magma.core.model.nc.model import AbstractNcProcessModel
from lava.magma.core.resources import Loihi2NeuroCore
from standin_log import note

from loihiconv.lava.chip.processes.models import SoftResetIFModel


@requires(Loihi2NeuroCore)
class NcSoftResetIF(SoftResetIFModel, AbstractNcProcessModel):
    def __init__(self, proc_params) -> None:
        note("model", name="NcSoftResetIF")
        super().__init__(proc_params)


class NotAModel:
    pass
