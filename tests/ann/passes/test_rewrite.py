"""The tools of passes, by hand."""

from __future__ import annotations

import numpy as np

from loihiconv.ann.graph import Add, Ann, Input, MaxPool, Node, Relu
from loihiconv.ann.passes.rewrite import (
    Rewrite,
    apply_all,
    as_bias,
    by_channel,
    column,
    compact,
    elementwise,
    fresh,
    identity,
    pruned,
    rewired,
    spikes,
    splice,
)
from loihiconv.core.linear import Conv, Sparse

ANN = Ann((Input("x", shape=(2, 4, 4)), Relu("a", ("x",)), Relu("b", ("a",)), Relu("unused", ("x",)), Add("sum", ("a", "b"))))


def names(ann: Ann) -> dict[str, tuple[str, ...]]:
    return {node.name: node.inputs for node in ann}


class Single(Rewrite):
    """One ReLU in place of two."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Relu) and isinstance(ann[node.inputs[0]] if node.inputs else None, Relu)

    def transform(self, ann: Ann, node: Node) -> Ann:
        return splice(ann, node.name, result=node.inputs[0])

    def note(self, node: Node) -> str:
        return f"{node.name} is left out"


def test_a_rewrite_is_applied_until_it_matches_nowhere() -> None:
    ann = Ann((*ANN.nodes[:3], Relu("c", ("b",))))
    rewritten, notes = apply_all(Single(), ann)
    assert names(rewritten) == {"x": (), "a": ("x",)}
    assert notes == ("b is left out", "c is left out")


def test_a_node_is_replaced_and_its_users_follow() -> None:
    new = (MaxPool("pool", ("a",), (1, 1), (1, 1)), Relu("after", ("pool",)))
    assert names(splice(ANN, "b", new, "after")) == {"x": (), "a": ("x",), "pool": ("a",), "after": ("pool",), "sum": ("a", "after")}
    assert names(splice(ANN, "b", new, "a", drop=["unused"])) == {"x": (), "a": ("x",), "sum": ("a", "a")}


def test_only_what_the_output_depends_on_is_kept() -> None:
    assert list(names(pruned(ANN.nodes, "sum"))) == ["x", "a", "b", "sum"]
    assert list(names(pruned(ANN.nodes[:2], "x"))) == ["x"]
    assert rewired(ANN["sum"], {"a": "c"}).inputs == ("c", "b")
    assert rewired(ANN["sum"], {"other": "c"}) is ANN["sum"]


def test_names_that_are_taken_get_a_number() -> None:
    assert [fresh(ANN, name) for name in ("new", "a")] == ["new", "a_1"]


def test_what_spikes() -> None:
    pools = (MaxPool("p", ("a",), (2, 2), (2, 2)), MaxPool("q", ("p",), (2, 2), (2, 2)))
    ann = Ann((*ANN.nodes[:2], *pools, MaxPool("r", ("x",), (1, 1), (1, 1))))
    assert [spikes(ann, name) for name in "xapqr"] == [False, True, True, True, False]


def test_factors() -> None:
    x = np.arange(1, 9).reshape(1, 2, 2, 2)
    per_channel = np.array([2, -1])[:, None, None]
    for scale, kind in ((per_channel, Conv), (np.array(3.0), Conv), (np.array([2, 5]), Sparse), (x[0], Sparse)):
        linear = elementwise(scale, (2, 2, 2))
        assert isinstance(linear, kind)
        np.testing.assert_array_equal(linear.apply(x), x * scale)
    assert elementwise(np.array([2, -1]), (2,)).apply(np.array([[3, 4]])).tolist() == [[6, -4]]
    np.testing.assert_array_equal(identity((2, 2, 2)).apply(x), x)
    assert column(np.array([1, 2]), (2, 3, 3)).shape == (2, 1, 1)


def test_arrays_are_no_larger_than_they_need_to_be() -> None:
    shape = (2, 3, 3)
    full = np.broadcast_to(np.array([1.0, 2.0])[:, None, None], shape)
    assert compact(np.full(shape, 7.0), shape).shape == ()
    assert compact(full, shape).tolist() == [[[1.0]], [[2.0]]]
    assert compact(np.array([1.0, 2.0, 3.0]), shape).shape == shape
    assert as_bias(np.array(7.0), shape).tolist() == [[[7.0]], [[7.0]]]
    assert [by_channel(v, shape) for v in (np.array(1.0), full, np.arange(3.0))] == [True, True, False]
