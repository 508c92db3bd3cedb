"""One door for files of other programs: what a file is decides how it is taken."""

from __future__ import annotations

from pathlib import Path

from loihiconv.ann.frontends.netx import NetxModel
from loihiconv.ann.frontends.netx_file import is_netx, read_netx
from loihiconv.conversion.calibration import CalibrationData
from loihiconv.conversion.convert import convert
from loihiconv.conversion.settings import Rounding
from loihiconv.core.choices import Coding, Reset
from loihiconv.core.errors import InvalidData, InvalidModel, InvalidSetting
from loihiconv.core.network import Network
from loihiconv.exchange.from_netx import from_netx
from loihiconv.exchange.from_nir import from_nir
from loihiconv.exchange.nir_graph import is_nir
from loihiconv.hardware.board import Board


def import_network(
    path: str | Path,
    *,
    timesteps: int | None = None,
    calibration: CalibrationData | None = None,
    board: str | Path | Board | None = None,
    reset: Reset | None = None,
    input_coding: Coding | None = None,
    spike_bits: int | None = None,
    dt: float | None = None,
    rounding: Rounding = "auto",
    seed: int = 0,
) -> Network:
    """The network of a NIR file (`from_nir`), or of one of lava-dl's: spiking (`from_netx`), or sigma-delta, which is converted.

    Parameters
    ----------
    path : path
    others
        As `loihiconv.from_nir` takes them; what does not apply to a file must not be given.

    Raises
    ------
    InvalidModel
        If the file is neither.
    InvalidSetting
        If something is given that does not apply.
    """
    if not Path(path).is_file():
        raise InvalidModel("no such file", where=str(path))
    if not is_netx(path):
        if not is_nir(path):
            limit = "a NIR graph (.nir) or a network of lava-dl (.net) expected"
            raise InvalidModel("holds neither", where=str(path), limit=limit)
        return from_nir(
            path,
            timesteps=timesteps,
            calibration=calibration,
            board=board,
            reset=reset,
            input_coding=input_coding,
            spike_bits=spike_bits,
            dt=dt,
            rounding=rounding,
            seed=seed,
        )
    for name, value in (("reset", reset), ("spike_bits", spike_bits), ("dt", dt)):
        if value is not None:
            raise InvalidSetting(
                f"{name} with a network of lava-dl", where=str(path), limit="only what NIR leaves open can be given", remedy="leave it out"
            )
    netx = read_netx(path)
    if not netx.sigma_delta:
        return from_netx(netx, timesteps=timesteps, board=board, input_coding=input_coding, seed=seed)
    if calibration is None:
        limit = "a sigma-delta network is converted, which takes training samples"
        raise InvalidData("no calibration data", where=str(path), limit=limit, remedy="give some")
    steps = timesteps if timesteps is not None else 32
    coding: Coding = input_coding or "analog"
    return convert(NetxModel(netx), calibration, board=board, timesteps=steps, input_coding=coding, rounding=rounding, seed=seed)
