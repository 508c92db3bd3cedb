"""The caller's side of a run on Lava: starts the worker, watches it, collects its records. Imports no Lava."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from math import prod
from pathlib import Path

import numpy as np

from loihiconv.core import input_coding
from loihiconv.core.activity import UNKNOWN, activity
from loihiconv.core.classification import decide
from loihiconv.core.composition import synapses
from loihiconv.core.errors import ArtifactError, BackendFailed, BackendUnavailable, InvalidSetting
from loihiconv.core.linear import Array
from loihiconv.core.log import LOG
from loihiconv.core.network import Network, Recording, save
from loihiconv.core.record import ConversionRecord, RealizationRecord
from loihiconv.core.saturation import Register, Saturation, currents_saturate, found, potentials_saturate
from loihiconv.core.temporary import make_temporary, remove_shared_memory
from loihiconv.lava.chip.settings import ChipSettings
from loihiconv.lava.interpreter import INSTALL, find_python, interpreter_environment
from loihiconv.lava.job import RESERVE, Job, Records, Settings, finished_samples, read_records

TRIED = "0.10"
"""Version of lava-nc that results are tested with."""
POLL_SECONDS = 0.05
GRACE_SECONDS = 5.0
"""How long processes may take to end after SIGTERM before they get SIGKILL."""
UNAVAILABLE = f"{BackendUnavailable.__module__}.{BackendUnavailable.__name__}: "
"""How the last line of a worker's traceback begins where it could not reach a board."""


class LavaFailed(BackendFailed):
    """A run on Lava broke or ran past its deadline; ``partial`` has the samples that were finished, or is None."""

    partial: Recording | None = None


class LavaInterrupted(KeyboardInterrupt):
    """A run on Lava was stopped with Ctrl-C; ``partial`` has the samples that were finished, or is None."""

    partial: Recording | None = None


class WorkerTraceback(Exception):
    """The traceback of the process that failed, as text: the cause of a `LavaFailed`."""


def run_lava(
    network: Network,
    x: input_coding.Samples,
    *,
    record: Collection[str] = (),
    stock_models: bool = False,
    deadline: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    python: str | None = None,
    chip: ChipSettings | None = None,
    first: int = 0,
) -> Recording:
    """Run samples on Lava's CPU back end, spike for spike what a Loihi program of this network computes.

    The samples run one after the other, without a gap, in one worker with one operating system process per Lava
    process. Whatever happens, no process and no file of the run is left behind.

    Parameters
    ----------
    network : Network
        In fixed point.
    x : array (N, \\*input shape), or one for each of several inputs, by name or in order
    record : of "spikes", "potentials"
        Also record every spike, and the readout's potentials after each step.
    stock_models : bool
        Use Intel's Python models of ``Conv`` and ``Dense``: the same numbers, slower (`Conv` loops over channel pairs).
    deadline : float or None
        Seconds after which the run is ended; by default generous, from the size of the network and N T. On a board they count from its
        first step: how long SLURM's queue and Intel's compiler take, nobody knows.
    progress : function (finished samples, N)
        Called from this thread whenever a sample is finished.
    python : path or None
        Interpreter with lava-nc. By default what LOIHICONV_LAVA_PYTHON says, else this one.
    chip : ChipSettings or None
        Run the process graph that goes to the chip, on the CPU or on a board, instead of ours, which is faster here; the network
        must be as `loihiconv.backends.realize.realize` gives it.
    first : int
        Index of the first of these samples in the run that they are part of: random spikes depend on it.

    Raises
    ------
    InvalidSetting
        If the network is not in fixed point, or ``record`` is unknown.
    InvalidData
        If the samples do not fit.
    BackendUnavailable
        If no interpreter with Lava is known.
    LavaFailed
        If the run breaks or passes its deadline; a `loihiconv.core.errors.BackendFailed` with finished samples in ``partial``.
    LavaInterrupted
        On Ctrl-C; a `KeyboardInterrupt` with finished samples in ``partial``.
    """
    if not network.fixed_point:
        raise InvalidSetting("Lava runs fixed-point networks only", where="backend lava", remedy="quantize the network first")
    if unknown := set(record) - {"spikes", "potentials"}:
        raise InvalidSetting(f"cannot record {sorted(unknown)}", where="record", limit="'spikes' and 'potentials' can be")
    x = input_coding.check_samples(network, x)
    payload = input_coding.input_payloads(network, x)
    softmax = network.readout.decision == "softmax"
    counted = chip is None or chip.sinks or "spikes" in record
    results = len(x) if chip is None or chip.access.profile is None else min(len(x), 1)  # a measurement leaves that of the last one
    settings = Settings(results, "spikes" in record, softmax or "potentials" in record, stock_models, counted, first)
    interpreter = find_python(python)
    with _room():
        folder = make_temporary("lava")
    worker = None
    try:
        with _room():
            job = _write_job(folder, network, payload, settings, chip)
            worker = _start(job, interpreter)
        LOG.info("Lava runs in process %d of %s", worker.pid, interpreter)
        limit = default_deadline(network, len(x), stock_models=stock_models, chip=chip is not None) if deadline is None else deadline
        try:
            _watch(worker, interpreter, job, network, results, limit, progress, counted)
        except (LavaFailed, KeyboardInterrupt) as error:
            end_group(worker)
            records = read_records(job, network, settings)
            done = len(records.potentials)
            partial = _recording(network, payload, records, "potentials" in record, job, settings, chip) if done else None
            if isinstance(error, LavaFailed):
                error.partial = partial
                raise
            interrupted = LavaInterrupted(*error.args)
            interrupted.partial = partial
            raise interrupted from error
        _check_version(job)
        return _recording(network, payload, read_records(job, network, settings), "potentials" in record, job, settings, chip)
    finally:
        Job(folder).remove()  # while the worker is there, who sees to it if this process is killed now
        if worker is not None:
            end_group(worker)
            Job(folder).remove()
        remove_shared_memory(folder)


