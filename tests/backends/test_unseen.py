from __future__ import annotations

import numpy as np
import pytest

from loihiconv.backends.simulators import EMULATOR, RunOptions
from loihiconv.backends.unseen import with_unseen
from loihiconv.core.network import Recording
from loihiconv.core.saturation import Saturation
from loihiconv.lava.client import LavaInterrupted
from tests.lava.small import chain


def test_what_the_emulator_saw_is_told_of_whole_runs_and_parts() -> None:
    late, early = (Saturation(name, "hidden potentials", np.array(above), np.zeros(4, int), 3) for name, above in SEEN.items())
    recording = EMULATOR.run(chain(), np.ones((4, 4)), RunOptions())
    assert [s.population for s in with_unseen(lambda: recording, (late, early)).saturated] == ["late", "early"]

    def interrupted() -> Recording:
        error = LavaInterrupted()
        error.partial = EMULATOR.run(chain(), np.ones((2, 4)), RunOptions())
        raise error

    with pytest.raises(LavaInterrupted) as caught:
        with_unseen(interrupted, (late, early))
    assert caught.value.partial is not None
    (kept,) = caught.value.partial.saturated
    assert (kept.population, kept.above.tolist(), kept.samples) == ("early", [1, 0], 1)


SEEN = {"late": [0, 0, 2, 0], "early": [1, 0, 0, 3]}
