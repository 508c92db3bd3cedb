"""Long runs in slices of samples: each is written when it is finished, and what was written is not run again.

A folder holds ``run.json``, which says what is run, and a file for each slice, named by its samples. Files come into being whole
(`loihiconv.core.files.replacing`), so that whatever ends a process leaves finished slices alone. Results do not depend on the cut: random
spikes are addressed by a sample's place in the whole run, and a float network is always cut in the same places, as its sums depend on a
batch.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isnan, nan
from os import PathLike
from pathlib import Path
from typing import Any

from loihiconv.backends.backend import Backend, RunOptions
from loihiconv.core import lnet
from loihiconv.core.composition import synapses
from loihiconv.core.errors import ArtifactError, BackendFailed
from loihiconv.core.files import PART, make_folder, write_json
from loihiconv.core.fingerprints import fingerprint, fingerprints
from loihiconv.core.given import shown
from loihiconv.core.joining import joined_recordings
from loihiconv.core.json_text import read_json
from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.core.recording import Recording
from loihiconv.core.version import __version__

FORMAT, VERSION = "loihiconv slices", 1
PRODUCTS = 5e11
"""Of weights and spikes, as if all were 1, in a slice of the simulator: some seconds."""
FEWEST, MOST = 32, 4096
"""Samples of a slice of the simulator."""
OF_LAVA = 32
"""Samples of a slice of Lava, which takes three seconds to start."""
_RUN, _SLICE = "run.json", "*.slice"


class AnotherRun(ArtifactError):
    """A folder holds slices of another run, or something else."""


@dataclass(frozen=True, eq=False)
class Slice:
    """A part of a run, as files hold it.

    Parameters
    ----------
    first : int
        Index of its first sample.
    recording : Recording
        With rates of 0 where spikes were not counted: JSON has no NaN.
    counted : bool
        Whether spikes were counted.
    """

    first: int
    recording: Recording
    counted: bool

    @property
    def end(self) -> int:
        """Index behind its last sample."""
        return self.first + len(self.recording)


class Slices:
    """The folder of a run.

    Parameters
    ----------
    folder : Path
        Made with its first slice.
    key : str
        Fingerprint of all that results follow from.
    samples : int
        Of the whole run.

    Raises
    ------
    AnotherRun
        If the folder holds another run, or something else.
    """

    def __init__(self, folder: Path, key: str, samples: int) -> None:
        self.folder, self.samples = folder, samples
        self._said = {"format": FORMAT, "version": VERSION, "loihiconv": __version__, "run": key, "samples": samples}
        if folder.exists() and not _is_empty(folder):
            _check(folder, self._said)

    def finished(self) -> list[Slice]:
        """Slices that are there, in their order, none of which overlap."""
        chosen: list[Slice] = []
        for path in sorted(self.folder.glob(_SLICE)):
            part = lnet.read(path, Slice)
            if path.stem != _named(part) or part.end > self.samples:
                what = f"holds samples {part.first} to {part.end - 1}, which is not what its name says"
                raise ArtifactError(what, where=str(path), remedy="remove it")
            if part.first >= (chosen[-1].end if chosen else 0):
                chosen.append(replace(part, recording=_with_rates(part, nan)) if not part.counted else part)
        return chosen

    def write(self, first: int, recording: Recording) -> Slice:
        """Keep the recording of the samples from ``first`` on."""
        if not (self.folder / _RUN).exists():
            make_folder(self.folder)
            write_json(self.folder / _RUN, self._said)
        part = Slice(first, recording, not isnan(recording.firing_rate))
        name = f"{_named(part)}{_SLICE[1:]}"
        lnet.write(part if part.counted else replace(part, recording=_with_rates(part, 0.0)), self.folder / name)
        return part


def joined_slices(network: Network, parts: Sequence[Slice]) -> Recording:
    """The recording of a whole run.

    Raises
    ------
    ArtifactError
        If what the slices hold does not belong together: files were altered.
    """
    try:
        return joined_recordings(network, [part.recording for part in sorted(parts, key=lambda part: part.first)])
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ArtifactError("slices that were kept do not belong together", remedy="remove their folder, and run again") from error


def run_in_slices(backend: Backend, network: Network, x: Array, options: RunOptions, folder: str | PathLike[str]) -> Recording:
    """Run samples as `Backend.run` does, and keep each finished slice in a folder; what it has already is not run again.

    Parameters
    ----------
    backend, network, x, options
        As `Backend.run` takes them. ``deadline`` is that of all slices together.
    folder : path
        Stays when the run is done; remove it then.

    Raises
    ------
    ArtifactError
        If the folder holds another run (`AnotherRun`), is damaged or cannot be written.
    BackendFailed
        If the deadline has passed, with what was finished kept.
    """
    kept = Slices(Path(folder), run_key(backend, network, x, options), len(x))
    end = None if options.deadline is None else time.monotonic() + options.deadline
    parts = kept.finished()
    done = sum(len(part.recording) for part in parts)
    for first, last in missing(parts, len(x), slice_size(backend, network, options)):
        left = None if end is None else end - time.monotonic()
        if left is not None and left <= 0:
            raise BackendFailed(
                f"did not finish within {options.deadline:g} s",
                where=f"backend {backend.name}",
                limit=f"{done} of {len(x)} samples were done",
                remedy="go on from there, or run fewer samples",
            )
        left = None if left is None else max(round(left, 1), 0.1)
        told = replace(options, first=options.first + first, deadline=left, progress=_after(done, len(x), options))
        try:
            recording = backend.run(network, x[first:last], told)
        except (BackendFailed, KeyboardInterrupt) as error:
            partial = getattr(error, "partial", None)
            if partial is not None:
                kept.write(first, partial)
            raise
        parts.append(kept.write(first, recording))
        done += last - first
    return joined_slices(network, parts)


def run_key(backend: Backend, network: Network, x: Array, options: RunOptions) -> str:
    """Fingerprint of all that results follow from."""
    told = (options.realization, options.lif_ratio, options.stock_models, options.device, options.counts, options.first)
    origin = {} if network.origin is None else fingerprints(network.origin)
    steps = (network.timesteps, network.board)
    return fingerprint(backend.name, fingerprints(network), origin, steps, x, sorted(options.record), told, options.calibration)


def slice_size(backend: Backend, network: Network, options: RunOptions) -> int:
    """Samples of a slice: a function of the network, so that a run that is taken up again is cut as before. Boards get all at once."""
    if backend.hardware or (options.access is not None and options.access.profile):
        return 2**62
    if backend.judges:
        return OF_LAVA
    products = sum(synapses(c.map, network[c.source].shape) for c in network.connections) * network.timesteps
    return min(max(int(PRODUCTS / max(products, 1)), FEWEST), MOST)


def samples_done(folder: Path) -> dict[str, int]:
    """Samples in the slices of a folder under "", and in those of folders within it under their names, as names of slices say."""
    done: dict[str, int] = {}
    for path in sorted(folder.rglob(_SLICE)):
        first, _, end = path.stem.partition("-")
        if not (first + end).isdigit():  # nothing of ours
            continue
        of = "" if path.parent == folder else f" in {path.parent.name}"
        done[of] = done.get(of, 0) + int(end) - int(first)
    return done or {"": 0}


def missing(parts: Sequence[Slice], samples: int, size: int) -> Iterator[tuple[int, int]]:
    """What is not in any slice, from and to which sample, cut at multiples of a size."""
    place = 0
    for first, end in [*((part.first, part.end) for part in parts), (samples, samples)]:
        while place < first:
            last = min(first, (place // size + 1) * size)
            yield place, last
            place = last
        place = end


def _after(done: int, samples: int, options: RunOptions) -> Any:
    report = options.progress
    return None if report is None else lambda more, _: report(done + more, samples)


def _named(part: Slice) -> str:
    """Name of a slice's file, without its ending: from and to which sample."""
    return f"{part.first:012d}-{part.end:012d}"


def _with_rates(part: Slice, value: float) -> Recording:
    return replace(part.recording, firing_rate=value, synaptic_operations=value)


def _is_empty(folder: Path) -> bool:
    """Whether a folder is one in which a run that was killed had just begun."""
    return folder.is_dir() and all(path.name.startswith(PART) for path in folder.iterdir())


def _check(folder: Path, said: dict[str, Any]) -> None:
    """Raise `AnotherRun` unless a folder is that of the run that is described."""
    try:
        found = read_json((folder / _RUN).read_bytes())
    except (OSError, ValueError) as error:
        raise AnotherRun("holds no slices of a run", where=str(folder), remedy="name another folder") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise AnotherRun("holds no slices of a run", where=str(folder), remedy="name another folder")
    if found != said:
        other = any(found.get(name) != said[name] for name in ("version", "loihiconv"))
        what = (
            f"of another version of loihiconv, {shown(found.get('loihiconv'))}"
            if other
            else "of other samples, another network or other options"
        )
        raise AnotherRun(f"holds slices {what}", where=str(folder), remedy="remove it, or run what it was begun with")
