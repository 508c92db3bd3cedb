"""Remedies by PyTorch's many names of the same."""

from __future__ import annotations

import pytest

from loihiconv.ann.frontends.remedies import remedy


@pytest.mark.parametrize(("name", "part"), [("GELU", "retrain"), ("hard_swish", "retrain with ReLU"), ("addcmul_", "constant factors")])
def test_names_of_modules_functions_and_methods(name: str, part: str) -> None:
    assert part in remedy(name)


def test_what_is_unknown_gets_what_is_supported() -> None:
    assert remedy("Mystery").startswith("train a network without it; linear layers and convolutions,")
