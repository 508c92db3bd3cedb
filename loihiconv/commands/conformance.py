"""``loihiconv conformance``: vectors that a neuron of one's own has to reproduce."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loihiconv.commands import options as given
from loihiconv.commands.terminal import note, print_json


def conformance(
    out: Annotated[Path, typer.Argument(help="A new folder.")],
    as_json: given.Json = False,
) -> None:
    """Write vectors for whoever writes the neuron of the realization "native" for a chip, and a script that checks it with numpy alone.

    Example: loihiconv conformance vectors, then python vectors/check.py results.npz
    """
    from loihiconv.backends.conformance import SCRIPT, VECTORS, write_conformance

    cases = write_conformance(out)
    if as_json:
        print_json({"path": str(out), "cases": list(cases)})
        return
    note(f"written: {out / VECTORS}, {len(cases)} cases. python {out / SCRIPT} --help says how an implementation is checked.")
