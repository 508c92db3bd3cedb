"""Whether a file of lava-dl's is still the one that was written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loihiconv.core.errors import ArtifactError
from loihiconv.exchange.export_netx import export_netx
from loihiconv.lava.chip.netx_digests import layer_digests
from tests.lava.small import chain

h5py = pytest.importorskip("h5py", reason="h5py is not installed")


def test_the_layer_that_changed_has_another_digest(tmp_path: Path) -> None:
    path = tmp_path / "x.net"
    export_netx(chain(reset="zero", bias=64), path)
    before = layer_digests(path)
    with h5py.File(path, "r+") as file:
        file["layer/2/weight"][0, 0] = np.float32(8)
    after = layer_digests(path)
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False]
    path.write_bytes(b"nothing")
    with pytest.raises(ArtifactError, match=r"x.net: cannot be read: .*; export it again"):
        layer_digests(path)
