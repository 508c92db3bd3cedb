"""Keras files made by hand, as Keras 1 and 2 lay them out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("h5py", reason="h5py is not installed")

import h5py

from loihiconv.ann.frontends.keras.model import KerasModel
from loihiconv.core.linear import Array

RNG = np.random.default_rng(0)


def weights(*shape: int) -> Array:
    """Random weights."""
    return RNG.normal(0, 0.5, shape).astype(np.float32)


def part(kind: str, name: str = "", inputs: Sequence[str] = (), **config: Any) -> dict[str, Any]:
    """A layer's description."""
    name = name or f"the_{kind.lower()}"
    nodes = [[[n, 0, 0, {}] for n in inputs]] if inputs else []
    return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": nodes}


def sequential(shape: Sequence[int | None], *parts: dict[str, Any], keras3: bool = False) -> dict[str, Any]:
    """A model of one layer after the other."""
    first = {**parts[0], "config": {**parts[0]["config"], "batch_input_shape": [None, *shape]}}
    return {"class_name": "Sequential", "config": {"name": "model", "layers": [first, *parts[1:]]}, "keras3": keras3}


def functional(shape: Sequence[int | None], *parts: dict[str, Any], output: str) -> dict[str, Any]:
    """A model whose layers name what they take; "x" is the input."""
    entry = part("InputLayer", "x", batch_input_shape=[None, *shape])
    config = {"name": "model", "layers": [entry, *parts], "input_layers": [["x", 0, 0]], "output_layers": [[output, 0, 0]]}
    return {"class_name": "Model", "config": config, "keras3": False}


def saved(folder: Path, model: Mapping[str, Any], variables: Mapping[str, Mapping[str, Array]] | None = None) -> Path:
    """The model in a file; variables by layer and name."""
    path = folder / "model.file"
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "3.1.0" if model.get("keras3") else b"2.4.0"
        file.attrs["model_config"] = json.dumps({key: value for key, value in model.items() if key != "keras3"})
        root = file.create_group("model_weights")
        for layer, values in (variables or {}).items():
            group = root.create_group(layer)
            names = [f"{layer}/{name}:0" for name in values]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, value in zip(names, values.values(), strict=True):
                group[name] = value
    return path


def agreed(folder: Path, model: Mapping[str, Any], variables: Mapping[str, Mapping[str, Array]] | None = None) -> Array:
    """Outputs for a few samples, once the operations have computed what NumPy has."""
    opened = KerasModel(saved(folder, model, variables))
    assert opened.sample_shape is not None
    assert not opened._problems, opened._problems
    assert opened._reader is not None
    x = np.random.default_rng(1).uniform(-1, 1, (3, *opened.sample_shape)).astype(np.float32)
    expected = opened.outputs(x)
    # Sums of float32 in another order: their terms may be far larger than they are.
    np.testing.assert_allclose(opened._reader.outputs(x), expected, rtol=1e-3, atol=1e-3 * max(1, np.abs(expected).max()))
    return expected


def problems(folder: Path, model: Mapping[str, Any], variables: Mapping[str, Mapping[str, Array]] | None = None) -> list[str]:
    """All that stands in the way, in lines."""
    opened = KerasModel(saved(folder, model, variables))
    found = [str(problem) for problem in opened.problems(opened.sample_shape or (4, 4, 3))]
    assert not any("\n" in line for line in found)
    return found
