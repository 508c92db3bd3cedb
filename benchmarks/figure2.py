#!/usr/bin/env python3
"""Figure 2 of Rueckauer et al. 2016 (arXiv:1612.04052) on CIFAR-10, and what Loihi's integers make of it.

    python benchmarks/figure2.py                          # 10,000 images: hours; an interrupted run goes on where it was
    python benchmarks/figure2.py --samples 200            # a quick look
    python benchmarks/figure2.py --json > figure2.json

2a: accuracy after 300 steps as the paper's methods come in one by one: Poisson input, reset to zero and no normalisation
first; then weight normalisation, reset by subtraction, analog input and the 99.9th percentile; and, which the paper does
not have, the last of them in the fixed point of a board. 2b: accuracy against time steps for several percentiles,
from the readout's potentials in one run each.

All bars start at potential 0, as the paper does, not at half the threshold as `loihiconv.convert` would. Max-pooling is
the paper's gate. λ comes from training images only: as many as the paper's figure 1 has, 16,666.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import loihiconv
from benchmarks import data, nets
from loihiconv.ann.frontends import readable
from loihiconv.core.errors import LoihiconvError
from loihiconv.evaluation.metrics import score

TIMESTEPS = 300
CURVE_STEPS = (*range(1, 20), *range(20, TIMESTEPS + 1, 5))
SHOWN_STEPS = (10, 20, 50, 100, 200, TIMESTEPS)
PERCENTILES = (100.0, 99.99, 99.9, 99.0, 95.0)
PAPER_ANN = 87.86


@dataclass(frozen=True)
class Bar:
    """One bar of figure 2a.

    Parameters
    ----------
    name : str
    paper : str
        What the paper says, in per cent.
    settings : mapping
        Of `loihiconv.convert`, beyond those that all bars have.
    backend : str
    """

    name: str
    paper: str
    settings: Mapping[str, Any]
    backend: str = "float"


BARS = (
    Bar("default", "16.50", {"input_coding": "poisson", "reset": "zero", "percentile": None}),
    Bar("+ weight normalisation", "59.82", {"input_coding": "poisson", "reset": "zero", "percentile": 100.0}),
    Bar("+ reset by subtraction", "about 80", {"input_coding": "poisson", "percentile": 100.0}),
    Bar("+ analog input", "83.60", {"percentile": 100.0}),
    Bar("+ 99.9th percentile", "87.62", {"percentile": 99.9}),
    Bar("Loihi fixed point", "-", {"percentile": 99.9}, backend="emulator"),
)


@dataclass(frozen=True)
class Setup:
    """What decides about the numbers; a stored result is used again only if all of it is the same."""

    samples: int
    curve_samples: int
    calibration: int
    start: float
    board: str
    seed: int
    weights: str
    weights_bytes: int
    version: str = field(default=loihiconv.__version__)


class Results:
    """Numbers as they come in, written to ``figure2.json`` after each run."""

    def __init__(self, path: Path, setup: Setup) -> None:
        self.path = path
        self.content: dict[str, Any] = {"setup": vars(setup), "ann": None, "ann_of_curves": None, "bars": [], "curves": {}}
        if path.exists():
            stored = json.loads(path.read_text())
            if stored.get("setup") == vars(setup):
                self.content = stored

    def save(self) -> None:
        """Write everything, with machine and date."""
        self.content["machine"] = {"cpu": _cpu(), "torch": torch.__version__, "threads": torch.get_num_threads()}
        self.content["date"] = date.today().isoformat()
        part = self.path.with_name(f".{self.path.name}.part")
        part.write_text(json.dumps(self.content, indent=1) + "\n")
        part.replace(self.path)

    def bar(self, name: str) -> dict[str, Any] | None:
        """The finished bar of this name."""
        return next((bar for bar in self.content["bars"] if bar["name"] == name), None)

    def short(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        bars = [{key: bar[key] for key in ("name", "accuracy", "n")} for bar in self.content["bars"]]
        return {"ann": self.content["ann"]["accuracy"], "bars": bars, "curves": self.content["curves"]}


class Figure:
    """The network, its data, and the runs on them."""

    def __init__(self, setup: Setup, results: Results) -> None:
        self.setup, self.results = setup, results
        self.model = nets.cifar10_cnn()
        self.model.load_state_dict(load_file(setup.weights))
        self.model.eval()
        x_train, _, x_test, y_test = data.load("cifar10")
        self.calibration = x_train[: setup.calibration]
        self.x, self.y = x_test[: setup.samples], y_test[: setup.samples]

    def run(self) -> None:
        """Everything that is not there yet."""
        content = self.results.content
        if content["ann"] is None:
            predictions = readable(self.model).outputs(self.x).argmax(axis=1)
            content["ann"] = self._score(predictions)
            content["ann_of_curves"] = self._score(predictions[: self.setup.curve_samples])
            self.results.save()
        for bar in BARS:
            if self.results.bar(bar.name) is None:
                curve = bar.settings["percentile"] if bar.backend == "float" and "input_coding" not in bar.settings else None
                content["bars"].append({"name": bar.name, "paper": bar.paper} | self._spiking(bar, len(self.x), curve))
                self.results.save()
        for percentile in PERCENTILES:
            if f"{percentile:g}" not in content["curves"]:
                self._spiking(Bar(f"percentile {percentile:g}", "", {"percentile": percentile}), self.setup.curve_samples, percentile)
                self.results.save()
        content["curves"] = {f"{p:g}": content["curves"][f"{p:g}"] for p in PERCENTILES}
        self.results.save()

    def _spiking(self, bar: Bar, samples: int, curve: float | None) -> dict[str, Any]:
        """Convert and run as one bar says, and keep the curve if it gives one of them."""
        begin = time.monotonic()
        setup, fixed = self.setup, bar.backend == "emulator"
        network = loihiconv.convert(
            self.model,
            self.calibration,
            board=setup.board if fixed else None,
            timesteps=TIMESTEPS,
            optimize="none",
            maxpool="gate",
            start=setup.start,
            seed=setup.seed,
            **bar.settings,
        )
        reporter = _Reporter(bar.name)
        record = None if curve is None else ["potentials"]
        recording = loihiconv.run(network, self.x[:samples], bar.backend, record=record, counts=False, progress=reporter)
        if curve is not None:
            assert recording.potentials_over_time is not None  # was asked for
            n = min(samples, setup.curve_samples)
            hits = recording.potentials_over_time[:n].argmax(axis=2) == self.y[:n, None]
            self.results.content["curves"][f"{curve:g}"] = {str(t): float(hits[:, t - 1].mean()) for t in CURVE_STEPS}
        seconds = round(time.monotonic() - begin)
        return self._score(recording.predictions) | {"firing_rates": dict(recording.firing_rates), "seconds": seconds}

    def _score(self, predictions: Any) -> dict[str, Any]:
        return score(predictions, self.y[: len(predictions)])


class _Reporter:
    """One line on standard error every 20 seconds of a run."""

    def __init__(self, name: str) -> None:
        self.name, self.begin, self.last = name, time.monotonic(), 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done == total or now - self.last > 20:
            self.last, spent = now, now - self.begin
            print(f"{self.name}: {done}/{total}, {spent:.0f} s, {spent / done * (total - done):.0f} s left", file=sys.stderr, flush=True)


def table(content: Mapping[str, Any]) -> str:
    """Figure 2a beside the paper's numbers, and some points of 2b."""
    rows = [("after 300 steps", "paper", "here", "95 % interval", "images"), ("ANN", f"{PAPER_ANN}", *_cells(content["ann"]))]
    rows += [(bar["name"], bar["paper"], *_cells(bar)) for bar in content["bars"]]
    steps = [str(t) for t in SHOWN_STEPS]
    curves = [("percentile", *(f"T={t}" for t in steps))]
    curves += [(p, *(f"{100 * course[t]:.1f}" for t in steps)) for p, course in content["curves"].items()]
    ann = content["ann_of_curves"]
    note = f"2b: accuracy in per cent on the first {ann['n']} images; ANN {100 * ann['accuracy']:.1f}"
    return "\n".join([*_aligned(rows), "", note, *_aligned(curves)])


