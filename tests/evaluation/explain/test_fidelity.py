"""What is said of weights and biases, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.core.linear import Array, Sparse
from loihiconv.demo import digits_cnn
from loihiconv.evaluation.explain.fidelity import bias_fidelity, weight_fidelity
from loihiconv.evaluation.explain.reference import read_reference, same_weights
from tests.evaluation.good import changed, converted, hidden, rewired


def test_good_weights_differ_by_rounding_alone() -> None:
    net = converted()
    assert net.origin is not None
    found = weight_fidelity(net, read_reference(digits_cnn(), net.origin))
    assert [f.between for f in found] == [f"connection {c.name}" for c in net.connections]
    for f in found:
        assert f.rounded
        assert (f.dead, f.permuted) == (False, "")
        assert f.error < 0.05
        assert 6 <= f.bits <= 8


@pytest.mark.parametrize(("axis", "permuted"), [(0, "outputs"), (1, "inputs")])
def test_another_order_is_seen(axis: int, permuted: str) -> None:
    net = converted()
    assert net.origin is not None
    (connection,) = net.incoming(hidden(net, 2).name)
    turned = rewired(net, connection, np.flip(connection.map.weight, axis).copy())
    found = {f.population: f for f in weight_fidelity(turned, read_reference(digits_cnn(), net.origin))}
    assert found[connection.target].permuted == permuted
    assert not found[connection.target].rounded


def test_biases_that_stop_short_are_counted() -> None:
    net = converted(input_coding="rate")
    assert all(b.cut == 0 for b in bias_fidelity(net))
    population = hidden(net, 1)
    limit = int(np.abs(population.bias).max()) // 4
    cut = changed(net, population.name, bias=np.clip(population.bias, -limit, limit))
    (found,) = (b for b in bias_fidelity(cut) if b.population == population.name)
    assert (found.values, found.largest) == (population.bias.size, limit)
    assert 1 <= found.cut <= (np.abs(population.bias) > limit).sum()
    assert found.wanted > limit
    assert bias_fidelity(replace(net, origin=None)) == ()


def averaged() -> nn.Module:
    """A convolution and an average pooling whose padding keeps them from being one convolution."""
    torch.manual_seed(0)
    layers = nn.Conv2d(1, 3, 3, padding=1), nn.AvgPool2d(3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(48, 4)
    return nn.Sequential(*layers).eval()


@pytest.mark.parametrize("board", ["kapoho_point", "nahuku8"])
def test_sparse_maps_have_a_counterpart_in_the_model(board: str) -> None:
    model, x = averaged(), torch.rand(80, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    net = lc.convert(model, x, board=board, timesteps=16)
    assert net.origin is not None
    connection, reference = net.connections[0], read_reference(model, net.origin)
    assert isinstance(connection.map, Sparse)
    assert reference.expected is not None
    assert same_weights(net.origin.connections[0], reference.expected.connections[0])
    found = weight_fidelity(net, reference)[0]
    assert found.rounded
    assert (found.dead, found.permuted) == (False, "")
    assert found.error < 0.05
    turned = rewired(net, connection, _within_rows(connection.map))
    assert weight_fidelity(turned, reference)[0].permuted == "inputs"


def _within_rows(linear: Sparse) -> Array:
    """Each row's weights in reverse."""
    return linear.weight[np.lexsort((-linear.columns, linear.rows))]
