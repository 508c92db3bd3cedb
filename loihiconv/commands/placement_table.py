"""A placement on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from loihiconv.commands.terminal import print_remark, print_tables
from loihiconv.core import numbers as n
from loihiconv.core.population_base import unwritten_sentence
from loihiconv.hardware import picture as drawing
from loihiconv.hardware.placement import Placement


def print_placement(placement: Placement, unwritten: Sequence[str], *, picture: bool = False) -> None:
    """Per layer its cores and the most that one of them holds; the totals; what does not fit, and what neurons have no program."""
    print_tables(placement)
    if picture:
        Console(highlight=False, emoji=False).print(escape(drawing.text(placement)), soft_wrap=True)
    for text in placement.remarks():
        print_remark(text)
    if unwritten:
        print_remark(f"! {unwritten_sentence(unwritten)}")


def print_fit(placement: Placement, unwritten: Sequence[str]) -> None:
    """Whether it fits and its neurons' programs are there, on one line: what `loihiconv place` tells in full."""
    board = placement.board
    certain = [violation for violation in placement.violations if violation.certain]
    if certain:
        more = f" (and {len(certain) - 1} more: see 'loihiconv place')" if len(certain) > 1 else ""
        print_remark(f"✗ does not fit {board.title}: {certain[0]}{more}")
        return
    mark, but = ("!", ", but no board runs it yet") if unwritten else ("✓", "")
    print_remark(f"{mark} fits {board.title}: {n.count(placement.cores)} of {n.count(board.cores)} cores{but}")
