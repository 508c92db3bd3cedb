#!/usr/bin/env python3
"""Accuracy against time steps: the paper's conversion and ours, in float and in a board's fixed point.

    python benchmarks/latency.py                                  # ten networks, 10,000 images each: some hours
    python benchmarks/latency.py --net mnist_maxpool --samples 1000
    python benchmarks/latency.py --net cifar10_cnn --timesteps 8,16,32,64 --json
    python benchmarks/latency.py --net cifar10_cnn --timesteps 2,4,8 --methods default,graded --spike-bits 3
    python benchmarks/latency.py --net cifar10_cnn --maxpool gate --out gates
    python benchmarks/latency.py --device cuda
    python benchmarks/latency.py --cluster local:8

"paper" is ``optimize="none"``: 99.9th percentile per layer, start at half a threshold. "default" is what `loihiconv.convert` does
unasked: scales of least error per channel, half a threshold held back, biases corrected; nothing is trained. "graded" is the same with
spikes that carry payloads, which Loihi 1 cannot and which cost bandwidth: figures apart, for few time steps. "separated" spends `SILENT`
of each sample's steps on listening before neurons spike, which needs a neuron program of its own: figures apart, too; time steps are
those of a whole sample, silent ones included. "buffered" listens for T steps, and has a second potential for it, so that samples follow
each other every T steps none the less. "signed" takes back spikes that came too early, which needs a neuron program as well. "doubled"
and "fourfold" have two or four neurons for each activation, which any board has that has room for them. All are
calibrated on 1,000 training images; test images are seen by the runs alone. Max-pooling is what a board can run, trees of ReLUs, unless
``--maxpool`` says otherwise. An interrupted run goes on where it was. A cluster runs slices of the images; networks are converted here.

Beside it stands what others report, on other networks and mostly in float: see `LITERATURE`.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import numpy as np
import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import loihiconv
from benchmarks import data, nets
from loihiconv.ann.frontends import readable
from loihiconv.commands.clusters import on_cluster
from loihiconv.commands.options import Cluster
from loihiconv.core.choices import PoolingWay
from loihiconv.core.errors import LoihiconvError
from loihiconv.core.linear import Array
from loihiconv.evaluation.compare import mismatches
from loihiconv.evaluation.metrics import agreement, score

DATA = {
    "cifar10_cnn": "cifar10",
    "mobilenet": "cifar10",
    "resnet20": "cifar10",
    "vgg11": "cifar10",
    "vowels_dscnn": "vowels",
    "mnist_maxpool": "mnist",
    "fashion_cnn": "fashion_mnist",
    "fashion_gap": "fashion_mnist",
    "fashion_flat": "fashion_mnist",
    "fashion_mlp": "fashion_mnist",
}
WAYS = get_args(PoolingWay)
METHODS: Mapping[str, Mapping[str, Any]] = {
    "paper": {"optimize": "none"},
    "default": {},
    "doubled": {"copies": 2},
    "fourfold": {"copies": 4},
    "separated": {},
    "buffered": {},
    "signed": {},
    "graded": {},
}
BACKENDS = ("float", "emulator")
TIMESTEPS = (4, 8, 16, 32, 64, 128, 256)
CALIBRATION = 1_000
LAVA_STEPS = 16
GRADED_STEPS = 16
"""Most time steps for which "graded" is measured unasked: beyond, binary spikes lose nothing that payloads could bring back."""
SILENT = 3 / 8
"""Share of silent steps of "separated", chosen on 600 training images of `mobilenet`."""
STYLES = {
    "paper": ("tab:gray", "--", "-"),
    "default": ("tab:blue", "--", "-"),
    "doubled": ("tab:cyan", "--", "-"),
    "fourfold": ("tab:olive", "--", "-"),
    "separated": ("tab:green", "--", "-"),
    "buffered": ("tab:purple", "--", "-"),
    "signed": ("tab:red", "--", "-"),
    "graded": ("tab:orange", ":", "-."),
}
"""Colour of a method, and lines of float and fixed point."""
LITERATURE = """For comparison, CIFAR-10, none of it in fixed point or on the same network:
  Li et al. 2021 (arXiv:2106.06984), VGG16 of 95.7 %: T=16 64.5 % plain, 93.3 % light calibration
  Bu et al. 2022 (QCFS, retrained), VGG16 of 95.5 %: T=16 95.4 %
  Rueckauer et al. 2021 (NxTF), MobileNet of 87 % on Loihi: T=64 about 30 %, 128 71 %, 512 83 %"""


class Latency:
    """One network's measurements, written to ``NET.json`` as they come in.

    Parameters
    ----------
    name : str
    samples : int
    board : str
    folder : Path
    spike_bits : int
        Of "graded".
    maxpool : "relu-tree", "gate" or "average"
    device : str
        Torch device of emulator and float simulation; the emulator's figures are the same on all.
    client : distributed.Client, optional
        Of a cluster that runs the images.
    """

    def __init__(
        self,
        name: str,
        samples: int,
        board: str,
        folder: Path,
        spike_bits: int = 4,
        maxpool: PoolingWay = "relu-tree",
        device: str = "cpu",
        client: Any = None,
    ) -> None:
        self.name, self.board, self.path = name, board, folder / f"{name}.json"
        self.spike_bits, self.maxpool, self.device = spike_bits, maxpool, device
        self.client = client
        self.model = nets.trained(name)
        x_train, _, x, y = data.load(DATA[name])
        self.calibration, self.x, self.y = x_train[:CALIBRATION], x[:samples], y[:samples]
        setup = {"net": name, "n": len(self.x), "board": board, "maxpool": maxpool, "calibration": CALIBRATION}
        setup["loihiconv"] = loihiconv.__version__
        self.content: dict[str, Any] = {"setup": setup, "ann": None, "points": [], "lava": None}
        if self.path.exists() and (stored := json.loads(self.path.read_text())).get("setup") == setup:
            self.content = stored

    def run(
        self, timesteps: Sequence[int], methods: Sequence[str], backends: Sequence[str], lava_samples: int, graded_steps: int = GRADED_STEPS
    ) -> None:
        """Everything that is asked for and not there yet."""
        reference = readable(self.model).outputs(self.x).argmax(axis=1)
        self.content["ann"] = score(reference, self.y)
        for steps in timesteps:
            for method in methods:
                if method == "graded" and steps > graded_steps:
                    continue
                missing = [b for b in backends if not self._has(method, b, steps)]
                if not missing:
                    continue
                begin = time.monotonic()
                net = self._convert(method, steps)
                print(f"{self.name}, T={steps}, {method}: converted in {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
                for backend in missing:
                    self._measure(net, method, backend, reference)
        for method, key in (
            ("default", "lava"),
            ("doubled", "lava doubled"),
            ("buffered", "lava buffered"),
            ("signed", "lava signed"),
            ("graded", f"lava graded {self.spike_bits} bits"),
        ):
            if lava_samples and self.content.get(key) is None and (method == "default" or method in methods):
                self.content[key] = self._in_lava(method, lava_samples)
                self._save()

    def _convert(self, method: str, steps: int) -> loihiconv.Network:
        bits, signed = self._bits(method), method == "signed"
        chosen: dict[str, Any] = {"spike_bits": bits, "signed_spikes": signed, "maxpool": self.maxpool, **METHODS[method]}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*no chip has gates", category=UserWarning)  # who asks for them knows
            silent = int(steps * SILENT) if method == "separated" else 0
            chosen |= {"buffered": {"silent_steps": steps, "buffered": True}}.get(method, {"silent_steps": silent})
            return loihiconv.convert(self.model, self.calibration, board=self.board, timesteps=steps - silent, **chosen)

    def _bits(self, method: str) -> int:
        return self.spike_bits if method == "graded" else 1

    def _measure(self, net: loihiconv.Network, method: str, backend: str, reference: Array) -> None:
        begin = time.monotonic()
        recording = loihiconv.run(net, self.x, backend, counts=False, device=self.device, cluster=self.client)
        result = score(recording.predictions, self.y)
        point = {"method": method, "spike_bits": self._bits(method), "backend": backend, "timesteps": net.period, **result}
        point |= {
            "loss": self.content["ann"]["accuracy"] - result["accuracy"],
            "agreement": agreement(recording.predictions, reference),
            "firing_rate": recording.firing_rate,
            "synaptic_operations": recording.synaptic_operations,
            "seconds": round(time.monotonic() - begin, 1),
        }
        self.content["points"].append(point)
        self._save()
        print(f"  {backend}: loss {100 * point['loss']:+.2f} pp, {point['seconds']} s", file=sys.stderr, flush=True)

    def _in_lava(self, method: str, samples: int) -> dict[str, Any]:
        """Mismatches between emulator and Lava's CPU simulator on the first images."""
        net, x = self._convert(method, LAVA_STEPS), self.x[:samples]
        emulated = loihiconv.run(net, x, "emulator", record=["spikes"])
        spikes, potentials = mismatches(emulated, loihiconv.run(net, x, "lava", record=["spikes"], cluster=self.client))
        return {"n": len(x), "timesteps": LAVA_STEPS, "mismatched_spikes": sum(spikes.values()), "mismatched_potentials": potentials}

    def _has(self, method: str, backend: str, steps: int) -> bool:
        wanted = (label(method, self._bits(method)), backend, steps)
        return any((_label(p), p["backend"], p["timesteps"]) == wanted for p in self.content["points"])

    def _save(self) -> None:
        part = self.path.with_name(f".{self.path.name}.part")
        part.write_text(json.dumps(self.content, indent=1) + "\n")
        part.replace(self.path)


