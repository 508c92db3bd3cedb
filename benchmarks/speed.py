#!/usr/bin/env python3
"""How fast the emulator is: against Lava, other simulators, the float network, and the machine's own limit.

    python benchmarks/speed.py                            # all networks, peers and curves; plots in benchmark-output/
    python benchmarks/speed.py --net mnist_cnn --json     # one network, machine-readable

All contestants get the same weights and samples and take turns; figures are medians over the rounds, ratios medians of the rounds'
ratios. Lava runs few samples and steps and its start is not counted: per image and step it is slow enough to be measured so.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import loihiconv as lc
from benchmarks import contestants as field
from benchmarks import speed_curves
from benchmarks.peers.environment import PeerMissing
from loihiconv.core.errors import LoihiconvError
from loihiconv.simulator import simulate

RATIOS = ("lava_stock", "lava", "spikingjelly", "snntorch", "ann_forward", "gemm")
SAMPLES = {"mnist_cnn": 4000, "cifar10_cnn": 600, "mobilenet": 600}
LAVA = {"mnist_cnn": (6, 32), "cifar10_cnn": (8, 8), "mobilenet": (12, 8)}
"""Samples and steps that Lava gets."""
STOCK_LAVA = {"mnist_cnn": (3, 16), "cifar10_cnn": (2, 2), "mobilenet": (2, 2)}
ROUNDS_OF_LAVA = 1


def main(
    net: Annotated[str | None, typer.Option(help=f"One of {', '.join(field.NETWORKS)}; default all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout, and nothing else there.")] = False,
    timesteps: Annotated[int, typer.Option("--timesteps", "-T")] = 32,
    rounds: Annotated[int, typer.Option(help="How often each contestant is timed; Lava once.")] = 5,
    samples: Annotated[int | None, typer.Option(help="Samples per round; default by network.")] = None,
    threads: Annotated[int | None, typer.Option(help="Of every contestant; default one per core.")] = None,
    lava: Annotated[bool, typer.Option(help="Run Lava, which takes minutes.")] = True,
    curves: Annotated[bool, typer.Option(help="Also cost against T, batch, depth, firing rate and number of samples.")] = True,
    out: Annotated[Path, typer.Option(help="Where plots and figures go.")] = Path("benchmark-output"),
    memory_of: Annotated[str, typer.Option(hidden=True)] = "",
) -> None:
    """Time the emulator against the others."""
    if threads is not None:
        torch.set_num_threads(threads)
    if memory_of:
        _measure_memory(Path(memory_of))
        return
    names = [net] if net else list(field.NETWORKS)
    if unknown := set(names) - set(field.NETWORKS):
        raise typer.BadParameter(f"unknown network {unknown.pop()!r}; known are {', '.join(field.NETWORKS)}")
    machine = describe_machine()
    _say(f"{machine['cpu']}, {machine['threads']} threads, torch {machine['torch']}, {machine['date']}")
    results = {name: measure(name, samples or SAMPLES[name], timesteps, rounds, lava) for name in names}
    if as_json:
        keys = ("emulator_image_steps_per_s", "peak_memory_mb", "ratios")
        reduced = {name: {**{k: r[k] for k in keys}, "ratios": {k: r["ratios"].get(k) for k in RATIOS}} for name, r in results.items()}
        print(json.dumps(reduced[net] if net else reduced, indent=1))
        return
    for name, result in results.items():
        _print(name, result, timesteps)
    report: dict[str, Any] = {"machine": machine, "timesteps": timesteps, "networks": results}
    out.mkdir(parents=True, exist_ok=True)
    if curves:
        report["curves"] = speed_curves.measure(_say, memory_at)
        speed_curves.plot_curves(report["curves"], out / "speed_curves.png")
    speed_curves.plot_ratios({n: r["ratios"] for n, r in results.items()}, machine, out / "speed.png")
    (out / "speed.json").write_text(json.dumps(report, indent=1))
    print(f"\n{machine['cpu']}, {machine['threads']} threads, {machine['date']}; written: {out}/speed.json, speed.png, speed_curves.png")


def measure(name: str, samples: int, timesteps: int, rounds: int, lava: bool) -> dict[str, Any]:
    """All contestants on one network.

    Returns
    -------
    dict
        emulator_image_steps_per_s, ms_per_image, peak_memory_mb, ratios {contestant: their time over ours},
        missing {contestant: reason}, notes.
    """
    subject = field.subject(name, samples, timesteps)
    makers: dict[str, Callable[[], field.Contestant]] = {
        "emulator": lambda: field.emulator(subject, samples),
        "float": lambda: field.float_simulation(subject, max(1, samples // 4)),
        "ann_forward": lambda: field.ann_forward(subject, samples),
        "gemm": lambda: field.gemm(subject, samples),
    }
    for peer in field.peers():
        makers[peer] = lambda peer=peer: field.Peer(peer, subject, max(1, samples // 4))  # type: ignore[misc]
    missing: dict[str, str] = {}
    running: dict[str, field.Contestant] = {}
    for contestant, make in makers.items():
        _try(contestant, name, missing, lambda c=contestant, m=make: running.update({c: m()}))  # type: ignore[misc]
    # The limit's "samples" are image-steps; everybody else's cost is per sample of T steps.
    per = {c: r.samples if c == "gemm" else r.samples * timesteps for c, r in running.items()}
    times: dict[str, list[float]] = {c: [] for c in running}
    for number in range(rounds):
        _say(f"{name}: round {number + 1} of {rounds}")
        for contestant, runner in running.items():
            _try(contestant, name, missing, lambda c=contestant, r=runner: times[c].append(r.seconds() / per[c]))  # type: ignore[misc]
    for runner in running.values():
        runner.close()
    if lava:
        for contestant, sizes, stock in (("lava", LAVA, False), ("lava_stock", STOCK_LAVA, True)):
            _say(f"{name}: {contestant}")
            slow = field.Lava(subject, *sizes[name], stock=stock)
            begin = time.perf_counter()
            _try(contestant, name, missing, lambda c=contestant, s=slow: times.update({c: [s.seconds() / timesteps] * rounds}))  # type: ignore[misc]
            _say(f"  {time.perf_counter() - begin:.0f} s")
    else:
        missing |= dict.fromkeys(("lava", "lava_stock"), "left out")
    ours = np.array(times.pop("emulator"))
    ratios = {c: float(np.median(np.array(t) / ours)) for c, t in times.items() if len(t) == rounds}
    return {
        "emulator_image_steps_per_s": float(1 / np.median(ours)),
        "ms_per_image": float(np.median(ours) * timesteps * 1000),
        "peak_memory_mb": memory_at(subject, samples)["peak_memory_mb"],
        "share_of_limit": ratios.get("gemm"),
        "ratios": ratios,
        "image_steps_per_s": {c: float(1 / np.median(t)) for c, t in times.items() if t},
        "missing": missing,
        "notes": subject.notes,
    }


def memory_at(subject: field.Subject, samples: int) -> dict[str, float]:
    """Seconds and peak memory of a run of the emulator in a process of its own, which has the network and the samples and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        replace(subject.network, origin=None).save(Path(folder) / "network.lnet")
        np.save(Path(folder) / "x.npy", subject.x[np.resize(np.arange(len(subject.x)), samples)])
        command = [sys.executable, __file__, "--memory-of", folder, "--threads", str(torch.get_num_threads())]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def describe_machine() -> dict[str, Any]:
    """What figures depend on."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text().splitlines()
        cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), cpu)
        flags = next((line for line in lines if line.startswith("flags")), "").split()
        cpu += "".join(f", {extra}" for extra in ("avx2", "avx512f", "avx512_vnni", "amx_int8") if extra in flags)
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
    }


def _measure_memory(folder: Path) -> None:
    network, x = lc.load(folder / "network.lnet"), np.load(folder / "x.npy")
    runner = field.Timed(lambda samples: simulate(network, samples, counts=False), x)
    before, seconds, peak = _peak_mb(), runner.seconds(), _peak_mb()
    print(json.dumps({"seconds": seconds, "peak_memory_mb": peak, "before_mb": before}))


def _peak_mb() -> float:
    """Peak memory of this process. Not `getrusage` on Linux: there a child starts with its parent's peak."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def _try(contestant: str, name: str, missing: dict[str, str], action: Callable[[], object]) -> None:
    """Do it, or note why it cannot be done: nobody is left out in silence."""
    if contestant in missing:
        return
    try:
        action()
    except (PeerMissing, LoihiconvError, RuntimeError, OSError, ValueError) as error:
        missing[contestant] = str(error)
        _say(f"{name}: no {contestant}: {error}")


def _print(name: str, result: dict[str, Any], timesteps: int) -> None:
    print(f"\n{name}, T = {timesteps}: emulator {result['emulator_image_steps_per_s']:,.0f} image-steps/s,", end=" ")
    print(f"{result['ms_per_image']:.3g} ms per image, peak memory {result['peak_memory_mb']:.0f} MB")
    print(f"  {'contestant':14} {'image-steps/s':>14} {'their time / ours':>18}")
    for contestant, rate in sorted(result["image_steps_per_s"].items(), key=lambda pair: pair[1]):
        print(f"  {contestant:14} {rate:14,.0f} {result['ratios'].get(contestant, float('nan')):18,.2f}")
    for contestant, reason in result["missing"].items():
        print(f"  {contestant:14} missing: {reason}")
    for text in result["notes"]:
        print(f"  note: {text}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    typer.run(main)
