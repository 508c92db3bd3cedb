"""From an Ann and its scales to a spiking network in float: λ, biases, reset, input coding, readout."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from loihiconv.ann import Add, Ann, Input, Linear, Node, Relu
from loihiconv.errors import InvalidData, InvalidSetting, UnsupportedLayer
from loihiconv.linear import Array, Conv, Dense, LinearMap, Shape
from loihiconv.network import IF, Coding, Connection, Network, Readout, Reset
from loihiconv.network import Input as InputPopulation
from loihiconv.normalization import Scales


def to_spiking(
    ann: Ann,
    scales: Scales,
    *,
    timesteps: int,
    input_coding: Coding = "analog",
    reset: Reset = "subtract",
    start: float = 0.5,
    signed: bool = False,
    metadata: Mapping[str, Any] | None = None,
) -> Network:
    """Map every rectified layer to a population of integrate-and-fire neurons with threshold 1.

    With λ of the layers before and after, W <- W λ_before / λ_after and b <- b / λ_after, so that an activation a
    becomes a firing rate a / λ (Rueckauer et al. 2016, section 3.2.1); biases are constant currents (3.1). The output
    layer becomes a readout that integrates and never spikes.

    Parameters
    ----------
    ann : Ann
        After the passes: only Linear, Relu and Add are left.
    scales : {node: λ}
        As `loihiconv.normalization` chooses them.
    timesteps : int, at least 1
    input_coding : "analog" or "rate"
    reset : "subtract" or "zero"
    start : float in [0, 1]
        Membrane potential at the start of a sample, as a fraction of the threshold.
    signed : bool
        Whether inputs can be negative.

    Raises
    ------
    InvalidSetting
        If a setting is out of its range.
    InvalidData
        If inputs are negative and ``input_coding`` is "rate".
    UnsupportedLayer
        If the Ann holds something else.
    """
    check_settings(timesteps, input_coding, reset, start)
    if signed and input_coding != "analog":
        raise InvalidData(
            "the calibration data holds negative values", where="input", limit="a firing rate cannot be negative",
            remedy='use input_coding="analog"',
        )  # fmt: skip
    source, names = ann.input, population_names(ann)
    populations: list[InputPopulation | IF | Readout] = [
        InputPopulation(source.name, source.shape, input_coding, scale=float(scales[source.name]), signed=signed)
    ]
    connections: list[Connection] = []
    for node in ann:
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
            populations.append(Readout(names[node.name], flat, np.zeros(1, np.float32), normalised, scale=float(1 / scales[node.name])))
    return Network(tuple(populations), tuple(connections), timesteps, metadata=metadata or {})


def population_names(ann: Ann) -> dict[str, str]:
    """Name of the population that a node becomes: its linear layer's, which users know, rather than its ReLU's."""
    names = {}
    for node in ann:
        drive = ann[node.inputs[0]] if isinstance(node, Relu) else node
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
    if isinstance(drive, (Relu, Input)):
        shape = ann.shapes[drive.name]
        return [(drive.name, identity(shape), np.zeros((1,) * len(shape)))]
    raise UnsupportedLayer(f"{type(drive).__name__} cannot become a connection", where=drive.name, remedy="put a linear layer there")


def _population(ann: Ann, name: str) -> str:
    if not isinstance(ann[name], (Relu, Input)):
        kind = type(ann[name]).__name__
        raise UnsupportedLayer(f"{kind} cannot become a population of spiking neurons", where=name, remedy="use average pooling or strides")
    return name


def identity(shape: Shape) -> LinearMap:
    """The map that passes each neuron on to its like."""
    if len(shape) == 3:
        return Conv(np.ones((shape[0], 1, 1, 1)), groups=shape[0])
    return Dense(np.eye(prod(shape)))


def check_settings(timesteps: int, input_coding: str, reset: str, start: float) -> None:
    """Raise `InvalidSetting` for the first setting that is out of its range."""
    if isinstance(timesteps, bool) or not isinstance(timesteps, (int, np.integer)) or timesteps < 1:
        raise InvalidSetting(f"timesteps {timesteps}", where="timesteps", limit="a whole number of at least 1 expected")
    if input_coding not in ("analog", "rate"):
        raise InvalidSetting(f"input coding {input_coding!r}", where="input_coding", limit='"analog" or "rate" expected')
    if reset not in ("subtract", "zero"):
        raise InvalidSetting(f"reset {reset!r}", where="reset", limit='"subtract" or "zero" expected')
    if not 0 <= start <= 1:
        raise InvalidSetting(f"start {start}", where="start", limit="a fraction of the threshold, 0 to 1, expected")
