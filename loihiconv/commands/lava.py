"""``loihiconv lava``: an environment for Lava, which needs Python 3.10."""

from __future__ import annotations

from typing import Annotated

import typer

from loihiconv.commands import options as given
from loihiconv.commands.terminal import note, print_json, print_table

lava = typer.Typer(help="Lava in an environment of its own, since it needs Python 3.10: install, status, remove.", no_args_is_help=True)


@lava.command()
def install(
    python: Annotated[str | None, typer.Option(help="A Python 3.10 to make it from, instead of one that is found.")] = None,
) -> None:
    """Make an environment with Lava; from then on everything finds it.

    Example: loihiconv lava install
    """
    from loihiconv.lava.installation import install as run_install
    from loihiconv.lava.interpreter import environment_folder

    version = run_install(note, python=python)
    note(f"lava-nc {version} is in {environment_folder()}; back end lava uses it")


@lava.command()
def status(as_json: given.Json = False) -> None:
    """Say which Python runs Lava. Exit code 3 where none does.

    Example: loihiconv lava status
    """
    from loihiconv.lava.detection import detect
    from loihiconv.lava.interpreter import environment_folder

    detection = detect()
    found = detection.findings["lava"]
    if as_json:
        folder = environment_folder()
        print_json({"ready": found.found, "python": detection.python, "folder": str(folder) if folder.exists() else None, **vars(found)})
    else:
        rows = [["Lava", found.detail], ["own environment", str(environment_folder()) if environment_folder().exists() else "none"]]
        print_table("", ["", ""], rows)
        if not found.found:
            note(found.remedy)
    if not found.found:
        raise typer.Exit(3)


@lava.command()
def remove() -> None:
    """Remove the environment that 'lava install' has made.

    Example: loihiconv lava remove
    """
    from loihiconv.lava.installation import remove as run_remove
    from loihiconv.lava.interpreter import environment_folder

    note(f"removed: {environment_folder()}" if run_remove() else "there is none")
