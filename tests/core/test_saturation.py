"""What saturates is counted exactly, warned of, and refused in a strict run."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import loihiconv as lc
import loihiconv.backends.realize as realizing
from loihiconv import simulator
from loihiconv.backends import register_check
from loihiconv.core.errors import LimitExceeded
from loihiconv.core.fixed_point import BIAS_MAX
from loihiconv.core.input_coding import host_currents, host_sums, input_payloads
from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import IF, Connection, Input, Network, Readout
from loihiconv.core.saturation import Saturation, currents_saturate, joined, potentials_saturate
from loihiconv.simulator import simulate
from tests import naive
from tests.strategies import Case, cases

NOTHING = np.zeros(1, np.int32)


def driven(timesteps: int = 4) -> Network:
    """The host drives a hidden neuron and a readout by 2000 x payload each; the readout is also sent 2 per spike."""
    populations = (
        Input("input", (1,), scale=255.0, payload_max=255, signed=True),
        IF("hidden", (1,), 500, NOTHING, np.array([14_160], np.int32)),
        Readout("readout", (1,), NOTHING, NOTHING),
    )
    current = Connection("input", "hidden", Dense(np.array([[2000]], np.int32)), on_host=True)
    connections = (current, Connection("hidden", "readout", Dense(np.array([[2]], np.int32))))
    return Network(populations, connections, timesteps, fixed_point=True)


def test_currents_are_cut_to_what_a_bias_can_be() -> None:
    """2000 x 255 + 14160 = 524160 is the largest bias that there is; one more would not fit."""
    network = driven()
    payload = {"input": np.array([[255], [-255]], np.int32)}
    assert host_sums(network, payload)["hidden"].tolist() == [[BIAS_MAX], [-495_840]]
    assert not currents_saturate(host_sums(network, payload)["hidden"]).any()
    ends = np.array([[BIAS_MAX], [-BIAS_MAX], [BIAS_MAX + 1], [-BIAS_MAX - 1]], np.float64)
    assert currents_saturate(ends).tolist() == [[0, 0, 1, 0], [0, 0, 0, 1]]
    beyond = {"input": np.array([[256], [-300], [0]], np.int32)}
    assert host_currents(network, beyond)["hidden"].tolist() == [[BIAS_MAX], [-BIAS_MAX], [14_160]]
    # what is cut at the lower end costs nothing, where nothing else drives a neuron that then never fires
    assert currents_saturate(host_sums(network, beyond)["hidden"]).tolist() == [[1, 0, 0], [0, 0, 0]]


def test_two_branches_from_the_input_are_one_sum_on_the_host() -> None:
    """3x3 and 1x1 windows of an image of ones: 9 or fewer x 1000 inside, and 500 x 2^-1 more, each at its own exponent."""
    populations = (
        Input("input", (1, 3, 3), scale=1.0, payload_max=1),
        Readout("readout", (1, 3, 3), NOTHING, np.array([7], np.int32)),
    )
    wide, narrow = Conv(np.full((1, 1, 3, 3), 1000, np.int32), padding=(1,) * 4), Conv(np.full((1, 1, 1, 1), 500, np.int32))
    connections = (
        Connection("input", "readout", wide, on_host=True),
        Connection("input", "readout", narrow, on_host=True, weight_exp=-1),
    )
    network = Network(populations, connections, 2, fixed_point=True)
    windows = [[4, 6, 4], [6, 9, 6], [4, 6, 4]]
    assert host_sums(network, {"input": np.ones((1, 1, 3, 3), np.int32)})["readout"][0, 0].tolist() == [
        [1000 * n + 250 + 7 for n in row] for row in windows
    ]


def test_potentials_at_their_ends() -> None:
    course = np.array([[[0, 2**23 - 2]], [[2**23 - 1, 0]], [[1 - 2**23, 2**23 - 1]]])
    assert potentials_saturate(course).tolist() == [[0, 1, 1], [0, 0, 1]]
    again = np.array([[[2**23 - 1, 0], [2**23 - 1, 2**23 - 1], [0, 1 - 2**23]]])
    assert potentials_saturate(again).tolist() == [[2], [1]]  # whose, not how often


def saturating() -> Network:
    network = driven()
    hidden = IF("hidden", (1,), 500, NOTHING, np.array([20_000], np.int32))
    return Network((network.input, hidden, network.readout), network.connections, 4, fixed_point=True)


def test_a_run_warns_and_a_strict_one_refuses() -> None:
    network, x = saturating(), np.array([[255.0], [0.0], [-255.0], [255.0]])
    message = (
        r"hidden: host currents of 2 of 4 samples and 50.00% of neurons saturate \(2 at the upper end, 0 at the lower\); "
        r'the chip\'s largest bias is 524,160; calibrate on samples like these, or use input_coding="rate"'
    )
    with pytest.warns(UserWarning, match=message):
        recording = lc.run(network, x)
    (found,) = recording.saturated
    assert found.to_json() == {"population": "hidden", "register": "host currents", "samples": 2, "above": 2, "below": 0, "share": 0.5}
    assert found.above.tolist() == [1, 0, 0, 1]
    with pytest.raises(LimitExceeded, match=message):
        lc.run(network, x, strict=True)
    with pytest.raises(LimitExceeded, match=message):
        lc.run(network, x, "lava", strict=True)  # before Lava is looked for
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert lc.run(network, x[1:3], strict=True).saturated == ()


def test_a_strict_run_of_a_realization_realizes_and_emulates_once(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    for module, name in ((realizing, "realize"), (register_check, "simulate"), (simulator, "simulate")):
        function = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, _f=function, _n=name, **k: (called.append(_n), _f(*a, **k))[1])
    with pytest.raises(LimitExceeded, match="hidden: host currents of 2 of 4 samples"):
        lc.run(saturating(), np.array([[255.0], [0.0], [-255.0], [255.0]]), "lava", strict=True, realization="native")
    assert called == ["realize", "simulate"]


def test_a_readout_that_saturates() -> None:
    """2 x 64 + 524160 = 2^19 per step: 2^23 - 1 is passed in step 16."""
    populations = (Input("input", (1,), scale=1.0, payload_max=1), Readout("readout", (1,), NOTHING, np.array([BIAS_MAX], np.int32)))
    connection = Connection("input", "readout", Dense(np.array([[2]], np.int32)))
    assert simulate(Network(populations, (connection,), 15, fixed_point=True), np.ones((1, 1))).saturated == ()
    (found,) = simulate(Network(populations, (connection,), 16, fixed_point=True), np.ones((2, 1))).saturated
    assert found.to_json() == {"population": "readout", "register": "potentials", "samples": 2, "above": 2, "below": 0, "share": 1.0}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=cases(several=True, separated=True))
def test_every_sample_is_counted(case: Case) -> None:
    """Against the naive simulator, neuron by neuron, and the host's sums one by one."""
    recording, expected = simulate(case.network, case.x, counts=False), naive.simulate(case.network, case.x)
    found: dict[Any, list[list[int]]] = {(s.population, s.register): [s.above.tolist(), s.below.tolist()] for s in recording.saturated}
    hidden = {p.name: "hidden potentials" if p.spiking else "potentials" for p in case.network.populations}
    ends: dict[Any, Any] = {(name, hidden[name]): counted for name, counted in expected.ends.items()}
    for name, sums in host_sums(case.network, input_payloads(case.network, case.x)).items():
        rows = sums.reshape(len(sums), -1)
        ends[name, "host currents"] = (rows > BIAS_MAX).sum(axis=1), (rows < -BIAS_MAX).sum(axis=1)
    assert found == {key: [a.tolist(), b.tolist()] for key, (a, b) in ends.items() if a.any() or b.any()}


