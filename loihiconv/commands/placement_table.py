"""A placement on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from loihiconv.commands.terminal import print_table
from loihiconv.core import numbers as n
from loihiconv.hardware import picture as drawing
from loihiconv.hardware.demand import Demand
from loihiconv.hardware.placement import LayerPlacement, Placement

HEADER = ["layer", "shape", "cut", "cores", "bound", "neurons", "words", "axons", "fullest"]
"""Axons are those that come in. All of it, nine figures wide, fits a terminal of 80 columns."""


def print_placement(placement: Placement, *, picture: bool = False) -> None:
    """Per layer its cores and the most that one of them holds; the totals; what does not fit."""
    board, console = placement.board, Console(highlight=False)
    rows = [_row(layer, placement) for layer in placement.layers]
    print_table(f"{board.title}: each layer, and the most that one core holds of it", HEADER, rows)
    gap = placement.cores - placement.bound
    bounds = ", ".join(f"{name.replace('_', ' ')} {n.count(cores)}" for name, cores in placement.bounds.items())
    cores = f"{n.count(placement.cores)} core{'s' * (placement.cores != 1)}"
    chips = f"{n.count(placement.chips)} of {n.count(board.chips.value)} chips"
    console.print(f"{cores} on {chips}, {n.count(gap)} above the bound", soft_wrap=True)
    if board.compiler is not None:
        console.print("cut as Intel's compiler does, whose tables are public; that is what has to fit", soft_wrap=True)
    console.print(f"no cut can take fewer than, by resource: {bounds}", soft_wrap=True)
    if picture:
        console.print(escape(drawing.text(placement)), soft_wrap=True)
    for violation in placement.violations:
        mark = "[bold red]✗[/]" if violation.certain else "[yellow]?[/]"
        console.print(f"{mark} {escape(str(violation))}", soft_wrap=True)


def print_fit(placement: Placement) -> None:
    """Whether it fits, on one line: what `loihiconv place` tells in full."""
    console, board = Console(highlight=False), placement.board
    certain = [violation for violation in placement.violations if violation.certain]
    if certain:
        more = f" (and {len(certain) - 1} more: see 'loihiconv place')" if len(certain) > 1 else ""
        console.print(f"[bold red]✗[/] does not fit {escape(board.title)}: {escape(str(certain[0]))}{more}", soft_wrap=True)
        return
    cores = f"{n.count(placement.cores)} of {n.count(board.cores)} cores"
    console.print(f"[bold green]✓[/] fits {escape(board.title)}: {cores}", soft_wrap=True)


def _row(layer: LayerPlacement, placement: Placement) -> list[str]:
    shape = n.size(layer.shape, "x")
    if not layer.slices:
        return [layer.name, shape, "", "", *[""] * 5]
    held: dict[int, Demand] = {}
    neurons: dict[int, int] = {}
    for s in layer.slices:
        held[s.core] = held.get(s.core, Demand()) + s.demand
        neurons[s.core] = neurons.get(s.core, 0) + s.region.neurons
    most = [max(neurons.values()), *(max(getattr(d, name) for d in held.values()) for name in ("words", "axons_in"))]
    fullest = max(placement.utilisation(core) for core in layer.cores)
    bound = max(layer.bounds.values())
    cores = [n.count(len(layer.cores)), n.decimal(bound, 1)]
    return [layer.name, shape, layer.kind, *cores, *map(n.count, most), n.share(fullest, 0)]
