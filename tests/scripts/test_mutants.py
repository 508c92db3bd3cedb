"""The list of faults fits the sources, and one that no test would notice is told from one that a test does."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def mutants() -> Iterator[Any]:
    sys.path.insert(0, str(ROOT / "scripts"))  # for processes that it starts, too
    import mutants

    yield mutants
    sys.path.remove(str(ROOT / "scripts"))


def test_every_fault_is_found_once_and_is_python(mutants: Any) -> None:
    every = mutants.faults()
    assert len({fault.name for fault in every}) == len(every) >= 60
    for fault in every:
        source = (ROOT / "loihiconv" / fault.module).read_text(encoding="utf-8")
        changed = fault.put_into(source)
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(source)), fault.name
    assert mutants.EQUIVALENT.keys() <= {fault.name for fault in every}


def test_a_text_that_is_not_there_is_said(mutants: Any) -> None:
    with pytest.raises(SystemExit, match=r"metrics\.py: 'Z96' is there 0 times"):
        mutants.Fault("evaluation/metrics.py", "Z96", "Z97").put_into("Z95 = 1.96")


def test_patterns_choose_by_name(mutants: Any) -> None:
    chosen = mutants.faults("SYNAPSE_MEMORY.py: block")
    assert [fault.text for fault in chosen] == ["BLOCK_SYNAPSES = 64", "BLOCK_HEADER_BITS = 10"]


def test_what_is_run(mutants: Any) -> None:
    """A module's own tests, and then its room's; a module without any has its room's alone."""
    assert mutants.Fault("core/bounds.py", "", "").stages(own=False) == ("tests/core/test_bounds.py", "tests/core")
    assert mutants.Fault("core/bounds.py", "", "").stages(own=True) == ("tests/core/test_bounds.py",)
    assert mutants.Fault("hardware/placement_limits.py", "", "").stages(own=True) == ("tests/hardware",)


@pytest.mark.slow
def test_a_fault_is_noticed_and_the_working_tree_stays(mutants: Any, tmp_path: Path) -> None:
    laboratory = mutants.Laboratory(tmp_path / "copy", get_context("forkserver"))
    before = (ROOT / "loihiconv/evaluation/metrics.py").read_bytes()
    stages = ("tests/evaluation/test_metrics.py",)
    assert laboratory.passes(stages, 120) == (True, "")
    with laboratory.with_fault(mutants.Fault("evaluation/metrics.py", "(p + z2 / (2 * n))", "(p + z2 / n)")):
        passed, by = laboratory.passes(stages, 120)
    assert not passed
    assert by.startswith("tests/evaluation/test_metrics.py::test_wilson_against_scipy")
    with laboratory.with_fault(mutants.Fault("evaluation/metrics.py", "if not n:", "while not n:")):
        pass
    assert laboratory.passes(stages, 120) == (True, "")
    assert (ROOT / "loihiconv/evaluation/metrics.py").read_bytes() == before
