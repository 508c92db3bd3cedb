#!/usr/bin/env python3
"""Three ways to put max-pooling on spikes, on the 7-layer MNIST network of Rueckauer et al. 2016 (99.44 %, section 4.2).

    python benchmarks/maxpool.py                 # 10,000 images, 100 steps
    python benchmarks/maxpool.py --json

"gate" passes the spikes of the unit with the largest rate (section 3.6) and exists on no chip; "relu-tree" builds the
maximum from integrate-and-fire neurons, max(m, x) = m + relu(x - m); "average" pools by averaging instead.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import loihiconv
from benchmarks import data, nets
from loihiconv.ann.frontends import readable
from loihiconv.core.choices import PoolingWay
from loihiconv.core.errors import LoihiconvError
from loihiconv.evaluation.metrics import score

WAYS = get_args(PoolingWay)
BACKENDS = ("float", "emulator")
CALIBRATION = 1_000


def measure(samples: int, timesteps: int, board: str) -> dict[str, Any]:
    """The float network, and each way of pooling in float and in the board's fixed point."""
    model = nets.trained("mnist_maxpool")
    x_train, _, x, y = data.load("mnist")
    x, y = x[:samples], y[:samples]
    results: dict[str, Any] = {"timesteps": timesteps, "board": board, "ann": score(readable(model).outputs(x).argmax(axis=1), y)}
    for way in WAYS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that no chip has gates, and what "average" costs, is what is measured here
            net = loihiconv.convert(model, x_train[:CALIBRATION], board=board, timesteps=timesteps, maxpool=way)
        for backend in BACKENDS:
            begin = time.monotonic()
            recording = loihiconv.run(net, x, backend, counts=False)
            seconds = round(time.monotonic() - begin, 1)
            rate = {"firing_rate": recording.firing_rate, "seconds": seconds}
            results[f"{way} {backend}"] = score(recording.predictions, y) | rate
            print(f"{way} {backend}: {seconds} s", file=sys.stderr, flush=True)
    return results


def main(
    samples: Annotated[int, typer.Option(min=1, max=10_000, help="Test images, from the first on.")] = 10_000,
    timesteps: Annotated[int, typer.Option(min=1, help="Steps per image.")] = 100,
    board: Annotated[str, typer.Option(help="Board whose fixed point the emulator keeps to.")] = "kapoho_point",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Compare three ways of max-pooling with the float network."""
    try:
        results = measure(samples, timesteps, board)
    except (OSError, LoihiconvError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(json.dumps(results))
        return
    typer.echo(f"MNIST, T={timesteps}, {board}; the paper's SNN: 99.44 %")
    for name, row in results.items():
        if isinstance(row, dict):
            low, high = row["wilson95"]
            loss = 100 * (results["ann"]["accuracy"] - row["accuracy"])
            typer.echo(f"{name:20} {row['accuracy']:7.2%}  [{low:.2%} - {high:.2%}]  loss {loss:+.2f} pp  n={row['n']}")


if __name__ == "__main__":
    typer.run(main)
