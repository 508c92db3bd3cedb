"""Parts of arrays, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.parts import Part, described, divided, find, slices

PARTS = (Part("policy", (3,)), Part("value", ()), Part("map", (1, 2, 2)))


def test_one_part_follows_the_other() -> None:
    assert slices(PARTS) == {"policy": slice(0, 3), "value": slice(3, 4), "map": slice(4, 8)}
    apart = divided(np.arange(16).reshape(2, 8), PARTS)
    assert apart["policy"].tolist() == [[0, 1, 2], [8, 9, 10]]
    assert apart["value"].tolist() == [3, 11]
    assert apart["map"].tolist() == [[[[4, 5], [6, 7]]], [[[12, 13], [14, 15]]]]


def test_what_a_reader_sees() -> None:
    assert described(PARTS, "outputs") == "3 outputs: policy (3), value (1), map (1, 2, 2)"


def test_parts_are_found_by_name() -> None:
    assert find(PARTS, "value", "output") == 1
    with pytest.raises(InvalidSetting, match=r"output 'valu', did you mean 'value'\?; policy or value or map expected"):
        find(PARTS, "valu", "output")
    with pytest.raises(InvalidSetting, match="output 5; policy"):
        find(PARTS, 5, "output")
