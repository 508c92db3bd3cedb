"""How a setting is declared: once, with what it means and what it may be.

`Declaration` checks values, words the errors, and describes the setting to the command line, to sweeps and to the documentation. Nothing
but the standard library is imported, so that help and usage errors come at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from numbers import Integral, Real
from textwrap import wrap
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.given import did_you_mean, shown

KEY = "setting"
"""Where a dataclass field's metadata holds its `Setting`."""
LARGE = 2**31
"""Limits beyond this are written as powers of two."""


@dataclass(frozen=True)
class Setting:
    """What a setting means and how large it may be; type, choices and default are those of the field that it describes.

    Parameters
    ----------
    help : str
        One or two sentences, for a terminal.
    details : str
        What a page of documentation says beyond that.
    low, high : int or float, optional
        Smallest and largest value.
    above : float, optional
        Values are larger than this; instead of ``low``.
    title : str
        What errors call a choice; by default its name in words.
    unit : str
        Of the limits.
    none : str
        What None stands for, where it may be given; 0 says the same on the command line.
    remedy : str
        What suits most networks, for errors.
    short : str
        Another name on the command line, such as "-T".
    opposite : str
        Of a yes or no: what it is called on the command line if not; by default "no-" before its name.
    """

    help: str
    details: str = ""
    low: float | None = None
    high: float | None = None
    above: float | None = None
    title: str = ""
    unit: str = ""
    none: str = ""
    remedy: str = ""
    short: str = ""
    opposite: str = ""


def described(help: str, **more: Any) -> Mapping[str, Setting]:
    """Metadata of a dataclass field that is a setting; the parameters are those of `Setting`."""
    return {KEY: Setting(help, **more)}


@dataclass(frozen=True)
class Declaration:
    """A setting with its type: all that is known of it.

    Attributes
    ----------
    name : str
    kind : type
        bool, int, float or, where there are choices, str.
    choices : tuple of str
    optional : bool
        Whether it may be None.
    default : Any
        `dataclasses.MISSING` where it has to be given.
    setting : Setting
    """

    name: str
    kind: type
    choices: tuple[str, ...]
    optional: bool
    default: Any
    setting: Setting

    @property
    def option(self) -> str:
        """How it is written on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def opposite(self) -> str:
        """How the other answer to a yes or no is written on the command line."""
        return f"--{self.setting.opposite or 'no-' + self.name.replace('_', '-')}"

    @property
    def values(self) -> str:
        """What it may be, as an error or a page of documentation says it."""
        if self.choices:
            return " or ".join(f'"{choice}"' for choice in self.choices)
        if self.kind is bool:
            return "True or False"
        s = self.setting
        if s.above is not None:
            limits = f"above {_number(s.above)}" + ("" if s.high is None else f" and at most {_number(s.high)}")
        elif s.high is None:
            limits = "" if s.low is None else f"of at least {_number(s.low)}"
        else:
            limits = f"{_number(s.low or 0)} to {_number(s.high)}"
            limits = f"from {limits}" if self.kind is int else limits
        return " ".join(part for part in ("a whole number" if self.kind is int else "", limits, s.unit) if part)

    def check(self, value: Any) -> None:
        """Raise `InvalidSetting` if a value is of another type or out of range."""
        if not self.allows(value):
            words = self.name.replace("_", " ")
            what = (
                f"{self.setting.title or words} {shown(value)}"
                if self.choices
                else f"{self.name} {value if isinstance(value, str) else shown(value)}"
            )
            what += did_you_mean(value, self.choices) if isinstance(value, str) else ""
            raise InvalidSetting(what, where=self.name, limit=f"{self.values} expected", remedy=self.setting.remedy)

    def allows(self, value: Any) -> bool:
        """Whether a value is of the type, and within the limits."""
        if value is None:
            return self.optional
        if self.choices:
            return isinstance(value, str) and value in self.choices
        value = plain(value)
        if self.kind is bool or isinstance(value, bool):
            return self.kind is bool and isinstance(value, bool)
        return isinstance(value, Integral if self.kind is int else Real) and self._within(value)

    def _within(self, value: Any) -> bool:
        s = self.setting
        return bool((s.low is None or value >= s.low) and (s.above is None or value > s.above) and (s.high is None or value <= s.high))


def declarations(settings: type) -> Mapping[str, Declaration]:
    """What a dataclass declares, field by field; each has its metadata from `described`."""
    hints = get_type_hints(settings)
    return {f.name: declaration(f.name, hints[f.name], f.metadata[KEY], f.default) for f in fields(settings)}


def declaration(name: str, hint: Any, setting: Setting, default: Any = MISSING) -> Declaration:
    """A setting from its type hint: bool, int, float or a Literal of words, or one of them or None."""
    parts = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    (inner,) = (part for part in parts if part is not NoneType)
    choices = get_args(inner) if get_origin(inner) is Literal else ()
    return Declaration(name, str if choices else inner, choices, NoneType in parts, default, setting)


def numpydoc(declared: Iterable[Declaration]) -> str:
    """Settings as the section "Parameters" of a docstring, for `help` at run time."""
    lines = ["Parameters", "----------"]
    for d in declared:
        none = f"None {d.setting.none}." if d.setting.none else ""
        lines.append(f"{d.name} : {d.values}{', or None' if d.optional else ''}")
        lines += [f"    {text}" for text in wrap(" ".join(part for part in (d.setting.help, d.setting.details, none) if part), 116)]
    return "\n".join(lines)


def plain(value: Any) -> Any:
    """A numpy scalar as Python's own; anything else as it is."""
    if type(value).__module__ != "numpy":
        return value
    from numpy import generic  # whoever has such a value has loaded numpy

    return value.item() if isinstance(value, generic) else value


def _number(value: float) -> str:
    if value >= LARGE and not (int(value) + 1) & int(value):
        return f"2^{int(value).bit_length()} - 1"
    return f"{value:,g}"
