"""Errors are one line: where, what, the limit and the remedy."""

from __future__ import annotations

from loihiconv.core.errors import BackendUnavailable, InvalidData, LoihiconvError


def test_parts_are_joined_into_one_line() -> None:
    error = InvalidData("3 samples\nand 4 labels.", where="test set", limit="as many expected.", remedy="count them")
    assert str(error) == "test set: 3 samples and 4 labels; as many expected; count them"
    assert (error.what, error.where, error.limit, error.remedy) == (
        "3 samples\nand 4 labels.",
        "test set",
        "as many expected.",
        "count them",
    )
    assert str(LoihiconvError("broken", remedy="mend it")) == "broken; mend it"


def test_what_is_not_installed_has_a_code_of_its_own() -> None:
    assert (LoihiconvError("").exit_code, BackendUnavailable("").exit_code) == (2, 3)
