"""How lava-loihi's models look to Lava: what they derive from, need and are tagged with, as far as public code shows it.

- Models for neuro cores are in ``lava/proc/lif/ncmodels.py``, ``dense/ncmodels.py`` and ``sparse/ncmodel.py``, where public code
  imports ``NcL2ModelLif``, ``NcModelLifHC``, ``NcModelDense`` and ``NcModelSparse`` from. They require ``Loihi2NeuroCore`` or
  ``NeuroCore``. The names of the others are made up.
- Microcoded neurons carry the tag "ucoded"; connections carry none: public code that asks for "ucoded" makes an exception for them.
- Adapters are C programs of the embedded processors; public processes of that kind are ``CLoihiProcessModel`` and require ``LMT``.

Here they compute in Python, by deriving from Lava's own models as well. Lava-loihi's do not.

STANDIN_FAULTS names what is wrong with them, separated by commas: "Dense" and "Conv" forget the sign of their sums, "LIFReset" resets once
and never again, "CyclicBuffer" sends nothing, with "late" its first
frame comes a step late, and with "payloads" adapters take 5 bits from the host, signed.

STANDIN_TAG is the neurons' tag ("" for none), STANDIN_WITHOUT names processes that have no model for a chip, separated by commas, and
STANDIN_ON_HOST is "adapters" or "everything": what of it is a Python model of the host and nothing else.
"""

from __future__ import annotations

import os

from lava.magma.core.model.c.model import CLoihiProcessModel
from lava.magma.core.model.nc.model import AbstractNcProcessModel
from lava.magma.core.resources import LMT, Loihi1NeuroCore, Loihi2NeuroCore, NeuroCore

WITHOUT = os.environ.get("STANDIN_WITHOUT", "").split(",")
FAULTS = os.environ.get("STANDIN_FAULTS", "").split(",")
ON_HOST = os.environ.get("STANDIN_ON_HOST", "")


class OnHost:
    """In place of what would make it a model for a chip."""


Core = OnHost if ON_HOST == "everything" else AbstractNcProcessModel
Embedded = OnHost if ON_HOST else CLoihiProcessModel


def _known(model, resource, tags):
    if model.implements_process.__name__ in WITHOUT:
        model.implements_process = None
    # Not by Lava's decorators: they add to what Python models have, and with it to the tag "fixed_pt".
    model.required_resources, model.tags = [resource], tags
    return model


def neuron(model):
    tag = os.environ.get("STANDIN_TAG", "ucoded")
    return _known(model, Loihi2NeuroCore, [tag] if tag else [])


def fixed_neuron(model):
    """Not microcoded; that it is for Loihi 1 is a guess from its name, which ends in HC."""
    return _known(model, Loihi1NeuroCore, [])


def connection(model):
    return _known(model, NeuroCore, [])


def adapter(model):
    return _known(model, LMT, [])
