"""Random float networks, quantized for any board with any input coding: what `tests.strategies` does not draw.

Purely linear networks, two branches from one source, weights of one sign and thresholds of every board's format are among them.
"""

from __future__ import annotations

from functools import cache
from math import prod

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from loihiconv.conversion.quantization import quantize
from loihiconv.core.errors import LimitExceeded
from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Shape
from loihiconv.core.network import IF, Connection, Input, Network, Population, Readout
from loihiconv.hardware.board import Board, boards
from tests.strategies import Case


@cache
def _boards() -> tuple[Board, ...]:
    return tuple(boards().values())


@st.composite
def float_networks(draw: st.DrawFn, *, max_hidden: int = 2) -> Network:
    """Chains of up to ``max_hidden`` layers, each of one or two branches, in float with thresholds of 1."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape: Shape = draw(st.sampled_from(((5,), (2, 4, 3))))
    coding = draw(st.sampled_from(("analog", "analog", "rate", "poisson")))
    signed = coding == "analog" and draw(st.booleans())
    populations: list[Population] = [Input("input", shape, coding, scale=draw(st.sampled_from((1.0, 255.0))), signed=signed)]
    connections: list[Connection] = []
    hidden = draw(st.integers(0, max_hidden))
    for layer in range(hidden + 1):
        last, source = layer == hidden, populations[-1]
        name = "readout" if last else f"layer{layer}"
        branches = _branches(draw, rng, source.shape, dense=last or len(source.shape) == 1)
        target = branches[0].output_shape(source.shape)
        size = 10.0 ** draw(st.floats(-3, 0.5))
        bias = rng.uniform(-size, size, (target[0], *(1,) * (len(target) - 1))).astype(np.float32)
        start = np.float32(draw(st.sampled_from((0.0, 0.5))))
        kind: Population = Readout(name, target, np.asarray(start * 0), bias) if last else IF(name, target, 1.0, np.asarray(start), bias)
        populations.append(kind)
        connections += [Connection(source.name, name, branch) for branch in branches]
    return Network(tuple(populations), tuple(connections), draw(st.integers(1, 12)))


def _branches(draw: st.DrawFn, rng: np.random.Generator, shape: Shape, *, dense: bool) -> list[LinearMap]:
    """One connection or two, of the same output shape."""
    outputs, count = draw(st.integers(1, 4)), draw(st.integers(1, 2))
    if dense:
        return [Dense(_weights(draw, rng, (outputs, prod(shape)))) for _ in range(count)]
    kernels = ((3, 1), (1, 0))[:count]
    return [Conv(_weights(draw, rng, (outputs, shape[0], k, k)), padding=(pad,) * 4) for k, pad in kernels]


def _weights(draw: st.DrawFn, rng: np.random.Generator, shape: Shape) -> Array:
    weight = rng.normal(0, 10.0 ** draw(st.floats(-2, 1)), shape)
    sign = draw(st.sampled_from(("mixed", "mixed", "positive", "negative")))
    return np.asarray(weight if sign == "mixed" else np.abs(weight) if sign == "positive" else -np.abs(weight)).astype(np.float32)


@st.composite
def boarded(draw: st.DrawFn) -> tuple[Board, Case]:
    """A board, and a network quantized for it with samples, some of them beyond the calibrated range."""
    board, network = draw(st.sampled_from(_boards())), draw(float_networks())
    try:
        quantized = quantize(network, board)
    except LimitExceeded:  # weights or biases too far apart
        assume(False)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    low = -1.5 if network.input.signed else -0.2
    return board, Case(quantized, (rng.uniform(low, 1.5, (2, *network.input.shape)) * network.input.scale).astype(np.float32))
