"""Make the demo's weights again: ``python -m loihiconv.demo.train [OUT]``.

Seconds on any machine, one seed. The held-out images are scored once, at the end, and decide nothing. Without OUT the
weights that came with the package are replaced.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F

from loihiconv.demo.data import digits
from loihiconv.demo.model import WEIGHTS, untrained

EPOCHS, BATCH, PEAK_RATE, DECAY, SEED = 40, 64, 4e-3, 1e-3, 0


def shifted(images: Tensor) -> Tensor:
    """Every image moved by at most one pixel each way, zeros coming in from the border; (N, 1, 8, 8) in and out."""
    top, left = torch.randint(3, (2, len(images), 1, 1))
    rows, columns = top + torch.arange(8)[:, None], left + torch.arange(8)
    return F.pad(images, (1, 1, 1, 1))[torch.arange(len(images))[:, None, None], 0, rows, columns][:, None]


def fit() -> nn.Module:
    """Train the network on the training digits, from a fixed seed, with one thread so that sums are always in one order."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    x, y = (torch.from_numpy(array) for array in digits()[:2])
    model = untrained()
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=DECAY)
    steps = EPOCHS * -(-len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, total_steps=steps)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(x)).split(BATCH):
            loss = F.cross_entropy(model(shifted(x[chosen])), y[chosen], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


def main(out: Path = WEIGHTS) -> None:
    """Train, write the weights to `out` and print the held-out accuracy."""
    model = fit()
    part = out.with_name(f".{out.name}.part")
    try:
        part.write_bytes(save(model.state_dict()))
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    x, y = (torch.from_numpy(array) for array in digits()[2:])
    with torch.no_grad():
        correct = int((model(x).argmax(1) == y).sum())
    print(f"{out.name}: {correct} of {len(y)} held-out digits right ({correct / len(y):.2%}), {out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
