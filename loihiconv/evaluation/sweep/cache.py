"""Finished points of sweeps in a folder, so that nothing is run twice and an interrupted sweep goes on where it was.

A point's key is a hash of all that its result follows from: network, data, settings, board, and the code itself. So one
folder may serve many sweeps, and what no longer holds is never found again. Each point is a file that comes into being whole: any number of
processes, on any file system that renames, may write points at the same time and lose none.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from loihiconv.core.errors import ArtifactError, InvalidSetting
from loihiconv.core.files import PART, check_writable, make_folder, write_json
from loihiconv.core.fingerprints import fingerprint
from loihiconv.core.given import check_path
from loihiconv.core.json_text import read_json
from loihiconv.core.version import __version__

FORMAT = "loihiconv sweep"
VERSION = 2
_SAID = {"format": FORMAT, "version": VERSION}
_MARK = "sweep.json"
_FRESH = "name another folder, or remove this one"


class SweepCache:
    """A folder of finished points, or memory alone without a path.

    Parameters
    ----------
    path : path or None
        Made with the first point; each point that is put is written at once and atomically.

    Raises
    ------
    ArtifactError
        If something is there and it is no such cache.
    InvalidSetting
        If the folder could not be written.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        if path is not None:
            check_path(path, "cache")
        self.path = None if path is None else Path(path)
        self._points: dict[str, Any] = {}
        if self.path is not None:
            _check_place(self.path)

    def get(self, key: str) -> Mapping[str, Any] | None:
        """What was put under a key, here or by another sweep, or None."""
        if key not in self._points and self.path is not None:
            path = self.path / f"{key}.json"
            try:
                self._points[key] = read_json(path.read_bytes())
            except FileNotFoundError:
                return None
            except (OSError, ValueError) as error:
                raise ArtifactError("cannot be read as a point of a sweep", where=str(path), remedy="remove it") from error
        found: Mapping[str, Any] | None = self._points.get(key)
        return found

    def put(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep JSON values under a key."""
        self._points[key] = dict(value)
        if self.path is not None:
            if not (self.path / _MARK).exists():
                make_folder(self.path)
                write_json(self.path / _MARK, _SAID)
            write_json(self.path / f"{key}.json", self._points[key])


@cache
def code() -> dict[str, str]:
    """Versions of what computes, and a hash of loihiconv's own source: a change there makes earlier results void."""
    folder = Path(__file__).resolve().parents[2]
    sources = {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.py"))}
    return {"loihiconv": __version__, "source": fingerprint(sources), "torch": str(torch.__version__), "numpy": np.__version__}


def _check_place(path: Path) -> None:
    """Raise for what could not hold points; other sweeps may be making the folder at the same time."""
    if not os.path.lexists(path):
        try:
            check_writable(path)
            return
        except InvalidSetting:
            if not path.is_dir():
                raise
    _check(path)
    check_writable(path / _MARK)


def _check(path: Path) -> None:
    """Raise `ArtifactError` for what is no such folder."""
    if path.is_file():
        limit = "a folder expected; in files older versions kept points, which do not hold any more"
        raise ArtifactError("is a file", where=str(path), limit=limit, remedy=_FRESH)
    try:
        said = read_json((path / _MARK).read_bytes())
    except FileNotFoundError as error:
        found = {inside.name for inside in path.iterdir()} if path.is_dir() else {""}
        if _MARK in found:  # another sweep has made it since
            _check(path)
            return
        if all(name.startswith(PART) for name in found):  # empty, or another sweep is making it
            return
        raise ArtifactError("is not the cache of a sweep", where=str(path), remedy=_FRESH) from error
    except (OSError, ValueError) as error:
        raise ArtifactError("cannot be read as the cache of a sweep", where=str(path), remedy=_FRESH) from error
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise ArtifactError("is not the cache of a sweep", where=str(path), remedy=_FRESH)
    if said.get("version") != VERSION:
        raise ArtifactError(f"version {said.get('version')!r}", where=str(path), limit=f"{VERSION} expected", remedy=_FRESH)
