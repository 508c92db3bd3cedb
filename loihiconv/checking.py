"""A dry run before anything else: what cannot be converted, and would it fit the board."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from loihiconv.ann import Ann, Linear, MaxPool, Relu
from loihiconv.errors import InvalidData, LoihiconvError
from loihiconv.frontends.torch import problems, read_torch
from loihiconv.hardware.config import HardwareConfig, load_board
from loihiconv.linear import Array, Shape
from loihiconv.passes import lower
from loihiconv.spiking import population_names

MAXPOOL = "max-pooling has no spiking counterpart here; use average pooling or strides, and train again"


@dataclass(frozen=True)
class LayerCheck:
    """One population that the network would become.

    Attributes
    ----------
    name : str
    kind : "input", "spiking" or "readout"
    shape : tuple of int
    neurons : int
    weights : int
        Stored weights of the connection into it, shared ones counted once.
    """

    name: str
    kind: str
    shape: Shape
    neurons: int
    weights: int


@dataclass(frozen=True)
class Check:
    """What `check` found.

    Attributes
    ----------
    layers : tuple of LayerCheck
        Empty where an operation cannot be converted.
    problems : tuple of str
        One sentence each: the layer, what is wrong, what to do.
    notes : tuple of str
        What the conversion would change without changing the result.
    """

    layers: tuple[LayerCheck, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """The findings as JSON values."""
        layers = [{**vars(layer), "shape": list(layer.shape)} for layer in self.layers]
        return {"ok": self.ok, "layers": layers, "problems": list(self.problems), "notes": list(self.notes)}


def check(model: nn.Module, example: Array | torch.Tensor | Shape, hardware: str | Path | HardwareConfig | None = None) -> Check:
    """Say, layer by layer, what could not be converted and what would not fit.

    Parameters
    ----------
    model : nn.Module
    example : array or tensor (N, \\*shape), or the shape of one sample
    hardware : str, path, HardwareConfig or None
        A board to compare the number of neurons with.
    """
    shape = tuple(int(n) for n in (example if isinstance(example, (tuple, list)) else example.shape[1:]))
    if not shape or min(shape) < 1:
        raise InvalidData(f"shape {shape}", where="example", limit="a batch of samples, or the shape of one, expected")
    board = load_board(hardware) if hardware is not None else None
    if found := problems(model, shape):
        return Check((), tuple(map(str, found)), ())
    try:
        ann, notes = lower(read_torch(model, shape))
    except LoihiconvError as error:
        return Check((), (str(error),), ())
    if pools := [node.name for node in ann if isinstance(node, MaxPool)]:
        return Check((), tuple(f"{name}: {MAXPOOL}" for name in pools), notes)
    layers = tuple(_layers(ann))
    return Check(layers, tuple(_too_many_neurons(layers, board)) if board else (), notes)


def _layers(ann: Ann) -> list[LayerCheck]:
    shapes, names = ann.shapes, population_names(ann)
    layers = [LayerCheck(ann.input.name, "input", ann.input.shape, prod(ann.input.shape), 0)]
    weights = 0
    for node in ann:
        if isinstance(node, Linear):
            weights += int(np.size(node.map.weight))
        if isinstance(node, Relu) or node is ann.output:
            kind = "spiking" if isinstance(node, Relu) else "readout"
            layers.append(LayerCheck(names[node.name], kind, shapes[node.name], prod(shapes[node.name]), weights))
            weights = 0
    return layers


def _too_many_neurons(layers: tuple[LayerCheck, ...], board: HardwareConfig) -> list[str]:
    compartments = sum(
        layer.neurons * (board.compartments_per_neuron.value if layer.kind == "spiking" else 1) for layer in layers if layer.kind != "input"
    )
    room = board.cores * board.neurons_per_core.value
    if compartments <= room:
        return []
    largest = max(layers, key=lambda layer: layer.neurons)
    return [
        f"{largest.name}: the network needs {compartments} neuron compartments, this layer most of them; {board.title} has {room}; "
        "use strides or fewer channels, or a larger board"
    ]
