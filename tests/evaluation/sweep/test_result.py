"""Which points of a sweep are worth their cost, and what to beware of."""

from __future__ import annotations

import pytest

from loihiconv.core.errors import InvalidSetting
from tests.evaluation.sweep.made_up import made_up


def test_fronts() -> None:
    result = made_up()
    assert result.front("timesteps") == (0, 2, 3, 4)
    assert result.front("synaptic_operations") == (0, 3, 4)
    with pytest.raises(InvalidSetting, match="cost 'energy'"):
        result.front("energy")  # type: ignore[arg-type]
    assert "tuning on test data" in result.caution