def label(method: str, spike_bits: int) -> str:
    """A method's name in tables and plots; graded spikes say how many bits they carry."""
    return f"{method}, {spike_bits} bits" if method == "graded" else method


def _label(point: Mapping[str, Any]) -> str:
    return label(point["method"], point.get("spike_bits", 1))


def _labels(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """Of all methods that were measured, graded ones last."""
    order = list(METHODS)
    return list(dict.fromkeys(map(_label, sorted(points, key=lambda p: (order.index(p["method"]), p.get("spike_bits", 1))))))


def table(content: Mapping[str, Any]) -> str:
    """Loss in percentage points for each method, back end and number of steps."""
    ann, points = content["ann"], content["points"]
    steps = sorted({p["timesteps"] for p in points})
    low, high = ann["wilson95"]
    lines = [
        f"{content['setup']['net']}: ANN {ann['accuracy']:.2%} [{low:.2%} - {high:.2%}], {ann['n']} test images; loss in percentage points",
        f"{'':24}" + "".join(f"{f'T={t}':>8}" for t in steps),
    ]
    for method in _labels(points):
        for backend in BACKENDS:
            losses = {p["timesteps"]: p["loss"] for p in points if (_label(p), p["backend"]) == (method, backend)}
            if losses:
                lines.append(
                    f"{f'{method} {backend}':24}" + "".join(f"{100 * losses[t]:8.2f}" if t in losses else f"{'':8}" for t in steps)
                )
    for key, lava in content.items():
        if key.startswith("lava") and lava:
            what = key.replace("lava", "in Lava's simulator", 1)
            lines.append(f"{what}: {lava['mismatched_spikes']} mismatched spikes on {lava['n']} images, T={lava['timesteps']}")
    return "\n".join(lines)


def plot(contents: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Accuracy against time steps, one panel per network; bars are 95 % Wilson intervals."""
    from matplotlib import pyplot as plt
    from matplotlib.ticker import ScalarFormatter

    figure, panels = plt.subplots(1, len(contents), figsize=(4.2 * len(contents), 3.6), layout="constrained", squeeze=False)
    for axes, content in zip(panels[0], contents, strict=True):
        for method, backend in product(_labels(content["points"]), BACKENDS):
            points = sorted(
                (p for p in content["points"] if (_label(p), p["backend"]) == (method, backend)), key=lambda p: int(p["timesteps"])
            )
            if points:
                colour, dashed, solid = STYLES[points[0]["method"]]
                style = solid if backend == "emulator" else dashed
                y = 100 * np.array([p["accuracy"] for p in points])
                low, high = 100 * np.array([p["wilson95"] for p in points]).T
                label = f"{method}, {'fixed point' if backend == 'emulator' else backend}"
                axes.errorbar(
                    [p["timesteps"] for p in points], y, [y - low, high - y], color=colour, linestyle=style, capsize=2, label=label
                )
        ann = 100 * content["ann"]["accuracy"]
        axes.axhline(ann, color="black", linewidth=0.8)
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.set_xlabel("time steps")
        axes.set_ylim(max(0.0, ann - 30), min(100.0, ann + 3))
        axes.set_title(f"{content['setup']['net']}, n = {content['ann']['n']:,}", fontsize=10)
    panels[0][0].set_ylabel("accuracy [%]")
    panels[0][0].legend(fontsize=8, loc="lower right")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main(
    net: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(DATA)}; may be repeated. All by default.")] = None,
    samples: Annotated[int, typer.Option(min=1, max=10_000, help="Test images, from the first on.")] = 10_000,
    timesteps: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(map(str, TIMESTEPS)),
    methods: Annotated[str, typer.Option(help=f"Comma-separated: {', '.join(METHODS)}.")] = ",".join(METHODS),
    backends: Annotated[str, typer.Option(help="Comma-separated: float, emulator.")] = "float,emulator",
    spike_bits: Annotated[int, typer.Option(min=2, max=8, help="Bits that the spikes of 'graded' carry.")] = 4,
    graded_steps: Annotated[int, typer.Option(help="Most time steps for which 'graded' is measured.")] = GRADED_STEPS,
    lava_samples: Annotated[int, typer.Option(min=0, help="Images that Lava's simulator must agree on.")] = 3,
    board: Annotated[str, typer.Option(help="Board whose fixed point the emulator keeps to.")] = "kapoho_point",
    maxpool: Annotated[str, typer.Option(help=f"{', '.join(WAYS)}; no board has gates.")] = "relu-tree",
    device: Annotated[str, typer.Option(help="Torch device of emulator and float simulation: cpu, cuda, ...")] = "cpu",
    cluster: Cluster = None,
    out: Annotated[Path, typer.Option(help="Folder for the results and the plot.")] = Path("latency"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Measure accuracy against time steps."""
    import matplotlib  # missed at once, not after the work; help does not wait for it

    matplotlib.use("Agg")
    chosen = net or list(DATA)
    if unknown := [n for n in chosen if n not in DATA]:
        typer.echo(f"error: unknown network '{unknown[0]}'; known are {', '.join(DATA)}", err=True)
        raise typer.Exit(2)
    if strange := [m for m in methods.split(",") if m not in METHODS]:
        typer.echo(f"error: unknown method '{strange[0]}'; known are {', '.join(METHODS)}", err=True)
        raise typer.Exit(2)
    if maxpool not in WAYS:
        typer.echo(f"error: unknown max-pooling '{maxpool}'; known are {', '.join(WAYS)}", err=True)
        raise typer.Exit(2)
    contents = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        with on_cluster(cluster) as client:
            for name in chosen:
                latency = Latency(name, samples, board, out, spike_bits, cast("PoolingWay", maxpool), device, client)
                latency.run([int(t) for t in timesteps.split(",")], methods.split(","), backends.split(","), lava_samples, graded_steps)
                contents.append(latency.content)
        plot(contents, out / "latency.png")
    except (OSError, LoihiconvError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(json.dumps(contents))
        return
    typer.echo("\n\n".join([*map(table, contents), LITERATURE]))


if __name__ == "__main__":
    typer.run(main)
