"""``loihiconv init``: a file of settings to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from loihiconv.commands import options as given
from loihiconv.commands.data import FORMS
from loihiconv.commands.schema import NAME, schema_of, write_schema
from loihiconv.commands.setting_options import help_text
from loihiconv.commands.terminal import note
from loihiconv.conversion.settings import DECLARED, OPTIMIZE
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.files import check_writable, write_text

HEAD = """\
# yaml-language-server: $schema={schema}
# Settings of loihiconv, for every command: loihiconv convert -c {name}, compare -c {name}, ...
# A key is an option's name without --; options that are typed go before this file. Paths are as on the command line.
# A line that begins with # is a default, and can be left out.
"""


def init(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="A model file, or a factory as package.module:function or file.py:function.")],
    data: Annotated[str, typer.Argument(help=f"Training and test samples with labels: {FORMS}.")],
    weights: Annotated[Path | None, typer.Option(help="State dict or .safetensors for the model.")] = None,
    board: given.Board = "kapoho_point",
    timesteps: Annotated[int, typer.Option("--timesteps", "-T", help="Time steps per sample.")] = 32,
    out: Annotated[
        Path | None,
        typer.Option(help="Write it to this file, which must not exist, instead of standard output; and a schema for editors beside it."),
    ] = None,
) -> None:
    """Write a commented file of settings that every command takes with -c.

    Example: loihiconv init mynets:lenet mnist.npz --weights lenet.pt > lenet.yaml
    """
    from loihiconv.hardware.board import load_board

    DECLARED["timesteps"].check(timesteps)
    load_board(board)
    if out is not None and out.exists():
        raise InvalidSetting("is there already", where=str(out), remedy="choose another name, or remove it")
    text = written(model, data, weights, board, timesteps, out)
    if out is None:
        typer.echo(text, nl=False)
        note(f"'loihiconv schema --out {NAME}' writes what editors complete it with")
        return
    check_writable(out)
    write_text(out, text)
    schema = out.with_name(NAME)
    write_schema(schema, schema_of(context.find_root().command))
    note(f"written: {out}, and {schema}, with which editors complete it")


def written(model: str, data: str, weights: Path | None, board: str, timesteps: int, out: Path | None) -> str:
    """The file's text."""
    stem = Path(model.rpartition(":")[2]).stem
    network = f"{stem}.lnet"
    lines = [HEAD.format(schema=NAME, name=out.name if out is not None else f"{stem}.yaml")]
    lines += [_line("model", model), _line("weights", str(weights)) if weights else "# weights: weights.pt"]
    lines += [_line("data", data), _line("calibration", data), _line("board", board), _line("network", network)]
    lines += ["", "# --- preprocessing, which convert stores in the network", "# Subtracted from each channel, and what it is divided by"]
    lines += ["# mean: ''", "# std: ''", "# What samples are multiplied by first, such as 1/255, and their axes, such as HWC"]
    lines += ["# input-scale: ''", "# layout: ''"]
    lines += ["", "# --- conversion", _line("timesteps", timesteps)]
    for declared in (OPTIMIZE, *DECLARED.values()):
        if declared.name != "timesteps":
            lines += [f"# {help_text(declared)}", f"# {declared.name.replace('_', '-')}: {_value(declared.default)}"]
    lines += ["", "# --- for one command alone", "convert:", f"  {_line('out', network)}"]
    lines += ["compare:", "  backends: [float, emulator]", "  # lava-samples: 50", "  # html: report.html"]
    lines += ["sweep:", "  timesteps: [8, 16, 32, 64]"]
    return "\n".join(lines) + "\n"


def _line(key: str, value: Any) -> str:
    return f"{key}: {_value(value)}"


def _value(value: Any) -> str:
    import yaml

    return yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("\n...\n").strip()
