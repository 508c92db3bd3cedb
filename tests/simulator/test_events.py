"""Sums driven by events: against the maps themselves, at the edge of int16, and in whole networks against torch's operations alone."""

from __future__ import annotations

from itertools import pairwise
from math import prod

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Shape, from_matrix, sparse
from loihiconv.core.network import IF, Connection, Input, Network, Population, Readout
from loihiconv.simulator import crossover, events, memory, simulate
from loihiconv.simulator.crossover import Costs
from loihiconv.simulator.depthwise import EXACT_INT16
from loihiconv.simulator.events import EventSums, Incoming
from loihiconv.simulator.kernels import Kernels
from loihiconv.simulator.layout import channels_last
from tests.simulator.nets import check_equal
from tests.strategies import Case, cases

RECORDS = ("spikes", "potentials", "residuals")


def summed(incoming: list[tuple[Incoming, Array]], target: Shape, shift: int = 6) -> tuple[Array, torch.dtype]:
    """Sums of spikes (rows, \\*source shape) per connection, in units of v."""
    sums = EventSums([c for c, _ in incoming], target, shift)
    rows = len(incoming[0][1])
    out = torch.full((rows, prod(target)), 99).to(sums.kind)
    spikes = [torch.from_numpy(channels_last(s, c.source)) for c, s in incoming]
    sums.by_rows(spikes, out)(0, rows)
    return out.to(torch.float64).numpy() * 2.0**sums.shift, sums.kind


@pytest.mark.parametrize("payload", [1, 3])
@pytest.mark.parametrize("largest", [2, 251])  # sums in int16, and in int32
@pytest.mark.parametrize("shapes", [((6, 3, 3), (16, 3, 3)), ((20,), (30,)), ((4, 5, 5), (9,))])
def test_sparse_maps_equal_themselves(shapes: tuple[Shape, Shape], largest: int, payload: int) -> None:
    """Runs of neurons that follow each other, of any length, from inputs of which some reach none."""
    (source, target), rng = shapes, np.random.default_rng(0)
    written_out = rng.integers(-largest, largest + 1, (prod(target), prod(source)))
    written_out = np.repeat(written_out, 40, axis=1)[:, : prod(source)] * (rng.random(written_out.shape) < 0.7)
    written_out[:, ::3] = 0
    linear = from_matrix(written_out.astype(np.int32), target, source)
    spikes = rng.integers(0, payload + 1, (9, *source)).astype(np.uint8)
    incoming = [(Incoming(linear, source, payload), spikes), (Incoming(Dense(written_out.astype(np.int32)), source, payload), spikes)]
    sums, kind = summed(incoming, target)
    assert kind == (torch.int16 if largest == 2 else torch.int32)
    np.testing.assert_array_equal(sums, expected(incoming, target))


def test_events_drive_sparse_maps_whose_runs_are_long() -> None:
    channels = np.ones((16, 16), np.int32)
    mixing = sparse(Conv(channels[:, :, None, None]), (16, 2, 2))
    assert EventSums.fits(mixing, (16, 2, 2), (16, 2, 2))
    assert not EventSums.fits(sparse(Conv(np.ones((16, 1, 1, 1), np.int32), groups=16), (16, 2, 2)), (16, 2, 2), (16, 2, 2))
    assert not EventSums.fits(from_matrix(np.zeros((9, 9), np.int32), (9,), (9,)), (9,), (9,))


def expected(incoming: list[tuple[Incoming, Array]], target: Shape) -> Array:
    return sum(channels_last(c.map.apply(s.astype(np.int64)).reshape(len(s), *target), target) for c, s in incoming) * 64


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    groups=st.sampled_from([1, 1, 2, 3]),
    channels=st.tuples(st.sampled_from([1, 3, 8, 70]), st.sampled_from([1, 5, 8, 33, 40])),
    kernel=st.tuples(*[st.integers(1, 4)] * 2),
    stride=st.tuples(*[st.integers(1, 3)] * 2),
    dilation=st.tuples(*[st.integers(1, 2)] * 2),
    padding=st.tuples(*[st.integers(-1, 4)] * 4),
    payload=st.sampled_from([1, 1, 3, 255]),
    dense=st.booleans(),
)
def test_equals_the_maps(
    seed: int,
    groups: int,
    channels: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: tuple[int, int, int, int],
    payload: int,
    dense: bool,
) -> None:
    rng = np.random.default_rng(seed)
    source, limit = (channels[0] * groups, 6, 5), int(rng.choice([2, 60, 255]))
    weight = rng.integers(-limit, limit + 1, (channels[1] * groups, channels[0], *kernel)).astype(np.int32) * int(rng.choice([1, 2]))
    linear: LinearMap = Conv(weight.clip(-255, 255), stride, padding, dilation, groups)
    try:
        target = linear.output_shape(source)
    except ValueError:
        assume(False)
    incoming = [linear]
    if dense:
        incoming.append(Dense(rng.integers(-limit, limit + 1, (prod(target), prod(source))).astype(np.int32)))
    rate = rng.choice([0.02, 0.2, 1.0])
    spikes = (rng.integers(1, payload + 1, (3, *source)) * (rng.random((3, *source)) < rate)).astype(np.uint8)
    pairs = [(Incoming(map, source, payload), spikes) for map in incoming]
    np.testing.assert_array_equal(summed(pairs, target)[0], expected(pairs, target))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("payload", [1, 7])
