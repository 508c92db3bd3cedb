"""Slices onto cores: next fit within a population, first fit decreasing for what is left over.

Slices of one population are nearly alike, so next fit wastes little and keeps neighbours together. Cores that are not full then
go together, largest first, each into the first core where all resources leave room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loihiconv.hardware.board import Board
from loihiconv.hardware.demand import Demand, share


@dataclass(frozen=True)
class Bag:
    """What lies together on one core.

    Attributes
    ----------
    slices : tuple of (population, index)
    demand : Demand
    """

    slices: tuple[tuple[str, int], ...]
    demand: Demand

    def __add__(self, other: Bag) -> Bag:
        return Bag(self.slices + other.slices, self.demand + other.demand)

    @property
    def populations(self) -> int:
        """How many populations have neurons in it."""
        return len({name for name, _ in self.slices})


def fits(bag: Bag, board: Board) -> bool:
    """Whether a core holds it: all resources, and the profiles of its populations."""
    profiles = board.profiles_per_core
    enough = profiles is None or bag.populations * board.compartments_per_neuron.value <= profiles.value or bag.populations == 1
    return enough and share(bag.demand, board) <= 1


def next_fit(name: str, demands: Sequence[Demand], board: Board) -> list[Bag]:
    """Slices of one population in order, a new core whenever one is full. A slice that fits no core gets one of its own."""
    bags: list[Bag] = []
    for index, demand in enumerate(demands):
        single = Bag(((name, index),), demand)
        if bags and fits(bags[-1] + single, board):
            bags[-1] = bags[-1] + single
        else:
            bags.append(single)
    return bags


def merge(bags: Sequence[Bag], board: Board) -> list[Bag]:
    """Put bags together, largest first, each where it first fits; the result keeps the order of the first bags."""
    loads = np.array([_load(bag.demand) for bag in bags], np.int64).reshape(-1, 4)
    room = np.array([_load_limit(board)] * len(bags), np.int64).reshape(-1, 4)
    least = loads.min(axis=0, initial=np.iinfo(np.int64).max)
    held: list[Bag] = []
    firsts: list[int] = []
    open_: list[int] = []  # cores that may take something more: cores of a large network are mostly full
    for i in sorted(range(len(bags)), key=lambda i: (-share(bags[i].demand, board), i)):
        for j in np.array(open_, np.int64)[(room[open_] >= loads[i]).all(axis=1)]:
            if fits(held[j] + bags[i], board):
                held[j], firsts[j] = held[j] + bags[i], min(firsts[j], i)
                break
        else:
            j = len(held)
            held.append(bags[i])
            firsts.append(i)
            open_.append(j)
        room[j] -= loads[i]
        if (room[j] < least).any():
            open_.remove(j)
    return [bag for _, bag in sorted(zip(firsts, held, strict=True), key=lambda pair: pair[0])]


def _load(demand: Demand) -> tuple[int, int, int, int]:
    return demand.compartments, demand.words, demand.axons_in, demand.axons_out


def _load_limit(board: Board) -> tuple[int, int, int, int]:
    limits = board.neurons_placed, board.synapse_memory_words, board.input_axons_per_core, board.output_axons_per_core
    compartments, words, axons_in, axons_out = (limit.value for limit in limits)
    return compartments, words, axons_in, axons_out
