"""Mutation testing, ``python scripts/mutants.py``: whether any test notices that the arithmetic is a little wrong.

Each fault of `faults.FAULTS` is put into a temporary copy of the package, never into the working tree, and the tests of the module are run
on it, then those of its room, up to the first that fails. A fault that all tests pass has *survived*: a rule that nothing tests. A
run that takes far longer than one without a fault counts as failed.

Tests run in processes that are forked from one that has imported torch and its like once, but nothing of loihiconv. Hypothesis draws the
same examples for every fault, and does not look for the smallest one. Compiled kernels are kept in the copy, marked with what they are
compiled from (`loihiconv.simulator.compiled`), so a fault in one is compiled anew.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import queue
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path

from faults import EQUIVALENT, FAULTS

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("loihiconv", "tests", "hw_configs", "benchmarks", "pyproject.toml")
PRELOADED = ["hypothesis", "numba", "pytest", "scipy.stats", "sklearn", "torch.fx", "yaml"]
OPTIONS = [
    "-x",
    "-q",
    "-m",
    "not slow",
    "--timeout=0",
    "-p",
    "no:cacheprovider",
    "--hypothesis-profile=mutants",
    "--no-header",
    "--tb=no",
    "--color=no",
]
ALLOWED = 3
"""Survivors, beside those that are equivalent, up to which the exit code is 0."""
PATIENCE = 3
"""Times as long as without a fault, and a minute more, may tests take."""
CLOCK = count(10**9)
"""Times of changes, all different, or Python would take a file that was changed twice in a second for the same."""


@dataclass(frozen=True)
class Fault:
    """A text of a module, and what replaces it."""

    module: str
    text: str
    replacement: str

    @property
    def name(self) -> str:
        """How it is shown, and found by ``--only``."""
        return f"{self.module}: {' '.join(self.text.split())} -> {' '.join(self.replacement.split()) or 'nothing'}"

    def stages(self, *, own: bool) -> tuple[str, ...]:
        """What is run one after the other: the module's tests, and what its room has beyond them unless only its own are wanted."""
        module = Path("tests", self.module)
        mine = " ".join(sorted(str(path.relative_to(ROOT)) for path in (ROOT / module.parent).glob(f"test_{module.stem}*.py")))
        room = next(folder for folder in module.parents if (ROOT / folder).is_dir())  # not every folder of a room has one of tests
        return tuple(stage for stage in (mine, "" if own and mine else str(room)) if stage)

    def put_into(self, source: str) -> str:
        """The module's source with the fault."""
        if source.count(self.text) != 1:
            raise SystemExit(f"{self.module}: {self.text!r} is there {source.count(self.text)} times; write scripts/faults.py anew")
        return source.replace(self.text, self.replacement)


@dataclass(frozen=True)
class Result:
    """What became of a fault: "killed", "survived" or "equivalent", by which tests and after how many seconds."""

    name: str
    outcome: str
    by: str
    seconds: float


def faults(pattern: str = "") -> list[Fault]:
    """All faults whose names contain a text."""
    every = (Fault(module, text, replacement) for module, pairs in FAULTS.items() for text, replacement in pairs)
    return [fault for fault in every if pattern.lower() in fault.name.lower()]


def run_tests(copy: str, arguments: Sequence[str], log: str) -> None:
    """Run pytest on a copy of the package, in a process group of its own, and end the process with pytest's exit code."""
    os.setsid()
    os.chdir(copy)
    os.environ.update(PYTHONPATH=copy, OMP_NUM_THREADS="1")
    sys.path.insert(0, copy)
    with open(log, "w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    import pytest

    assert importlib.util.find_spec("loihiconv").origin == f"{copy}/loihiconv/__init__.py"  # type: ignore[union-attr]
    sys.exit(int(pytest.main([*OPTIONS, *arguments])))


class Laboratory:
    """A copy of what tests need, in which one fault at a time is tried.

    Parameters
    ----------
    folder : Path
        Where the copy is made.
    context : ForkServerContext
    """

    def __init__(self, folder: Path, context: ForkServerContext) -> None:
        self.folder, self.context = folder, context
        folder.mkdir()
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / name)

    def passes(self, stages: Sequence[str], limit: float) -> tuple[bool, str]:
        """Whether all tests pass within some seconds; otherwise also which did not."""
        for stage, before in zip(stages, ("", *stages), strict=False):
            log, begin = self.folder / "log", time.monotonic()
            arguments = [*stage.split(), *(f"--deselect={path}" for path in before.split())]
            process = self.context.Process(target=run_tests, args=(str(self.folder), arguments, str(log)))
            process.start()
            process.join(limit)
            hangs = process.is_alive()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # type: ignore[arg-type]  # it has one since it was started
            process.join()
            if hangs:
                return False, f"{stage} hangs: {time.monotonic() - begin:.0f} s"
            if process.exitcode:
                return False, _failed(log.read_text(errors="replace"), stage)
        return True, ""

    @contextlib.contextmanager
    def with_fault(self, fault: Fault) -> Iterator[None]:
        """The copy with a fault, and as it was afterwards."""
        path = self.folder / "loihiconv" / fault.module
        source = path.read_text(encoding="utf-8")
        _write(path, fault.put_into(source))
        try:
            yield
        finally:
            _write(path, source)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    now = next(CLOCK)
    os.utime(path, (now, now))


