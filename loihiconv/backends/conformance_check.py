"""Hold an implementation of the neuron `SoftResetIF` against its conformance vectors. Needs Python 3.9 or later and numpy, nothing else.

    python check.py results.npz              what a chip computed, case by case
    python check.py mymodel:run              a Python function, called case by case

``vectors.npz`` beside this file has the arrays ``NAME/a_in`` (T, n), ``NAME/v_init`` (n), ``NAME/vth``, ``NAME/bias_mant`` (n),
``NAME/bias_exp`` (n) and ``NAME/payload_max`` of each case, of the variant with silent steps ``NAME/first`` and ``NAME/last``, of that
with two potentials ``NAME/silent`` and ``NAME/timesteps``, of that with signed spikes ``NAME/signed``, and what is expected after each
step: ``NAME/u``, ``NAME/v`` and ``NAME/s``
(T, n). ``results.npz`` has ``NAME/s`` and, where they can be read, ``NAME/v`` and ``NAME/u``. A function takes the inputs by these names
and returns a dict of the three outputs, or an empty one; one that takes no first and last is not asked for silent steps, and so it is with
two potentials and signed spikes. A case without results fails, but for those of the four variants, which are optional.

Exit code 0: equal. 1: not equal, or a case is missing. 2: nothing could be compared.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, Any]
INPUTS = ("a_in", "v_init", "vth", "bias_mant", "bias_exp", "payload_max", "first", "last", "silent", "timesteps", "signed")
VARIANTS = {"first", "last", "silent", "timesteps", "signed"}
OUTPUTS = ("s", "v", "u")


class Unusable(Exception):
    """Nothing could be compared."""


def read_cases(path: Path) -> Iterator[tuple[dict[str, str], Arrays, Arrays]]:
    """(name and what it is about, inputs, expected outputs) of each case."""
    with np.load(path) as file:
        for described in json.loads(str(file["cases"])):
            name = described["name"]
            inputs = {key: file[f"{name}/{key}"] for key in INPUTS if f"{name}/{key}" in file}
            yield described, inputs, {key: file[f"{name}/{key}"] for key in OUTPUTS}


def difference(expected: Arrays, found: Arrays) -> str:
    """The first thing that differs, step by step; empty where nothing does."""
    if "s" not in found:
        return "no spikes 's' among the results"
    compared = {key: np.asarray(found[key]) for key in OUTPUTS if key in found}
    for key, values in compared.items():
        if values.shape != expected[key].shape:
            return f"{key} has shape {values.shape}, expected {expected[key].shape}"
    wrong = {key: values != expected[key] for key, values in compared.items()}
    steps = [(int(np.argmax(at.any(axis=1))), key) for key, at in wrong.items() if at.any()]
    if not steps:
        return ""
    step, key = min(steps)
    neuron = int(np.argmax(wrong[key][step]))
    every = sum(int(at.sum()) for at in wrong.values())
    found_there, expected_there = compared[key][step, neuron], expected[key][step, neuron]
    return f"step {step}, neuron {neuron}: {key} is {found_there}, expected {expected_there} ({every} values differ)"


def results_of(argument: str) -> Callable[[str, Arrays], Arrays | None]:
    """What gives an implementation's outputs for a case, or None where it has none."""
    if argument.endswith(".npz"):
        try:
            with np.load(argument) as file:
                held = {name: file[name] for name in file.files}
        except Exception as error:  # zipfile, zlib and numpy's reader let out many kinds on damaged files
            what = " ".join(str(error).split()) or type(error).__name__
            raise Unusable(f"{argument}: cannot be read: {what}") from error
        return lambda name, _: {key: held[f"{name}/{key}"] for key in OUTPUTS if f"{name}/{key}" in held} or None
    module, _, attribute = argument.partition(":")
    sys.path.insert(0, os.getcwd())
    try:
        function = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise Unusable(f"{argument}: neither a .npz file nor module:function: {error}") from error
    parameters = inspect.signature(function).parameters.values()
    taken = {p.name for p in parameters}
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return lambda _, inputs: dict(function(**inputs) or {}) or None if anything or VARIANTS & inputs.keys() <= taken else None


def check(vectors: Path, argument: str) -> int:
    """Print a line per case; 0 if all that has to be equal is."""
    results = results_of(argument)
    failed, tried = 0, 0
    for described, inputs, expected in read_cases(vectors):
        name, optional = described["name"], bool(described["optional"])
        found = results(name, inputs)
        tried += found is not None
        wrong = difference(expected, found) if found is not None else "" if optional else "missing"
        failed += bool(wrong)
        mark = "differs" if wrong else "equal  " if found is not None else "-      "
        print(f"{mark}  {name}: {described['about']}" + (f"\n         {wrong}" if wrong else ""))
    if not tried:
        raise Unusable(f"{argument} holds none of the cases in {vectors.name}")
    print(f"{failed} cases differ or are missing" if failed else f"all {tried} cases equal")
    return int(failed > 0)


def main() -> int:
    """Command line."""
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    try:
        return check(Path(__file__).resolve().parent / "vectors.npz", sys.argv[1])
    except (Unusable, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
