"""The command line: one file per command in `loihiconv.commands`, put together here.

Tables and JSON go to standard output, progress, notes and errors to standard error. Errors are one line and exit code 2,
or 3 where a back end is not there.
"""

from __future__ import annotations

import errno
import os
import sys
import warnings
from contextlib import nullcontext
from typing import Annotated, NoReturn

import typer

from loihiconv.commands.boards import boards
from loihiconv.commands.check import check
from loihiconv.commands.compare import compare
from loihiconv.commands.configuration import options_of, read_config, without_config
from loihiconv.commands.conformance import conformance
from loihiconv.commands.convert import convert
from loihiconv.commands.demo import demo
from loihiconv.commands.deploy import deploy
from loihiconv.commands.diff import diff
from loihiconv.commands.export import export
from loihiconv.commands.finetune import finetune
from loihiconv.commands.import_network import import_network
from loihiconv.commands.init import init
from loihiconv.commands.interruption import orderly
from loihiconv.commands.lava import lava
from loihiconv.commands.outputs import kept_apart
from loihiconv.commands.place import place
from loihiconv.commands.run import run
from loihiconv.commands.schema import schema
from loihiconv.commands.sweep import sweep
from loihiconv.commands.terminal import error, note, results_alone
from loihiconv.commands.verify import verify
from loihiconv.core.errors import LoihiconvError
from loihiconv.core.version import __version__

EPILOG = "All of this may stand in a file of settings: -c FILE, which 'loihiconv init' writes."

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
WITHOUT_MEMORY = ("failed to map segment", "annot allocate memory", "out of memory")
"""What the loader says of libraries, and PyTorch of tensors, for which there is no room."""

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (init, schema, check, finetune, convert, run, compare, verify, sweep, demo, boards, place, deploy, diff, conformance):
    app.command(epilog="" if command in (init, schema, demo, boards, diff, conformance) else EPILOG)(kept_apart(command))
app.command("import")(kept_apart(import_network))
app.command()(kept_apart(export))
app.add_typer(lava, name="lava")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"loihiconv {__version__}")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version.")] = False,
) -> None:
    """Trained float networks on Intel Loihi: check, convert, run, compare."""


def main() -> NoReturn:
    """Entry point of the ``loihiconv`` command."""
    sys.stdout, sys.stderr = (stream or open(os.devnull, "w") for stream in (sys.stdout, sys.stderr))  # noqa: SIM115  # closed ones are None
    warnings.showwarning = lambda message, *_, **__: note(f"warning: {message}")
    try:
        with orderly(), results_alone() if "--json" in sys.argv else nullcontext():
            arguments, config = without_config(sys.argv[1:])
            given = {} if config is None else read_config(config, dict(options_of(typer.main.get_command(app))))
            app(arguments, default_map=given)
    except LoihiconvError as cause:
        error(str(cause))
        sys.exit(cause.exit_code)
    except BrokenPipeError:
        sys.exit(141)
    except (MemoryError, ImportError, RuntimeError) as cause:
        said = " ".join(str(cause).split())
        if not isinstance(cause, MemoryError) and not any(words in said for words in WITHOUT_MEMORY):
            raise
        error(f"there is not enough memory{f' ({said})' if said else ''}; allow more, or run fewer samples")
        sys.exit(2)
    except OSError as cause:
        if cause.errno not in FULL:
            raise
        error(f"output cannot be written: {cause.strerror}")
        sys.exit(2)
    sys.exit(0)


if __name__ == "__main__":
    main()
