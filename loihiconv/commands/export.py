"""``loihiconv export``: a network in a format that other programs read."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated

import typer

from loihiconv.commands import options as given
from loihiconv.commands.terminal import note, print_json
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.files import check_writable


def export(
    network: Annotated[Path, typer.Argument(help="A saved network (.lnet).")],
    nir: Annotated[Path | None, typer.Option(help="Write it as a NIR graph (.nir).")] = None,
    as_float: Annotated[bool, typer.Option("--float", help="The float network that a fixed-point one was quantized from.")] = False,
    output: given.Output = None,
    as_json: given.Json = False,
) -> None:
    """Write a saved network for other programs, and say what their format cannot.

    Example: loihiconv export lenet.lnet --nir lenet.nir
    """
    if nir is None:
        raise InvalidSetting("no format", where="export", remedy="give --nir FILE")
    check_writable(nir)
    from loihiconv.core.artifact import load
    from loihiconv.core.selection import only
    from loihiconv.exchange.export_nir import export_nir

    net = load(network)
    if as_float and net.fixed_point:
        if net.origin is None:
            raise InvalidSetting("it was not quantized from a float network", where=str(network), remedy="leave --float out")
        net = net.origin
    if output is not None:
        net = only(net, output)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # said below, line by line
        sentences = export_nir(net, nir)
    if as_json:
        print_json({"path": str(nir), "fixed_point": net.fixed_point, "timesteps": net.timesteps, "not_in_nir": list(sentences)})
        return
    note(f"written: {nir}. NIR cannot say all of it:")
    for sentence in sentences:
        note(f"- {sentence}")
