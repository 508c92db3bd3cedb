"""What commands say of the cluster that they run on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from loihiconv.commands.terminal import note

if TYPE_CHECKING:
    from distributed import Client


@contextmanager
def on_cluster(cluster: str | None, *, boards: bool = False) -> Iterator[Client | None]:
    """A client of the cluster that is named, see `loihiconv.clusters.cluster.connected`, with a line about it; None without a name."""
    from loihiconv.clusters.cluster import connected, described

    with connected(cluster, boards=boards) as client:
        if client is not None:
            note(described(client))
        yield client
