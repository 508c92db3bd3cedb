"""From an Ann and its scales to a spiking network in float: λ, biases, reset, input coding, readout."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any, get_args

import numpy as np

from loihiconv.ann import Add, Ann, Input, Linear, MaxPool, Node, Relu
from loihiconv.errors import InvalidData, InvalidSetting, UnsupportedLayer
from loihiconv.linear import Array, Conv, Dense, LinearMap, Shape
from loihiconv.network import IF, Coding, Connection, Decision, Estimate, Network, Population, Readout, Reset
from loihiconv.network import Input as InputPopulation
from loihiconv.network import MaxPool as MaxPoolPopulation
from loihiconv.normalization import Scales
from loihiconv.passes.maxpool import MAX_POOLINGS, windows_of
from loihiconv.randomness import SEED_LIMIT


def to_spiking(
    ann: Ann,
    scales: Scales,
    *,
    timesteps: int,
    input_coding: Coding = "analog",
    reset: Reset = "subtract",
    start: float = 0.5,
    signed: bool = False,
    estimate: Estimate = "count",
    readout: Decision = "potential",
    seed: int = 0,
    metadata: Mapping[str, Any] | None = None,
) -> Network:
    """Map every rectified layer to a population of integrate-and-fire neurons with threshold 1.

    With λ of the layers before and after, W <- W λ_before / λ_after and b <- b / λ_after, so that an activation a
    becomes a firing rate a / λ (Rueckauer et al. 2016, section 3.2.1); biases are constant currents (3.1). The output
    layer becomes a readout that integrates and never spikes. Max-pooling becomes a population of gates, whose λ is that
    of what it pools.

    Parameters
    ----------
    ann : Ann
        After the passes: only Linear, Relu, MaxPool and Add are left.
    scales : {node: λ}
        As `loihiconv.normalization` chooses them.
    timesteps : int, at least 1
    input_coding : "analog", "rate" or "poisson"
    reset : "subtract" or "zero"
    start : float in [0, 1]
        Membrane potential at the start of a sample, as a fraction of the threshold.
    signed : bool
        Whether inputs can be negative.
    estimate : "count" or "average"
        How gates estimate rates; see `loihiconv.network.MaxPool`.
    readout : "potential" or "softmax"
    seed : int
        Of Poisson input and softmax readout.

    Raises
    ------
    InvalidSetting
        If a setting is out of its range.
    InvalidData
        If inputs are negative and ``input_coding`` is not "analog".
    UnsupportedLayer
        If the Ann holds something else.
    """
    check_settings(timesteps, input_coding, reset, start, estimate=estimate, readout=readout, seed=seed)
    if signed and input_coding != "analog":
        raise InvalidData(
            "the calibration data holds negative values", where="input", limit="a firing rate cannot be negative",
            remedy='use input_coding="analog"',
        )  # fmt: skip
    check_pooled(ann, input_coding)
    source, names = ann.input, population_names(ann)
    populations: list[Population] = [
        InputPopulation(source.name, source.shape, input_coding, scale=float(scales[source.name]), signed=signed, seed=seed)
    ]
    connections: list[Connection] = []
    for node in ann:
        if isinstance(node, MaxPool):
            populations.append(MaxPoolPopulation(names[node.name], ann.shapes[node.name], estimate))
            windows = windows_of(node, ann.shapes[node.name][0])
            windows = windows.with_weight(windows.weight.astype(np.float32))
            connections.append(Connection(names[node.inputs[0]], names[node.name], windows))
            continue
        if not (isinstance(node, Relu) or node is ann.output):
            continue
        drive = ann[node.inputs[0]] if isinstance(node, Relu) else node
        bias = np.zeros((1,) * len(ann.shapes[drive.name]))
        for origin, linear_map, branch_bias in _branches(ann, drive):
            rescaled = rescale(linear_map, scales[origin], scales[node.name], ann.shapes[origin])
            connections.append(Connection(names[origin], names[node.name], rescaled))
            bias = bias + branch_bias
        shape = ann.shapes[node.name]
        normalised = (bias / scales[node.name]).astype(np.float32)
        if isinstance(node, Relu):
            v_init = np.full((1,) * len(shape), start, np.float32)
            populations.append(IF(names[node.name], shape, 1.0, v_init, normalised, reset))
        else:
            flat = (prod(shape),)
            normalised = np.broadcast_to(normalised, shape).reshape(flat)
            start_at_zero, scale = np.zeros(1, np.float32), float(1 / scales[node.name])
            populations.append(Readout(names[node.name], flat, start_at_zero, normalised, scale, decision=readout, seed=seed))
    return Network(tuple(populations), tuple(connections), timesteps, metadata=metadata or {})


def population_names(ann: Ann) -> dict[str, str]:
    """Name of the population that a node becomes: its linear layer's, which users know, rather than its ReLU's.

    ReLUs that a pass has put in have a name of their own.
    """
    names = {}
    for node in ann:
        drive = ann[node.inputs[0]] if isinstance(node, Relu) and not node.scale_of else node
        names[node.name] = drive.name if isinstance(drive, Linear) else node.name
    return names


def rescale(linear_map: LinearMap, before: Array, after: Array, input_shape: Shape) -> LinearMap:
    """W λ_before / λ_after in float32, with λ per layer or per channel.

    Parameters
    ----------
    before, after : arrays that broadcast to the shapes of the map's input and output
    input_shape : tuple
    """
    weight = linear_map.weight.astype(np.float64)
    output_shape = linear_map.output_shape(input_shape)
    rows = np.broadcast_to(after, output_shape)
    columns = np.broadcast_to(before, input_shape)
    if isinstance(linear_map, Dense):
        return Dense((weight * columns.reshape(1, -1) / rows.reshape(-1, 1)).astype(np.float32))
    per_input, per_output = columns[:, 0, 0], rows[:, 0, 0]
    # the weights of an output channel belong to the input channels of its group
    grouped = per_input.reshape(linear_map.groups, -1).repeat(len(weight) // linear_map.groups, axis=0)
    weight = weight * grouped[:, :, None, None] / per_output[:, None, None, None]
    return linear_map.with_weight(weight.astype(np.float32))


def _branches(ann: Ann, drive: Node) -> list[tuple[str, LinearMap, Array]]:
    """The linear maps that feed a population: (population they come from, map, bias)."""
    if isinstance(drive, Add):
        return [branch for name in drive.inputs for branch in _branches(ann, ann[name])]
    if isinstance(drive, Linear):
        bias = drive.bias if drive.bias is not None else np.zeros((1,) * len(ann.shapes[drive.name]))
        return [(_population(ann, drive.inputs[0]), drive.map, bias.astype(np.float64))]
    if isinstance(drive, (Relu, MaxPool, Input)):
        shape = ann.shapes[drive.name]
        return [(drive.name, identity(shape), np.zeros((1,) * len(shape)))]
    raise UnsupportedLayer(f"{type(drive).__name__} cannot become a connection", where=drive.name, remedy="put a linear layer there")


def _population(ann: Ann, name: str) -> str:
    if not isinstance(ann[name], (Relu, MaxPool, Input)):
        kind = type(ann[name]).__name__
        raise UnsupportedLayer(f"{kind} cannot become a population of spiking neurons", where=name, remedy="use a ReLU")
    return name


def check_pooled(ann: Ann, input_coding: str = "analog") -> None:
    """Raise `UnsupportedLayer` for the first max-pooling of what does not spike."""
    for pool in ann:
        source = ann[pool.inputs[0]] if isinstance(pool, MaxPool) else None
        if source is None or isinstance(source, (Relu, MaxPool)) or (isinstance(source, Input) and input_coding != "analog"):
            continue
        what = "analog input" if isinstance(source, Input) else f"what {source.name} gives, which can be negative"
        raise UnsupportedLayer(
            f"max-pools {what}", where=pool.name, limit='maxpool="gate" compares spikes',
            remedy='put a ReLU before it or use maxpool="relu-tree"',
        )  # fmt: skip


def identity(shape: Shape) -> LinearMap:
    """The map that passes each neuron on to its like."""
    if len(shape) == 3:
        return Conv(np.ones((shape[0], 1, 1, 1)), groups=shape[0])
    return Dense(np.eye(prod(shape)))


def check_settings(
    timesteps: int, input_coding: str, reset: str, start: float, *, maxpool: str = "gate", estimate: str = "count",
    readout: str = "potential", seed: int = 0,
) -> None:  # fmt: skip
    """Raise `InvalidSetting` for the first setting that is out of its range."""
    if isinstance(timesteps, bool) or not isinstance(timesteps, (int, np.integer)) or timesteps < 1:
        raise InvalidSetting(f"timesteps {timesteps}", where="timesteps", limit="a whole number of at least 1 expected")
    for where, what, value, known in (
        ("input_coding", "input coding", input_coding, get_args(Coding)),
        ("reset", "reset", reset, get_args(Reset)),
        ("maxpool", "max-pooling", maxpool, MAX_POOLINGS),
        ("maxpool_estimate", "estimate", estimate, get_args(Estimate)),
        ("readout", "readout", readout, get_args(Decision)),
    ):
        if value not in known:
            raise InvalidSetting(f"{what} {value!r}", where=where, limit=" or ".join(f'"{k}"' for k in known) + " expected")
    if not 0 <= start <= 1:
        raise InvalidSetting(f"start {start}", where="start", limit="a fraction of the threshold, 0 to 1, expected")
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < SEED_LIMIT:
        raise InvalidSetting(f"seed {seed}", where="seed", limit="a whole number from 0 to 2^64 - 1 expected")
