"""Some damaged files of every kind, and that what is wrong with how they are taken would be seen."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loihiconv.core.errors import InvalidData

ROOT = Path(__file__).resolve().parents[2]
KINDS = (
    "profile",
    "cluster",
    "manifest",
    "slice",
    "training",
    "point",
    "comparison",
    "results",
    "verdicts",
    "bundle",
    "expected",
    "lnet",
    "board",
    "configuration",
    "npz",
    "onnx",
    "nir",
    "netx",
    "keras",
    "keras-hdf5",
    "checkpoint",
    "safetensors",
    "tuned",
    "image",
)


@pytest.fixture(scope="module")
def fuzz() -> Iterator[Any]:
    sys.path.insert(0, str(ROOT / "scripts"))
    import fuzz

    yield fuzz
    sys.path.remove(str(ROOT / "scripts"))


@cache
def parser_of(name: str) -> Any:
    from fuzz_parsers import PARSERS

    return next(parser for parser in PARSERS if parser.name == name)


@cache
def whole(name: str) -> list[bytes]:
    return list(parser_of(name).whole())


def test_every_kind_is_tried(fuzz: Any) -> None:
    assert tuple(parser.name for parser in fuzz.PARSERS) == KINDS


@pytest.mark.parametrize("name", KINDS)
def test_damaged_files_end_in_a_line(fuzz: Any, name: str, tmp_path: Path) -> None:
    """How long each takes is looked at by the script; here a slow machine must not fail."""
    for data in whole(name)[:3]:
        fuzz.outcome(parser_of(name), data, tmp_path)  # imports what it needs, which may do more than a reader has to
    first = [fuzz.outcome(parser_of(name), data, tmp_path) for data in whole(name)[:3]]
    if name not in ("keras", "keras-hdf5", "checkpoint", "safetensors"):  # some of theirs are not for this network
        assert "read" in first

    @settings(max_examples=10, suppress_health_check=list(HealthCheck), database=None)
    @given(st.integers(0, 2**32))
    def check(seed: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zipfile's, of two members of one name
            data = fuzz.damaged(parser_of(name), whole(name), seed)
        found = fuzz.outcome(parser_of(name), data, tmp_path)
        assert found in ("read", "refused") or found.startswith("takes"), f"scripts/fuzz.py --only {name} --inputs 1 --seed {seed}: {found}"

    check()


def test_what_is_wrong_is_seen(fuzz: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(error: Exception) -> Any:
        def read(path: Path) -> None:
            raise error

        return read

    def waits(path: Path) -> None:
        end = time.process_time() + 0.05
        while time.process_time() < end:
            pass

    monkeypatch.setattr(fuzz, "SECONDS", 0.02)
    for read, found in (
        (raises(InvalidData("a")), "refused"),
        (raises(KeyError("a")), "KeyError ('a') at "),
        (lambda path: os.system("true"), "executes: os.system"),
        (lambda path: (path.parent / "other").write_text("x"), "executes: open"),
        (lambda path: exec(compile("__import__('math')", "<damaged>", "exec")), "executes: exec"),
        (waits, "takes "),
        (lambda path: None, "read"),
    ):
        assert fuzz.outcome(replace(parser_of("lnet"), read=read), b"", tmp_path).startswith(found), found
    assert fuzz.damaged(parser_of("npz"), whole("npz"), 7) == fuzz.damaged(parser_of("npz"), whole("npz"), 7)
