"""What a realization costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loihiconv.backends.cost import SAMPLES, measure_cost
from loihiconv.core.ending import Pointwise
from loihiconv.core.errors import InvalidData
from loihiconv.core.linear import Dense
from loihiconv.core.network import Connection
from loihiconv.core.record import RealizationRecord
from loihiconv.simulator import simulate
from tests.lava.small import chain


def test_by_hand() -> None:
    """The second network's classes are exchanged."""
    net = chain()
    other = replace(
        net, connections=(net.connections[0], Connection("hidden", "readout", Dense(net.connections[1].map.weight[::-1].copy())))
    )
    record = RealizationRecord("netx", quantized_again=True, ratio=3.0, corrected=True)
    other = replace(other, record=replace(other.record, realization=record))
    x = np.full((4, 4), 255.0)
    cost = measure_cost(net, other, x, np.array([0, 0, 0, 1]))
    assert (cost.samples, cost.agreement, cost.before, cost.after, cost.ratio) == (4, 0.0, 0.75, 0.25, 3.0)
    assert str(cost) == (
        "reset to zero, at a ratio of 3 of threshold to input, with biases corrected for it: "
        "25.00\u00a0% of 4 samples are right, 75.00\u00a0% were before (emulator)"
    )
    unlabelled = measure_cost(net, net, np.full((SAMPLES + 5, 4), 255.0), None)
    assert (unlabelled.samples, unlabelled.before, unlabelled.after) == (SAMPLES, None, None)
    assert str(unlabelled) == "as it was converted: 100.00\u00a0% of 500 samples get the class that they had"


def test_labels_of_any_form() -> None:
    """Classes are 1 in every sample: as one-hot rows and as names they count, numbers and several labels are none."""
    net, x = chain(), np.full((4, 4), 255.0)
    assert (
        measure_cost(net, net, x, np.eye(2)[[0, 0, 0, 1]]).before
        == measure_cost(net, net, x, np.array([[0], [0], [0], [1]])).before
        == 0.75
    )
    with pytest.warns(UserWarning, match="names"):
        assert measure_cost(net, net, x, np.array(["a", "a", "a", "b"])).before == 0.75
    for y in (np.ones((4, 2)), np.full(4, 0.5), np.zeros((4, 3, 3))):
        cost = measure_cost(net, net, x, y)
        assert (cost.agreement, cost.before, cost.after, cost.deviation) == (None, None, None, 0.0)
    with pytest.raises(InvalidData, match="3 labels for 4 samples"):
        measure_cost(net, net, x, np.zeros(3))
    with pytest.raises(InvalidData, match="1 labels for 4 samples"):
        measure_cost(net, net, x, np.array(5))


def test_yes_or_no_from_one_output() -> None:
    """Half of the samples push the only output above 0; with labels that say so it is judged by its sign."""
    net = chain()
    one = Connection("hidden", "readout", Dense(net.connections[1].map.weight[:1].copy()))
    net = replace(net, populations=(*net.populations[:2], replace(net.readout, shape=(1,))), connections=(net.connections[0], one))
    x = np.array([[255.0] * 4, [0.0] * 4] * 2)
    yes = simulate(net, x).predictions
    assert set(yes.tolist()) == {0, 1}
    for y in (yes, yes.astype(bool), 2.0 * yes[:, None] - 1):
        cost = measure_cost(net, net, x, y)
        assert (cost.before, cost.after, cost.agreement) == (1.0, 1.0, 1.0)
    for y in (None, np.array([0.5, 1, 2, 3])):
        assert measure_cost(net, net, x, y).agreement is None


def test_outputs_that_are_no_classes() -> None:
    """With a function each, outputs are told by how far they move: to each other's place, by twice the distance to their mean."""
    net, x = chain(), np.full((4, 4), 255.0)
    net = replace(net, populations=(*net.populations[:2], replace(net.readout, ending=(Pointwise("softsign"),))))
    weight = net.connections[1].map.weight[::-1].copy()
    other = replace(net, connections=(net.connections[0], Connection("hidden", "readout", Dense(weight))))
    cost = measure_cost(net, other, x, None)
    assert cost.agreement is None
    assert cost.deviation == pytest.approx(2.0)
    assert str(cost).endswith("outputs of 4 samples change by 200.00\u00a0% of their spread (RMS, emulator)")


def test_what_saturates_is_said() -> None:
    """-100 x 255 x 4 x 64 a step: two steps to the lower end."""
    net = chain(weight=-100)
    small, x = chain(weight=2), np.full((3, 4), 255.0)
    cost = measure_cost(small, net, x, None)
    (said,) = cost.saturated
    assert said.startswith("hidden: hidden potentials of 3 of 3 samples")
    assert measure_cost(net, small, x, None).saturated == ()
