"""Run notebooks from top to bottom, in place: ``python scripts/run_notebooks.py NOTEBOOK...``.

A notebook is written only when all of its cells ran. What a run leaves behind beside the outputs (times, the kernel's version) is taken
out, so that a second run changes as little as it can.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

METADATA = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}


def run(path: Path) -> None:
    """Run one notebook in its folder and write it back."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=1800, coalesce_streams=True, resources={"metadata": {"path": str(path.parent)}}).execute()
    nbformat.write(cleaned(notebook), path)


def cleaned(notebook: Any) -> Any:
    """The notebook without what differs from run to run for no reason."""
    notebook.metadata = METADATA
    for cell in notebook.cells:
        cell.metadata = {}
    return notebook


def main(paths: list[Path]) -> None:
    """Run all of them, saying how long each took."""
    for path in paths:
        begin = time.monotonic()
        run(path)
        print(f"{path.name}: {time.monotonic() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
