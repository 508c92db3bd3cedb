#!/usr/bin/env python3
"""NIR there and back: a network of ours in sinabs, and a spiking network of sinabs' in our simulators.

    python benchmarks/nir_exchange.py                    # both; needs `get_data.py mnist nir`
    python benchmarks/nir_exchange.py --samples 1000 --timesteps 300 --json

*Out*: the network of `loihiconv demo`, not quantized, as a NIR file. sinabs runs it as it reads NIR, and once more with what NIR cannot say
and the file's metadata does: start potentials, one spike per step, no floor under v. Spikes are compared neuron by neuron.

*In*: ``scnn_mnist.nir``, which sinabs' authors trained on N-MNIST, recorded with an event camera. We have MNIST's test images, not the
recordings, so events are made of them as the camera saw them: the image moves along a triangle, and what gets brighter or darker sends
events. A sample is its mean number of events per step and polarity, the same at each step, scaled to the 4,200 events in 300 steps that a
recording has on average. So accuracy says how well the network survives all that, and is to be compared with sinabs' own on the same
input, not with the 96 % that its authors report for 50 recordings.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import loihiconv
from benchmarks import data
from benchmarks.peers.environment import HERE, READERS, PeerMissing, interpreter
from loihiconv.core.linear import Array
from loihiconv.demo import digits, digits_cnn
from loihiconv.evaluation.metrics import wilson

PATH = ((-2 / 3, -1.0), (4 / 3, 0.0), (-2 / 3, 1.0), (-2 / 3, -1.0))
"""Corners of the triangle that the image moves along, in pixels."""
EVENTS, STEPS = 4200, 300
"""Events of a recording, in steps of a millisecond."""
CALIBRATION = 1_000


def events(images: Array, between: int = 8) -> Array:
    """Mean events per step, float32 (N, 2, 34, 34), darker and brighter, of images (N, 1, 28, 28) that move along `PATH`."""
    frames = np.zeros((len(images), 34, 34), np.float32)
    frames[:, 3:31, 3:31] = images[:, 0]
    way = [np.array(a) + (np.array(b) - np.array(a)) * i / between for a, b in pairwise(PATH) for i in range(between)]
    found, before = np.zeros((len(images), 2, 34, 34), np.float32), moved(frames, *PATH[0])
    for y, x in [*way[1:], PATH[-1]]:
        after = moved(frames, y, x)
        found[:, 0] += np.maximum(before - after, 0)
        found[:, 1] += np.maximum(after - before, 0)
        before = after
    return np.asarray(found * (EVENTS / STEPS / found.sum(axis=(1, 2, 3), keepdims=True)), np.float32)


def moved(frames: Array, y: float, x: float) -> Array:
    """Images shifted by a part of a pixel or more, bilinear."""
    for axis, by in ((1, y), (2, x)):
        whole = int(np.floor(by))
        frames = (1 - by + whole) * np.roll(frames, whole, axis) + (by - whole) * np.roll(frames, whole + 1, axis)
    return frames


def sinabs(graph: Path, x: Array, timesteps: int, *, metadata: bool) -> dict[str, Array]:
    """What sinabs makes of a NIR file: spike counts by node, and summed outputs."""
    with tempfile.TemporaryDirectory() as scratch:
        job, result = Path(scratch) / "job.npz", Path(scratch) / "result.npz"
        np.savez(job, x=np.asarray(x, np.float32), timesteps=timesteps, metadata=int(metadata))
        command = [interpreter("sinabs"), HERE / READERS["sinabs"].script, graph, job, result]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if done.returncode:
            raise PeerMissing(f"sinabs failed: {(done.stderr.strip().splitlines() or ['no message'])[-1][:160]}")
        with np.load(result) as found:
            return dict(found)


def out(samples: int) -> list[dict[str, Any]]:
    """A network of ours, in sinabs."""
    x_train, _, x_test, y_test = digits()
    x, y = x_test[:samples], y_test[:samples]
    net = loihiconv.convert(digits_cnn(), x_train, board=None, timesteps=32)
    ours = loihiconv.run(net, x, "float")
    rows = [row("loihiconv", ours.predictions == y, neurons=0, spikes=int(sum(c.sum() for c in ours.spike_counts.values())))]
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "digits.nir"
        loihiconv.export_nir(net, path)
        for name, metadata in (("sinabs, as it reads NIR", False), ("sinabs, with the metadata", True)):
            found = sinabs(path, x, net.timesteps, metadata=metadata)
            other = sum(int((counts != found[f"counts/{p}"]).sum()) for p, counts in ours.spike_counts.items())
            spikes = int(sum(found[f"counts/{p}"].sum() for p in ours.spike_counts))
            rows.append(row(name, found["output"].argmax(axis=1) == y, neurons=other, spikes=spikes))
    return rows


def into(samples: int, timesteps: int) -> list[dict[str, Any]]:
    """The network of sinabs' authors, in our simulators."""
    path = data.folder() / "nets/scnn_mnist.nir"
    x_train, _, x_test, y_test = data.load("mnist")
    calibration, x, y = events(x_train[:CALIBRATION]), events(x_test[:samples]), y_test[:samples]
    rows = []
    try:
        rows.append(row("sinabs", sinabs(path, x, timesteps, metadata=False)["output"].argmax(axis=1) == y))
    except PeerMissing as error:
        typer.echo(str(error), err=True)
    for bits in (1, 4):
        for board, backend in ((None, "float"), ("kapoho_point", "emulator")):
            options: dict[str, Any] = {"timesteps": timesteps, "spike_bits": bits, "reset": "subtract"}
            net = loihiconv.from_nir(path, calibration=calibration, board=board, **options)
            found = loihiconv.run(net, x, backend)
            rows.append(row(f"loihiconv {backend}, spikes of up to {net.payload_max}", found.predictions == y))
    return rows


def row(name: str, correct: Array, **more: Any) -> dict[str, Any]:
    right = int(correct.sum())
    return {"name": name, "n": len(correct), "accuracy": right / len(correct), "wilson95": list(wilson(right, len(correct))), **more}


def main(
    samples: Annotated[int, typer.Option(help="Test images of each part, at most.")] = 1000,
    timesteps: Annotated[int, typer.Option("--timesteps", "-T", help="Of the network for N-MNIST.")] = 300,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Compare with sinabs what goes out as NIR, and what comes in."""
    warnings.simplefilter("ignore", UserWarning)
    found = {"out": out(samples), "in": into(samples, timesteps)}
    if as_json:
        typer.echo(json.dumps({**found, "timesteps": timesteps}, indent=2))
        return
    for part, rows in found.items():
        typer.echo(part)
        for r in rows:
            low, high = r["wilson95"]
            other = f"   {r['spikes']:,} spikes, counts of {r['neurons']:,} neurons differ" if "spikes" in r else ""
            typer.echo(f"  {r['name']:<42} {r['accuracy']:7.2%} [{low:.1%}, {high:.1%}] of {r['n']:,}{other}")


if __name__ == "__main__":
    typer.run(main)
