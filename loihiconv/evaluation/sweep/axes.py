"""The points of a sweep: every combination of the values of its axes, all checked before any of them is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from loihiconv.conversion.declaration import plain
from loihiconv.conversion.settings import SEARCHES, Optimize, Settings, choose
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.given import did_you_mean, shown
from loihiconv.evaluation.sweep.declarations import AXES, WEIGHT_BITS
from loihiconv.hardware.board import Board
from loihiconv.hardware.board_fields import Limit


@dataclass(frozen=True)
class Point:
    """One combination of settings.

    Attributes
    ----------
    values : mapping
        Value on each axis, in the order of the axes.
    given : mapping
        Fields of `Settings` that are on an axis or were given for all points; a search leaves them as they are.
    settings : Settings
        With the rest filled in.
    optimize : str
    weight_bits : int or None
        None leaves the board's.
    """

    values: Mapping[str, Any]
    given: Mapping[str, Any]
    settings: Settings
    optimize: Optimize = "default"
    weight_bits: int | None = None

    @property
    def searching(self) -> bool:
        """Whether settings that are not given are searched for on calibration data."""
        return self.optimize in SEARCHES

    def board(self, board: Board | None) -> Board | None:
        """The board with weights of this point's width."""
        if board is None or self.weight_bits is None:
            return board
        limit = Limit(value=self.weight_bits, source="an axis of a sweep", note=f"{board.name} has {board.weight_bits.value}")
        return board.model_copy(update={"weight_bits": limit})

    def to_json(self) -> dict[str, Any]:
        """All settings as JSON values."""
        return {**self.settings.to_json(), "optimize": self.optimize, "weight_bits": self.weight_bits}


def points(axes: Mapping[str, Any], fixed: Mapping[str, Any], board: Board | None) -> tuple[Point, ...]:
    """All combinations of values, the last axis varying fastest.

    Parameters
    ----------
    axes : {name: values}
        A single value counts as one; one that is listed twice is run once.
    fixed : mapping
        The same for all points.
    board : Board or None

    Raises
    ------
    InvalidSetting
        For an unknown axis, with the known ones, an axis without values, or a value out of its range.
    """
    if not isinstance(axes, Mapping):
        raise InvalidSetting(f"{shown(axes)} as axes", where="sweep", limit='names with values expected, such as {"timesteps": [8, 16]}')
    for name in (*axes, *fixed):
        _check_name(name)
    if twice := sorted(axes.keys() & fixed.keys()):
        raise InvalidSetting(f"{twice[0]} is an axis and given as well", where="sweep", remedy="give it once")
    if "timesteps" not in {*axes, *fixed}:
        raise InvalidSetting("no time steps", where="sweep", remedy='add an axis "timesteps", such as [8, 16, 32]')
    values = {name: _values(name, given) for name, given in axes.items()}
    same = {name: plain(value) for name, value in fixed.items()}
    return tuple(_point(dict(zip(values, combination, strict=True)), same, board) for combination in product(*values.values()))


def _check_name(name: str) -> None:
    if name not in AXES:
        raise InvalidSetting(f"no such axis: {name}{did_you_mean(name, AXES)}", where="sweep", limit=f"known are {', '.join(sorted(AXES))}")


def _values(name: str, given: Any) -> list[Any]:
    several = isinstance(given, (Sequence, np.ndarray)) and not isinstance(given, str)
    values: list[Any] = []
    for value in map(plain, given if several else [given]):
        if not any(type(value) is type(other) and value == other for other in values):
            values.append(value)
    if not values:
        raise InvalidSetting("no values", where=name, limit="at least one expected")
    return values


def _point(values: dict[str, Any], fixed: Mapping[str, Any], board: Board | None) -> Point:
    given = {**fixed, **values}
    optimize, bits, timesteps = given.pop("optimize", "default"), given.pop("weight_bits", None), given.pop("timesteps")
    if bits is not None:
        _check_bits(bits, board)
    return Point(values, given, choose(timesteps, optimize, **given).for_board(board), optimize, bits)


def _check_bits(bits: Any, board: Board | None) -> None:
    if board is None:
        raise InvalidSetting("weights of a float network have no such width", where="weight_bits", remedy="name a board")
    fewest, most = WEIGHT_BITS.setting.low, board.weight_bits.value
    if not WEIGHT_BITS.allows(bits) or bits > most:
        raise InvalidSetting(f"weight_bits {bits!r}", where="weight_bits", limit=f"{fewest} to {most} on {board.name}")
