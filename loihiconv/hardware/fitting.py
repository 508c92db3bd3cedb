"""A network that does not fit a board is refused before anything is sent there."""

from __future__ import annotations

from loihiconv.core.errors import LimitExceeded
from loihiconv.core.network import Network
from loihiconv.hardware.board import HardwareConfig
from loihiconv.hardware.placement import place


def require_fit(network: Network, hardware: HardwareConfig) -> None:
    """Raise `LimitExceeded` with the first certain limit that a network breaks on a board; `loihiconv place` tells the uncertain ones."""
    certain = [violation for violation in place(network, hardware).violations if violation.certain]
    if certain:
        more = f" (and {len(certain) - 1} more)" if len(certain) > 1 else ""
        raise LimitExceeded(f"does not fit {hardware.title}: {certain[0]}{more}", where=network.hardware, remedy="see 'loihiconv place'")
