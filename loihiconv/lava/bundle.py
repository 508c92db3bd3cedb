"""What runs in a deployed folder: the self-test, and samples. Imports numpy, and Lava only in the worker.

``python -m loihiconv.lava.bundle FOLDER selftest`` and ``... FOLDER run DATA.npz``; ``run.sh`` in the folder calls it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from loihiconv.core.artifact import load
from loihiconv.core.dataset import read_npz
from loihiconv.core.errors import ArtifactError, LoihiconvError
from loihiconv.core.fingerprints import fingerprints
from loihiconv.core.fitting import fitted
from loihiconv.core.input_checks import input_doubts
from loihiconv.core.input_coding import check_samples
from loihiconv.core.linear import Array
from loihiconv.core.network import Network, Recording
from loihiconv.core.preprocessing import Preprocessing
from loihiconv.lava.chip.netx_digests import NETX_DIGESTS, NETX_FILE, layer_digests
from loihiconv.lava.chip.settings import BoardAccess, ChipSettings
from loihiconv.lava.client import run_lava
from loihiconv.lava.detection import require_loihi
from loihiconv.lava.interpreter import PYTHON_VARIABLE

DIFFERENT = 1
"""Exit code of a self-test that found a difference."""


def main(arguments: list[str] | None = None) -> int:
    """Run a command of the folder; 0 is success, 1 a self-test that differs, 2 a mistake, 3 that there is no board, 130 Ctrl-C."""
    options = _options(arguments)
    os.environ[PYTHON_VARIABLE] = sys.executable
    try:
        return _selftest(options) if options.command == "selftest" else _run(options)
    except LoihiconvError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130


def first_difference(network: Network, expected: dict[str, Array], found: dict[str, Array]) -> str | None:
    """The first population, from the input on, whose spikes differ: how many, and where the first of them is. None if all are equal."""
    for population in network.populations:
        if population.name not in expected:
            continue
        wrong = expected[population.name] != found[population.name]
        if wrong.any():
            sample, step, *neuron = (int(i) for i in np.argwhere(wrong)[0])
            return (
                f"population {population.name}: {int(wrong.sum()):,} of {wrong.size:,} spikes differ, "
                f"the first in step {step + 1} of sample {sample}, neuron {tuple(neuron)}"
            )
    return None


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.sh", description="Run a deployed network on a Loihi, or on Lava's CPU simulator.")
    parser.add_argument("folder", type=Path, help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", required=True)
    selftest = commands.add_parser("selftest", help="compare with the spikes that the emulator predicted")
    run = commands.add_parser("run", help="run samples")
    run.add_argument("data", type=Path, help=".npz with x_test or x, and labels y_test or y if there are any")
    run.add_argument("--samples", type=int, help="only the first so many")
    run.add_argument("--out", type=Path, help="write predictions and potentials (.npz)")
    for command in (selftest, run):
        command.add_argument("--simulate", action="store_true", help="run on this computer's CPU, in Lava's simulator")
        command.add_argument("--partition", help="SLURM partition, instead of the one in bundle.json")
        command.add_argument("--ethernet", metavar="ADDRESS", help="the board's host, instead of SLURM")
        command.add_argument("--chip", help="stepping of the chip, as Lava names it")
        command.add_argument("--profile", action="store_true", help="measure power, time and activity")
        command.add_argument(
            "--read-late", type=int, metavar="STEPS", help="steps in which the readout's potentials arrive after their own"
        )
        command.add_argument("--deadline", type=float, metavar="SECONDS", help="end the run after so many seconds")
    return parser.parse_args(arguments)


def _settings(options: argparse.Namespace, *, sinks: bool) -> tuple[ChipSettings, str]:
    """How to run, and the interpreter."""
    path = options.folder / "bundle.json"
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        access = BoardAccess(**content["access"])
        realization, generation = content["realization"], content["generation"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ArtifactError(f"cannot be read: {error}", where=str(path), remedy="deploy again") from error
    if options.ethernet:
        access = replace(access, host=options.ethernet, partition=None, node=None)
    if options.partition:
        access = replace(access, partition=options.partition, host=None, node=None)
    late = access.read_late if options.read_late is None else options.read_late
    access = replace(access, chip=options.chip or access.chip, profile=access.profile or options.profile, read_late=late)
    python = sys.executable if options.simulate else require_loihi(access, realization, instead="--simulate")
    netx = str(options.folder.resolve() / NETX_FILE) if realization == "netx" else None
    return ChipSettings(realization, "cpu" if options.simulate else "loihi", generation, sinks, access, netx), python


def _execute(options: argparse.Namespace, network: Network, x: Array, *, spikes: bool) -> Recording:
    settings, python = _settings(options, sinks=spikes)

    def report(done: int, total: int) -> None:
        print(f"\r{done} of {total} samples", end="" if done < total else "\n", file=sys.stderr, flush=True)

    progress = report if sys.stderr.isatty() else None
    record = ["spikes"] if spikes else []
    return run_lava(network, x, record=record, deadline=options.deadline, progress=progress, python=python, chip=settings)


def _selftest(options: argparse.Namespace) -> int:
    network, path = load(options.folder / "network.lnet"), options.folder / "selftest.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            x, potentials = file["x"], file["potentials"]
            packed = {name.removeprefix("spikes/"): file[name] for name in file.files if name.startswith("spikes/")}
            deployed = {name.removeprefix("fingerprints/"): str(file[name]) for name in file.files if name.startswith("fingerprints/")}
            layers = file[NETX_DIGESTS].tolist() if NETX_DIGESTS in file.files else []
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise ArtifactError(f"cannot be read: {error}", where=str(path), remedy="deploy again") from error
    expected: dict[str, Array] = {}
    for name, bits in packed.items():
        shape = (network.timesteps, *network[name].shape)
        expected[name] = np.unpackbits(bits, axis=1, count=prod(shape)).view(np.bool_).reshape(len(x), *shape)
    recording = _execute(options, network, x, spikes=True)
    difference = first_difference(network, expected, dict(recording.spikes))
    where = "Lava's CPU simulator" if options.simulate else "the board"
    if difference is None and not np.array_equal(potentials, recording.potentials):
        wrong = int((potentials != recording.potentials).sum())
        difference = f"population {network.readout.name}: {wrong:,} of {potentials.size:,} potentials differ, all spikes are equal"
        difference += "" if options.simulate else " (where they are read while the chip runs, try --read-late 1)"
    if difference is None and (other := _altered(options.folder, network, deployed, layers)):
        difference = (
            f"population {other[0]}: its weights or parameters are not those that were deployed, though these samples do not show it"
        )
    if difference is not None:
        print(f"self-test FAILED on {where}: {difference}")
        return DIFFERENT
    total = sum(int(s.sum()) for s in expected.values())
    print(f"self-test passed on {where}: all {total:,} spikes of {len(expected)} populations and all potentials, {len(x)} samples")
    return 0


def _altered(folder: Path, network: Network, deployed: dict[str, str], layers: list[str]) -> list[str]:
    """Populations whose parameters or weights, in either of the folder's files, are not those that were deployed."""
    found = [name for name, digest in fingerprints(network).items() if deployed.get(name, digest) != digest]
    if layers:
        now = layer_digests(folder / NETX_FILE)
        names = [p.name for p in network.layers]
        found += [name for name, old, new in zip(names, layers, now, strict=False) if old != new]
    return found


def _run(options: argparse.Namespace) -> int:
    network = load(options.folder / "network.lnet")
    data = read_npz(options.data, "test").first(options.samples)
    network, given, notes = fitted(network, data.x, Preprocessing(), frozenset())
    x = check_samples(network, given)
    doubt = input_doubts(network, x)
    for text in (*notes, *([f"warning: {doubt}"] if doubt else [])):
        print(text, file=sys.stderr)
    recording = _execute(options, network, x, spikes=False)
    if options.out is not None:
        np.savez(options.out, predictions=recording.predictions, potentials=recording.potentials, **recording.named_outputs)
    if recording.profile:
        print(json.dumps(recording.profile))
    for i, part in enumerate(network.readout.parts):
        print(f"predictions of {part.name}:", " ".join(map(str, recording.predictions[:, i].tolist())))
    if not network.readout.parts:
        print("predictions:", " ".join(map(str, recording.predictions.tolist())))
    if data.y is not None and data.y.shape == recording.predictions.shape and recording.predictions.ndim == 1:
        print(f"correct: {int((recording.predictions == data.y).sum())} of {len(data)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