def _cells(score: Mapping[str, Any]) -> tuple[str, str, str]:
    low, high = score["wilson95"]
    return f"{100 * score['accuracy']:.2f}", f"{100 * low:.2f} - {100 * high:.2f}", str(score["n"])


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]) for row in rows]


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def main(
    samples: Annotated[int, typer.Option(min=1, max=10_000, help="Test images, from the first on.")] = 10_000,
    curve_samples: Annotated[int, typer.Option(min=1, help="Of these, images for 2b; the paper took 400.")] = 1_000,
    calibration: Annotated[int, typer.Option(min=1, max=50_000, help="Training images that λ is chosen on.")] = 16_666,
    start: Annotated[float, typer.Option(min=0, max=1, help="Start potential as a share of the threshold; the paper's is 0.")] = 0.0,
    board: Annotated[str, typer.Option(help="Board of the last bar.")] = "kapoho_point",
    seed: Annotated[int, typer.Option(min=0, help="Of the Poisson input.")] = 0,
    weights: Annotated[Path, typer.Option(help="Weights of nets.cifar10_cnn.")] = nets.MODELS / "cifar10_cnn.safetensors",
    out: Annotated[Path, typer.Option(help="Folder for figure2.json and the plots.")] = Path("figure2"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Reproduce figure 2 of Rueckauer et al. 2016 on CIFAR-10."""
    from benchmarks import figure2_plots  # loads matplotlib; help and tests' collection do not wait for it

    try:
        out.mkdir(parents=True, exist_ok=True)
        curves = min(samples, curve_samples)
        setup = Setup(samples, curves, calibration, start, board, seed, str(weights), weights.stat().st_size)
        results = Results(out / "figure2.json", setup)
        Figure(setup, results).run()
        figure2_plots.save(results.content, out)
    except (OSError, LoihiconvError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(json.dumps(results.short()) if as_json else table(results.content))


if __name__ == "__main__":
    typer.run(main)
