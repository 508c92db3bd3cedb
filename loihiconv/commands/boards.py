"""``loihiconv boards``: the boards that are known, and whether one can be reached from here."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from loihiconv.commands import options as given
from loihiconv.commands.terminal import print_json, print_table
from loihiconv.core import numbers as n

if TYPE_CHECKING:
    from loihiconv.backends.backend import Backend


def boards(as_json: given.Json = False) -> None:
    """List the boards that come with loihiconv and the back ends, and say what this machine has and lacks to run on a board.

    Example: loihiconv boards
    """
    from loihiconv.backends.registry import backends
    from loihiconv.hardware.board import boards as known
    from loihiconv.lava.detection import detect

    detection = detect()
    if as_json:
        ready = {backend.name: asdict(backend.availability()) for backend in backends()}
        print_json({name: board.model_dump() for name, board in known().items()} | {"here": {**detection.to_json(), "backends": ready}})
        return
    rows = [
        [b.name, str(b.generation), n.count(b.chips.value), n.count(b.cores), "yes" if b.graded_spikes else "no", b.title]
        for b in known().values()
    ]
    print_table("Boards", ["name", "Loihi", "chips", "cores", "graded spikes", "title"], rows)
    print_table("Back ends", ["name", "runs", "from here"], [_row(backend) for backend in backends()])
    console = Console(highlight=False, emoji=False)
    console.print("[bold]From here[/]")
    for finding in detection.findings.values():
        mark = "[bold green]✓[/]" if finding.found else "[bold red]✗[/]"
        remedy = f"; {finding.remedy}" if finding.remedy and not finding.found else ""
        console.print(f"{mark} " + escape(f"{finding.name}: {finding.detail}{remedy}"), soft_wrap=True)
    console.print(
        "A run on a board can be tried." if detection.ready else 'No run on a board is possible from here; backend "lava" simulates.'
    )


def _row(backend: Backend) -> list[str]:
    found = backend.availability()
    return [backend.name, backend.description, f"yes, {found.detail}" if found.ready else f"no: {found.detail}"]
