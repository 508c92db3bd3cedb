"""Random fixed-point networks with samples for hypothesis, all within the chip's ranges.

Structure is drawn by hypothesis, so it shrinks; arrays come from one drawn seed. Sums stay below 2^17 whatever arrives.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from loihiconv.core.choices import SIGNED_PAYLOAD_LIMIT
from loihiconv.core.fixed_point import BIAS_MAX, round_bias
from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Shape, Sparse
from loihiconv.core.network import IF, SUM_LIMIT, V_MAX, WEIGHT_EXP_MIN, Connection, Input, MaxPool, Network, Population, Readout
from loihiconv.core.parts import OutputPart
from loihiconv.core.record import CalibrationSummary, ConversionRecord, LayerRecord, RealizationRecord, StraightCurve, Trial, WorstCase
from loihiconv.core.validation import EXACT_FLOAT32

PAYLOADS = (1, 1, 3, 7, 15, 127, 255)
"""Largest payloads of spikes that reset by subtraction."""
EXPONENTS = (0, 0, 0, -1, -3, WEIGHT_EXP_MIN)
WEIGHTS = ("even", "small", "extreme", "excitatory", "inhibitory", "zero")


@dataclass(frozen=True)
class Case:
    """A network and samples for it."""

    network: Network
    x: Array

    def __repr__(self) -> str:
        lines = [f"T={self.network.timesteps}, x {self.x.shape} {self.x.dtype}", *map(_text, self.network.populations)]
        return "\n  ".join(
            [*lines, *(f"{c.name}{' on host' * c.on_host} 2^{c.weight_exp}: {_text(c.map)}" for c in self.network.connections)]
        )


def _text(value: Any) -> str:
    def text(v: Any) -> Any:
        return f"{v.dtype}{v.shape} in [{v.min(initial=0)}, {v.max(initial=0)}]" if isinstance(v, np.ndarray) else v

    values = (f"{field.name}={text(getattr(value, field.name))}" for field in fields(value))
    return f"{type(value).__name__}({', '.join(values)})"


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def records() -> st.SearchStrategy[ConversionRecord]:
    """Records of conversions, with anything that their types allow."""

    def named(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
        return st.dictionaries(st.text(max_size=5), values, max_size=3)

    def row(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
        return st.lists(values, max_size=3).map(tuple)

    errors = st.dictionaries(st.integers(), FLOATS, max_size=3)
    trial = st.builds(Trial, st.text(), named(JSON), st.integers(), FLOATS, FLOATS, st.booleans())
    realization = st.builds(RealizationRecord, st.text(), st.booleans(), st.none() | st.integers(), st.none() | FLOATS, st.booleans())
    return st.builds(
        ConversionRecord,
        named(JSON),
        st.none() | FLOATS,
        st.builds(CalibrationSummary, st.integers(), named(row(FLOATS)), named(FLOATS), FLOATS, errors),
        named(st.builds(LayerRecord, FLOATS, st.text(), FLOATS)),
        named(st.builds(WorstCase, FLOATS, FLOATS)),
        row(trial),
        st.none() | realization,
        row(st.text()),
        named(st.text()),
        named(st.text()),
        named(st.builds(StraightCurve, row(FLOATS), row(FLOATS), FLOATS, FLOATS)),
    )


@st.composite
def cases(
    draw: st.DrawFn,
    *,
    max_timesteps: int = 40,
    max_samples: int = 5,
    max_hidden: int = 3,
    graded: bool = True,
    exponents: bool = True,
    several: bool = False,
    separated: bool = False,
    signed: bool = False,
) -> Case:
    """Networks of up to ``max_hidden`` hidden layers, with skips, gates and currents from the host, and samples for them.

    Without ``graded`` all spikes are binary, without ``exponents`` no sum is shifted. ``several`` allows a second input, samples being
    packed then, and several outputs; ``separated`` allows silent steps, ``signed`` spikes that are taken back.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    source = _input(draw)
    second = [replace(_input(draw), name="second")] if several and draw(st.booleans()) else []
    populations: list[Population] = [*second, source]
    connections: list[Connection] = []
    hidden = draw(st.integers(0, max_hidden))
    host = hidden > 0 and not source.spiking and draw(st.booleans())
    for layer in range(hidden + 1):
        previous = populations[-1]
        if previous.spiking and len(previous.shape) == 3 and previous.smallest_message == 0 and draw(st.booleans()):
            windows = _windows(draw, previous.shape)
            estimate = draw(st.sampled_from(("count", "average"))) if previous.largest_message == 1 else "count"
            shape, decay = windows.output_shape(previous.shape), draw(st.sampled_from((0, 1, 5, 16)))
            pool = MaxPool(f"pool{layer}", shape, estimate, decay, previous.largest_message)
            populations.append(pool)
            connections.append(Connection(previous.name, pool.name, windows))
            previous = pool
        on_host = host and layer == 0
        linear = _linear(draw, rng, previous.shape, last=layer == hidden)
        shape = linear.output_shape(previous.shape)
        if draw(st.integers(0, 3)) == 0:
            shape = (prod(shape),)
        name = "readout" if layer == hidden else f"layer{layer}"
        incoming = [Connection(previous.name, name, linear)]
        if (layer or second) and not on_host and draw(st.booleans()):
            other = draw(st.sampled_from(populations[:-1]))
            incoming.append(Connection(other.name, name, _skip(draw, rng, other.shape, shape)))
        if exponents and not on_host:
            incoming = [replace(c, weight_exp=draw(st.sampled_from(EXPONENTS))) for c in incoming]
        bounded = [_host_connection(source, incoming[0], rng)] if on_host else _bounded(incoming, populations, rng)
        made = _population(draw, rng, name, shape, last=layer == hidden, quiet=on_host, graded=graded)
        made = _signed(draw, made) if signed else made
        populations.append(_silent(draw, made) if separated and not on_host else made)
        connections += bounded
    timesteps = draw(st.integers(1, max_timesteps))
    populations[-1] = replace(populations[-1], delay=draw(st.one_of(st.just(0), st.integers(0, timesteps - 1))))
    if second and not any(c.source == "second" for c in connections):
        populations[0] = replace(second[0], coding="analog")
    if several and prod(populations[-1].shape) > 1:
        populations[-1] = _several_outputs(draw, populations[-1])
    populations = [_separated(p, timesteps) if isinstance(p, IF) else p for p in populations]
    network = Network(tuple(populations), tuple(connections), timesteps, fixed_point=True, board="test")
    n, lows = draw(st.integers(1, max_samples)), [-p.payload_max if p.signed else -3 for p in network.inputs]  # beyond the range: clipped
    parts = [rng.integers(low - 2, p.payload_max + 3, (n, *p.sample_shape)) for low, p in zip(lows, network.inputs, strict=True)]
    x = (np.concatenate([part.reshape(n, -1) for part in parts], axis=1) if second else parts[0]).astype(np.float32)
    return Case(network, x * (rng.random(x.shape) < draw(st.sampled_from((0.2, 1.0)))))


