"""From an Ann and its scales to a spiking network in float: λ, biases, reset, input coding, readout."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from math import prod

import numpy as np

from loihiconv.ann.graph import Add, Ann, Input, Linear, MaxPool, Node, Relu, windows
from loihiconv.ann.passes.rewrite import identity
from loihiconv.conversion.naming import population_names
from loihiconv.conversion.scales import Scales
from loihiconv.conversion.settings import Settings
from loihiconv.core.choices import SEED_LIMIT
from loihiconv.core.errors import InvalidData, UnsupportedLayer
from loihiconv.core.linear import Array, LinearMap, Shape
from loihiconv.core.network import IF, Connection, Network, Population, Readout
from loihiconv.core.network import Input as InputPopulation
from loihiconv.core.network import MaxPool as MaxPoolPopulation
from loihiconv.core.parts import OutputPart, slices
from loihiconv.core.record import ConversionRecord


def to_spiking(
    ann: Ann, scales: Scales, settings: Settings, *, signed: Collection[str] = (), names: Mapping[str, str] | None = None
) -> Network:
    """Map every rectified layer to a population of integrate-and-fire neurons with threshold 1.

    With λ of the layers before and after (with graded spikes λ / Γ), W <- W λ_before / λ_after and b <- b / λ_after, so that an
    activation a becomes a firing rate a / λ (Rueckauer et al. 2016, section 3.2.1); biases are constant currents (3.1). The output
    layer becomes a readout that integrates and never spikes. Max-pooling becomes a population of gates, whose λ is that
    of what it pools.

    A spike cannot be taken back when inhibition comes after it. So neurons that are driven by spikes start ``hold_back``
    thresholds lower, v(0) = start - hold_back, and get that charge back evenly, b <- b + hold_back / T: what they receive in T steps
    is the same, but spikes come later, when more of the input has been seen. On `cifar10_cnn` a half raises the agreement
    with the ANN from 69 to 87 % at T = 8 and from 85 to 96 % at T = 16 (600 training images, fixed point, nothing else corrected).
    Signed spikes can be taken back, and hold nothing back. What R copies receive comes more evenly, and they hold back R² times less,
    which was the best of those tried with two and with four.

    Parameters
    ----------
    ann : Ann
        After the passes: only Linear, Relu, MaxPool and Add are left. With ``settings.copies`` it has as many of each rectified channel,
        see `loihiconv.ann.passes.copies`.
    scales : {node: λ}
        As `loihiconv.conversion.scales` chooses them.
    settings : Settings
    signed : collection of str
        Input nodes whose values can be negative.
    names : {node: population}, optional
        By default `population_names`.

    Raises
    ------
    InvalidData
        If inputs are negative and ``input_coding`` is not "analog".
    UnsupportedLayer
        If the Ann holds something else.
    """
    if signed and settings.input_coding != "analog":
        raise InvalidData(
            "the calibration data holds negative values",
            where=", ".join(signed),
            limit="a firing rate cannot be negative",
            remedy='use input_coding="analog"',
        )
    check_pooled(ann, settings.input_coding)
    names = names or population_names(ann)
    populations: list[Population] = [
        InputPopulation(
            source.name,
            source.shape,
            settings.input_coding if ann.users(source.name) else "analog",  # spikes that nothing takes are none
            scale=float(scales[source.name]),
            signed=source.name in signed,
            seed=(settings.seed + i) % SEED_LIMIT,  # inputs of one size must not spike alike
            given=source.sample_shape,
            order=source.order,
        )
        for i, source in enumerate(ann.inputs)
    ]
    connections: list[Connection] = []
    for node in ann:
        if isinstance(node, MaxPool):
            pooled = next(p for p in populations if p.name == names[node.inputs[0]])
            gates = MaxPoolPopulation(
                names[node.name], ann.shapes[node.name], settings.maxpool_estimate, payload_max=pooled.largest_message
            )
            populations.append(gates)
            gated = windows(node, ann.shapes[node.name][0])
            gated = gated.with_weight(gated.weight.astype(np.float32))
            connections.append(Connection(names[node.inputs[0]], names[node.name], gated))
            continue
        if not (isinstance(node, Relu) or node is ann.output):
            continue
        drive = ann[node.inputs[0]] if isinstance(node, Relu) else node
        bias = np.zeros((1,) * len(ann.shapes[drive.name]))
        branches = branches_of(ann, drive)
        for origin, linear_map, branch_bias in branches:
            rescaled = rescale(linear_map, scales[origin], scales[node.name], ann.shapes[origin], ann.shapes[node.name])
            connections.append(Connection(names[origin], names[node.name], rescaled))
            bias = bias + branch_bias
        shape = ann.shapes[node.name]
        normalised = bias / scales[node.name]
        if isinstance(node, Relu):
            constant = settings.input_coding == "analog" and all(ann.is_input(origin) for origin, *_ in branches)
            silent = 0 if constant else settings.silent_steps
            correcting = settings.signed_spikes and not constant
            held_back = 0.0 if constant or settings.reset == "zero" or silent or correcting else settings.hold_back / settings.copies**2
            normalised = (normalised + held_back / settings.timesteps).astype(np.float32)
            bound = np.asarray(node.bound / scales[node.name], np.float32) if node.bounded else None
            buffered = settings.buffered and silent > 0
            neurons = IF(
                names[node.name],
                shape,
                1.0,
                np.zeros((1,) * len(shape), np.float32),
                normalised,
                settings.reset,
                settings.payload_max,
                bound,
                silent,
                buffered,
                correcting,
                settings.copies,
            )
            populations.append(replace(neurons, v_init=neurons.charge(settings.start) - np.float32(held_back)))
        else:
            flat = (prod(shape),)
            normalised = np.broadcast_to(normalised, shape).reshape(flat).astype(np.float32)
            parts, scale = _outputs(ann, scales[node.name])
            start = np.zeros(1, np.float32)
            populations.append(
                Readout(
                    names[node.name],
                    flat,
                    start,
                    normalised,
                    scale,
                    decision=settings.readout,
                    seed=settings.seed,
                    delay=settings.readout_delay,
                    ending=ann.ending,
                    parts=parts,
                )
            )
    record = ConversionRecord(settings.to_json(), charge=settings.start if settings.hold_back else None)
    return Network(tuple(populations), tuple(connections), settings.timesteps, record=record)


def _outputs(ann: Ann, scale: Array) -> tuple[tuple[OutputPart, ...], float]:
    """The parts of a readout where there are several outputs, and its scale."""
    if not ann.parts:
        return (), float(1 / scale)
    each = np.broadcast_to(scale, ann.shapes[ann.output.name]).ravel()
    firsts = [place.start for place in slices(ann.parts).values()]
    return tuple(replace(part, scale=float(1 / each[i])) for part, i in zip(ann.parts, firsts, strict=True)), 1.0


def rescale(linear_map: LinearMap, before: Array, after: Array, input_shape: Shape, output_shape: Shape) -> LinearMap:
    """W λ_before / λ_after in float32, with λ per layer or per channel; where all synapses are written out, per neuron too.

    Parameters
    ----------
    before, after : arrays that broadcast to the shapes of what goes in and what comes out
    input_shape, output_shape : tuple
    """
    rows, columns = np.broadcast_to(1 / np.asarray(after), output_shape), np.broadcast_to(before, input_shape)
    scaled = linear_map.with_weight(linear_map.weight.astype(np.float64)).scaled(rows, columns)
    return scaled.with_weight(scaled.weight.astype(np.float32))


def branches_of(ann: Ann, drive: Node) -> list[tuple[str, LinearMap, Array]]:
    """The linear maps that feed a population: (population they come from, map, bias)."""
    if isinstance(drive, Add):
        return [branch for name in drive.inputs for branch in branches_of(ann, ann[name])]
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
            f"max-pools {what}",
            where=pool.name,
            limit='maxpool="gate" compares spikes',
            remedy='put a ReLU before it or use maxpool="relu-tree"',
        )
