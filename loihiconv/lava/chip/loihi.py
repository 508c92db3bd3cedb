"""The seam to Intel's lava-loihi: all that this project asks of it, in one file.

lava-loihi is not public. What is used of it here is what public code uses (Lava's and lava-dl's tutorials, and others' code):
``lava.utils.loihi.use_slurm_host`` and ``use_ethernet_host``, ``lava.magma.core.run_configs.Loihi2HwCfg``,
``lava.proc.embedded_io.spike.PyToNxAdapter``, ``PyToN3ConvAdapter`` and ``NxToPyAdapter``, ``embedded_io.state.Read`` and ``ReadConv`` with
their ``connect_var``, ``lava.proc.cyclic_buffer.process.CyclicBuffer`` (in measurements of YOLO-KP, and in networks for spoken digits),
and the profiler's ``lava.utils.loihi2_profiler.Loihi2Power``, ``Loihi2ExecutionTime``, ``Loihi2Memory`` and ``Loihi2Activity``. Tests hold
a stand-in against it that records what it was asked for. NONE OF IT HAS RUN ON A BOARD.

**A neuron of your own.** The realization "native" needs a NeuroCore model of
`loihiconv.lava.chip.processes.process.SoftResetIF`. Write one as lava-loihi's documentation for its members shows::

    @implements(proc=SoftResetIF, protocol=LoihiProtocol)
    @requires(Loihi2NeuroCore)
    class NcSoftResetIF(AbstractNcProcessModel): ...

and name it: ``--neurocore-model mypackage.models:NcSoftResetIF`` or the environment variable ``LOIHICONV_NEUROCORE_MODEL``. Lava's
interpreter must be able to import it. It has to compute what `loihiconv.lava.chip.processes.models.SoftResetIFModel` does, bit
for bit: ``docs/native_neuron.md`` specifies it, the vectors of `loihiconv conformance` and the
self-test of `loihiconv deploy` tell. Tags do not matter: Lava is asked for none.

**Widths.** Lava's encoders take 8-bit payloads as signed, so that 255 may arrive as -1; its Python models ignore the width, and no
simulation shows it. Both ends of an adapter, and the connection behind it, therefore get the width that public code for chips
gives them: 16 bits in front of a convolution (PilotNet, YOLO-KP), 24 in front of dense synapses (``lava/networks/gradedvecnetwork.py``).

**Readings.** ``Read`` is given an interval and an offset, as PilotNet (LIF) of lava-dl does on a chip: it reads after each step t with
(t - 1) mod interval = offset, and the host takes what was read in the step after that. So a sample has one reading, whose step is known.
YOLO-KP's reads at every step, without either; so do ours where potentials after every step are wanted, and there the step is not known.
"""

from __future__ import annotations

import os
import time
from importlib import import_module
from numbers import Number
from typing import Any

import numpy as np
from lava.magma.core.process.ports.ports import OutPort
from lava.utils import loihi as lava_loihi

from loihiconv.core.errors import BackendUnavailable, InvalidSetting
from loihiconv.core.linear import Array
from loihiconv.lava.chip.processes.process import SoftResetIF
from loihiconv.lava.chip.settings import NEUROCORE_VARIABLE, USUAL_CHIPS, BoardAccess, ChipSettings
from loihiconv.lava.window import Reading

ATTEMPTS, PAUSE = 5, 0.5
"""How often Lava may ask SLURM or a host, which it gives one second to answer, and seconds in between."""
PROFILE_LIMIT = 1000
"""Measured series longer than this are summed up to count, mean, smallest and largest."""


def connect(access: BoardAccess, generation: int) -> None:
    """Choose the board: sets the environment that lava-loihi reads.

    Raises
    ------
    BackendUnavailable
        If lava-loihi is not installed, or SLURM or the board's host cannot be reached.
    """
    try:
        chip = lava_loihi.ChipGeneration[access.chip or USUAL_CHIPS[generation]]
    except KeyError:
        known = ", ".join(c.name for c in lava_loihi.ChipGeneration)
        raise InvalidSetting(f"unknown chip {access.chip!r}", where="access", limit=f"one of {known}") from None
    failure: Exception | None = None
    for attempt in range(ATTEMPTS):
        time.sleep(PAUSE if attempt else 0.0)
        try:
            _use(access, chip)
            return
        except ValueError as error:  # no answer, or none in time: SLURM's first answer is often its slowest
            failure = error
        except (ImportError, OSError) as error:  # OSError: Lava itself starts sinfo and ping
            failure = error
            break
    remedy = "run 'loihiconv boards' to see what is missing"
    raise BackendUnavailable(f"no Loihi can be reached: {failure}", where="backend loihi", remedy=remedy) from failure


def _use(access: BoardAccess, chip: Any) -> None:
    if access.host is not None:
        lava_loihi.use_ethernet_host(host_address=access.host, loihi_gen=chip)
        return
    lava_loihi.use_slurm_host(loihi_gen=chip)
    # Not by its arguments: lava-nc 0.10 then parses sinfo's table, and fails on the empty line that ends it.
    os.environ.update({name: value for name, value in (("PARTITION", access.partition), ("BOARD", access.node)) if value})