def _separated(population: IF, timesteps: int) -> IF:
    """With as many silent steps as were drawn, T at most, and a bias of which all T steps fit into the register from the start."""
    room = (V_MAX - np.abs(np.asarray(population.v_init, np.int64))) // timesteps
    bias = round_bias(np.clip(population.bias, -room, room)) if population.silent else population.bias
    if np.any(np.abs(bias) > room) and population.silent:
        return replace(population, silent=0, buffered=False)
    silent = min(population.silent, timesteps)
    return replace(population, silent=silent, buffered=population.buffered and silent > 0, bias=bias)


def _several_outputs(draw: st.DrawFn, readout: Population) -> Population:
    """The readout as it is, or as that of two outputs."""
    if not isinstance(readout, Readout) or readout.decision == "softmax" or draw(st.booleans()):
        return readout
    first = draw(st.integers(1, readout.size - 1))
    return replace(readout, parts=(OutputPart("a", (first,), 2.0), OutputPart("b", (readout.size - first,), 0.5)))


def _input(draw: st.DrawFn) -> Input:
    image = st.tuples(st.integers(1, 4), st.integers(1, 7), st.integers(1, 7))
    shape = draw(st.one_of(image, image, st.tuples(st.integers(1, 12))))
    coding = draw(st.sampled_from(("analog", "analog", "rate", "poisson")))
    largest = draw(st.sampled_from((1, 7, 31, 127, 255)))
    signed = coding == "analog" and draw(st.booleans())
    plane = coding == "analog" and shape[0] > 1 and draw(st.booleans())
    seed = draw(st.integers(0, 2**64 - 1))
    return Input("input", shape, coding, scale=float(largest), payload_max=largest, signed=signed, seed=seed, bias_plane=plane)


