"""Finished points of sweeps in a JSON file, so that nothing is run twice and an interrupted sweep goes on where it was.

A point's key is a hash of all that its result follows from: network, data, settings, board, and the code itself. So one
file may serve many sweeps, and what no longer holds is never found again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from loihiconv.core.errors import ArtifactError
from loihiconv.core.files import check_writable, write_json
from loihiconv.core.fingerprints import fingerprint
from loihiconv.core.given import check_path
from loihiconv.core.version import __version__

FORMAT = "loihiconv sweep"
VERSION = 1
_FRESH = "name another file, or delete this one"


class SweepCache:
    """A file of finished points, or memory alone without a path.

    Parameters
    ----------
    path : path or None
        Made with the first point; each point that is put is written at once and atomically.

    Raises
    ------
    ArtifactError
        If there is a file and it is no such cache.
    InvalidSetting
        If the file could not be written.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        if path is not None:
            check_path(path, "cache")
        self.path = None if path is None else Path(path)
        self._points: dict[str, Any] = {}
        if self.path is not None:
            check_writable(self.path)
            self._points = _read(self.path)

    def get(self, key: str) -> Mapping[str, Any] | None:
        """What was put under a key, or None."""
        found: Mapping[str, Any] | None = self._points.get(key)
        return found

    def put(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep JSON values under a key; points that another sweep has written in the meantime stay."""
        self._points[key] = dict(value)
        if self.path is not None:
            self._points = {**_read(self.path), **self._points}
            write_json(self.path, {"format": FORMAT, "version": VERSION, "points": self._points})


@cache
def code() -> dict[str, str]:
    """Versions of what computes, and a hash of loihiconv's own source: a change there makes earlier results void."""
    folder = Path(__file__).resolve().parents[2]
    sources = {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.py"))}
    return {"loihiconv": __version__, "source": fingerprint(sources), "torch": str(torch.__version__), "numpy": np.__version__}


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError("cannot be read as the cache of a sweep", where=str(path), remedy=_FRESH) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT or not isinstance(content.get("points"), dict):
        raise ArtifactError("is not the cache of a sweep", where=str(path), remedy=_FRESH)
    if content.get("version") != VERSION:
        raise ArtifactError(f"version {content.get('version')!r}", where=str(path), limit=f"{VERSION} expected", remedy=_FRESH)
    return dict(content["points"])
