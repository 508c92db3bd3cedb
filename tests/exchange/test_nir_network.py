"""NIR graphs as networks: the same spikes as a simulation written out node by node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import loihiconv as lc
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from tests.exchange.naive_nir import eighths, random_graph, simulate

nir: Any = pytest.importorskip("nir", reason="the package nir is not installed")


def chain(*nodes: Any) -> Any:
    return nir.NIRGraph.from_list(*nodes)


def neurons(*shape: int, **fields: Any) -> Any:
    return nir.IF(**{"r": np.ones(shape), "v_threshold": np.ones(shape), **fields})


def check(graph: Any, x: np.ndarray, steps: int, reset: str | None = None) -> None:
    net = lc.from_nir(graph, timesteps=steps, reset=reset)
    found = lc.run(net, x.reshape(len(x), *net.input.sample_shape), "float", record=["spikes"])
    expected = simulate(graph, x, steps, reset=reset)
    assert {name for name in found.spikes if name != net.input.name} == set(expected.spikes)
    for name, spikes in expected.spikes.items():
        np.testing.assert_array_equal(found.spikes[name].reshape(spikes.shape), spikes, err_msg=name)
    outputs = found.potentials.astype(np.float64) / net.readout.scale
    np.testing.assert_allclose(outputs, expected.output, rtol=1e-4, atol=1e-4)


@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(1, 8), reset=st.sampled_from(("subtract", "zero", None)))
@settings(max_examples=40)
def test_spikes_are_those_of_the_graph(seed: int, steps: int, reset: str | None) -> None:
    graph = random_graph(nir, seed, reset=reset is None)
    x = np.abs(eighths(np.random.default_rng(seed), 3, *graph.nodes["in"].input_type["input"]))
    check(graph, x, steps, reset)


@pytest.mark.parametrize("padding", [(1,), "same", "valid"])
def test_a_network_on_sequences(padding: Any) -> None:
    rng = np.random.default_rng(2)
    length = 5 if padding == "valid" else 7
    conv = nir.Conv1d(7, eighths(rng, 4, 2, 3), 1, padding if isinstance(padding, str) else np.array(padding), 1, 1, eighths(rng, 4))
    graph = nir.NIRGraph(
        {
            "in": nir.Input(np.array([2, 7])),
            "conv": conv,
            "if": neurons(4, length),
            "flat": nir.Flatten({"input": np.array([4, length])}, 0, -1),
            "dense": nir.Linear(eighths(rng, 3, 4 * length)),
            "out": nir.Output(np.array([3])),
        },
        [("in", "conv"), ("conv", "if"), ("if", "flat"), ("flat", "dense"), ("dense", "out")],
        type_check=False,
    )
    check(graph, np.abs(eighths(rng, 4, 2, 7)), 6, "subtract")
    assert lc.from_nir(graph, timesteps=2).input.sample_shape == (2, 7)


def test_scales_pooling_with_overlap_and_thresholds_per_neuron() -> None:
    rng = np.random.default_rng(3)
    graph = nir.NIRGraph(
        {
            "in": nir.Input(np.array([2, 6, 6])),
            "scale": nir.Scale(np.broadcast_to(np.array([2.0, 0.5]).reshape(2, 1, 1), (2, 6, 6)).copy()),
            "a": neurons(2, 6, 6),
            "pool": nir.SumPool2d(np.array([3, 3]), np.array([1, 1]), np.array([1, 1])),
            "conv": nir.Conv2d((6, 6), eighths(rng, 2, 2, 3, 3), 1, (1, 1), 1, 1, eighths(rng, 2)),
            "b": neurons(2, 6, 6, v_threshold=rng.choice([0.5, 1.0, 2.0], (2, 6, 6))),
            "out": nir.Output(np.array([2, 6, 6])),
        },
        [("in", "scale"), ("scale", "a"), ("a", "pool"), ("pool", "conv"), ("conv", "b"), ("b", "out")],
    )
    check(graph, np.abs(eighths(rng, 3, 2, 6, 6)), 5, "subtract")


def test_an_integrator_at_the_end_is_the_readout() -> None:
    rng = np.random.default_rng(4)
    weight = eighths(rng, 3, 4)
    graph = chain(nir.Linear(eighths(rng, 4, 4)), neurons(4), nir.Linear(weight), nir.I(r=np.full(3, 2.0)))
    plain = chain(nir.Linear(graph.nodes["linear"].weight), neurons(4), nir.Linear(weight))
    x = np.abs(eighths(rng, 5, 4))
    nets = [lc.from_nir(g, timesteps=6, reset="subtract") for g in (graph, plain)]
    a, b = (lc.run(net, x, "float").potentials / net.readout.scale for net in nets)
    np.testing.assert_allclose(a, 2 * b, rtol=1e-5, atol=1e-5)


def test_what_a_user_should_know_is_in_the_notes(tmp_path: Path) -> None:
    graph = chain(nir.Linear(np.ones((2, 2))), neurons(2, v_reset=np.zeros(2)))
    (note,) = lc.from_nir(graph, timesteps=4).record.notes
    assert "if: spikes reset to v_reset" in note
    assert 'reset="subtract"' in note
    assert lc.from_nir(graph, timesteps=4).populations[1].reset == "zero"
    assert lc.from_nir(graph, timesteps=4, reset="subtract").record.notes == ()
    tree = graph.to_dict()
    del tree["nodes"]["if"]["v_reset"]

    class Older:
        edges = graph.edges

        def to_dict(self) -> Any:
            return tree

    net = lc.from_nir(Older(), timesteps=4)
    assert net.populations[1].reset == "subtract"
    assert "the file has no v_reset" in net.record.notes[0]


@pytest.mark.parametrize(
    ("nodes", "error", "said"),
    [
        ([nir.Linear(np.ones((2, 3))), nir.Threshold(np.ones(2))], UnsupportedLayer, "threshold: Threshold compares its input"),
        ([nir.I(np.ones(3)), nir.Linear(np.ones((2, 3)))], UnsupportedLayer, "i: I passes its potential on"),
        ([nir.Linear(np.ones((2, 3))), nir.LI(np.ones(2), np.ones(2), np.zeros(2))], UnsupportedLayer, "li: LI leaks: tau = 1"),
        ([nir.Linear(np.full((2, 3), np.nan)), neurons(2)], InvalidModel, "linear: weight holds NaN"),
        ([nir.Linear(np.full((2, 3), np.inf)), neurons(2)], InvalidModel, "linear: weight holds infinity"),
        ([nir.Linear(np.ones((2, 3))), nir.Delay(np.ones(2)), neurons(2)], UnsupportedLayer, "delay: Delay of more than 0"),
        ([nir.Linear(np.ones((2, 3))), neurons(2, v_threshold=np.zeros(2))], InvalidModel, "if: a v_threshold of 0 and a v_reset of 0"),
    ],
)
def test_what_is_no_such_network_is_refused_by_name(nodes: list[Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        lc.from_nir(nir.NIRGraph.from_list(*nodes, type_check=False) if len(nodes) == 3 else chain(*nodes), timesteps=4)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_inputs_are_refused() -> None:
    graph = nir.NIRGraph(
        {"a": nir.Input(np.array([2])), "b": nir.Input(np.array([2])), "n": neurons(2), "o": nir.Output(np.array([2]))},
        [("a", "n"), ("b", "n"), ("n", "o")],
    )
    with pytest.raises(UnsupportedLayer, match=r"2 Input nodes \(a, b\)"):
        lc.from_nir(graph, timesteps=4)
