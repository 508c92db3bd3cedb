"""``loihiconv boards``: the boards that are known, and whether one can be reached from here."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from loihiconv.commands import options as given
from loihiconv.commands.terminal import print_json, print_table


def boards(as_json: given.Json = False) -> None:
    """List the boards that come with loihiconv, and say what this machine has and lacks to run on one.

    Example: loihiconv boards
    """
    from loihiconv.hardware.board import boards as known
    from loihiconv.lava.detection import detect

    detection = detect()
    if as_json:
        print_json({name: board.model_dump() for name, board in known().items()} | {"here": detection.to_json()})
        return
    rows = [
        [b.name, str(b.generation), str(b.chips.value), str(b.cores), "yes" if b.graded_spikes else "no", b.title] for b in known().values()
    ]
    print_table("Boards", ["name", "Loihi", "chips", "cores", "graded spikes", "title"], rows)
    console = Console(highlight=False)
    console.print("[bold]From here[/]")
    for finding in detection.findings.values():
        mark = "[bold green]✓[/]" if finding.found else "[bold red]✗[/]"
        remedy = f"; {finding.remedy}" if finding.remedy and not finding.found else ""
        console.print(f"{mark} " + escape(f"{finding.name}: {finding.detail}{remedy}"), soft_wrap=True)
    console.print(
        "A run on a board can be tried." if detection.ready else 'No run on a board is possible from here; backend "lava" simulates.'
    )
