"""Files as lava-dl writes them, small ones; and where its own are, if they are there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from loihiconv.core.linear import Array

CUBA: dict[str, Any] = {"type": "CUBA", "iDecay": 4096, "vDecay": 0, "vThMant": 80, "refDelay": 1, "gradedSpike": False}
SDNN: dict[str, Any] = {"type": "SDNN", "activation": "relu", "vThMant": 0}
RNG = np.random.default_rng(0)


def even(*shape: int, largest: int = 40) -> Array:
    """Even weights, as lava-dl trains them by default."""
    return (2 * RNG.integers(-largest // 2, largest // 2 + 1, shape)).astype(np.float32)


def conv(shape: tuple[int, int, int], weight: Array, neuron: dict[str, Any] | None, **fields: Any) -> dict[str, Any]:
    """A convolution that gives this shape."""
    defaults = {"stride": np.array([1, 1]), "padding": np.array([0, 0]), "dilation": np.array([1, 1]), "groups": 1}
    return {"type": "conv", "shape": np.array(shape), "weight": weight, "neuron": neuron, **defaults, **fields}


def dense(weight: Array, neuron: dict[str, Any] | None, **fields: Any) -> dict[str, Any]:
    """A dense layer."""
    return {"type": "dense", "shape": np.array([len(weight)]), "weight": weight, "neuron": neuron, **fields}


def write(path: Path, *layers: dict[str, Any], steps: int | None = None) -> Path:
    """Write layers as lava-dl does."""
    import h5py

    with h5py.File(path, "w") as file:
        for i, layer in enumerate(layers):
            group = file.create_group(f"layer/{i}")
            for key, value in layer.items():
                if key == "type":
                    group.create_dataset("type", (1,), "S10", [value.encode()])
                elif isinstance(value, dict):
                    for inner, of in value.items():
                        group.create_dataset(f"{key}/{inner}", data=of)
                elif value is not None:
                    group.create_dataset(key, data=value)
        if steps is not None:
            file["simulation/Ts"], file["simulation/tSample"] = 1, steps
    return path


def of_lava_dl() -> Path | None:
    """The folder of lava-dl's own files, ``tests/lava/lib/dl/netx`` of its wheel, if ``$LOIHICONV_LAVA_DL`` names it."""
    named = os.environ.get("LOIHICONV_LAVA_DL", "")
    return Path(named) if named and Path(named, "mnist.net").is_file() else None