def default_deadline(network: Network, samples: int, *, stock_models: bool = False, chip: bool = False) -> float:
    """A generous deadline in seconds: some hundred times what a run took where it was measured.

    Two minutes to start, and per step 50 ms for each connection and 1 s for each 10^8 products; Intel's ``Conv`` is allowed
    thirty times that. The chip's graph waits L + 1 times per sample, and setting a neuron's state is allowed 1 ms.
    """
    products = sum(synapses(c.map, network[c.source].shape) for c in network.connections)
    per_step = 0.05 * (1 + len(network.connections)) + products / 1e8
    depth = max(network.begins.values())
    steps = samples * (network.timesteps + depth) if chip else samples * network.period + depth
    state = samples * 1e-3 * sum(prod(p.shape) for p in network.populations) if chip else 0.0
    return 120.0 + steps * per_step * (30 if stock_models else 1) + state


@contextmanager
def _room() -> Iterator[None]:
    """Raise `BackendFailed` where the folder of a job cannot be made, or does not hold it."""
    try:
        yield
    except (OSError, ArtifactError) as error:
        what = f"its temporary folder cannot be written: {getattr(error, 'strerror', None) or error}"
        raise BackendFailed(what, where="backend lava", remedy="set TMPDIR to a folder with room") from error


def _write_job(folder: Path, network: Network, payload: Mapping[str, Array], settings: Settings, chip: ChipSettings | None = None) -> Job:
    job = Job(folder)
    if chip is not None:
        chip.write(job.chip)
    save(replace(network, origin=None, record=ConversionRecord()), job.network)
    job.write_settings(settings)
    indices = {p.name: i for i, p in enumerate(network.populations)}
    for population in network.inputs:
        index, values = indices[population.name], np.asarray(payload[population.name], np.int32)
        if population.coding == "rate" and chip is None:
            # Rate coding: the payload is the input neurons' bias, in units of v.
            np.save(job.biases(index), values << network.shift)
        else:
            np.save(job.payload(index), values)
    for name, biases in input_coding.host_currents(network, payload).items():
        np.save(job.biases(indices[name]), biases)
    job.reserve.write_bytes(bytes(RESERVE))
    return job


def _start(job: Job, interpreter: str) -> subprocess.Popen[bytes]:
    """Start the worker as the leader of a process group of its own.

    Its interpreter may be another one, so it gets this package alone on its path and not the folder of packages beside it, and
    starts in the job's folder, where nothing shadows a module.
    """
    packages = job.folder / "packages"
    packages.mkdir()
    (packages / "loihiconv").symlink_to(Path(__file__).resolve().parents[1], target_is_directory=True)
    environment = interpreter_environment(interpreter)
    environment["PYTHONPATH"] = os.pathsep.join([str(packages), *filter(None, [environment.get("PYTHONPATH")])])
    for library in ("OMP", "OPENBLAS", "MKL"):  # every Lava process would start as many threads as there are cores
        environment[f"{library}_NUM_THREADS"] = "1"
    command = [interpreter, "-m", "loihiconv.lava.worker", str(job.folder), "--parent", str(os.getpid())]
    with job.log.open("wb") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=job.folder, env=environment, start_new_session=True
        )


def _watch(
    worker: subprocess.Popen[bytes],
    interpreter: str,
    job: Job,
    network: Network,
    samples: int,
    deadline: float,
    progress: Callable[[int, int], None] | None,
    counts: bool = True,
) -> None:
    """Wait for the worker; report finished samples; raise if it fails or takes too long."""
    end, reported = time.monotonic() + deadline, 0
    waits = _backend(job) == "backend loihi"
    while True:
        running = worker.poll() is None and job.read_status().get("state") != "done"
        finished = finished_samples(job, network, counts=counts)
        if progress is not None and finished > reported:
            reported = finished
            progress(finished, samples)
        if not running:
            break
        if waits:
            waits = job.read_status().get("state") != "running"
            end = time.monotonic() + deadline
        elif time.monotonic() > end:
            raise LavaFailed(
                f"did not finish within {deadline:g} s",
                where=_backend(job),
                limit=f"{finished} of {samples} samples were done",
                remedy="allow a longer deadline or run fewer samples",
            )
        time.sleep(POLL_SECONDS)
    if job.read_status().get("state") != "done" or finished != samples:
        _raise_failure(worker, job, interpreter)


