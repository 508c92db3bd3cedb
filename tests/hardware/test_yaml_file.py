from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from loihiconv.hardware.yaml_file import BrokenYaml, read_yaml

TEXTS = st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=20)
@given(VALUES)
def test_what_is_no_trouble_is_read_as_pyyaml_reads_it(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.mktemp("yaml") / "a.yaml"
    path.write_text(yaml.safe_dump(value, allow_unicode=True), encoding="utf-8")
    assert read_yaml(path) == yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3", "line 3: 'a' stands there twice"),
        ("b: {a: 1,\n  a: 1}", "line 2: 'a' stands there twice"),
        ("a: 1\nb: " + "9" * 5000, "line 2: a number of 5,000 characters, at most 100 expected"),
        ("a: " + "1:" * 100_000 + "1", "a number of 200,001 characters"),
        ("[" * 20_000, "line 1: nested deeper than 32"),
        ("\n".join(" " * i + "a:" for i in range(1000)), "line 32: nested deeper than 32"),
        ("a: &b0 [x, x]\n" + "\n".join(f"a{i}: &b{i} [*b{i - 1}, *b{i - 1}]" for i in range(1, 60)), "line 13: more than 10,000 values"),
        ("a: &b0 {x: 1}\n" + "\n".join(f"a{i}: &b{i} {{<<: [*b{i - 1}, *b{i - 1}]}}" for i in range(1, 60)), "more than 10,000 values"),
        ("a: &a {x: 1}\nb: {<<: [" + "*a," * 100_000 + "]}", "line 2: more than 10,000 values"),
        ("x: 1\na: &a [1, *a]", "line 2: \\*a refers to what it stands in"),
        ("a: 2020-99-99", "line 1: month must be in 1..12"),
        ("b: 1\na: !!bool maybe", "line 2: a value is not what its tag says"),
        ("a: !!timestamp now", "a value is not what its tag says"),
        ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("a: \x00", "special characters are not allowed"),
        ("#" * (1 << 20) + "\n", "larger than 1 MiB"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BrokenYaml, match=said) as caught:
        read_yaml(tmp_path / "a.yaml")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_references_stand_for_what_they_name(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: [*a, *a]\n")
    assert read_yaml(tmp_path / "a.yaml") == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": [{"x": 1, "y": 2}] * 2}


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no /dev/zero here")
def test_a_device_has_no_end() -> None:
    with pytest.raises(BrokenYaml, match=r"^a device, no file$"):
        read_yaml("/dev/zero")
