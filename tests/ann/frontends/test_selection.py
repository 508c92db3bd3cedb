"""A model with one of its outputs."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from loihiconv.ann.evaluate import verify_reading
from loihiconv.ann.frontends import readable
from loihiconv.ann.frontends.selection import OneOutput, judged, with_output
from loihiconv.core.errors import InvalidSetting
from tests.ann.frontends.nets import Net

MODEL = Net(
    lambda m, x: {"policy": m.pi(m.body(x).relu()), "value": m.v(m.body(x))}, body=nn.Linear(4, 5), pi=nn.Linear(5, 3), v=nn.Linear(5, 1)
)
X = np.random.default_rng(0).random((6, 4), np.float32)


@pytest.mark.parametrize(("output", "columns", "nodes"), [("policy", slice(0, 3), 4), ("value", slice(3, 4), 3)])
def test_it_is_read_and_evaluated_without_the_others(output: str, columns: slice, nodes: int) -> None:
    whole, alone = readable(MODEL), with_output(readable(MODEL), output)
    np.testing.assert_array_equal(alone.outputs(X), whole.outputs(X)[:, columns])
    ann = alone.ann((4,))
    assert (len(ann.nodes), ann.parts, ann.output_name) == (nodes, (), output)
    assert ann.notes == (f"output {output} of 2 outputs: policy (3), value (1)",)
    verify_reading(alone, ann, X)
    assert alone.precise_outputs(X) is not None
    assert alone.problems((4,)) == ()


def test_names_that_there_are_not() -> None:
    assert "output 'valu', did you mean 'value'?" in str(OneOutput(readable(MODEL), "valu").problems((4,))[0])
    with pytest.raises(InvalidSetting, match="output: 5; the name of an output expected"):
        with_output(readable(MODEL), 5)  # type: ignore[arg-type]  # what is wrong
    with pytest.raises(InvalidSetting, match=r"2 outputs: policy .3., value .1.; one is judged; output='policy' picks one"):
        judged(readable(MODEL), None, (4,))


def test_the_only_output_has_any_name() -> None:
    one = nn.Linear(4, 2)
    np.testing.assert_array_equal(with_output(readable(one), "whatever").outputs(X), readable(one).outputs(X))
    assert judged(readable(one), None, (4,)).ann((4,)).output_name == ""