def held_down(timesteps: int, hidden: int = 1) -> Network:
    """Populations that each get -2^19 per step, so that they reach the lower end in step 16; the input drives them."""
    names = [f"layer{i}" for i in range(hidden)]
    populations = tuple(IF(name, (2,), 500, NOTHING, np.array([-BIAS_MAX], np.int32)) for name in names)
    down = Dense(np.array([[-2], [0]], np.int32))
    connections = [Connection("input", name, down) for name in names]
    connections += [Connection(name, "readout", Dense(np.array([[2, 2]], np.int32))) for name in names]
    ends = Input("input", (1,), scale=1.0, payload_max=1), Readout("readout", (1,), NOTHING, NOTHING)
    return Network((ends[0], *populations, ends[1]), tuple(connections), timesteps, fixed_point=True)


def test_hidden_potentials_at_the_lower_end() -> None:
    """-2 x 64 - 524160 = -2^19 per step reaches -(2^23 - 1) in step 16; without the input -524160 does in step 17."""
    x = np.array([[1.0], [0.0]])
    assert simulate(held_down(15), x).saturated == ()
    (found,) = simulate(held_down(16), x).saturated
    assert (found.population, found.register) == ("layer0", "hidden potentials")
    assert (found.above.tolist(), found.below.tolist(), found.share) == ([0, 0], [1, 0], 0.25)
    (found,) = simulate(held_down(17), x).saturated
    assert found.below.tolist() == [2, 2]


def test_hidden_populations_share_a_warning() -> None:
    network, everywhere = held_down(20, hidden=5), "in 2 of 2 samples and 100.00% of neurons"
    with pytest.warns(UserWarning, match="hidden potentials") as caught:
        lc.run(network, np.ones((2, 1)))
    (line,) = [str(w.message) for w in caught]
    begin, others = line.split("; so do those of ")
    what = "of 2 of 2 samples and 100.00% of neurons saturate (0 at the upper end, 2 at the lower)"
    assert begin.startswith(f"layer0: hidden potentials {what}; 24 bits hold +-8,388,607; use fewer time steps")
    assert others == f"layer1 {everywhere}, layer2 {everywhere}, 2 more populations"
    with pytest.raises(LimitExceeded, match="layer0: hidden potentials"):
        lc.run(network, np.ones((2, 1)), strict=True)


def test_small_shares_are_not_none() -> None:
    ends = np.array([1, 0]), np.array([0, 0])
    assert "and 0.01% of neurons" in str(Saturation("a", "hidden potentials", *ends, 5000).error())
    assert "and under 0.01% of neurons" in str(Saturation("a", "hidden potentials", *ends, 50_000).error())


def test_parts_of_a_run_are_joined() -> None:
    """Samples that follow one another, of which a part may have nothing that saturates."""
    one, two = np.array([1, 0]), np.array([0, 2])
    first, last = Saturation("a", "hidden potentials", one, two, 5), Saturation("b", "hidden potentials", two, one, 7)
    a, b = joined([(2, [first]), (1, []), (2, [first, last])])
    assert (a.above.tolist(), a.below.tolist(), a.neurons) == ([1, 0, 0, 1, 0], [0, 2, 0, 0, 2], 5)
    assert (b.above.tolist(), b.below.tolist(), b.neurons) == ([0, 0, 0, 0, 2], [0, 0, 0, 1, 0], 7)
    assert joined([(2, []), (1, [])]) == ()
