"""Comparisons that were saved: what ``loihiconv compare --json`` or ``verify --json`` printed, for `loihiconv.evaluation.difference`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from loihiconv.backends.registry import ANN
from loihiconv.core.choices import Task
from loihiconv.core.errors import InvalidData
from loihiconv.core.given import check_path, shown
from loihiconv.core.metric import BY_KEY, SIGN_ACCURACY, Metric
from loihiconv.evaluation.judged import Judged

MOST_BYTES = 256 * 2**20
EXPECTED = "what 'loihiconv compare --json' prints expected"


Moderate = Annotated[float, Field(ge=-1e100, le=1e100)]
"""A figure that can be squared."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=True, allow_inf_nan=False)


class SavedResult(_Part):
    """How one back end did; as `loihiconv.evaluation.result.BackendResult`."""

    metric: str
    value: Moderate
    interval95: tuple[Moderate, Moderate]
    n: int = Field(ge=1)
    agreement: float | None = None
    firing_rate: float | None = None
    synaptic_operations: float | None = None
    spikes: float | None = None
    judged: Judged | None = None

    @field_validator("metric")
    @classmethod
    def _known(cls, key: str) -> str:
        if key not in BY_KEY:
            raise ValueError(f"{shown(key)} is no metric of this version")
        return key

    @field_validator("interval95")
    @classmethod
    def _ordered(cls, pair: tuple[float, float]) -> tuple[float, float]:
        if pair[0] > pair[1]:
            raise ValueError("its ends are the wrong way round")
        return pair

    @field_validator("judged", mode="before")
    @classmethod
    def _read(cls, given: Any) -> Judged | None:
        if given is not None and not isinstance(given, Mapping):
            raise ValueError("not how samples were judged")
        return None if given is None else Judged.from_json(given)


class SavedAnswer(_Part):
    """One question of the verdict, and its answer."""

    question: str
    answer: str
    status: Literal["good", "unknown", "warn", "bad"]


class SavedVerdict(_Part):
    """All answers."""

    answers: tuple[SavedAnswer, ...]


class SavedPlacement(_Part):
    """Cores of the whole network, and of each population."""

    board: str
    cores: int
    chips: int
    fits: bool
    layers: dict[str, int]


class SavedLayer(_Part):
    """How well a population's rates stand for activations; as `loihiconv.evaluation.explain.layers.LayerStatistics`."""

    population: str
    relative_error: float
    clipped: float = 0.0
    silent: float = 0.0


class SavedWorkload(_Part):
    """Size and work; as `loihiconv.evaluation.workload.Workload`."""

    footprint: int
    macs: float
    acs: float


class SavedAnalysis(_Part):
    """What only ``--explain`` gives."""

    layers: tuple[SavedLayer, ...] = ()
    layer_samples: int = 0
    workload: dict[str, SavedWorkload] = {}
    settings: dict[str, Any] = {}
    versions: dict[str, str] = {}


class SavedComparison(_Part):
    """A comparison as it was saved; files of older versions hold less of it."""

    timesteps: int
    silent_steps: int = 0
    added_steps: int | None = None
    board: str
    task: Task
    payload_max: int = 1
    signed: bool = False
    copies: int = 1
    backends: dict[str, SavedResult]
    verdict: SavedVerdict
    placement: SavedPlacement | None = None
    settings: dict[str, Any] = {}
    versions: dict[str, str] = {}
    analysis: SavedAnalysis | None = None

    @field_validator("backends")
    @classmethod
    def _has_ann(cls, backends: dict[str, SavedResult]) -> dict[str, SavedResult]:
        if ANN not in backends:
            raise ValueError("the float network is missing")
        return backends

    def metric(self, backend: str) -> Metric:
        """What a back end was judged by."""
        return SIGN_ACCURACY if self.task == "binary" else BY_KEY[self.backends[backend].metric]

    @property
    def period(self) -> int:
        """Steps from one sample to the next; before silent steps could be buffered all of them were part of it."""
        return self.timesteps + (self.silent_steps if self.added_steps is None else self.added_steps)

    @property
    def all_settings(self) -> dict[str, Any]:
        """Of conversion and comparison, wherever a version wrote them."""
        older = {} if self.analysis is None else self.analysis.settings
        given = {"timesteps": self.timesteps, "board": self.board or "none", "task": self.task, "payload_max": self.payload_max}
        return {**given, **older, **self.settings}

    @property
    def all_versions(self) -> dict[str, str]:
        """The same of versions."""
        return {**({} if self.analysis is None else self.analysis.versions), **self.versions}


def read_comparison(path: str | PathLike[str]) -> SavedComparison:
    """Read what ``compare --json`` printed.

    Raises
    ------
    InvalidData
        If the file cannot be read, is no JSON, or holds something else.
    InvalidSetting
        If the path is none.
    """
    check_path(path, "comparison")
    where, file = str(path), Path(path)
    try:
        if file.stat().st_size > MOST_BYTES:
            raise InvalidData(f"is larger than {MOST_BYTES >> 20} MiB", where=where, limit=EXPECTED)
        content = json.loads(file.read_text(encoding="utf-8-sig"), parse_constant=_no_number)
    except OSError as error:
        raise InvalidData(f"cannot be read: {error.strerror or error}", where=where) from error
    except (ValueError, RecursionError) as error:
        raise InvalidData(f"is no JSON: {error}", where=where, limit=EXPECTED) from error
    if isinstance(content, dict) and "requirements" in content:
        content = content.get("comparison")  # of `verify`
    if not isinstance(content, dict) or "backends" not in content or "verdict" not in content:
        raise InvalidData(f"holds {_kind(content)}, no comparison", where=where, limit=EXPECTED)
    try:
        return SavedComparison.model_validate(content)
    except ValidationError as error:
        raise _invalid(error, where) from error


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")


def _kind(content: Any) -> str:
    if not isinstance(content, dict):
        return shown(content)
    known = {"rows": "a sweep", "predictions": "a run", "cut_by": "a placement", "problems": "a check"}
    return next((what for key, what in known.items() if key in content), f"the keys {', '.join(map(str, list(content)[:4])) or '{}'}")


def _invalid(error: ValidationError, where: str) -> InvalidData:
    first, *others = error.errors()
    place, message = ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
    more = f", and {len(others)} more such" if others else ""
    return InvalidData(f"{place}: {message[:1].lower()}{message[1:]}{more}", where=where, limit=EXPECTED, remedy="compare again")
