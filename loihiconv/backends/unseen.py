"""What saturates where Lava and boards do not show it, told of their recordings: whole ones, and those that were cut off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from loihiconv.core.recording import Recording
from loihiconv.core.saturation import Saturation
from loihiconv.lava.client import LavaFailed, LavaInterrupted


def with_unseen(run: Callable[[], Recording], unseen: tuple[Saturation, ...]) -> Recording:
    """What a run on Lava records, and what the emulator has seen to saturate on the same samples.

    Parameters
    ----------
    run : callable () -> Recording
        What it raises gets it in its ``partial``.
    unseen : tuple of Saturation
    """
    try:
        return _added(run(), unseen)
    except (LavaFailed, LavaInterrupted) as error:
        if error.partial is not None:
            error.partial = _added(error.partial, unseen)
        raise


def _added(recording: Recording, unseen: tuple[Saturation, ...]) -> Recording:
    done = len(recording)
    cut = (replace(s, above=s.above[:done], below=s.below[:done]) for s in unseen)
    return replace(recording, saturated=(*recording.saturated, *(s for s in cut if s.samples)))
