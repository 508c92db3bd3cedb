"""`realize`: the network that a realization of the neurons runs."""

from __future__ import annotations

from dataclasses import replace

from loihiconv.conversion.quantization import quantize
from loihiconv.core.errors import InvalidSetting, LimitExceeded, UnsupportedLayer
from loihiconv.core.given import check_number
from loihiconv.core.network import STATE_SHIFT, Integrating, Integrator, Network, check_network
from loihiconv.core.record import RealizationRecord
from loihiconv.core.validation import validate
from loihiconv.hardware.board import Board, load_board
from loihiconv.lava.chip.atrlif import largest_threshold, spike_budget
from loihiconv.lava.chip.lif import RATIO, VTH_MAX, slowed
from loihiconv.lava.chip.realizations import Realization, check_realization


def realize(network: Network, realization: Realization, *, board: Board | None = None, ratio: float = RATIO) -> Network:
    """The fixed-point network whose every integer a chip's neurons of this kind compute.

    What a realization cannot hold is quantized again from the network's float origin, in ranges that it can: "atrlif" needs even
    thresholds of at most `atrlif.largest_threshold`, "lif" slows the network down (`lif.slowed`). A network that is
    already fit for it is returned as it is. ``record.realization`` says what was done. Biases that were corrected after
    quantization belong to the old integers, and are not carried over.

    Parameters
    ----------
    network : Network
        Fixed point.
    realization : "native", "atrlif" or "lif"
    board : Board, optional
        The board, where its name alone does not find it.
    ratio : float, at least 1
        Of "lif": threshold to largest input per step.

    Raises
    ------
    InvalidSetting
        If the realization is unknown or the network is float.
    UnsupportedLayer
        If the network holds gates for max-pooling, which no chip has.
    LimitExceeded
        If the network does not fit and has no float origin to quantize again, or no threshold fits T.
    """
    check_network(network)
    check_realization(realization)
    if not network.fixed_point:
        raise InvalidSetting("this network is float", where="realization", limit="a fixed-point one expected")
    check_number(ratio, "ratio", low=1)
    for population in network.populations:
        if not population.on_chips:
            raise UnsupportedLayer(
                "no chip has gates for max-pooling", where=population.name, remedy='convert with maxpool="relu-tree", or train with strides'
            )
        if population.graded:
            raise UnsupportedLayer(
                "graded spikes need a neuron program of their own, which is not written",
                where=population.name,
                limit="binary spikes",
                remedy="convert with spike_bits=1; the emulator and Lava's simulator run graded ones",
            )
    soft = [p for p in network.populations if isinstance(p, Integrator) and p.resets == "subtract"]
    if realization == "native" or not soft:
        realized = _described(network, RealizationRecord(realization))
    else:
        realized = _lif(network, soft[0], board, ratio) if realization == "lif" else _atrlif(network, soft, board)
    validate(realized)
    return realized


def _lif(network: Network, first: Integrating, board: Board | None, ratio: float) -> Network:
    origin = _origin(network, first, "resets by subtraction", "Lava's LIF resets to zero and has to be slowed down for it")
    board = board or load_board(network.board)
    if board.generation == 2:
        board = _with_thresholds(board, VTH_MAX, "loihiconv.lava.chip.lif", "largest threshold of Lava's LIF that is safe on chips")
    result = quantize(slowed(origin, ratio), board)
    return _described(result, RealizationRecord("lif", quantized_again=True, ratio=ratio))


def _atrlif(network: Network, soft: list[Integrating], board: Board | None) -> Network:
    ceiling = largest_threshold(network.timesteps)
    if ceiling < 2:
        raise LimitExceeded(
            f"T = {network.timesteps}",
            where=soft[0].name,
            limit="an ATRLIF neuron's 24-bit state holds at most 65535 spikes of a sample",
            remedy="use fewer time steps, or another realization",
        )
    broken = next((p for p in soft if p.unit(0) > ceiling or p.unit(0) % 2), None)
    if broken is None:
        return _described(network, RealizationRecord("atrlif"))
    vth = int(broken.unit(0))
    holds = f"vth = {vth} is odd" if vth % 2 else f"vth = {vth} leaves room for {spike_budget(vth)} spikes"
    origin = _origin(network, broken, holds, f"ATRLIF with T = {network.timesteps} needs even thresholds of at most {ceiling}")
    narrower = _with_thresholds(
        board or load_board(network.board), ceiling, "loihiconv.lava.chip.atrlif", "24-bit refractory state of ATRLIF"
    )
    result = quantize(origin, narrower)
    populations = tuple(_even(p) if isinstance(p, Integrator) and p.resets == "subtract" else p for p in result.populations)
    description = RealizationRecord("atrlif", quantized_again=True, largest_threshold=ceiling)
    return _described(replace(result, populations=populations), description)


def _even(population: Integrating) -> Integrating:
    """Mantissa and exponent leave a threshold odd only where it is smaller than the mantissa's range: there one less is even."""
    vth = int(population.unit(0))
    return population.quantized(max(vth - vth % 2, 2), STATE_SHIFT, v_init=population.v_init, bias=population.bias)


def check_generation(realization: Realization, board: Board) -> None:
    """Raise `LimitExceeded` for neurons that a chip cannot be programmed to be: those of Loihi 1 are fixed, and ATRLIF is a program."""
    if realization == "atrlif" and board.generation == 1:
        raise LimitExceeded(
            "ATRLIF is a program for the cores of Loihi 2",
            where="realization",
            limit=f"{board.title}: Loihi 1 has fixed neurons",
            remedy='use "lif", or "native" with a NeuroCore model of two compartments',
        )


def threshold_format(ceiling: int, mantissa_bits: int, exponent_max: int) -> tuple[int, int]:
    """Mantissa bits m and largest exponent e for which (2^m - 1) 2^e comes closest to a ceiling from below.

    Among equals the longer mantissa. With thresholds beyond the mantissa's range the exponent is at least 1, so they are even.

    Parameters
    ----------
    ceiling : int
    mantissa_bits, exponent_max : int
        What the board has; with 17 bits and no exponent, all thresholds are integers and any smaller format is among them.
    """
    whole = exponent_max == 0
    formats = [(m, e) for m in range(1, mantissa_bits + 1) for e in range((mantissa_bits - m if whole else exponent_max) + 1)]
    # At least 6 bits: a threshold may then lie at most 1/32 below the largest gain.
    fitting = [(m, e) for m, e in formats if (2**m - 1) << e <= ceiling and (m >= 6 or ceiling < 63)]
    return max(fitting, key=lambda f: ((2 ** f[0] - 1) << f[1], f[0]))


def _with_thresholds(board: Board, ceiling: int, source: str, note: str) -> Board:
    bits, exponent = threshold_format(ceiling, board.vth_mantissa_bits.value, board.vth_exponent_max.value)
    why = {"source": source, "note": note}
    update = {
        "vth_mantissa_bits": board.vth_mantissa_bits.model_copy(update={"value": bits, **why}),
        "vth_exponent_max": board.vth_exponent_max.model_copy(update={"value": exponent, **why}),
    }
    return board.model_copy(update=update)


def _origin(network: Network, population: Integrator, what: str, limit: str) -> Network:
    if network.origin is None:
        raise LimitExceeded(
            what,
            where=population.name,
            limit=limit,
            remedy="convert again and keep the float origin, from which it can be quantized anew, or use another realization",
        )
    return network.origin


def _described(network: Network, realization: RealizationRecord) -> Network:
    return replace(network, record=replace(network.record, realization=realization))