def test_exact_up_to_the_largest_int16(sign: int, payload: int) -> None:
    """All inputs send their largest payload: 7 * 4681 = 2^15 - 1, and one weight more."""
    whole, rest = divmod(EXACT_INT16 // payload, 127)
    row = np.array([*[127] * whole, rest, 0], np.int32)
    assert row.sum() * payload == EXACT_INT16
    for extra, kind in ((0, torch.int16), (1, torch.int32)):
        row[-1] = extra
        linear = Dense(np.tile(2 * sign * row, (8, 1)))
        pair = [(Incoming(linear, row.shape, payload), np.full((2, len(row)), payload, np.uint8))]
        sums, used = summed(pair, (8,))
        assert used == kind
        np.testing.assert_array_equal(sums, expected(pair, (8,)))


def test_halves_weights_only_if_all_connections_are_even() -> None:
    rng = np.random.default_rng(0)
    even, odd = (Dense((rng.integers(-60, 60, (9, 20)) * 2 + one).astype(np.int32)) for one in (0, 1))
    spikes = rng.integers(0, 2, (4, 20)).astype(np.uint8)
    for maps, shift in (((even, even), 7), ((odd, odd), 6), ((even, odd), 6)):
        pairs = [(Incoming(m, (20,), 1), spikes) for m in maps]
        assert EventSums([c for c, _ in pairs], (9,), 6).shift == shift
        np.testing.assert_array_equal(summed(pairs, (9,))[0], expected(pairs, (9,)))


@pytest.mark.parametrize("favoured", [True, False])
@settings(max_examples=60, deadline=None)
@given(case=cases(max_timesteps=9))
def test_networks_give_the_same_either_way(favoured: bool, case: Case) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events, "FEWEST_OUTPUTS", 1)
        patch.setattr(Costs, "favour_events", lambda *_: favoured)
        patch.setattr("loihiconv.simulator.kernels.costs", lambda *_: Costs(0, 0))
        found = simulate(case.network, case.x, record=RECORDS)
    check_equal(found, simulate(case.network, case.x, record=RECORDS, portable=True))


def chain(fixed_point: bool) -> Network:
    """Two convolutions of 16 channels and a dense layer."""
    rng = np.random.default_rng(0)
    maps: list[LinearMap] = [
        Conv(rng.normal(0, 0.5, (16, 2, 3, 3)), padding=(1,) * 4),
        Conv(rng.normal(0, 0.2, (16, 16, 3, 3)), padding=(1,) * 4),
        Dense(rng.normal(0, 0.2, (3, 16 * 48))),
    ]
    unit = 64 if fixed_point else 1
    populations: list[Population] = [Input("input", (2, 6, 8), "rate", payload_max=15 if fixed_point else 0)]
    for i, linear in enumerate(maps):
        shape = linear.output_shape(populations[-1].shape)
        zero = np.zeros((1,) * len(shape), np.int32 if fixed_point else np.float32)
        populations.append(Readout("readout", shape, zero, zero) if i == 2 else IF(f"layer{i}", shape, unit, zero, zero))
    kind = np.int32 if fixed_point else np.float32
    maps = [m.with_weight((m.weight * unit).astype(kind)) for m in maps]
    connections = [Connection(a.name, b.name, m) for (a, b), m in zip(pairwise(populations), maps, strict=True)]
    return Network(tuple(populations), tuple(connections), 8, fixed_point=fixed_point)


def test_float_networks_do_not_hang_on_how_they_are_cut() -> None:
    """Bit for bit, though floating-point sums depend on their order."""
    network, x = chain(fixed_point=False), np.random.default_rng(1).random((5, 2, 6, 8)).astype(np.float32)
    assert set(Kernels(network, torch.device("cpu"), portable=False).events) == {"layer0", "layer1"}
    whole = simulate(network, x, record=RECORDS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "plan", lambda net, *_, **__: memory.Blocks(2, net.timesteps if net.silent_steps else 3))
        patch.setattr(memory, "SMALL_BLOCK_BYTES", 1)
        cut = simulate(network, x, record=RECORDS)
    check_equal(whole, cut)


def test_what_is_faster_is_timed_once_and_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    network, timed = chain(fixed_point=True), []
    kernels = Kernels(network, torch.device("cpu"), portable=False)
    monkeypatch.setattr(crossover, "_known", {})
    monkeypatch.setattr(crossover, "_measure", lambda *_: timed.append(1) or Costs(row=1.0, spike=0.1))
    few, many = (torch.zeros((40, 96 * 8), dtype=torch.uint8) for _ in range(2))
    few[:, :9], many[:, :11] = 1, 1
    assert kernels.by_events("layer1", [few])
    assert not kernels.by_events("layer1", [many])
    assert len(timed) == 1
    assert not kernels.by_events("readout", [few])
