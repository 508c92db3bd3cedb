"""``loihiconv export``: a network in a format that other programs read."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from loihiconv.commands import options as given
from loihiconv.commands.data import FORMS, Said, read_data, training_samples, with_preprocessing
from loihiconv.commands.terminal import note, print_json
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.files import check_free, check_writable


@with_preprocessing
def export(
    network: Annotated[Path, typer.Argument(help="A saved network (.lnet).")],
    said: Said,
    nir: Annotated[Path | None, typer.Option(help="Write it as a NIR graph (.nir).")] = None,
    netx: Annotated[
        Path | None, typer.Option(help="Write a folder that lava-dl's netx runs on Loihi 2: its HDF5 file, a program, expected spikes.")
    ] = None,
    as_float: Annotated[bool, typer.Option("--float", help="The float network that a fixed-point one was quantized from (NIR).")] = False,
    output: given.Output = None,
    samples: Annotated[
        str | None,
        typer.Option(help=f"Samples for netx, of which the first go into the self-test: {FORMS}.", metavar="DATA"),
    ] = None,
    board: Annotated[
        str | None, typer.Option("--board", help="Another board than it was converted for (netx).", autocompletion=given.complete_board)
    ] = None,
    lif_ratio: given.LifRatio = None,
    calibration: given.Calibration = None,
    selftest_samples: Annotated[int, typer.Option(help="Samples of the self-test (netx).")] = 3,
    as_json: given.Json = False,
) -> None:
    """Write a saved network for other programs, and say what their format cannot.

    Example: loihiconv export lenet.lnet --nir lenet.nir

    Example: loihiconv export lenet.lnet --netx lenet --samples mnist.npz
    """
    if (nir is None) == (netx is None):
        raise InvalidSetting("no format" if nir is None else "two formats", where="export", remedy="give --nir FILE or --netx FOLDER")
    if nir is not None:
        _nir(network, nir, as_float=as_float, output=output, as_json=as_json)
        return
    assert netx is not None  # one of the two
    if as_float:
        raise InvalidSetting("netx takes no float networks", where="--float", limit="whole numbers expected", remedy="leave it out")
    given.at_least_one(selftest_samples, "--selftest-samples")
    from loihiconv.backends.deploy import deploy
    from loihiconv.core.artifact import load
    from loihiconv.core.selection import only
    from loihiconv.exchange.export_netx import check_ends

    check_free(netx.absolute())
    net = load(network) if output is None else only(load(network), output)
    check_ends(net)
    x, y, training = _noise(net, selftest_samples), None, None
    if samples is not None:
        data = read_data(samples, "test", net.input.sample_shape)
        training = training_samples(calibration, samples, said, net)
        net, x = said.fitted(net, data.x)
        y = data.y
    elif calibration is not None:
        training = training_samples(calibration, calibration, said, net)
    options: dict[str, Any] = {"board": board, "lif_ratio": lif_ratio, "calibration": training, "samples": selftest_samples}
    done = deploy(net, x, netx, y=y, realization="netx", **options)
    if as_json:
        cost = done.cost.to_json() if samples is not None else None
        print_json({"path": str(netx), "timesteps": net.timesteps, "samples": done.samples, "cost": cost})
        return
    note(f"written: {netx}, with a self-test of {done.samples} samples; see {netx / 'README.md'}")
    if samples is not None:
        note(f"what it costs: {done.cost}")
    else:
        note("the self-test runs noise, and what the reset to zero costs is not known: give --samples DATA.npz")
    if not done.cost.corrected:
        note("biases are not corrected for the reset to zero: give training samples with --calibration, or as x_train beside the samples")
    note("./run.sh selftest --simulate runs it in Lava's CPU simulator")


def _nir(network: Path, nir: Path, *, as_float: bool, output: str | None, as_json: bool) -> None:
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


def _noise(net: Any, samples: int) -> Any:
    """Samples of which nothing is known but their shape and range."""
    import numpy as np

    own = net.input.preprocessing
    low, unit = (-1.0 if net.input.signed else 0.0, net.input.scale) if own is None else (0.0, 1 / own.scale)
    drawn = np.random.default_rng(0).uniform(low, 1.0, (samples, *net.input.sample_shape))
    return np.asarray(drawn * unit, np.float32)
