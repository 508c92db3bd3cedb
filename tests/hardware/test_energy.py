from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loihiconv.core.errors import InvalidData, LimitExceeded
from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import IF, Connection, Input, Network, Readout
from loihiconv.hardware.counts import distance
from loihiconv.hardware.demand import Demand
from loihiconv.hardware.energy import estimate
from loihiconv.hardware.measurements import NXTF_MNIST, PILOTNET_LIF
from loihiconv.hardware.place import place
from loihiconv.hardware.placement import Placement
from loihiconv.hardware.region import Region
from loihiconv.simulator.engine import simulate
from tests.hardware import tables
from tests.hardware.nets import mnist_cnn


def network(board: str = "nahuku8") -> Network:
    """4 inputs, 4 neurons that spike at each step, a 2x2 image of them, a readout: counts that can be worked out by hand."""
    zero = np.array([0])
    populations = (
        Input("input", (1, 2, 2), payload_max=255),
        IF("a", (1, 2, 2), 1, zero, np.array([64 * 2])),
        IF("b", (2, 2, 2), 255, zero, zero),
        Readout("out", (3,), zero, zero),
    )
    connections = (
        Connection("input", "a", Conv(np.zeros((1, 1, 1, 1), int)), on_host=True),
        Connection("a", "b", Conv(np.full((2, 1, 3, 3), 2), padding=(1, 1, 1, 1))),
        Connection("b", "out", Dense(np.full((3, 8), 2))),
    )
    return Network(populations, connections, 10, fixed_point=True, board=board)


def test_counts_worked_out_by_hand():
    net = network()
    recording = simulate(net, np.ones((3, 1, 2, 2), np.float32))
    assert recording.spike_counts["a"].sum() == 3 * 4 * 10
    estimated = estimate(net, recording, place(net))
    counts = estimated.counts
    assert recording.spike_counts["b"].sum() == 0
    assert counts.spikes == 40
    # each spike of a reaches all 8 neurons of b, none of which spikes
    assert counts.synaptic_operations == recording.synaptic_operations == 40 * 8
    assert counts.messages == 40
    assert counts.updates == 10 * (4 * 2 + 8 * 2 + 3)
    high = 320 * 35.5 + 270 * 81 + 40 * 69.3 + 40 * 111
    assert estimated.joules == pytest.approx((1e-12 * (320 * 23.6 + 270 * 52 + 40 * 1.7), 1e-12 * high))
    high = 320 * 4.7 + 270 * 9.7 + 40 * (30 + 16 + 5.1) + 10 * 1800
    assert estimated.seconds == pytest.approx((1e-9 * (320 * 3.1 + 270 * 5.3 + 10 * 113), 1e-9 * high))
    assert estimated.parts is not None
    assert set(estimated.parts) == {"synaptic operations", "neuron updates", "spikes", "spike messages", "hops"}
    assert "neuron cores only" in estimated.label


def test_messages_travel_from_core_to_core():
    net = network()
    placement = place(net)
    moved = {"a": 0, "b": 4 * 9, "out": 128}  # b one row down and one tile to the right; the readout on the next chip
    layers = tuple(replace(y, slices=tuple(replace(s, core=moved[y.name]) for s in y.slices)) for y in placement.layers)
    spread = Placement(placement.board, layers, placement.bounds)
    recording = simulate(net, np.ones((1, 1, 2, 2), np.float32))
    busy = replace(recording, spike_counts={"a": recording.spike_counts["a"], "b": np.ones((1, 2, 2, 2), int)})
    counts = estimate(net, busy, spread).counts
    assert (counts.hops_east_west, counts.hops_north_south, counts.chip_crossings) == (40, 40, 8)
    assert distance(0, 127) == (7, 3)


