"""From an Ann and its scales to a spiking network, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from loihiconv.ann.graph import Add, Ann, Input, Linear, MaxPool, Relu
from loihiconv.ann.passes.copies import with_copies
from loihiconv.ann.passes.rewrite import identity
from loihiconv.conversion.naming import population_names
from loihiconv.conversion.settings import Settings
from loihiconv.conversion.spiking import check_pooled, rescale, to_spiking
from loihiconv.core.errors import InvalidData, UnsupportedLayer
from loihiconv.core.linear import Conv, Dense, from_matrix
from loihiconv.core.network import IF

ANN = Ann(
    (
        Input("x", shape=(2,)),
        Linear("fc", ("x",), Dense(np.array([[3.0, 6.0]])), np.array([1.5])),
        Relu("relu", ("fc",)),
        Linear("out", ("relu",), Dense(np.array([[4.0], [-2.0]])), np.array([1.0, 0.0])),
    )
)
SCALES = {"x": np.array(2.0), "relu": np.array([3.0]), "out": np.array(8.0)}


def test_weights_and_biases_are_in_units_of_the_scales() -> None:
    """W x 2 / 3 and b / 3; then W x 3 / 8 and b / 8, of which the readout keeps the scale."""
    net = to_spiking(ANN, SCALES, Settings(4, hold_back=0.0, start=0.25))
    assert [c.map.weight.tolist() for c in net.connections] == [[[2, 4]], [[1.5], [-0.75]]]
    hidden = net["fc"]
    assert isinstance(hidden, IF)
    assert (hidden.vth, hidden.v_init.tolist(), hidden.bias.tolist()) == (1.0, [0.25], [0.5])
    assert (net.readout.bias.tolist(), net.readout.scale) == ([0.125, 0], 0.125)


def test_only_neurons_that_spikes_drive_start_lower() -> None:
    """Rate-coded inputs spike: v(0) = start - 1/2, which comes back over T = 4 steps."""
    for coding, v_init, bias in (("analog", 0.5, 0.5), ("rate", 0.0, 0.5 + 0.5 / 4)):
        hidden = to_spiking(ANN, SCALES, Settings(4, hold_back=0.5, start=0.5, input_coding=coding))["fc"]  # type: ignore[arg-type]
        assert isinstance(hidden, IF)
        assert (hidden.v_init.tolist(), hidden.bias.tolist()) == ([v_init], [bias])
    with pytest.raises(InvalidData, match="input: the calibration data holds negative values; a firing rate cannot be negative"):
        to_spiking(ANN, SCALES, Settings(4, input_coding="rate"), signed=["input"])


def test_copies_hold_the_square_of_their_number_less_back() -> None:
    """v(0) = (r + 1/2) / 2 - 1/8 for r = 0, 1."""
    ann = with_copies(ANN, 2)
    hidden = to_spiking(ann, SCALES, Settings(4, hold_back=0.5, start=0.5, input_coding="rate", copies=2), names=population_names(ANN))[
        "fc"
    ]
    assert isinstance(hidden, IF)
    assert (hidden.v_init.tolist(), hidden.bias.tolist()) == ([0.125, 0.625], [0.5 + 0.125 / 4])


def test_sums_become_connections_side_by_side() -> None:
    branch, last = Linear("b", ("relu",), Dense(np.array([[5.0]]))), Linear("out", ("last",), Dense(np.ones((2, 1))))
    skip = Ann((*ANN.nodes[:3], branch, Add("sum", ("relu", "b")), Relu("last", ("sum",)), last))
    net = to_spiking(skip, {**SCALES, "last": np.array([6.0])}, Settings(4))
    assert [(c.source, c.map.apply(np.ones((1, 1))).tolist()) for c in net.incoming("b")] == [("fc", [[0.5]]), ("fc", [[2.5]])]


def test_scales_per_channel_stay_within_their_groups() -> None:
    before, after = np.array([1.0, 2.0, 4.0, 8.0]).reshape(-1, 1, 1), np.array([1.0, 2.0]).reshape(-1, 1, 1)
    conv = Conv(np.ones((2, 2, 1, 1), np.float32), groups=2)
    assert rescale(conv, before, after, (4, 3, 3), (2, 3, 3)).weight[:, :, 0, 0].tolist() == [[1, 2], [2, 4]]
    assert rescale(Dense(np.ones((2, 4))), before[:, 0, 0], after[:, 0, 0], (4,), (2,)).weight.tolist() == [[1, 2, 4, 8], [0.5, 1, 2, 4]]


def test_scales_per_neuron_where_every_synapse_has_its_own_weight() -> None:
    linear = from_matrix(np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]]), (2, 1, 1), (3,))
    scaled = rescale(linear, np.array([1.0, 2.0, 4.0]), np.array([2.0, 3.0]).reshape(2, 1, 1), (3,), (2, 1, 1))
    assert scaled.weight.tolist() == [0.5, 4, 2]
    assert scaled.weight.dtype == np.float32


def test_identities() -> None:
    x = np.arange(8.0).reshape(1, 2, 2, 2)
    np.testing.assert_array_equal(identity((2, 2, 2)).apply(x), x)
    np.testing.assert_array_equal(identity((4,)).apply(x.reshape(2, 4)), x.reshape(2, 4))


def test_only_what_spikes_is_pooled() -> None:
    image = Input("x", shape=(1, 2, 2))
    pool = MaxPool("pool", ("x",), (2, 2), (2, 2))
    with pytest.raises(UnsupportedLayer, match='pool: max-pools analog input; maxpool="gate" compares spikes'):
        check_pooled(Ann((image, pool)))
    check_pooled(Ann((image, pool)), "rate")
    linear = Linear("conv", ("x",), Conv(np.ones((1, 1, 1, 1))))
    with pytest.raises(UnsupportedLayer, match="max-pools what conv gives, which can be negative"):
        check_pooled(Ann((image, linear, MaxPool("pool", ("conv",), (2, 2), (2, 2)))), "rate")
