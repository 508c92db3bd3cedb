"""Which of a network's two number systems a back end computes in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loihiconv.backends import registry
from loihiconv.backends.backend import check_numbers, float_network
from loihiconv.core.errors import InvalidSetting
from tests.lava.small import chain


def test_the_float_network_behind_a_network() -> None:
    plain = replace(chain(), fixed_point=False)
    assert float_network(plain) is plain
    assert float_network(replace(chain(), origin=plain)) is plain
    with pytest.raises(InvalidSetting, match="saved without its float origin"):
        float_network(chain())


def test_numbers_that_a_network_lacks_are_refused() -> None:
    plain = replace(chain(), fixed_point=False)
    for backend in registry.backends():
        fits, lacks = (plain, chain()) if backend.numbers == "float" else (chain(), plain)
        check_numbers(backend, fits)
        with pytest.raises(InvalidSetting, match="backend: "):
            check_numbers(backend, lacks)
