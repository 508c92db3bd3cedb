"""Plots of ``figure2.py`` that look like the paper's: bars with the ANN as a dashed line, and accuracy against time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

COLOURS = ("tab:blue", "tab:red", "tab:orange", "tab:green", "tab:purple", "tab:gray")
"""Of the bars; the first four as in the paper."""


def save(content: Mapping[str, Any], folder: Path) -> None:
    """Write ``figure2a.png`` and ``figure2b.png`` from what ``figure2.json`` holds."""
    for name, size, draw in (("figure2a", (7.0, 4.2), bars), ("figure2b", (6.0, 4.2), curves)):
        figure, axes = plt.subplots(figsize=size, layout="constrained")
        draw(axes, content)
        figure.savefig(folder / f"{name}.png", dpi=150)
        plt.close(figure)


def bars(axes: Axes, content: Mapping[str, Any]) -> None:
    """Figure 2a: accuracy of each bar with its 95 % interval."""
    for i, bar in enumerate(content["bars"]):
        accuracy = 100 * bar["accuracy"]
        low, high = (100 * bound for bound in bar["wilson95"])
        axes.bar(i, accuracy, color=COLOURS[i % len(COLOURS)], width=0.75)
        axes.errorbar(i, accuracy, [[max(0.0, accuracy - low)], [max(0.0, high - accuracy)]], color="black", capsize=3, linewidth=1)
        axes.annotate(f"{accuracy:.2f}", (i, 2), ha="center", color="white", fontweight="bold")
    _ann(axes, content["ann"]["accuracy"])
    axes.set_xticks(range(len(content["bars"])), [_wrapped(bar["name"]) for bar in content["bars"]], fontsize=8)
    axes.set_ylabel("SNN accuracy [%]")
    axes.set_ylim(0, 100)
    axes.set_title(f"CIFAR-10, {content['ann']['n']:,} images, 300 time steps", fontsize=10)


def curves(axes: Axes, content: Mapping[str, Any]) -> None:
    """Figure 2b: accuracy against time for each percentile."""
    for percentile, course in content["curves"].items():
        axes.plot([int(t) for t in course], [100 * a for a in course.values()], label=f"{percentile} %", linewidth=1.5)
    _ann(axes, content["ann_of_curves"]["accuracy"])
    axes.set_xlabel("time steps")
    axes.set_ylabel("SNN accuracy [%]")
    axes.set_ylim(0, 100)
    axes.legend(title="percentile", loc="lower right", fontsize=8)
    axes.set_title(f"CIFAR-10, {content['ann_of_curves']['n']:,} images", fontsize=10)


def _ann(axes: Axes, accuracy: float) -> None:
    axes.axhline(100 * accuracy, color="black", linestyle="--", linewidth=1)
    axes.annotate(f"ANN: {100 * accuracy:.2f}", (0.01, 100 * accuracy + 1), xycoords=("axes fraction", "data"), fontsize=9)


def _wrapped(name: str) -> str:
    words = name.split()
    half = (len(words) + 1) // 2
    return "\n".join([" ".join(words[:half]), " ".join(words[half:])])
