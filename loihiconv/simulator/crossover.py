"""Where sums driven by events are faster than products, on the processor at hand.

Products cost the same whatever fires, events by the spike, and which of them wins differs from processor to processor: one with
int8 matrix units multiplies 8 times as fast as one without. So both are timed, once for each shape in the life of a process. In fixed
point both give the same integers; float networks are summed by events alone, so that no rounding hangs on a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock

import torch

from loihiconv.simulator.events import EventSums
from loihiconv.simulator.timing import shortest

RATE = 0.1
"""Share of units that spike while events are timed."""
BYTES = 2**20
"""Of sums that are made to time a product."""
SAMPLED_ROWS = 16
"""Rows in which spikes are counted to choose."""


@dataclass(frozen=True)
class Costs:
    """CPU seconds.

    Parameters
    ----------
    row : float
        Of a product, for a step of a sample.
    spike : float
        Of a spike, where events drive sums.
    """

    row: float
    spike: float

    def favour_events(self, *spikes: torch.Tensor) -> bool:
        """Whether events are faster on uint8 tensors (rows, units), one per connection, judged by some of their rows."""
        rows = len(spikes[0])
        sampled = [s[:: (rows // SAMPLED_ROWS) | 1] for s in spikes]  # an odd stride meets all steps of a window
        active = sum(int(torch.count_nonzero(s)) for s in sampled)
        return active * self.spike < len(sampled[0]) * self.row


_known: dict[Hashable, Costs] = {}
_lock = Lock()


def costs(key: Hashable, product: Callable[..., object], events: EventSums, units: list[int], neurons: int) -> Costs:
    """Time both ways, or recall how long they took.

    Parameters
    ----------
    key : hashable
        What the costs depend on.
    product : callable
        Takes spikes, a uint8 tensor (rows, units) per connection.
    events : EventSums
    units : list of int
        Of the source of each connection.
    neurons : int
        Of the target.
    """
    with _lock:
        if key not in _known:
            _known[key] = _measure(product, events, units, neurons)
        return _known[key]


def _measure(product: Callable[..., object], events: EventSums, units: list[int], neurons: int) -> Costs:
    rows = max(4, min(256, BYTES // (4 * (neurons + sum(units)))))
    generator = torch.Generator().manual_seed(0)
    spikes = [(torch.rand((rows, n), generator=generator) < RATE).to(torch.uint8) for n in units]
    add = events.by_rows(spikes, torch.empty((rows, neurons), dtype=events.kind))
    active = sum(int(torch.count_nonzero(s)) for s in spikes)
    return Costs(shortest(lambda: product(*spikes)) / rows, shortest(lambda: add(0, rows)) / max(active, 1))
