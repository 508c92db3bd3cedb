"""What lava-dl's own loader makes of our files, on Lava's own models: every spike and every potential."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from loihiconv.core.network import Network
from loihiconv.evaluation.compare import mismatches
from loihiconv.exchange.export_netx import export_netx
from loihiconv.lava.chip.settings import ChipSettings
from loihiconv.lava.client import LavaFailed, run_lava
from loihiconv.simulator import simulate
from tests.exchange.chains import drawn
from tests.lava.small import chain
from tests.strategies import Case, cases

pytest.importorskip("h5py", reason="h5py is not installed")
pytestmark = [pytest.mark.lava, pytest.mark.usefixtures("forked", "netx_python")]
EXAMPLES = int(os.environ.get("LOIHICONV_LAVA_EXAMPLES", "10"))


@settings(max_examples=max(1, EXAMPLES // 4), deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(case=cases(max_timesteps=8, max_samples=2, graded=False, exponents=False))
def test_lava_dl_computes_the_same(case: Case, tmp_path_factory: pytest.TempPathFactory) -> None:
    case = drawn(case)
    path = tmp_path_factory.mktemp("netx") / "x.net"
    export_netx(case.network, path)
    chip = ChipSettings("netx", netx=str(path))
    found = run_lava(case.network, case.x, record=["spikes", "potentials"], stock_models=True, chip=chip, deadline=120)
    expected = simulate(case.network, case.x, record=["spikes", "potentials"])
    assert mismatches(expected, found) == (dict.fromkeys(expected.spikes, 0), 0)
    np.testing.assert_array_equal(found.potentials_over_time, expected.potentials_over_time)


def small(neurons: int = 3) -> Network:
    return chain(reset="zero", bias=64, weight=2 * neurons)


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    export_netx(small(), tmp_path / "x.net")
    chip = ChipSettings("netx", netx=str(tmp_path / "x.net"))
    other = chain(reset="zero", inputs=5)
    assert run_lava(small(), np.ones((1, 4)), chip=chip).potentials.shape == (1, 2)
    with pytest.raises(LavaFailed, match=r"x.net: takes shape \(4,\), the network's input has 5 values"):
        run_lava(other, np.ones((1, 5)), chip=chip)
    (tmp_path / "x.net").write_bytes(b"nothing")
    with pytest.raises(LavaFailed, match=r"x.net: lava-dl cannot load it: .*; export it again"):
        run_lava(small(), np.ones((1, 4)), chip=chip)
