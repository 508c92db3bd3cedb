from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from loihiconv.core.fixed_point import BIAS_MAX
from loihiconv.core.linear import Array, Conv, Dense
from loihiconv.core.network import IF, V_MAX, Connection, Input, MaxPool, Network, Readout
from loihiconv.hardware.board import load_board
from loihiconv.hardware.board_fields import Limit
from loihiconv.hardware.limits import Violation, network_violations
from loihiconv.hardware.place import place

LOIHI1 = load_board("nahuku8")
LOIHI2 = load_board("kapoho_point")


def network(weight: Array | None = None, *, vth: int = 510, bias: int = 0, v_init: int = 0, signed: bool = False, **host: bool) -> Network:
    weight = np.array([[2, -4], [6, 8]]) if weight is None else weight
    hidden = IF("hidden", (len(weight),), vth, np.array([v_init]), np.array([bias]))
    readout = Readout("readout", (2,), np.array([0]), np.array([0]))
    first = Connection("input", "hidden", Dense(np.ones((len(weight), 2), int) * 2), on_host=host.get("on_host", True))
    middle = IF("middle", (2,), 510, np.array([0]), np.array([0]))
    return Network(
        (Input("input", (2,), payload_max=255, signed=signed), replace(hidden), middle, readout),
        (first, Connection("hidden", "middle", Dense(weight.T)), Connection("middle", "readout", Dense(np.full((2, 2), 2)))),
        16,
        fixed_point=True,
        board="nahuku8",
    )


def found(net: Network, board=LOIHI1) -> list[tuple[str, str, int, int, bool]]:
    return [(v.layer, v.quantity, v.value, v.limit, v.certain) for v in network_violations(net, board)]


def test_a_network_within_all_limits():
    assert found(network()) == []
    assert place(network()).violations == ()


@pytest.mark.parametrize("vth", [1, 255, 256, 255 << 7, 510, 3 << 13 - 1])
def test_thresholds_that_loihi_1_can_hold(vth: int):
    assert found(network(vth=vth)) == []


@pytest.mark.parametrize(("vth", "bits"), [(257, 9), (511, 9), (255 << 8, 9), (32641, 15)])
def test_thresholds_that_it_cannot(vth: int, bits: int):
    assert found(network(vth=vth)) == [("hidden", "vth_mantissa_bits", bits, 8, True)]
    assert found(network(vth=vth), LOIHI2) == []


def test_weights():
    assert found(network(np.array([[2, -300], [6, 8]]))) == [("hidden->middle", "weight_bits", 10, 8, True)]
    assert found(network(np.array([[3, -5], [6, 8]]))) == [("hidden->middle", "weights that are no multiples of 2", 2, 0, True)]
    assert found(network(np.array([[3, 5], [255, 8]]))) == []
    assert found(network(np.array([[3, 5], [256, 8]]))) == [("hidden->middle", "weight_bits", 9, 8, True)]
    assert found(network(np.array([[-2, 4], [254, -254]]))) == []
    assert found(network(np.array([[-2, 4], [256, -2]]))) == [("hidden->middle", "weight_bits", 10, 8, True)]


@pytest.mark.parametrize("bits", [4, 8])
def test_what_leads_to_gates_is_no_weight_of_a_chip(bits: int):
    ones = Conv(np.ones((2, 1, 2, 2), int), (2, 2), groups=2)
    first = Connection("input", "hidden", Conv(np.full((2, 2, 1, 1), 32)))
    last = Connection("pool", "readout", Dense(np.full((3, 8), 32)))
    populations = (
        Input("input", (2, 4, 4), "rate", payload_max=1),
        IF("hidden", (2, 4, 4), 510, np.array([0]), np.array([0])),
        MaxPool("pool", (2, 2, 2)),
        Readout("readout", (3,), np.array([0]), np.array([0])),
    )
    net = Network(populations, (first, Connection("hidden", "pool", ones), last), 16, fixed_point=True, board="kapoho_point")
    board = LOIHI2.model_copy(update={"weight_bits": Limit(value=bits, source="a test")})
    assert [quantity for _, quantity, *_ in found(net, board)] == ["max_pooling"]


def test_biases_and_start_potentials():
    assert found(network(bias=BIAS_MAX)) == []
    assert found(network(bias=BIAS_MAX, on_host=False), LOIHI2) == []
    assert found(network(bias=BIAS_MAX + 1, on_host=False), LOIHI2) == [("hidden", "bias", BIAS_MAX + 1, BIAS_MAX, True)]
    assert found(network(bias=BIAS_MAX + 1)) == []  # the host adds it to its sum, and cuts that
    assert found(network(v_init=V_MAX)) == []
    assert found(network(v_init=V_MAX + 1)) == [("hidden", "v_init", V_MAX + 1, V_MAX, True)]


def test_payloads_need_graded_spikes():
    assert found(network(on_host=False)) == [("input->hidden", "graded_spike_bits", 8, 0, True)]
    assert found(network(on_host=False, signed=True), LOIHI2) == []
    for bits, signed, fits in ((8, False, True), (8, True, False), (9, True, True), (7, False, False)):
        board = LOIHI2.model_copy(update={"graded_spike_bits": Limit(value=bits, source="a test")})
        expected = [] if fits else [("input->hidden", "graded_spike_bits", 8 + signed, bits, True)]
        assert found(network(on_host=False, signed=signed), board) == expected


def test_long_skips():
    layers = [IF(f"h{i}", (1,), 2, np.array([0]), np.array([0])) for i in range(66)]
    populations = (Input("input", (1,), "rate", payload_max=255), *layers, Readout("readout", (1,), np.array([0]), np.array([0])))
    names = [p.name for p in populations]
    chain = [Connection(a, b, Dense(np.ones((1, 1), int))) for a, b in pairwise(names)]
    net = Network(populations, (*chain, Connection("h0", "readout", Dense(np.ones((1, 1), int)))), 4, fixed_point=True, board="nahuku8")
    assert found(net) == [("h0->readout", "max_delay", 65, 62, True)]
    for name, expected in (("h2", [("h2->readout", "max_delay", 63, 62, True)]), ("h3", [])):
        assert found(replace(net, connections=(*chain, Connection(name, "readout", Dense(np.ones((1, 1), int)))))) == expected


def test_sums_beyond_the_stricter_accumulator_are_a_warning_with_its_source():
    exact = np.array([[255] * 128 + [127]] * 2).T
    assert found(network(exact)) == []  # 2^15 - 1
    assert found(network(exact + (exact == 127))) == [("middle", "sum of weights per step", 2**15, 2**15 - 1, False)]
    weight = np.full((200, 2), 254)
    warning = network_violations(network(weight), LOIHI1)
    assert [(v.layer, v.value, v.limit, v.certain) for v in warning] == [("middle", 200 * 254, 2**15 - 1, False)]
    assert "NxTF" in warning[0].source
    assert "uncertain" in str(warning[0])


def test_limits_are_overridden_by_a_file(tmp_path: Path):
    board = tmp_path / "mine.yaml"
    board.write_text(
        "extends: loihi1\nname: mine\ntitle: Mine\nchips: {value: 1, source: ours}\naccumulator_bits: {value: 22, source: ours}\n"
    )
    assert found(network(np.full((200, 2), 254)), load_board(board)) == []


def test_violations_read_well():
    violation = Violation("conv1", "synapse_memory_words", 20000, 16384, True, "use fewer channels", "a paper")
    assert str(violation) == "conv1: synapse memory words 20,000, limit 16,384; use fewer channels"
    assert violation.to_json()["certain"] is True
