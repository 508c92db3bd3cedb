"""What holds spiking networks of rounded activations (QCFS) back: the rounding that training had, or the order of spikes.

Small networks for scikit-learn's digits are trained with activations λ floor(L clip(x / λ, 0, 1) + 1/2) / L, with λ trained too (Bu et al.
2022, arXiv:2303.04347), and converted. The table has, for each T, the least correlation over outputs of the float spiking network's outputs
with the model's (rounded) and with the same model's without rounding (clipped).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import loihiconv as lc
from loihiconv.core.linear import Array
from loihiconv.core.tables import Table
from loihiconv.demo import digits

SAMPLES = 300
EPOCHS = 10


class Floor(torch.autograd.Function):
    """Rounding down, straight through."""

    @staticmethod
    def forward(context: object, x: Tensor) -> Tensor:
        return x.floor()

    @staticmethod
    def backward(context: object, *gradients: Tensor) -> Tensor:
        return gradients[0]


class Qcfs(nn.Module):
    """λ floor(L clip(x / λ, 0, 1) + 1/2) / L, or λ clip(x / λ, 0, 1) without levels."""

    def __init__(self, levels: int) -> None:
        super().__init__()
        self.levels, self.bound = levels, nn.Parameter(torch.tensor(4.0))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.clamp(x / self.bound, 0, 1)
        if self.levels:
            y = (Floor.apply(y * self.levels + 0.5) if self.training else torch.floor(y * self.levels + 0.5)) / self.levels
        return y * self.bound


def network(levels: int) -> nn.Sequential:
    """Four rounded layers."""
    torch.manual_seed(0)
    convolutions = [nn.Conv2d(1, 16, 3, padding=1), Qcfs(levels), nn.Conv2d(16, 16, 3, padding=1), Qcfs(levels), nn.AvgPool2d(2)]
    return nn.Sequential(
        *convolutions, nn.Conv2d(16, 32, 3), Qcfs(levels), nn.Flatten(), nn.Linear(128, 64), Qcfs(levels), nn.Linear(64, 10)
    )


def trained(levels: int, x: Tensor, y: Tensor) -> nn.Sequential:
    """The network, trained for a few epochs."""
    model = network(levels)
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
    return model.eval()


def outputs(model: nn.Sequential, x: Tensor, *, rounded: bool) -> Array:
    """What the model gives with its rounding, or without."""
    given = [(layer, layer.levels) for layer in model if isinstance(layer, Qcfs)]
    for layer, levels in given:
        layer.levels = levels if rounded else 0
    with torch.no_grad():
        result: Array = model(x).numpy()
    for layer, levels in given:
        layer.levels = levels
    return result


def least(a: Array, b: Array) -> str:
    """The least correlation over outputs."""
    return f"{min(np.corrcoef(a[:, i], b[:, i])[0, 1] for i in range(a.shape[1])):.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--levels", type=int, nargs="+", default=[4, 8, 16])
    levels: list[int] = parser.parse_args().levels
    x_train, y_train, x_test, y_test = digits()
    x, test = torch.from_numpy(x_train).float(), torch.from_numpy(x_test[:SAMPLES]).float()
    rows: list[list[str]] = []
    for steps in levels:
        model = trained(steps, x, torch.from_numpy(y_train))
        rounded, clipped = (outputs(model, test, rounded=kind) for kind in (True, False))
        accuracy = (rounded.argmax(1) == y_test[:SAMPLES]).mean()
        rows.append([f"L={steps} ({accuracy:.1%})", "", "model without rounding", least(clipped, rounded), "1"])
        for timesteps in (steps, 2 * steps, 8 * steps, 256):
            for silent in (0, timesteps):
                net = lc.convert(model, x_train[:500], board=None, timesteps=timesteps, silent_steps=silent)
                found = lc.run(net, x_test[:SAMPLES], backend="float").outputs
                rows.append(["", str(timesteps), "silent" if silent else "", least(found, rounded), least(found, clipped)])
    print(Table("", ["levels", "T", "", "with rounded", "with clipped"], rows).markdown())


if __name__ == "__main__":
    main()