def _windows(draw: st.DrawFn, shape: Shape) -> Conv:
    """Windows of max-pooling, some of which may lie in the padding altogether."""
    (kh, sh, dh, top, bottom), (kw, sw, dw, left, right) = (_axis(draw, size, crop=0) for size in shape[1:])
    return Conv(np.ones((shape[0], 1, kh, kw), np.int32), (sh, sw), (top, bottom, left, right), (dh, dw), shape[0])


def _population(draw: st.DrawFn, rng: np.random.Generator, name: str, shape: Shape, *, last: bool, quiet: bool, graded: bool) -> Population:
    per = shape if draw(st.booleans()) else (shape[0], *(1,) * (len(shape) - 1))
    magnitude = 2.0 ** draw(st.floats(0, np.log2(BIAS_MAX)))
    # Next to currents from the host there must be room: their sum with the bias is what the chip has to hold.
    bias = round_bias(np.clip(rng.uniform(-magnitude, magnitude, per), -BIAS_MAX, BIAS_MAX) / (16 if quiet else 1))
    vth = int(2 ** draw(st.floats(0, 17 - 1e-5)))
    start = draw(st.sampled_from((0, vth << 5, V_MAX)))
    v_init = np.asarray(start if start != V_MAX else rng.integers(-V_MAX, V_MAX + 1, per), np.int32)
    if last:
        # Scales from where the largest potential always wins to where all classes are alike.
        scale, decision = 2.0 ** draw(st.floats(-2, 24)), draw(st.sampled_from(("potential", "softmax")))
        return Readout(name, shape, v_init, bias, scale, decision, draw(st.sampled_from((0.1, 0.5, 1.0))), draw(st.integers(0, 9)))
    reset = draw(st.sampled_from(("subtract", "subtract", "zero")))
    largest = draw(st.sampled_from(PAYLOADS)) if graded and reset == "subtract" else 1
    return IF(name, shape, vth, v_init, bias, reset, largest)


def _signed(draw: st.DrawFn, population: Population) -> Population:
    """With signed spikes, or without; half of them so small a threshold, from where and without a bias, that many are taken back."""
    if not isinstance(population, IF) or population.reset != "subtract" or not draw(st.booleans()):
        return population
    signed = replace(population, signed=True, payload_max=min(population.payload_max, SIGNED_PAYLOAD_LIMIT))
    if draw(st.booleans()):
        return signed
    vth = draw(st.sampled_from((1, 40, 300)))
    return replace(signed, vth=vth, v_init=np.asarray(vth << 5, np.int32), bias=np.zeros_like(population.bias))


def _silent(draw: st.DrawFn, population: Population) -> Population:
    """With silent steps, buffered or not, or without; `_separated` bounds them."""
    if not isinstance(population, IF) or population.reset != "subtract" or population.signed:
        return population
    return replace(population, silent=draw(st.sampled_from((0, 1, 3, 99))), buffered=draw(st.booleans()))


def _weights(draw: st.DrawFn, rng: np.random.Generator, shape: Shape) -> Array:
    style = draw(st.sampled_from(WEIGHTS))
    drawn = {
        "even": 2 * rng.integers(-127, 128, shape),
        "small": 2 * rng.integers(-3, 4, shape),
        "extreme": rng.choice([-254, 254], shape),
        "excitatory": rng.integers(0, 256, shape),
        "inhibitory": -rng.integers(0, 256, shape),
        "zero": np.zeros(shape),
    }
    return drawn[style].astype(np.int32)


