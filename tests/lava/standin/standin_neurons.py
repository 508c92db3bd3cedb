"""A model of SoftResetIF for neuro cores as a user would register one, and things that are none."""

from __future__ import annotations

from lava.magma.core.model.nc.model import AbstractNcProcessModel
from standin_log import note
from standin_models import neuron

from loihiconv.lava.chip.processes.models import SoftResetIFModel


@neuron
class NcSoftResetIF(SoftResetIFModel, AbstractNcProcessModel):
    def __init__(self, proc_params) -> None:
        note("model", name="NcSoftResetIF")
        super().__init__(proc_params)


class OnTheHost(SoftResetIFModel):
    """A model of the right process that is none for a chip."""


class NotAModel:
    pass
