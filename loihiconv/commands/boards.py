"""``loihiconv boards``: the boards that come with loihiconv."""

from __future__ import annotations

from loihiconv.commands import options as given
from loihiconv.terminal import print_json, print_table


def boards(as_json: given.Json = False) -> None:
    """List the boards that come with loihiconv."""
    from loihiconv.hardware.config import boards as known

    if as_json:
        print_json({name: board.model_dump() for name, board in known().items()})
        return
    rows = [
        [b.name, str(b.generation), str(b.chips.value), str(b.cores), "yes" if b.graded_spikes else "no", b.title] for b in known().values()
    ]
    print_table("Boards", ["name", "Loihi", "chips", "cores", "graded spikes", "title"], rows)