def _check_version(job: Job) -> None:
    """Warn of a lava-nc that nobody has tried this with."""
    found = job.version.read_text() if job.version.exists() else TRIED
    if found.split(".")[:2] != TRIED.split("."):
        warnings.warn(f"lava-nc {found} ran this; loihiconv is tested with {TRIED} alone", stacklevel=3)


def _raise_failure(worker: subprocess.Popen[bytes], job: Job, interpreter: str) -> None:
    status = job.read_status()
    traceback = (job.error.read_text() if job.error.exists() else job.log.read_text(errors="replace")).strip()
    cause = WorkerTraceback("\n" + traceback)
    last = (traceback.splitlines() or ["nothing was printed"])[-1]
    if status.get("state", "unavailable") == "unavailable":  # it has no Lava, or did not even come to run the worker
        where = f"{_backend(job)}, {interpreter}"
        raise BackendUnavailable(f"lava-nc cannot be used from this interpreter ({last})", where=where, remedy=INSTALL) from cause
    if last.startswith(UNAVAILABLE):  # Lava is there, and the board is not
        raise BackendUnavailable(last.removeprefix(UNAVAILABLE)) from cause
    message = status.get("message") or f"the worker ended with status {worker.returncode}: {last}"
    full = "make room in the temporary folder (TMPDIR) and in /dev/shm" if os.strerror(errno.ENOSPC) in message else ""
    raise LavaFailed(str(message), where=_backend(job), remedy=full) from cause


def _backend(job: Job) -> str:
    """What messages call the back end."""
    return "backend loihi" if job.chip.exists() and ChipSettings.read(job.chip).place == "loihi" else "backend lava"


def end_group(worker: subprocess.Popen[bytes]) -> None:
    """End all processes of a worker's group and wait until they are gone."""
    # SIGTERM first and to all: Python's resource tracker ignores it and removes the shared memory when the others are gone.
    for number in (signal.SIGTERM, signal.SIGKILL):
        end = time.monotonic() + GRACE_SECONDS
        while _group_runs(worker.pid) and time.monotonic() < end:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(worker.pid, number)
            worker.poll()
            time.sleep(0.01)
    worker.wait()


def _group_runs(group: int) -> bool:
    """Whether a process group has a process that has not ended; zombies that nobody reaps yet have."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS says so of zombies
        return False
    if not sys.platform.startswith("linux"):
        return True
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, number = path.read_text(errors="replace").rpartition(")")[2].split()[:3]
            if int(number) == group and state not in "ZX":
                return True
    return False


def _recording(
    network: Network,
    payload: Mapping[str, Array],
    records: Records,
    with_potentials: bool,
    job: Job,
    settings: Settings,
    chip: ChipSettings | None,
) -> Recording:
    done = len(records.potentials)
    payload = {name: values[:done] for name, values in payload.items()}
    arrivals = {name: np.count_nonzero(values, axis=0) for name, values in payload.items()}
    spikes = {name: np.sum(counts, axis=0, dtype=np.int64) for name, counts in records.spike_counts.items()}
    unit = network.output_unit
    decided = decide(network.readout, records.potentials, records.potentials_over_time, first=settings.first, unit=unit)
    counted = spikes.keys() == {p.name for p in network.populations if p.spiking}
    active = activity(network, spikes, arrivals, done) if counted else UNKNOWN
    realization = None if chip is None else network.record.realization or RealizationRecord(chip.realization)
    profile = json.loads(job.profile.read_text()) if chip is not None and job.profile.exists() else None
    return Recording(
        predictions=decided.predictions,
        output_spikes=decided.output_spikes,
        potentials=records.potentials,
        spike_counts=records.spike_counts,
        payload_sums=records.payload_sums,
        timesteps=network.timesteps,
        backend="lava" if chip is None or chip.place == "cpu" else "loihi",
        spikes=records.spikes,
        potentials_over_time=records.potentials_over_time if with_potentials else None,
        realization=realization,
        profile=profile,
        saturated=_saturated(network, payload, records),
        output_unit=network.output_unit,
        ending=network.readout.ending,
        parts=network.readout.parts,
        **vars(active),
    )


def _saturated(network: Network, payload: Mapping[str, Array], records: Records) -> tuple[Saturation, ...]:
    sums = input_coding.host_sums(network, payload)
    watched: dict[tuple[str, Register], Array] = {(name, "host currents"): currents_saturate(s) for name, s in sums.items()}
    if records.potentials_over_time is not None:
        watched[network.readout.name, "potentials"] = potentials_saturate(records.potentials_over_time)
    return found(watched, {p.name: p.shape for p in network.populations})