def test_each_slice_is_sent_a_message_and_the_slowest_core_sets_the_pace():
    net = network()
    whole = place(net)
    halves = [replace(whole["b"].slices[0], core=1 + i, region=Region((i, i + 1), (0, 2), (0, 2)), demand=Demand(8)) for i in (0, 1)]
    slices = {"a": whole["a"].slices, "b": tuple(halves), "out": (replace(whole["out"].slices[0], core=3),)}
    cut = Placement(whole.board, tuple(replace(layer, slices=slices[layer.name]) for layer in whole.layers), whole.bounds)
    recording = simulate(net, np.ones((1, 1, 2, 2), np.float32))
    busy = replace(recording, spike_counts={"a": recording.spike_counts["a"], "b": np.ones((1, 2, 2, 2), int)})
    estimated = estimate(net, busy, cut)
    assert (estimated.counts.spikes, estimated.counts.messages) == (48, 2 * 40 + 8)
    assert estimated.parts is not None
    assert estimated.parts["spikes"] == pytest.approx((0, 48 * 69.3e-12))
    of_first = 40 * 30 + 80 * 5.1 + 10 * 8 * 9.7  # it computes nothing, yet sends 80 messages
    of_half = 160 * 4.7 + 4 * 30 + 40 * 16 + 4 * 5.1 + 10 * 8 * 9.7
    assert estimated.seconds[1] == pytest.approx(1e-9 * (max(of_first, of_half) + 10 * 1800))


def test_operations_per_core_add_up():
    net = network()
    recording = simulate(net, np.ones((2, 1, 2, 2), np.float32))
    assert estimate(net, recording, place(net)).counts.busiest_core * 10 == recording.synaptic_operations


def test_loihi_2_gets_an_order_of_magnitude_either_way_of_the_one_measurement():
    net = network("kapoho_point")
    estimated = estimate(net, simulate(net, np.ones((1, 1, 2, 2), np.float32)), place(net))
    assert estimated.counts.synaptic_operations == 320
    assert (estimated.parts, estimated.measurement, estimated.yardstick) == (None, None, PILOTNET_LIF)
    per_update = 1 / (158_509 * 16)
    assert estimated.joules == pytest.approx((150 * per_update * 1.093544e-4, 150 * per_update * 1.661103e-2))
    step = 1 / 408.91 / 16 * 8 / 3168  # 8 neurons on the fullest core
    assert estimated.seconds == pytest.approx((step * 10 / 10, step * 10 * 10))
    assert estimated.to_json()["yardstick"]["joules"] == 1.661103e-3


@pytest.mark.parametrize("coding", ["analog", "rate", "poisson"])
def test_the_measurement_stands_beside_the_network_that_it_is_of_however_its_input_is_coded(coding: str):
    net = mnist_cnn()
    first, *others = net.connections
    on_host = coding == "analog"
    populations = (replace(net.input, coding=coding, payload_max=255), *net.populations[1:])
    net = replace(net, populations=populations, connections=(replace(first, on_host=on_host), *others))
    counts = {p.name: np.zeros((1, *p.shape)) for p in net.populations if p.spiking}
    recording = replace(simulate(network(), np.ones((1, 1, 2, 2), np.float32)), spike_counts=counts, synaptic_operations=0.0)
    assert estimate(net, recording, place(net, "nahuku32")).measurement is NXTF_MNIST
    assert estimate(net, recording, place(net, "kapoho_point")).measurement is None


def test_pilotnet_lies_within_the_range_that_it_is_the_yardstick_of():
    net = tables.network(tables.PILOTNET_SNN, "rate")
    counts = {p.name: np.zeros((1, *p.shape)) for p in net.populations if p.spiking}
    recording = replace(simulate(network(), np.ones((1, 1, 2, 2), np.float32)), spike_counts=counts, synaptic_operations=0.0, timesteps=16)
    estimated = estimate(net, recording, place(net))
    assert estimated.measurement is PILOTNET_LIF
    assert estimated.joules == pytest.approx((1.093544e-4, 1.661103e-2))
    assert estimated.seconds == pytest.approx((PILOTNET_LIF.seconds / 10, PILOTNET_LIF.seconds * 10))


def test_without_spike_counts_there_is_nothing_to_count():
    net = network()
    with pytest.raises(InvalidData, match="spike counts"):
        estimate(net, simulate(net, np.ones((1, 1, 2, 2), np.float32), counts=False), place(net))


@pytest.mark.parametrize("board", ["nahuku8", "kapoho_point"])
def test_what_fits_no_core_has_no_estimate(board: str) -> None:
    net = network(board)
    placement = place(net)
    nowhere = replace(placement, layers=tuple(replace(layer, slices=()) for layer in placement.layers))
    with pytest.raises(LimitExceeded, match="nothing of the network fits a core"):
        estimate(net, simulate(net, np.zeros((1, 1, 2, 2))), nowhere)
