from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihiconv.core.json_text import read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(VALUES)
def test_what_json_writes_is_read(value: object) -> None:
    assert read_json(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1, "b": {"c": 1, "d": 2, "c": 1}}', "'c' stands there twice"),
        ("[" * 100_000, "nested too deeply"),
        ("9" * 5000, "4300"),
        (b"\xff", "decode"),
        ("", "Expecting value"),
    ],
)
def test_what_is_refused(text: str | bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_json(text)
