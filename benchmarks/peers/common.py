"""What the torch peers share. Imported by scripts that run in their own environments: needs numpy and torch, nothing of ours."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

BATCHES = (16, 64, 256)


class Layer:
    """One linear map and what follows it: an integrate-and-fire layer, or nothing in the readout."""

    def __init__(self, spec: dict[str, Any], weight: torch.Tensor, bias: torch.Tensor) -> None:
        self.spec, self.weight, self.bias = spec, weight, bias
        self.fires, self.vth, self.start = "vth" in spec, spec.get("vth", 1.0), spec.get("start", 0.0)
        # A bias per channel goes into the product, as every peer's own layers have it.
        channels = spec["shape"][0]
        self.fused = bias.expand(channels, *bias.shape[1:]).reshape(-1) if bias.numel() in (1, channels) else None

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Currents of a batch (N, ...)."""
        if self.spec["kind"] == "dense":
            y = F.linear(x.flatten(1), self.weight, self.fused)
        else:
            top, bottom, left, right = self.spec["padding"]
            pad: Any = (top, left)
            if (top, left) != (bottom, right) or min(top, left) < 0:
                x, pad = F.pad(x, (left, right, top, bottom)), 0
            y = F.conv2d(x, self.weight, self.fused, self.spec["stride"], pad, self.spec["dilation"], self.spec["groups"])
        y = y.view(len(y), *self.spec["shape"])
        return y if self.fused is not None else y + self.bias


def serve(build: Callable[[list[Layer], int], Callable[[torch.Tensor], Any]]) -> None:
    """Read the job, find the batch size that suits the peer best, and run whenever asked to.

    ``build`` gets the layers and T and returns a function that runs one batch.
    """
    with np.load(sys.argv[1]) as job:
        torch.set_num_threads(int(job["threads"]))
        specs = json.loads(str(job["layers"]))
        layers = [Layer(s, torch.from_numpy(job[f"w{i}"]), torch.from_numpy(job[f"b{i}"])) for i, s in enumerate(specs)]
        x, steps = torch.from_numpy(job["x"]), int(job["timesteps"])
    with torch.no_grad():
        run = build(layers, steps)

        def once(batch: int, data: torch.Tensor) -> float:
            begin = time.perf_counter()
            for part in data.split(batch):
                run(part)
            return time.perf_counter() - begin

        once(BATCHES[0], x[: BATCHES[0]])
        trial = x[: BATCHES[-1]]
        best = min(BATCHES, key=lambda batch: once(batch, trial))
        print(f"batch {best}", flush=True)
        for _ in sys.stdin:
            print(once(best, x), flush=True)
