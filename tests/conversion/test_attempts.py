"""A search on a cluster finds what it finds alone, with attempts made before they are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.conversion.attempts import making
from loihiconv.conversion.judge import Attempt
from loihiconv.core.errors import InvalidSetting, LimitExceeded
from loihiconv.core.fingerprints import fingerprints
from tests.conversion.small import data, small_cnn


@pytest.mark.filterwarnings("ignore:calibration data")
@pytest.mark.parametrize("goal", [{"optimize": "accuracy"}, {"target_loss": 20.0, "scale": "mse"}])
def test_a_search_on_a_cluster_is_the_search_alone(cluster: Any, goal: dict[str, Any]) -> None:
    model, x = small_cnn(), data(60)
    stages: list[tuple[int, int]] = []

    def report(stage: str, done: int, total: int) -> None:
        if stage == "search":
            stages.append((done, total))

    options: dict[str, Any] = {"board": "kapoho_point", "timesteps": 4, **goal}
    alone = lc.convert(model, x, **options)
    spread = lc.convert(model, x, cluster=cluster, progress=report, **options)
    assert spread.record == alone.record
    assert fingerprints(spread) == fingerprints(alone)
    assert len(alone.record.search) > 5
    assert stages[-1] == (len(alone.record.search), len(alone.record.search))


MADE: list[int] = []
"""What workers note: they are threads of this process."""


def tried(common: None, settings: lc.Settings) -> Attempt:
    """An attempt that is refused from four time steps on."""
    MADE.append(settings.timesteps)
    if settings.timesteps > 3:
        raise LimitExceeded("too long", where="here")
    return Attempt(settings, settings, np.zeros(1), np.zeros(1))  # type: ignore[arg-type]


def test_a_refusal_waits_for_its_turn_and_what_was_made_is_not_made_again(cluster: Any) -> None:
    every = [lc.Settings(steps) for steps in (1, 2, 3, 4)]
    for client, made in ((None, [1]), (cluster, [1, 2, 3, 4])):
        MADE.clear()
        with making(tried, None, client) as attempts:
            assert attempts(every[0], every[1:]).settings == every[0]
            if client is not None:
                assert [attempts(each, every[each.timesteps :]).settings for each in every[1:3]] == every[1:3]
                with pytest.raises(LimitExceeded, match="too long"):
                    attempts(every[3], [])
        assert sorted(MADE) == made


def test_a_cluster_without_a_search_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="there is no search to spread"):
        lc.convert(small_cnn(), data(8), board="kapoho_point", timesteps=4, cluster="local:2")
    with pytest.raises(InvalidSetting, match="'locl'"):
        lc.convert(small_cnn(), data(8), board="kapoho_point", timesteps=4, optimize="accuracy", cluster="locl")
