"""What runs in a deployed folder: the self-test, and samples. Imports numpy, and Lava only in the worker.

``python -m loihiconv.lava.bundle FOLDER selftest``, ``... run DATA.npz`` and ``... measure throughput``; ``run.sh`` in the folder calls it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from loihiconv.core.artifact import load
from loihiconv.core.dataset import read_npz
from loihiconv.core.errors import ArtifactError, InvalidSetting, LoihiconvError
from loihiconv.core.files import check_writable, write_npz
from loihiconv.core.fitting import each_fitted, fitted
from loihiconv.core.given import check_number, shown
from loihiconv.core.input_checks import input_doubts
from loihiconv.core.input_coding import check_samples
from loihiconv.core.json_text import read_json
from loihiconv.core.linear import Array
from loihiconv.core.network import Network, Recording
from loihiconv.core.preprocessing import Preprocessing
from loihiconv.lava.chip.measuring import MEASUREMENTS, STEPS, check_measurable
from loihiconv.lava.chip.netx_digests import NETX_FILE
from loihiconv.lava.chip.realizations import AT_ONCE, Realization
from loihiconv.lava.chip.settings import BoardAccess, ChipSettings
from loihiconv.lava.client import run_lava
from loihiconv.lava.detection import require_loihi
from loihiconv.lava.interpreter import PYTHON_VARIABLE
from loihiconv.lava.stages import DIFFERENT, NETWORK, Stage, chosen, run_stages


def main(arguments: list[str] | None = None) -> int:
    """Run a command of the folder; 0 is success, 1 a self-test that differs, 2 a mistake, 3 that there is no board, 130 Ctrl-C."""
    options = _options(arguments)
    os.environ[PYTHON_VARIABLE] = sys.executable
    warnings.showwarning = lambda message, *_, **__: print(f"warning: {message}", file=sys.stderr)
    try:
        _check(options)
        return {"selftest": _selftest, "run": _run, "measure": _measure}[options.command](options)
    except LoihiconvError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.sh", description="Run a deployed network on a Loihi, or on Lava's CPU simulator.")
    parser.add_argument("folder", type=Path, help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", required=True)
    selftest = commands.add_parser("selftest", help="compare with the spikes that the emulator predicted")
    selftest.add_argument("--stage", action="append", metavar="NAME", help="only this stage of it; may be given several times")
    run = commands.add_parser("run", help="run samples")
    run.add_argument("data", type=Path, help=".npz with x_test or x, and labels y_test or y if there are any")
    run.add_argument("--samples", type=int, help="only the first so many")
    run.add_argument("--out", type=Path, help="write predictions and potentials (.npz)")
    measure = commands.add_parser("measure", help="measure time and power of the self-test's samples, run again and again")
    measure.add_argument("measurement", choices=MEASUREMENTS, help="with samples replayed on the chip, or sent by the host")
    measure.add_argument("--chips", type=int, help="chips of the board, where it is another one than in bundle.json")
    measure.add_argument("--samples", type=int, default=1, help="of the self-test's, one after the other; 1 unless said")
    measure.add_argument("--steps", type=int, default=STEPS, help="time steps that it takes at least")
    for command in (selftest, run, measure):
        command.add_argument("--partition", help="SLURM partition, instead of the one in bundle.json")
        command.add_argument("--ethernet", metavar="ADDRESS", help="the board's host, instead of SLURM")
        command.add_argument("--chip", help="stepping of the chip, as Lava names it")
        command.add_argument(
            "--read-late", type=int, metavar="STEPS", help="steps after their own in which the readout's potentials are read"
        )
    for command in (selftest, run):
        command.add_argument("--simulate", action="store_true", help="run on this computer's CPU, in Lava's simulator")
        command.add_argument("--deadline", type=float, metavar="SECONDS", help="end the run after so many seconds")
    measure.set_defaults(simulate=False)
    return parser.parse_args(arguments)


def _check(options: argparse.Namespace) -> None:
    """Raise `InvalidSetting` for numbers that mean nothing, before a board is looked for."""
    given = vars(options)
    for name, low in (("samples", 1), ("steps", 1), ("chips", 1), ("read_late", 0)):
        if given.get(name) is not None:
            check_number(given[name], f"--{name.replace('_', '-')}", low=low)
    if given.get("deadline") is not None:
        check_number(given["deadline"], "--deadline", low=0, above=True)


def read_content(folder: Path) -> dict[str, Any]:
    """What ``bundle.json`` says: realization, generation, stages, chips and access.

    Raises
    ------
    ArtifactError
        If it cannot be read, or says something that `loihiconv.backends.deploy` does not write.
    """
    path = folder / "bundle.json"
    try:
        content = read_json(path.read_bytes())
        known = {name: content[name] for name in ("realization", "generation", "stages", "chips")}
        access = BoardAccess(**content["access"])
    except (OSError, ValueError, TypeError, KeyError, InvalidSetting) as error:
        raise ArtifactError(f"cannot be read: {error}", where=str(path), remedy="deploy again") from error
    fine = {
        "realization": known["realization"] in get_args(Realization),
        "generation": known["generation"] in (1, 2),
        "stages": isinstance(known["stages"], list) and all(isinstance(name, str) for name in known["stages"]),
        "chips": isinstance(known["chips"], list) and len(known["chips"]) == 2 and all(type(n) is int and n > 0 for n in known["chips"]),
    }
    if wrong := [name for name, holds in fine.items() if not holds]:
        raise ArtifactError(f"its {wrong[0]} is {shown(known[wrong[0]])}", where=str(path), remedy="deploy again")
    return {**known, "chips": tuple(known["chips"]), "access": access}


def _settings(options: argparse.Namespace, *, sinks: bool) -> tuple[ChipSettings, str]:
    """How to run, and the interpreter."""
    content = read_content(options.folder)
    access: BoardAccess = content["access"]
    realization, generation = content["realization"], content["generation"]
    if options.ethernet:
        access = replace(access, host=options.ethernet, partition=None, node=None)
    if options.partition:
        access = replace(access, partition=options.partition, host=None, node=None)
    late = access.read_late if options.read_late is None else options.read_late
    access = replace(access, chip=options.chip or access.chip, read_late=late)
    python = sys.executable if options.simulate else require_loihi(access, realization, instead="selftest --simulate")
    netx = str(options.folder.resolve() / NETX_FILE) if realization == "netx" else None
    return ChipSettings(realization, "cpu" if options.simulate else "loihi", generation, sinks, access, netx, content["chips"]), python


def _execute(network: Network, x: Array, settings: ChipSettings, python: str, deadline: float | None, *, bar: bool) -> Recording:
    def report(done: int, total: int) -> None:
        print(f"\r{done} of {total} samples", end="" if done < total else "\n", file=sys.stderr, flush=True)

    progress = report if bar and sys.stderr.isatty() else None
    record = ["spikes"] if settings.sinks else []
    return run_lava(network, x, record=record, deadline=deadline, progress=progress, python=python, chip=settings)


def _selftest(options: argparse.Namespace) -> int:
    names = chosen(read_content(options.folder)["stages"], options.stage)
    settings, python = _settings(options, sinks=True)

    def run(stage: Stage) -> Recording:
        chip = replace(settings, netx=str(stage.netx.resolve()) if settings.netx else None)
        return _execute(stage.network, stage.expected.x, chip, python, options.deadline, bar=stage.name == NETWORK)

    if options.simulate:
        return run_stages(options.folder, names, run, "Lava's CPU simulator")
    hint = " (where they are read while the chip runs, try --read-late 1)" if settings.realization in AT_ONCE else ""
    return run_stages(options.folder, names, run, "the board", hint)


def _measure(options: argparse.Namespace) -> int:
    stage = Stage.read(options.folder, NETWORK)
    there = len(stage.expected.x)
    if not 1 <= options.samples <= there:
        raise InvalidSetting(f"{options.samples} samples", where="--samples", limit=f"1 to {there}, those of the self-test")
    settings, python = _settings(options, sinks=False)
    check_measurable(stage.network, settings.realization, options.measurement, options.samples, False)
    access = replace(settings.access, profile=options.measurement, profile_steps=options.steps)
    board, used = settings.chips
    settings = replace(settings, access=access, chips=(max(used, options.chips or board), used))
    recording = _execute(stage.network, stage.expected.x[: options.samples], settings, python, None, bar=False)
    print(json.dumps(recording.profile, indent=2))
    wrong = int((recording.potentials != stage.expected.potentials[options.samples - 1]).sum())
    if wrong:
        print(f"FAILED: the result is not the network's, {wrong} of {recording.potentials.size} potentials differ; see selftest")
    return DIFFERENT if wrong else 0


def _run(options: argparse.Namespace) -> int:
    if options.out is not None:
        check_writable(options.out)
    network = load(options.folder / "network.lnet")
    data = read_npz(options.data, "test").first(options.samples)
    if len(network.inputs) > 1:
        network, given, notes = each_fitted(network, data.x, {})
    else:
        network, given, notes = fitted(network, data.x, Preprocessing(), frozenset())
    x = check_samples(network, given)
    doubt = input_doubts(network, x)
    for text in (*notes, *([f"warning: {doubt}"] if doubt else [])):
        print(text, file=sys.stderr)
    settings, python = _settings(options, sinks=False)
    recording = _execute(network, x, settings, python, options.deadline, bar=True)
    if options.out is not None:
        arrays = {"predictions": recording.predictions, "potentials": recording.potentials, **recording.named_outputs}
        write_npz(options.out, arrays)
    for i, part in enumerate(network.readout.parts):
        print(f"predictions of {part.name}:", " ".join(map(str, recording.predictions[:, i].tolist())))
    if not network.readout.parts:
        print("predictions:", " ".join(map(str, recording.predictions.tolist())))
    if data.y is not None and data.y.shape == recording.predictions.shape and recording.predictions.ndim == 1:
        print(f"correct: {int((recording.predictions == data.y).sum())} of {len(data)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