def configuration(chip: ChipSettings, callbacks: list[Any]) -> Any:
    """Lava's run configuration for the board, with the exception map for neurons of our own."""
    from lava.magma.core.run_configs import Loihi1HwCfg, Loihi2HwCfg

    models: dict[Any, Any] = {}
    if chip.realization == "native":
        models[SoftResetIF] = neurocore_model(chip.access.neurocore_model or os.environ.get(NEUROCORE_VARIABLE))
    kind = Loihi1HwCfg if chip.generation == 1 else Loihi2HwCfg
    # No tag: with one that no model for neuro cores carries, Lava takes the Python models that do, without a word.
    return kind(exception_proc_model_map=models, callback_fxs=callbacks)


def neurocore_model(name: str | None) -> Any:
    """The class behind ``package.module:Class``, a model of `SoftResetIF` for a neuro core.

    Raises
    ------
    BackendUnavailable
        If none was named.
    InvalidSetting
        If there is no such class or it models something else.
    """
    if not name:
        raise BackendUnavailable(
            'realization "native" needs a NeuroCore model of SoftResetIF',
            where="backend loihi",
            limit="none was registered",
            remedy='name one with --neurocore-model (see loihiconv/lava/chip/loihi.py), or use realization "netx", "lifreset" or "lif"',
        )
    module, _, attribute = name.partition(":")
    try:
        model = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidSetting(
            f"cannot be loaded: {error}", where=f"NeuroCore model {name}", limit="package.module:Class expected"
        ) from error
    if getattr(model, "implements_process", None) is not SoftResetIF:
        raise InvalidSetting("is no model of SoftResetIF", where=f"NeuroCore model {name}", limit="@implements(proc=SoftResetIF) expected")
    return model


class Embedded:
    """Adapters that are programs of the chip's embedded processors: `loihiconv.lava.chip.ends.Adapters` of a board."""

    def attach(self, port: OutPort, kind: str, bits: int) -> OutPort:
        spike = import_module("lava.proc.embedded_io.spike")
        if kind == "sink":
            adapter = spike.NxToPyAdapter(shape=port.shape, num_message_bits=bits)
        elif kind == "conv":
            from lava.proc.io.encoder import Compression

            adapter = spike.PyToN3ConvAdapter(shape=port.shape, num_message_bits=bits, spike_exp=0, compression=Compression.DENSE)
        else:
            adapter = spike.PyToNxAdapter(shape=port.shape, num_message_bits=bits)
        port.connect(adapter.inp)
        return adapter.out

    def read(self, var: Any, reading: Reading) -> OutPort:
        state = import_module("lava.proc.embedded_io.state")
        when = {} if reading == Reading() else {"interval": reading.interval, "offset": reading.offset}
        adapter = (state.ReadConv if len(var.shape) == 3 else state.Read)(shape=var.shape, **when)
        adapter.connect_var(var)
        return adapter.out

    def replay(self, frames: Array) -> OutPort | None:
        return None


class Replaying(Embedded):
    """The same where an input is replayed on the chip, and nothing comes from the host."""

    def attach(self, port: OutPort, kind: str, bits: int) -> OutPort:
        return port

    def replay(self, frames: Array) -> OutPort:
        try:
            buffer = import_module("lava.proc.cyclic_buffer.process")
        except ImportError as error:
            raise BackendUnavailable(
                f"nothing can be replayed on the chip: {error}",
                where="profile throughput",
                limit="a lava-loihi with CyclicBuffer expected",
                remedy='measure "latency", for which samples come from the host',
            ) from error
        port: OutPort = buffer.CyclicBuffer(first_frame=frames[..., 0], replay_frames=frames[..., 1:]).s_out
        return port


def callbacks(steps: int) -> list[Any]:
    """The profiler's callbacks for power, time, memory and activity of a run of so many steps; those that this lava-loihi has."""
    profiler = import_module("lava.utils.loihi2_profiler")
    others = (getattr(profiler, name, None) for name in ("Loihi2ExecutionTime", "Loihi2Memory", "Loihi2Activity"))
    return [profiler.Loihi2Power(num_steps=steps), *(callback() for callback in others if callback is not None)]


def profile(callbacks: list[Any]) -> dict[str, dict[str, Any]]:
    """What the callbacks hold after a run, as JSON values by class: every public attribute that is a number or a series of numbers."""
    found: dict[str, dict[str, Any]] = {}
    for callback in callbacks:
        names = [name for name in dir(callback) if not name.startswith("_") and not callable(getattr(callback, name, None))]
        values = {name: _summary(getattr(callback, name)) for name in names}
        found[type(callback).__name__] = {name: value for name, value in values.items() if value is not None}
    return found


def _summary(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (Number, list, tuple, np.ndarray)):
        return None
    try:
        numbers = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        return None
    if not numbers.size or not np.isfinite(numbers).all():
        return None
    if numbers.ndim == 0:
        return float(numbers)
    if numbers.size <= PROFILE_LIMIT:
        return numbers.tolist()
    return {"count": numbers.size, "mean": float(numbers.mean()), "smallest": float(numbers.min()), "largest": float(numbers.max())}