def _failed(log: str, stage: str) -> str:
    """The test that failed, of pytest's summary."""
    lines = [line for line in log.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return lines[0].split(" ", 1)[1].split(" - ")[0] if lines else f"{stage}: {log.strip()[-200:]}"


def attempt(fault: Fault, laboratories: queue.Queue[Laboratory], limits: dict[str, float], own: bool) -> Result:
    """Try one fault in the next laboratory that is free."""
    laboratory, begin, stages = laboratories.get(), time.monotonic(), fault.stages(own=own)
    try:
        with laboratory.with_fault(fault):
            alive, by = laboratory.passes(stages, limits[stages[-1]])
    finally:
        laboratories.put(laboratory)
    outcome = "killed" if not alive else "equivalent" if fault.name in EQUIVALENT else "survived"
    result = Result(fault.name, outcome, by or EQUIVALENT.get(fault.name, ""), round(time.monotonic() - begin, 1))
    print(f"{result.outcome:10} {result.seconds:5.1f} s  {result.name}  [{result.by}]", flush=True)
    return result


def healthy(last_stages: set[str], laboratory: Laboratory) -> dict[str, float]:
    """Seconds that tests may take; without any fault they must pass."""
    limits = {}
    for stage in sorted(last_stages):
        begin = time.monotonic()
        passed, why = laboratory.passes([stage], 3600)
        if not passed:
            raise SystemExit(f"tests fail without any fault: {why}")
        limits[stage] = 60 + PATIENCE * (time.monotonic() - begin)
        print(f"no fault   {time.monotonic() - begin:5.1f} s  {stage}", flush=True)
    return limits


def main() -> int:
    """Try all faults; 1 if more survive than `ALLOWED`."""
    parser = argparse.ArgumentParser(description="Mutation testing: which small faults does no test notice?")
    parser.add_argument("--list", action="store_true", help="show the faults, and stop")
    parser.add_argument("--only", default="", metavar="PATTERN", help="faults whose names contain this")
    parser.add_argument("--own", action="store_true", help="only the module's own tests, not those of its room: faster and stricter")
    parser.add_argument("--jobs", type=int, default=1, help="faults that are tried at a time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here")
    options = parser.parse_args()
    chosen = faults(options.only)
    if options.list:
        print("\n".join(fault.name for fault in chosen))
        return 0
    os.environ["CI"] = "1"  # some tests ask for it, to be the same each time
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(options.jobs) as threads:
        laboratories: queue.Queue[Laboratory] = queue.Queue()
        every = [Laboratory(Path(folder, str(job)), context) for job in range(options.jobs)]
        limits = healthy({fault.stages(own=options.own)[-1] for fault in chosen}, every[0])
        for laboratory in every:
            laboratories.put(laboratory)
        results = list(threads.map(partial(attempt, laboratories=laboratories, limits=limits, own=options.own), chosen))
    if options.json:
        options.json.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")
    survivors = [result for result in results if result.outcome == "survived"]
    numbers = {outcome: sum(r.outcome == outcome for r in results) for outcome in ("killed", "survived", "equivalent")}
    print(f"{len(results)} faults:", ", ".join(f"{n} {outcome}" for outcome, n in numbers.items()), *(f"\n  {s.name}" for s in survivors))
    return int(len(survivors) > ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