def _linear(draw: st.DrawFn, rng: np.random.Generator, shape: Shape, *, last: bool) -> LinearMap:
    kind = draw(st.integers(0, 5))
    if kind == 5:
        flat = st.tuples(st.integers(1, 10))
        outputs = draw(flat if last else st.one_of(flat, st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4))))
        return _sparse(draw, rng, shape, outputs)
    if len(shape) != 3 or kind == 4:
        return Dense(_weights(draw, rng, (draw(st.integers(1, 10)), prod(shape))))
    groups = draw(st.sampled_from([g for g in (1, 2, 3, 4) if shape[0] % g == 0]))
    same = draw(st.integers(0, 2)) == 0  # images that keep their size are what skips by convolution need
    geometry = [(3, 1, 1, 1, 1) if same else _axis(draw, size) for size in shape[1:]]
    (kh, sh, dh, top, bottom), (kw, sw, dw, left, right) = geometry
    c_out = groups * draw(st.integers(1, 3))
    weight = _weights(draw, rng, (c_out, shape[0] // groups, kh, kw))
    return Conv(weight, (sh, sw), (top, bottom, left, right), (dh, dw), groups)


def _sparse(draw: st.DrawFn, rng: np.random.Generator, inputs: Shape, outputs: Shape) -> Sparse:
    """Synapses anywhere: from none at all to one for each pair."""
    present = rng.random((prod(outputs), prod(inputs))) < draw(st.sampled_from((0.0, 0.1, 0.4, 1.0)))
    rows, columns = (places.astype(np.int32) for places in np.nonzero(present))
    return Sparse(_weights(draw, rng, (len(rows),)), rows, columns, outputs, inputs)


def _axis(draw: st.DrawFn, size: int, crop: int = 1) -> tuple[int, int, int, int, int]:
    """Kernel size, stride, dilation and padding (before, after) of one axis that leave at least one output."""
    kernel, stride, dilation = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    extent = (kernel - 1) * dilation + 1
    before = draw(st.integers(-min(crop, size - 1), 3))
    after = max(draw(st.integers(-min(crop, size - 1), 3)), extent - size - before)
    if size + min(before, 0) + min(after, 0) < 1:
        after = max(after, 0)
    return kernel, stride, dilation, before, after


def _skip(draw: st.DrawFn, rng: np.random.Generator, source: Shape, target: Shape) -> LinearMap:
    if len(source) == 3 and len(target) == 3 and source[1:] == target[1:]:
        kernel = draw(st.sampled_from((1, 3)))
        return Conv(_weights(draw, rng, (target[0], source[0], kernel, kernel)), padding=(kernel // 2,) * 4)
    if draw(st.booleans()):
        return _sparse(draw, rng, source, target)
    return Dense(_weights(draw, rng, (prod(target), prod(source))))


def _bounded(incoming: list[Connection], populations: list[Population], rng: np.random.Generator) -> list[Connection]:
    """Connections with weights taken out until no shifted sum can reach 2^17; extreme weights stay extreme."""
    maps, by_name = [c.map for c in incoming], {p.name: p for p in populations}
    while True:
        total: Any = 0
        exact: Any = 0
        for connection, linear in zip(incoming, maps, strict=True):
            source = by_name[connection.source]
            size = linear.with_weight(np.abs(linear.weight).astype(np.float64))
            size = size.apply(np.full((1, *source.shape), float(source.largest_message))).ravel()
            total, exact = total + np.ceil(size * 2.0**connection.weight_exp), exact + size
        if total.max() < SUM_LIMIT and exact.max() < EXACT_FLOAT32:
            return [replace(c, map=m) for c, m in zip(incoming, maps, strict=True)]
        maps = [m.with_weight(m.weight * (rng.random(m.weight.shape) < 0.7)) for m in maps]


def _host_connection(source: Input, connection: Connection, rng: np.random.Generator) -> Connection:
    """Weights beyond 8 bits, with the largest exponent for which currents and bias fit into the chip's biases."""
    weight = rng.integers(-3000, 3001, connection.map.weight.shape).astype(np.int32)
    linear = connection.map.with_weight(weight)
    size = linear.with_weight(np.abs(weight).astype(np.float64)).apply(np.full((1, *source.shape), float(source.payload_max)))
    exponent = int(np.floor(np.log2(BIAS_MAX * 0.9 / max(1.0, size.max()))))
    return Connection(connection.source, connection.target, linear, on_host=True, weight_exp=exponent)


def separated(network: Network) -> Network:
    """The same with all steps silent wherever a chip could have them: but for what the host drives; gates count, resets subtract."""
    on_host = {c.target for c in network.connections if c.on_host}
    populations = [replace(p, estimate="count") if isinstance(p, MaxPool) else p for p in network.populations]
    for i, p in enumerate(populations):
        if isinstance(p, IF):
            room = (V_MAX - np.abs(np.asarray(p.v_init, np.int64))) // network.timesteps
            bias = np.asarray(p.bias) if p.name in on_host else np.where(np.abs(p.bias) > room, 0, p.bias).astype(np.int32)
            populations[i] = replace(p, reset="subtract", silent=0 if p.name in on_host else network.timesteps, buffered=False, bias=bias)
    return replace(network, populations=tuple(populations))
