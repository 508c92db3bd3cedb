"""`loihiconv.from_nir`: a spiking network out of a NIR graph."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from loihiconv.conversion.calibration import CalibrationData
from loihiconv.conversion.quantization import check_payload
from loihiconv.conversion.settings import DECLARED, Rounding
from loihiconv.core.choices import Coding, Reset
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.network import Network
from loihiconv.core.record import ConversionRecord
from loihiconv.core.version import __version__
from loihiconv.exchange.imported import finished
from loihiconv.exchange.nir_graph import NirGraph, read_nir, text
from loihiconv.exchange.nir_network import spiking_network
from loihiconv.exchange.nir_neurons import Reading
from loihiconv.hardware.board import Board, load_board


def from_nir(
    source: str | Path | Any,
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
    """Take a spiking network of another program, sinabs or snnTorch for one, as it is, and quantize it for a board.

    Its neurons become integrate-and-fire neurons with the file's own weights, biases and thresholds: nothing is converted again. The
    network integrates what leads to the graph's output, or counts the spikes that do; the class with the most wins. A sample is
    constant over its T steps: of recorded events, the mean number per step.

    Parameters
    ----------
    source : path, or nir.NIRGraph
    timesteps : int, optional
        T; may be left out for files that loihiconv has written.
    calibration : array or tensor (N, \\*shape), or iterable of batches, optional
        Samples as the network takes them: they tell how large inputs and outputs are. Needed for a board.
    board : str, path, Board or None
        None gives the float network.
    reset : "subtract" or "zero", optional
        By default what the file says: to v_reset; by subtraction where it has none, as sinabs does. The package nir, since 1.0.6, fills
        v_reset = 0 into every IF, also of a graph that it reads from a file without: give the path, or say it here.
    input_coding : "analog", "rate" or "poisson", optional
        How samples enter; by default "analog", values at each step, or what loihiconv has written.
    spike_bits : int, optional
        More than 1 lets neurons send several spikes in a step, 2^bits - 1 at most, as sinabs' neurons do. Boards with Loihi 2 alone.
    dt : float, optional
        Length of a step in the units of the file's r and time constants; 1 unless given.
    rounding : "auto", "nearest", "first" or "adaptive"
        Of weights, as `loihiconv.convert` takes it.
    seed : int
        Of "poisson".

    Returns
    -------
    Network
        ``record.notes`` says what a user should know about how the file was read.

    Raises
    ------
    LoihiconvError
        One line: the node, and why it cannot be part of such a network, as leaky neurons and recurrent connections cannot.
    """
    graph = read_nir(source)
    steps = _timesteps(graph, timesteps)
    payload_max = _checked(steps, reset, input_coding, spike_bits, dt, rounding, seed)
    board = load_board(board) if board is not None else None
    if board is not None and payload_max is not None:
        check_payload(payload_max, "spike_bits", board)
    coding = input_coding or _own(graph, "input_coding", get_args(Coding)) or "analog"
    network, notes = spiking_network(graph, Reading(steps, reset, dt, payload_max), coding, seed)
    record = ConversionRecord(provenance={"loihiconv": __version__, **({"nir": graph.version} if graph.version else {})})
    return finished(replace(network, record=record), calibration, board, rounding, notes)


def _timesteps(graph: NirGraph, given: int | None) -> int:
    if given is not None:
        return given
    written = graph.metadata.get("timesteps")
    try:
        return int(written)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise InvalidSetting("the file does not say how many", where="timesteps", remedy="give the time steps of a sample") from error


def _checked(
    timesteps: int, reset: str | None, coding: str | None, spike_bits: int | None, dt: float | None, rounding: str, seed: int
) -> int | None:
    """Raise `InvalidSetting` for a value out of its range; gives the largest payload."""
    given = {"timesteps": timesteps, "reset": reset, "input_coding": coding, "spike_bits": spike_bits, "rounding": rounding, "seed": seed}
    for name, value in given.items():
        if value is not None:
            DECLARED[name].check(value)
    if dt is not None and not 0 < dt < float("inf"):
        raise InvalidSetting(f"dt = {dt:g}", where="dt", limit="a number above 0 expected")
    if spike_bits is not None and spike_bits > 1 and reset == "zero":
        raise InvalidSetting('reset "zero" with graded spikes', where="spike_bits", limit="1 expected", remedy='use reset="subtract"')
    return None if spike_bits is None else int(2**spike_bits - 1)


def _own(graph: NirGraph, key: str, allowed: tuple[str, ...]) -> Any:
    """A word that loihiconv has written into a graph's metadata."""
    value = text(graph.metadata.get(key))
    return value if value in allowed else None
