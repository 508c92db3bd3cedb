"""`realize`: the network that a realization of the neurons runs."""

from __future__ import annotations

from dataclasses import replace

from loihiconv.conversion.narrowing import with_thresholds
from loihiconv.conversion.quantization import quantize
from loihiconv.conversion.reset_to_zero import reset_to_zero, resets_to_zero
from loihiconv.core.errors import InvalidSetting, LimitExceeded, UnsupportedLayer
from loihiconv.core.given import check_number
from loihiconv.core.input_coding import sample_parts
from loihiconv.core.input_samples import collect_inputs
from loihiconv.core.network import STATE_SHIFT, Integrating, Integrator, Network, check_network
from loihiconv.core.record import RealizationRecord
from loihiconv.core.samples import Samples
from loihiconv.core.validation import validate
from loihiconv.exchange.export_netx import check_netx
from loihiconv.hardware.board import Board, load_board
from loihiconv.lava.chip.atrlif import largest_threshold, spike_budget
from loihiconv.lava.chip.realizations import AT_ONCE, TO_ZERO, Realization, check_realization


def realize(
    network: Network,
    realization: Realization,
    *,
    board: Board | None = None,
    ratio: float | None = None,
    calibration: Samples | None = None,
) -> Network:
    """The fixed-point network whose every integer a chip's neurons of this kind compute.

    What a realization cannot hold is quantized again from the network's float origin, in ranges that it can: "atrlif" needs even
    thresholds of at most `atrlif.largest_threshold`, "lif", "lifreset" and "netx" slow the network down
    (`loihiconv.conversion.reset_to_zero`). A network that is already fit for it is returned as it is. ``record.realization`` says what was
    done. Biases that were corrected after quantization belong to the old integers, and are not carried over; with calibration data those
    that reset to zero get new ones.

    Parameters
    ----------
    network : Network
        Fixed point.
    realization : one of `loihiconv.lava.chip.realizations.REALIZATIONS`
    board : Board, optional
        The board, where its name alone does not find it.
    ratio : float, at least 1, optional
        Of those that reset to zero: threshold to largest input per step. By default chosen on the calibration data; without any, 8 for
        "lif" and 3 for the others.
    calibration : array (N, \\*input shape), optional
        Training samples, for those that reset to zero.

    Raises
    ------
    InvalidSetting
        If the realization is unknown or the network is float.
    UnsupportedLayer
        If the network holds gates for max-pooling, which no chip has, or for "netx" what its files cannot say.
    LimitExceeded
        If the network does not fit and has no float origin to quantize again, or no threshold fits T, or T is no power of two where
        neurons of a chip need one.
    """
    check_network(network)
    check_realization(realization)
    if not network.fixed_point:
        raise InvalidSetting("this network is float", where="realization", limit="a fixed-point one expected")
    if ratio is not None:
        check_number(ratio, "ratio", low=1)
    _check_neurons(network, realization)
    if network.silent_steps:
        _check_counting(network)
    if realization in AT_ONCE:
        _check_at_once(network, realization)
    if realization == "netx":
        check_netx(network)
    soft = [p for p in network.populations if isinstance(p, Integrator) and p.resets == "subtract"]
    if realization in TO_ZERO:
        realized = _to_zero(network, realization, board, ratio, calibration)
    elif realization == "native" or not soft:
        realized = _described(network, RealizationRecord(realization))
    else:
        realized = _atrlif(network, soft, board)
    validate(realized)
    return realized


def _check_neurons(network: Network, realization: str) -> None:
    for population in network.populations:
        if not population.on_chips:
            raise UnsupportedLayer(
                "no chip has gates for max-pooling", where=population.name, remedy='convert with maxpool="relu-tree", or train with strides'
            )
        if population.graded:
            what = "signed" if population.smallest_message < 0 else "graded"
            raise UnsupportedLayer(
                f"{what} spikes need a neuron program of their own, which is not written",
                where=population.name,
                limit="binary spikes",
                remedy=f"convert with {population.setting_without}; the emulator and Lava's simulator run {what} ones",
            )
        if (steps := population.silent_steps) and realization != "native":
            raise UnsupportedLayer(
                f"{steps} silent steps",
                where=population.name,
                limit=f'neurons of realization "{realization}" may spike at any step',
                remedy='convert with silent_steps=0, or use realization "native", which needs a NeuroCore model on a board',
            )


def _check_counting(network: Network) -> None:
    """Where some populations have silent steps all have to end theirs on time, for which stock neurons do not count."""
    for population in network.populations:
        if population.on_chips and population.resets == "zero":
            raise UnsupportedLayer(
                "resets to zero beside populations with silent steps",
                where=population.name,
                limit='neurons of realization "native", which reset by subtraction',
                remedy="convert with silent_steps=0",
            )


def _check_at_once(network: Network, realization: str) -> None:
    """What lets neurons begin each sample by themselves: a T that chips can count, and nothing that the host loads for each sample."""
    steps = network.timesteps
    if steps & (steps - 1):
        below = 1 << steps.bit_length() - 1
        raise LimitExceeded(
            f"T = {steps}",
            where=f"realization {realization}",
            limit="chips reset LIFReset every 2^n time steps",
            remedy=f"convert with timesteps={below} or {2 * below}",
        )
    if (loaded := next((c for c in network.connections if c.on_host), None)) is not None:
        raise LimitExceeded(
            "the host computes its sums and loads them as biases for each sample",
            where=loaded.name,
            limit=f'realization "{realization}" runs all samples in one go',
            remedy='convert for a board of Loihi 2, or use realization "lif"',
        )


def _to_zero(network: Network, realization: str, board: Board | None, ratio: float | None, calibration: Samples | None) -> Network:
    if resets_to_zero(network, realization):
        before = network.record.realization
        return network if before is not None and before.name == realization else _described(network, RealizationRecord(realization))
    spiking = next(p for p in network.layers if isinstance(p, Integrator))
    origin = _origin(network, spiking, "resets by subtraction", "Lava's LIF resets to zero and has to be slowed down for it")
    samples = None if calibration is None else collect_inputs(sample_parts(network), calibration, "calibration").x
    return reset_to_zero(network, origin, realization, board or load_board(network.board), ratio=ratio, calibration=samples)


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
    narrower = with_thresholds(
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
    """Raise `LimitExceeded` for neurons that a chip cannot be programmed to be: those of Loihi 1 are fixed, and these are programs."""
    programs = {"atrlif": "ATRLIF", "lifreset": "LIFReset", "netx": "LIFReset"}
    if realization in programs and board.generation == 1:
        raise LimitExceeded(
            f"{programs[realization]} is a program for the cores of Loihi 2",
            where="realization",
            limit=f"{board.title}: Loihi 1 has fixed neurons",
            remedy='use "lif", or "native" with a NeuroCore model of two compartments',
        )


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
