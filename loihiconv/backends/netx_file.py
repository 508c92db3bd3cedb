"""The file that Lava's worker hands to lava-dl, for as long as a run takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loihiconv.core.network import Network


@contextmanager
def netx_file(network: Network, realization: str) -> Iterator[str | None]:
    """Path of a realized network's HDF5 file; None for realizations that need none.

    Parameters
    ----------
    network : Network
    realization : str
    """
    if realization != "netx":
        yield None
        return
    from loihiconv.exchange.export_netx import export_netx

    with TemporaryDirectory(prefix="loihiconv-netx-") as folder:
        path = Path(folder) / "network.net"
        export_netx(network, path)
        yield str(path)
