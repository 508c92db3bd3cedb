"""Products of sparse maps: against the maps themselves, however rows are cut, and in every way that the simulator takes."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from loihiconv.core.linear import Array, Dense, LinearMap, Shape, Sparse, from_matrix
from loihiconv.core.network import Connection, Input, Network, Readout
from loihiconv.simulator import synapses
from loihiconv.simulator.layout import channels_last, sparse_channels_last
from loihiconv.simulator.sparse import ROWS, SparseProduct
from loihiconv.simulator.synapses import Synapses

SHAPES: tuple[Shape, ...] = ((1,), (7,), (70,), (3, 4, 5), (1, 9, 9))


def random(seed: int, outputs: Shape, inputs: Shape, present: float, largest: int = 127) -> Sparse:
    rng = np.random.default_rng(seed)
    matrix = rng.integers(-largest, largest + 1, (prod(outputs), prod(inputs))) * (rng.random((prod(outputs), prod(inputs))) < present)
    return from_matrix(matrix.astype(np.int32), outputs, inputs)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shapes=st.tuples(st.sampled_from(SHAPES), st.sampled_from(SHAPES)),
    rows=st.sampled_from([1, ROWS - 1, ROWS, ROWS + 1, 2 * ROWS + 5]),
    present=st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    payload=st.sampled_from([1, 255]),
)
def test_equals_the_map(seed: int, shapes: tuple[Shape, Shape], rows: int, present: float, payload: int) -> None:
    source, target = shapes
    linear, messages = random(seed, target, source, present), np.random.default_rng(seed).integers(0, payload + 1, (rows, *source))
    expected = channels_last(linear.apply(messages).reshape(rows, *target), target)
    product = SparseProduct(sparse_channels_last(linear, source, target), 64.0)
    flat = channels_last(messages, source)
    for kind in (np.uint8, np.float32):
        np.testing.assert_array_equal(product(torch.from_numpy(flat.astype(kind))).numpy(), expected * 64)


def test_float_sums_do_not_hang_on_how_rows_are_cut() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(40, 200)) * (rng.random((40, 200)) < 0.3)
    product = SparseProduct(from_matrix(matrix.astype(np.float32), (40,), (200,)), 1.0)
    x = torch.from_numpy(rng.random((100, 200)).astype(np.float32))
    whole = product(x)
    np.testing.assert_allclose(whole.numpy(), x.double().numpy() @ matrix.T, rtol=1e-4, atol=1e-5)
    for cut in (1, 31, 33):
        assert torch.equal(torch.cat([product(x[:cut]), product(x[cut:])]), whole)


@pytest.mark.parametrize("largest_matrix", [0, 2**21])
@pytest.mark.parametrize("coding", ["rate", "analog"])
@pytest.mark.parametrize("exponent", [0, -3])
@pytest.mark.parametrize("portable", [False, True])
def test_every_way_gives_the_same(monkeypatch: pytest.MonkeyPatch, largest_matrix: int, coding: str, exponent: int, portable: bool) -> None:
    """Written out as bytes where that is faster, by the kernel, and by torch's operations alone."""
    monkeypatch.setattr(synapses, "MOST_WRITTEN_OUT", largest_matrix)
    source, target = (3, 8, 8), (8, 4, 4)
    linear = random(1, target, source, 0.2)
    messages = np.random.default_rng(2).integers(0, 2, (70, *source))
    expected = np.floor(channels_last(linear.apply(messages), target) * 2.0**exponent) * 64
    spikes = torch.from_numpy(channels_last(messages, source).astype(np.uint8 if coding == "rate" else np.float32))
    for other in (linear, Dense(linear.matrix.toarray())):
        net = network(other, source, target, coding, exponent)
        made = Synapses(net, net.connections[0], torch.device("cpu"), portable=portable)
        np.testing.assert_array_equal(made(spikes).numpy(), expected)


def network(linear: LinearMap, source: Shape, target: Shape, coding: str, exponent: int) -> Network:
    zero: Array = np.zeros(1, np.int32)
    populations = Input("input", source, coding, payload_max=255), Readout("readout", target, zero, zero)  # type: ignore[arg-type]
    return Network(populations, (Connection("input", "readout", linear, weight_exp=exponent),), 4, fixed_point=True)
