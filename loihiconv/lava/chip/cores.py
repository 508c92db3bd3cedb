"""Whether every process that belongs on a chip was built for one.

Lava chooses the model of each process by itself. Where it finds none for a neuro core (none is installed, its module does not import,
its tag is another one, the run configuration is not for hardware), it takes a Python model without a word, and what was meant for a
chip runs on the host. So its choice is read back after compilation, before anything starts: ``Process.model_class``, which Lava's
compiler sets. Neurons and connections have to be an ``AbstractNcProcessModel``. Adapters are programs of the chip's embedded processors:
``CLoihiProcessModel``, as public processes there are, or made of several parts, one of them on the chip.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lava.magma.core.model.sub.model import AbstractSubProcessModel

from loihiconv.core.errors import BackendUnavailable

COMPILE = {"pypy_channel_size": 4}
"""Lava's options: its default of 64 slots per channel costs 64 times the largest image in shared memory."""
SHOWN = 4
"""Processes that an error names one by one."""


@dataclass
class OnChip:
    """The processes that belong on a chip, by what they are called in messages.

    Parameters
    ----------
    cores : {name: process}
        Neurons and connections, on neuro cores.
    adapters : {name: process}
        Between host and chip, on the chip's embedded processors.
    """

    cores: dict[str, Any] = field(default_factory=dict)
    adapters: dict[str, Any] = field(default_factory=dict)


def start(process: Any, on_chip: OnChip, configuration: Any) -> None:
    """Compile all processes that are connected to one, check where they would run, and only then load them.

    Parameters
    ----------
    process : AbstractProcess
        It and all that it is connected to are compiled and get a runtime.
    on_chip : OnChip
    configuration : RunConfig

    Raises
    ------
    BackendUnavailable
        If a process that belongs on a chip would run on the host, with the names of those that would.
    """
    try:
        executable = process.compile(configuration, COMPILE)
    except Exception as error:
        # Lava has chosen all models before it builds the first one, and half a network in Python may be what it stumbled over.
        if misplaced(on_chip, chosen_only=True):
            raise _refusal(on_chip) from error
        raise
    if misplaced(on_chip):
        raise _refusal(on_chip)
    process.create_runtime(executable=executable)


def misplaced(on_chip: OnChip, *, chosen_only: bool = False) -> list[str]:
    """What would not run on a chip: name, kind of process, and the model that Lava has chosen for it.

    Parameters
    ----------
    on_chip : OnChip
    chosen_only : bool
        Pass over processes for which Lava has not chosen a model.
    """
    from lava.magma.core.model.c.model import CLoihiProcessModel
    from lava.magma.core.model.nc.model import AbstractNcProcessModel

    found: list[str] = []
    for processes, kinds, together in (
        (on_chip.cores, (AbstractNcProcessModel,), all),
        (on_chip.adapters, (CLoihiProcessModel, AbstractNcProcessModel), any),
    ):
        for name, process in processes.items():
            models = _models(process)
            if chosen_only and None in models:
                continue
            if not models or not together(model is not None and issubclass(model, kinds) for model in models):
                chosen = ", ".join(sorted({model.__name__ if model is not None else "no model" for model in models})) or "no model"
                found.append(f"{name} ({type(process).__name__} as {chosen})")
    return found


def _models(process: Any) -> list[Any]:
    """The models that a process is built from: one, or those of its parts where it is made of other processes."""
    model = process.model_class
    if model is not None and issubclass(model, AbstractSubProcessModel):
        return [part for inner in process.procs.members for part in _models(inner)]
    return [model]


def _refusal(on_chip: OnChip) -> BackendUnavailable:
    found, total = misplaced(on_chip), len(on_chip.cores) + len(on_chip.adapters)
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return BackendUnavailable(
        f"nothing was run, because Lava would run {len(found)} of {total} processes that belong on a chip on this host: "
        f"{', '.join(found[:SHOWN])}{more}",
        where="backend loihi",
        limit="neurons and connections need a model for neuro cores, adapters one for the chip's processors",
        remedy='see that lava-loihi is installed whole and has these processes, or use realization "lif", whose neurons are known on chips',
    )
