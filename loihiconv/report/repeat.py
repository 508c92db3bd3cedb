"""The file of settings that repeats a comparison: what was found or defaulted is written out, so that later defaults change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loihiconv.conversion.settings import DECLARED
from loihiconv.evaluation.compare import Comparison

HEAD = "# loihiconv compare -c FILE repeats it"
UNSAID = "# model and data: as in the program that compared"
_NO_PART = {"html", "markdown", "explain", "json", "config", "optimize"}


def configuration(comparison: Comparison, given: Mapping[str, Any]) -> str:
    """YAML that ``loihiconv compare -c`` takes.

    Parameters
    ----------
    comparison : Comparison
    given : {key: value}
        Options of the command that compared, as files call them: model and data among them. Empty where a program did.
    """
    settings, known = comparison.settings, dict(given)
    if settings.get("board", "none") != "none":
        known.setdefault("board", settings["board"])
    known.setdefault("backends", settings.get("back ends", "").split(", "))
    known.setdefault("task", comparison.task)
    for name, declared in DECLARED.items():
        if name in settings:
            value = settings[name]
            known[name.replace("_", "-")] = 0 if value is None and declared.optional else value
    lines = [f"{key}: {_yaml(value)}" for key, value in known.items() if key not in _NO_PART]
    return "\n".join([HEAD, *([] if given else [UNSAID]), *lines]) + "\n"


def _yaml(value: Any) -> str:
    import yaml

    return str(yaml.safe_dump(value, default_flow_style=True, width=1000, allow_unicode=True)).removesuffix("\n...\n").strip()
