"""NIR files as graphs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import loihiconv as lc
from loihiconv.core.errors import InvalidModel, LoihiconvError, UnsupportedLayer
from loihiconv.exchange.nir_graph import is_nir, read_nir
from tests.exchange.naive_nir import random_graph

nir: Any = pytest.importorskip("nir", reason="the package nir is not installed")


def neurons() -> Any:
    return nir.IF(r=np.ones(2), v_threshold=np.ones(2))


def test_a_file_and_the_graph_itself_are_the_same(tmp_path: Path) -> None:
    graph = random_graph(nir, 3)
    nir.write(tmp_path / "x.nir", graph)
    assert is_nir(tmp_path / "x.nir")
    a, b = read_nir(graph), read_nir(tmp_path / "x.nir")
    assert {n.name: n.kind for n in a.nodes} == {n.name: n.kind for n in b.nodes}
    assert set(a.edges) == set(b.edges)
    assert b.version
    order = [n.name for n in b.nodes]
    assert all(order.index(x) < order.index(y) for x, y in b.edges)


def test_a_graph_within_the_graph_is_part_of_it() -> None:
    inner = nir.NIRGraph.from_list(nir.Linear(np.ones((2, 2))), neurons())
    graph = nir.NIRGraph(
        {"in": nir.Input(np.array([2])), "block": inner, "out": nir.Output(np.array([2]))},
        [("in", "block"), ("block", "out")],
        type_check=False,
    )
    found = read_nir(graph)
    assert [node.name for node in found.nodes if node.kind == "IF"] == ["block.if"]
    assert {node.kind for node in found.nodes if node.name in ("block.input", "block.output")} == {"Identity"}
    assert lc.from_nir(graph, timesteps=2)["block.if"].size == 2


def test_recurrent_connections_are_refused_by_name() -> None:
    nodes = {"in": nir.Input(np.array([2])), "a": neurons(), "w": nir.Linear(np.ones((2, 2))), "out": nir.Output(np.array([2]))}
    graph = nir.NIRGraph(nodes, [("in", "a"), ("a", "w"), ("w", "a"), ("a", "out")])
    with pytest.raises(UnsupportedLayer, match=r"a cycle.*without recurrent connections expected"):
        read_nir(graph)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"type": "IF"}, "holds no NIR graph"),
        ({"nodes": {}}, "a graph without nodes"),
        ({"nodes": {"a": 3}}, "a: a node without a type"),
        ({"edges": [["in", "nowhere"]]}, "an edge of 'nowhere', which is no node"),
        ({"edges": [["in"]]}, "an edge that is no pair of names"),
        (
            {"nodes": {"g": {"type": "NIRGraph", "nodes": {"i": {"type": "Input"}}, "edges": []}}},
            "g: a graph within the graph with 1 inputs",
        ),
    ],
)
def test_what_is_no_graph(changed: dict[str, Any], said: str) -> None:
    class Other:
        edges = ()

        def to_dict(self) -> dict[str, Any]:
            return {**random_graph(nir, 1).to_dict(), **changed}

    with pytest.raises(LoihiconvError) as caught:
        read_nir(Other())
    assert said in str(caught.value)


def test_other_files_are_none(tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "x.nir", "w") as file:
        file["layer/0/type"] = "dense"
    assert not is_nir(tmp_path / "x.nir")
    with pytest.raises(InvalidModel, match=r"x.nir: holds no NIR graph"):
        read_nir(tmp_path / "x.nir")


@given(seed=st.integers(0, 5), where=st.floats(0, 1), flips=st.integers(1, 255), times=st.integers(1, 4))
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_damage_is_one_line(seed: int, where: float, flips: int, times: int, tmp_path: Path) -> None:
    path = tmp_path / f"{seed}.nir"
    if not path.is_file():
        nir.write(path, random_graph(nir, seed))
    data = bytearray(path.read_bytes())
    for i in range(times):
        data[int(where * (len(data) - 1)) * (i + 1) % len(data)] ^= flips
    (tmp_path / "damaged.nir").write_bytes(bytes(data))
    try:
        lc.from_nir(tmp_path / "damaged.nir", timesteps=2)
    except LoihiconvError as error:
        assert "\n" not in str(error)  # noqa: PT017
