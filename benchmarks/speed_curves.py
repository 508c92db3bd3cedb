"""How the emulator's cost depends on T, batch, depth, firing rate and number of samples; and the plots of `speed.py`."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import loihiconv as lc
from benchmarks import contestants as field
from loihiconv.core.linear import Array
from loihiconv.core.network import IF, Network
from loihiconv.simulator import simulate

REPEATS = 3
TITLES = {
    "gemm": "products alone",
    "float": "our float simulator",
    "ann_forward": "float ANN x T",
    "spikingjelly": "SpikingJelly",
    "snntorch": "snnTorch",
    "lava": "Lava, our models",
    "nengo_loihi": "nengo-loihi",
    "lava_stock": "Lava, stock models",
}
Point = tuple[float, float]


def measure(say: Callable[[str], None], memory_at: Callable[[field.Subject, int], dict[str, float]]) -> dict[str, Any]:
    """All curves, of `mnist_cnn` unless said otherwise: lists of (x, image-steps per second)."""
    subject = field.subject("mnist_cnn", 2000, 32)
    network, x = subject.network, subject.x
    say("curves: T, batch, depth, firing rate")
    curves: dict[str, Any] = {
        "T": [(t, _rate(replace(network, timesteps=t), x)) for t in (4, 8, 16, 32, 64, 128)],
        "batch": [(n, _rate(network, x[:n])) for n in (1, 10, 100, 1000)],
        "depth": [(d, _rate(_stack(d, x), x[:500])) for d in (2, 4, 8, 16)],
        "firing rate": [_at_rate(network, x[:500], factor) for factor in (4.0, 1.0, 0.25, 0.0625)],
    }
    say("curves: 1,000 and 10,000 images")
    curves["samples"] = {n: memory_at(subject, n) for n in (1000, 10_000)}
    small, large = curves["samples"][1000], curves["samples"][10_000]
    grown = large["seconds"] / small["seconds"]
    say(f"  time x {grown:.2f}, peak memory {small['peak_memory_mb']:.0f} -> {large['peak_memory_mb']:.0f} MB")
    return curves


def plot_curves(curves: dict[str, Any], path: Path) -> None:
    """What an image costs per step, four panels."""
    import matplotlib.pyplot as plt

    panels = (("T", "steps per image", "log"), ("batch", "images at once", "log"), ("depth", "layers", "linear"))
    panels += (("firing rate", "spikes per neuron and step", "linear"),)
    figure, axes = plt.subplots(1, len(panels), figsize=(14, 3.2), layout="constrained")
    for axis, (name, label, scale) in zip(axes, panels, strict=True):
        xs, speeds = zip(*sorted(curves[name]), strict=True)
        axis.plot(xs, [1e6 / speed for speed in speeds], "o-")
        axis.set(xlabel=label, ylabel="µs per image and step", xscale=scale)
        if name == "batch":
            axis.set_yscale("log")
        else:
            axis.set_ylim(0, None)
        axis.set_xticks(xs, [f"{x:.2g}" if x < 1 else f"{x:g}" for x in xs])
        axis.minorticks_off()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def plot_ratios(ratios: dict[str, dict[str, float]], machine: dict[str, Any], path: Path) -> None:
    """Their time over the emulator's, one bar per network and contestant."""
    import matplotlib.pyplot as plt

    names = sorted({c for r in ratios.values() for c in r}, key=lambda c: max(r.get(c, 0) for r in ratios.values()))
    figure, axis = plt.subplots(figsize=(9, 4), layout="constrained")
    height = 0.8 / len(ratios)
    for i, (network, values) in enumerate(ratios.items()):
        places = np.arange(len(names)) + i * height
        axis.barh(places, [values.get(c, np.nan) for c in names], height, label=network)
    axis.set_yticks(np.arange(len(names)) + 0.4 - height / 2, [TITLES.get(c, c) for c in names])
    axis.axvline(1, color="black", linewidth=1)
    axis.set(xscale="log", xlabel="their time / the emulator's, per image and step", title=f"{machine['cpu']}, {machine['date']}")
    axis.legend()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _rate(network: Network, x: Array) -> float:
    """Image-steps per second, median of some runs."""
    simulate(network, x[:64], counts=False)
    taken = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        simulate(network, x, counts=False)
        taken.append(time.perf_counter() - begin)
    return float(len(x) * network.timesteps / np.median(taken))


def _at_rate(network: Network, x: Array, factor: float) -> Point:
    """Firing rate with all thresholds times a factor, and the speed."""
    populations = tuple(replace(p, vth=max(1, min(131071, int(p.vth * factor)))) if isinstance(p, IF) else p for p in network.populations)
    changed = replace(network, populations=populations)
    return simulate(changed, x, counts=False).firing_rate, _rate(changed, x)


def _stack(depth: int, x: Array) -> Network:
    """``depth`` convolutions of 16 channels with random weights, and a readout."""
    torch.manual_seed(0)
    layers: list[nn.Module] = [nn.Conv2d(1, 16, 5, stride=2), nn.ReLU()]
    for _ in range(depth - 1):
        layers += [nn.Conv2d(16, 16, 3, padding=1), nn.ReLU()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # random weights name one class for all samples
        return lc.convert(nn.Sequential(*layers, nn.Flatten(), nn.Linear(2304, 10)), x[:200], board="kapoho_point", timesteps=32)
