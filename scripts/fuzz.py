"""Damaged files for everything that parses, ``python scripts/fuzz.py``: a line of our own errors, or a value, and nothing else.

Each input is a whole file of `fuzz_parsers.PARSERS` with damage that a number decides: ``--only onnx --seed 4711 --inputs 1`` is the same
again. A process of its own reads those of each parser, with a bound on memory, and is started again behind an input that ends it. A fault
is an error of another class, a message of several lines, more than `SECONDS` of computing time, the end of the process, and what no parser
has to do: start a program, connect, look up a pickle's classes, or write a file (`sys.addaudithook`).
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_mutations import of_bytes, pick
from fuzz_parsers import PARSERS
from fuzz_small import Parser

from loihiconv.core.errors import LoihiconvError

SECONDS = 2.0
"""Of computing time, for one input."""
PATIENCE = 60
"""Seconds after which a process is ended."""
MEMORY = 2**30
"""Bytes beyond what whole files take."""
FORBIDDEN = frozenset(
    (
        *("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "subprocess.Popen", "ctypes.dlopen"),
        *("socket.connect", "socket.bind", "pickle.find_class", "shutil.rmtree", "os.rename", "os.remove", "webbrowser.open"),
    )
)
"""Events that no reader has to raise; see Python's table of audit events."""
_SUSPICIOUS = {"system", "__import__", "popen"}
_seen: list[str] | None = None
"""Forbidden events while an input is read; None while none is."""


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _seen is None:
        return
    if event in FORBIDDEN or (event == "open" and isinstance(arguments[1], str) and not set(arguments[1]).isdisjoint("wxa+")):
        _seen.append(f"{event} {arguments[:2]}")
    elif event == "exec" and _is_suspicious(arguments[0]):
        _seen.append(f"exec {arguments[0]}")


def _is_suspicious(code: Any) -> bool:
    """Whether code is none of a module that is imported, and could start something."""
    return not _SUSPICIOUS.isdisjoint(getattr(code, "co_names", ())) and not os.path.isfile(code.co_filename)


sys.addaudithook(_audit)


def damaged(parser: Parser, whole: Sequence[bytes], seed: int) -> bytes:
    """The input of a number."""
    rng = np.random.default_rng([PARSERS.index(parser), seed])
    data: bytes = pick(rng, whole)
    try:
        data = parser.damage(data, rng) if rng.random() < 0.75 else of_bytes(data, rng)
    except Exception:  # what a format's own writer refuses
        data = of_bytes(data, rng)
    return of_bytes(data, rng) if rng.random() < 0.1 else data


def outcome(parser: Parser, data: bytes, folder: Path) -> str:
    """What becomes of an input: "read", "refused", or what is wrong with how it is taken."""
    global _seen
    path = parser.path(folder)
    path.write_bytes(data)
    for name, content in parser.beside.items():
        (folder / name).write_bytes(content())
    found, start, _seen = "read", time.process_time(), []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parser.read(path)
    except LoihiconvError as error:
        found = "refused" if "\n" not in str(error) else f"several lines: {error}"
    except Exception as error:
        found = _traceback(error)
    taken, executed, _seen = time.process_time() - start, _seen, None
    if executed:
        return f"executes: {executed[0]}"
    return f"takes {taken:.1f} s" if taken > SECONDS and found in ("read", "refused") else found


def _traceback(error: Exception) -> str:
    """An error with the last place of ours that it came through."""
    frames, step = [], error.__traceback__
    while step is not None:
        frames.append(f"{step.tb_frame.f_code.co_filename}:{step.tb_lineno}")
        step = step.tb_next
    ours = [frame for frame in frames if "/loihiconv/" in frame]
    return f"{type(error).__name__} ({' '.join(str(error).split())[:100]}) at {(ours or frames)[-1].rpartition('/loihiconv/')[2]}"


def work(parser: Parser, seeds: range) -> None:
    """Read inputs one after the other, and print what becomes of each, and the memory that all took."""
    whole = parser.whole()
    with tempfile.TemporaryDirectory() as folder:
        for data in whole:
            outcome(parser, data, Path(folder))
        with open("/proc/self/statm") as file:
            size = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for seed in seeds:
            print(json.dumps({"seed": seed}), flush=True)
            faulthandler.dump_traceback_later(PATIENCE, exit=True)
            found = outcome(parser, damaged(parser, whole, seed), Path(folder))
            faulthandler.cancel_dump_traceback_later()
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            print(json.dumps({"seed": seed, "found": found, "grown": grown}), flush=True)


def results(parser: Parser, seeds: range) -> Iterator[dict[str, Any]]:
    """What became of each input, also of those that ended the process."""
    while seeds:
        command = [sys.executable, __file__, "--work", parser.name, "--seed", str(seeds.start), "--inputs", str(len(seeds))]
        last: dict[str, Any] = {}
        with tempfile.TemporaryFile("w+") as complaints:
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, text=True) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    if line.startswith("{"):
                        last = json.loads(line)
                        if "found" in last:
                            yield last
            complaints.seek(0)
            said = [line.strip() for line in complaints if line.strip()]
        if not process.returncode:
            return
        if not last:
            raise SystemExit(f"{parser.name}: cannot be started: {said[-1] if said else process.returncode}")
        if "found" not in last:
            where = next((line for line in said if "/loihiconv/" in line), "")
            yield {**last, "found": f"ended the process ({process.returncode}): {said[-1] if said else ''} {where}", "grown": 0}
        seeds = range(last["seed"] + 1, seeds.stop)


def main() -> None:
    """Read damaged files of all kinds."""
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--inputs", type=int, default=10_000, help="of all parsers together, or of the one that is asked for")
    parse.add_argument("--only", choices=[parser.name for parser in PARSERS], help="one parser")
    parse.add_argument("--seed", type=int, default=0, help="number of the first input")
    parse.add_argument("--work", choices=[parser.name for parser in PARSERS], help=argparse.SUPPRESS)
    given = parse.parse_args()
    if given.work:
        work(next(p for p in PARSERS if p.name == given.work), range(given.seed, given.seed + given.inputs))
        return
    chosen = [parser for parser in PARSERS if given.only in (None, parser.name)]
    each, faults = -(-given.inputs // len(chosen)), 0
    for parser in chosen:
        start, counts, grown = time.perf_counter(), Counter[str](), 0
        for result in results(parser, range(given.seed, given.seed + each)):
            found, grown = result["found"], max(grown, result["grown"])
            fine = found in ("read", "refused")
            counts[found if fine else "faults"] += 1
            if not fine:
                print(f"  {parser.name} --seed {result['seed']}: {found}", flush=True)
        faults += counts["faults"]
        seconds = time.perf_counter() - start
        print(
            f"{parser.name}: {counts['read']} read, {counts['refused']} refused, {counts['faults']} faults; "
            f"{grown / 1024:.0f} MiB more than whole files take, {seconds:.0f} s",
            flush=True,
        )
    print(f"{each * len(chosen)} inputs, {faults} faults")
    raise SystemExit(faults > 0)


if __name__ == "__main__":
    main()
