"""A dry run before anything else: what cannot be converted, and would it fit the board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from numbers import Integral
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch

from loihiconv.ann.frontends import FloatModel, Source, readable
from loihiconv.ann.frontends.given import bound, opened
from loihiconv.ann.frontends.selection import with_output, with_relus
from loihiconv.ann.graph import Ann, MaxPool, Relu
from loihiconv.ann.passes import lower
from loihiconv.ann.passes.curves import straightened
from loihiconv.conversion.building import build
from loihiconv.conversion.calibration import CalibrationData, prepared
from loihiconv.conversion.measuring import measure
from loihiconv.conversion.naming import population_names
from loihiconv.conversion.room import shaped
from loihiconv.conversion.settings import DECLARED, Settings
from loihiconv.conversion.spiking import branches_of, check_pooled
from loihiconv.core import numbers as n
from loihiconv.core.choices import MaxPooling
from loihiconv.core.errors import InvalidData, LoihiconvError
from loihiconv.core.given import shown
from loihiconv.core.input_preprocessing import GivenPreprocessing, by_input, check_inputs, check_preprocessing, of_one
from loihiconv.core.linear import Array, Shape
from loihiconv.core.parts import Part
from loihiconv.core.tables import Shown, Table, counted, together
from loihiconv.hardware.board import Board, load_board
from loihiconv.hardware.place import place

Example: TypeAlias = "Array | torch.Tensor | Shape | Mapping[str, Any] | Sequence[Any] | None"
"""A batch, or the shape of a sample; one for each of several inputs."""
TRIAL_SAMPLES = 4
"""Of the conversion that `check` tries, where no data is given."""


@dataclass(frozen=True)
class LayerCheck:
    """One population that the network would become.

    Attributes
    ----------
    name : str
    kind : "input", "spiking", "max-pooling" or "readout"
    shape : tuple of int
    neurons : int
    weights : int
        Stored weights of the connections into it, shared ones counted once.
    maps : tuple of str
        What these connections are: "dense", "convolution" or "sparse".
    """

    name: str
    kind: str
    shape: Shape
    neurons: int
    weights: int
    maps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check(Shown):
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

    def tables(self) -> tuple[Table, ...]:
        header = ("population", "kind", "shape", "neurons", "fed by", "weights")
        rows = [(c.name, c.kind, n.size(c.shape, "x"), n.count(c.neurons), counted(c.maps), n.count(c.weights)) for c in self.layers]
        return (Table("Populations", header, rows),) if rows else ()

    def remarks(self) -> tuple[str, ...]:
        return (*together(self.notes), *(f"✗ {problem}" for problem in self.problems), *(["✓ can be converted"] if self.ok else []))

    def __repr__(self) -> str:
        said = "can be converted" if self.ok else "; ".join(self.problems)
        return f"<Check, {n.counted(len(self.layers), 'population')}, {n.counted(len(self.notes), 'note')}: {said}>"

    def to_json(self) -> dict[str, Any]:
        """The findings as JSON values."""
        layers = [{**vars(layer), "shape": list(layer.shape)} for layer in self.layers]
        return {"ok": self.ok, "layers": layers, "problems": list(self.problems), "notes": list(self.notes)}


def check(
    model: Source,
    example: Example = None,
    board: str | Path | Board | None = None,
    *,
    maxpool: MaxPooling = Settings.maxpool,
    approximate: int = Settings.approximate,
    calibration: CalibrationData | None = None,
    preprocessing: GivenPreprocessing = None,
    timesteps: int = 32,
    output: str | None = None,
) -> Check:
    """Say, layer by layer, what could not be converted and what would not fit.

    What passes converts, at these time steps and with default settings: the network is converted once, quickly, on a few samples.

    Parameters
    ----------
    model : nn.Module, or another kind that `loihiconv.ann.frontends` reads
    example : array or tensor (N, \\*shape), or the shape of one sample, optional
        As the network takes it, after all preprocessing. By default the shape that the model itself knows, as most files do. Of a network
        with several inputs {name: shape}, or a tuple of shapes in its order; arrays may stand for shapes.
    board : str, path, Board or None
        A board to place the network on, to see whether it fits; it also decides what ``maxpool="auto"`` is.
    maxpool : "auto", "gate", "relu-tree" or "average"
        As `loihiconv.convert` takes it.
    approximate : int
        As `loihiconv.convert` takes it.
    calibration : as `loihiconv.convert` takes it, optional
        What the trial is made with; random samples from 0 to 1 otherwise, which tell structure and ranges, and nothing of accuracy.
    preprocessing : Preprocessing, or {input: Preprocessing}, optional
        As `loihiconv.convert` takes it, for ``calibration``.
    timesteps : int
        T of the trial: ranges of biases and of the readout depend on it.
    output : str, optional
        As `loihiconv.convert` takes it.
    """
    DECLARED["approximate"].check(approximate)
    model = with_relus(with_output(readable(model), output), approximate)
    model, example = _with_inputs(model, example)
    if calibration is not None:
        model, calibration = opened(model, calibration, by_input(preprocessing))
    shape = _shape(model, example)
    DECLARED["timesteps"].check(timesteps)
    check_preprocessing(preprocessing)
    check_inputs(preprocessing, [part.name for part in model.inputs])
    board = load_board(board) if board is not None else None
    pooling = Settings(1, maxpool=maxpool).for_board(board).pooling
    if found := model.problems(shape):
        return Check((), tuple(map(str, found)), ())
    try:
        original = model.ann(shape)
        ann, notes = lower(original, pooling, straightened(original, _random(model, shape), approximate))
        if pooling == "gate":
            check_pooled(ann)
    except LoihiconvError as error:
        return Check((), (str(error),), ())
    notes = (*model.notes, *notes)
    layers = tuple(_layers(ann))
    if pools := [node for node in ann if isinstance(node, MaxPool)]:
        notes += (_ways_to_pool(ann, pools),)
    problems: list[str] = []
    if board is not None:
        placement = place(shaped(ann, Settings(1)), board)
        # `_ways_to_pool` has said what becomes of max-pooling
        problems += [str(v) for v in placement.violations if v.certain and v.quantity != "max_pooling"]
        if not problems:
            notes += (f"fits {board.title}: {placement.cores:,} of {board.cores:,} cores",)
    settings = Settings(timesteps, maxpool=maxpool, approximate=approximate, rounding="nearest", bias_correction=False).for_board(board)
    trial = None if calibration is None else prepared(calibration, of_one(preprocessing), shape=shape)
    return Check(layers, (*problems, *_does_not_convert(model, shape, board, settings, trial)), notes)


def _with_inputs(model: FloatModel, example: Example) -> tuple[FloatModel, Example]:
    """The model with the shapes of several inputs, if these are given."""
    if isinstance(example, Mapping):
        named = dict(example)
    elif isinstance(example, (tuple, list)) and model.input_names and len(example) == len(model.input_names):
        named = dict(zip(model.input_names, example, strict=True))
    else:
        return model, example
    parts = [Part(str(name), _sizes(values, f"example {name}")) for name, values in named.items()]
    model = bound(model, parts)
    return model, parts[0].shape if len(parts) == 1 else (sum(part.size for part in parts),)


def _shape(model: FloatModel, example: object) -> Shape:
    """The shape of one sample: of a batch, as it was given, or as the model knows it."""
    if example is None:
        if model.sample_shape is None:
            remedy = "give the shape of one sample, such as 1,28,28 (--shape), or some samples"
            if model.input_names:
                remedy = f"give a shape for each input: --shape {model.input_names[0]}=..., or {{{model.input_names[0]!r}: ...}}"
            raise InvalidData("the shape of a sample is not known", where=model.name, limit="the model does not say it", remedy=remedy)
        return model.sample_shape
    sizes = _sizes(example, "example")
    if model.input_names and sizes != model.sample_shape:
        names = ", ".join(f"{name!r}: ..." for name in model.input_names)
        what = f"one shape for {len(model.input_names)} inputs"
        raise InvalidData(what, where="example", limit=f"{{{names}}} expected", remedy="give the shape of a sample of each")
    return sizes


def _sizes(example: object, where: str) -> Shape:
    """The shape of one sample: of a batch, or as it was given."""
    numbers: Any = example if isinstance(example, (tuple, list)) else getattr(example, "shape", ())[1:]
    if not numbers or not all(isinstance(n, Integral) and not isinstance(n, bool) and int(n) > 0 for n in numbers):
        raise InvalidData(shown(example), where=where, limit="a batch of samples, or the shape of one, expected", remedy="try (1, 28, 28)")
    return tuple(int(n) for n in numbers)


def _does_not_convert(
    model: Source, shape: Shape, board: Board | None, settings: Settings, calibration: CalibrationData | None
) -> tuple[str, ...]:
    """What stops a conversion without the corrections that only serve accuracy."""
    if calibration is None:
        calibration = _random(readable(model), shape)
    try:
        build(measure(model, calibration, settings, board), settings, board)
    except LoihiconvError as error:
        return (str(error),)
    return ()


def _random(model: FloatModel, shape: Shape) -> Array:
    """Samples from 0 to 1 to try with, or bytes."""
    values = np.random.default_rng(0).random((TRIAL_SAMPLES, *shape), np.float32)
    return np.floor(256 * values) if model.takes_bytes else values


def _layers(ann: Ann) -> list[LayerCheck]:
    shapes, names = ann.shapes, population_names(ann)
    layers = [LayerCheck(entry.name, "input", entry.shape, prod(entry.shape), 0) for entry in ann.inputs]
    for node in ann:
        if isinstance(node, MaxPool):
            layers.append(LayerCheck(names[node.name], "max-pooling", shapes[node.name], prod(shapes[node.name]), 0))
        elif isinstance(node, Relu) or node is ann.output:
            kind, drive = ("spiking", ann[node.inputs[0]]) if isinstance(node, Relu) else ("readout", node)
            maps = [linear_map for _, linear_map, _ in branches_of(ann, drive)]
            weights = sum(int(np.size(linear_map.weight)) for linear_map in maps)
            kinds = tuple(linear_map.kind for linear_map in maps)
            layers.append(LayerCheck(names[node.name], kind, shapes[node.name], prod(shapes[node.name]), weights, kinds))
    return layers


def _ways_to_pool(ann: Ann, pools: list[MaxPool]) -> str:
    """Which kinds of max-pooling run where."""
    added = sum(prod(ann.shapes[p.name]) * prod(p.kernel) for p in pools)
    return (
        f'{", ".join(p.name for p in pools)}: max-pooling with maxpool="gate" runs in the simulators only, as no chip has gates; '
        f'"relu-tree" (up to {added:,} more neurons; what "auto" takes for a board) and "average" (not what was trained) run on any board'
    )
