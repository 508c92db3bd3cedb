"""What fits on a board, once every neuron has its core: rules over a `Placement`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from loihiconv.hardware.board_fields import Limit
from loihiconv.hardware.demand import Demand
from loihiconv.hardware.limits import DENSER, Violation, violation
from loihiconv.hardware.placement import Placement


def placement_violations(placement: Placement) -> tuple[Violation, ...]:
    """Rules over a placement: every core, every list of synapses, and the board's size."""
    return (*_cores(placement), *_lists(placement), *_board(placement))


def _cores(placement: Placement) -> Iterator[Violation]:
    board, reported = placement.board, set()
    resources: tuple[tuple[str, Limit, Callable[[Demand], int], str], ...] = (
        ("neurons_per_core", board.neurons_placed, lambda d: d.compartments, DENSER),
        ("synapse_memory_words", board.synapse_memory_words, lambda d: d.words, DENSER),
        ("input_axons_per_core", board.input_axons_per_core, lambda d: d.axons_in, DENSER),
        (
            "output_axons_per_core",
            board.output_axons_per_core,
            lambda d: d.axons_out,
            "its pixels feed too many cores: the layers after it hold many weights; use fewer channels there, or larger strides",
        ),
    )
    for s in placement.slices:
        for quantity, limit, value, remedy in resources:
            used = value(placement.usage[s.core])
            if used > limit.value and (s.population, quantity) not in reported:
                reported.add((s.population, quantity))
                yield violation(s.population, quantity, used, limit, remedy)


def _lists(placement: Placement) -> Iterator[Violation]:
    limit = placement.board.synapse_words_per_axon
    for layer in placement.layers if limit is not None else ():
        longest = max((s.demand.longest for s in layer.slices), default=0)
        if limit is not None and longest > limit.value:
            yield violation(layer.name, "synapse_words_per_axon", longest, limit, DENSER)


def _board(placement: Placement) -> Iterator[Violation]:
    board = placement.board
    if placement.cores > board.cores:
        limit = board.chips
        largest = max(placement.layers, key=lambda layer: len(layer.cores))
        remedy = f"{largest.name} takes {len(largest.cores):,}: use strides or fewer channels there"
        if not placement.unplaced:
            remedy += f", or a board with {placement.chips:,} chips"
        yield Violation("", "cores", placement.cores, board.cores, limit.certain and board.cores_per_chip.certain, remedy, limit.source)
