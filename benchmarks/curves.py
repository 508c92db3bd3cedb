"""What ReLUs in place of curved activations cost, before any spike and after.

Small convolutional networks for Fashion-MNIST, trained with SiLU, GELU, tanh and ELU on 12,000 training images, are converted for Kapoho
Point with 1 to 3 ReLUs in place of each curve, calibrated on 500 of them. The table has the share of 1,000 other training images that get
the right class, and that of the float network. No test image is looked at.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import loihiconv as lc
from benchmarks.data import load
from loihiconv.core import numbers as n
from loihiconv.core.tables import Table

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "silu": nn.SiLU, "gelu": nn.GELU, "tanh": nn.Tanh, "elu": nn.ELU}
TRAINED, CALIBRATED, JUDGED = 12_000, 500, slice(50_000, 51_000)


def network(activation: type[nn.Module]) -> nn.Sequential:
    """Three convolutions and two dense layers, with four activations."""
    torch.manual_seed(0)
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), activation(), nn.AvgPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), activation(), nn.AvgPool2d(2)),
        *(nn.Conv2d(32, 32, 3), nn.BatchNorm2d(32), activation(), nn.Flatten()),
        *(nn.Linear(800, 64), activation(), nn.Linear(64, 10)),
    )


def trained(activation: type[nn.Module], x: torch.Tensor, y: torch.Tensor) -> nn.Sequential:
    """The network after one pass over the images."""
    model = network(activation)
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    for batch in torch.randperm(len(x)).split(100):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
        optimizer.step()
    return model.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--activations", nargs="+", choices=ACTIVATIONS, default=list(ACTIVATIONS))
    parser.add_argument("--relus", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--timesteps", type=int, nargs="+", default=[8, 32])
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    x, y, *_ = load("fashion_mnist")
    rows: list[list[str]] = []
    for name in given.activations:
        model = trained(ACTIVATIONS[name], torch.from_numpy(x[:TRAINED]), torch.from_numpy(y[:TRAINED]).long())
        with torch.no_grad():
            reference = model(torch.from_numpy(x[JUDGED])).argmax(1).numpy()
        rows.append([name, "", "", "float network", n.percent(float((reference == y[JUDGED]).mean()), 1), ""])
        for relus in given.relus if name != "relu" else [0]:
            for timesteps in given.timesteps:
                net = lc.convert(model, x[:CALIBRATED], board="kapoho_point", timesteps=timesteps, approximate=relus)
                found = lc.run(net, x[JUDGED], counts=False).predictions
                said = next((note.partition("by ")[2].partition(" (")[0] for note in net.record.notes if "curved" in note), "")
                shares = (n.percent(float((found == wanted).mean()), 1) for wanted in (y[JUDGED], reference))
                rows.append(["", str(relus), str(timesteps), said, *shares])
    print(Table("", ["activation", "ReLUs", "T", "outputs differ by", "right", "as ANN"], rows).markdown())


if __name__ == "__main__":
    main()
