"""One door to everything that can run a `Network`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from loihiconv.backends.realize import check_generation, realize
from loihiconv.backends.register_check import check_registers
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.linear import Array
from loihiconv.core.network import Network, Recording
from loihiconv.hardware.board import load_board
from loihiconv.hardware.fitting import require_fit
from loihiconv.lava.chip.lif import RATIO
from loihiconv.lava.chip.realizations import Realization
from loihiconv.lava.chip.settings import BoardAccess, ChipSettings
from loihiconv.lava.client import run_lava
from loihiconv.lava.detection import require_loihi
from loihiconv.simulator import simulate

BACKENDS = ("float", "emulator", "lava", "loihi")


def run(
    net: Network,
    x: Array,
    backend: str = "emulator",
    record: Collection[str] | None = None,
    *,
    counts: bool = True,
    device: str = "cpu",
    memory: int | str | None = None,
    stock_models: bool = False,
    realization: Realization | None = None,
    lif_ratio: float = RATIO,
    access: BoardAccess | None = None,
    deadline: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Recording:
    """Run samples through a spiking network.

    Parameters
    ----------
    net : Network
    x : array (N, \\*input shape)
    backend : str
        "float": the float spiking network that ``net`` was quantized from, or ``net`` itself if it is float.
        "emulator": the fixed-point network, batched, bit for bit as Lava and the chip compute it.
        "lava": the same integers in Lava's CPU simulator, in a process of its own.
        "loihi": a board, through Intel's lava-loihi. No board has been within reach of this project.
    record : collection of "spikes", "potentials" and "residuals", optional
        What to keep beside spike counts and final potentials; "residuals" not with "lava" and "loihi".
    counts : bool
        Keep spike counts per sample and neuron; without them memory does not grow with N, and on a board no spikes but
        those of the readout's way leave the chip.
    device : str
        Torch device of "float" and "emulator"; the emulator's integers are the same on all of them.
    memory : int or str, optional
        Bytes, or text such as "4G", that "float" and "emulator" may take for working memory, records apart; by default what
        the environment variable LOIHICONV_MEMORY says, else a quarter of what is free.
    stock_models : bool
        "lava" with Intel's own models of the connections: the same spikes, slower.
    realization : "native", "atrlif" or "lif", optional
        How neurons on the chip reset by subtraction; see `loihiconv.lava.chip.realizations`. "emulator" runs the integers that it takes,
        "lava" exactly the process graph that goes to the chip. By default "loihi" takes "native", and the others the network as it is.
    lif_ratio : float, at least 1
        Of the realization "lif": threshold to largest input per step; see `loihiconv.lava.chip.lif`.
    access : BoardAccess, optional
        Of "loihi": SLURM partition or address, profiler, NeuroCore model.
    deadline : float, optional
        Seconds after which "lava" or "loihi" is ended; by default generous.
    progress : callable (samples done, samples in all), optional

    Returns
    -------
    Recording

    Raises
    ------
    InvalidSetting
        If the back end is unknown or cannot run this kind of network.
    InvalidData
        If the samples do not fit the network.
    LimitExceeded
        If the network does not fit the board, or the realization's 24-bit registers do not hold what these samples bring.
    BackendUnavailable
        If Lava is not installed, there is no such device, or no Loihi can be reached.
    """
    check_backend(net, backend)
    kept = frozenset(record or ())
    if backend == "loihi":
        return _run_loihi(net, x, realization or "native", lif_ratio, access or BoardAccess(), kept, counts, deadline, progress)
    if backend == "float" and realization is not None:
        raise InvalidSetting("a float network has no realization", where="realization", limit="emulator, lava or loihi expected")
    network = float_network(net) if backend == "float" else net
    if realization is not None:
        network = realize(net, realization, ratio=lif_ratio)
    if backend == "lava":
        chip = None
        if realization is not None:
            check_registers(network, realization, x)
            chip = ChipSettings(realization)
        return run_lava(network, x, record=kept, stock_models=stock_models, deadline=deadline, chip=chip, progress=progress)
    recording = simulate(network, x, record=kept, counts=counts, device=device, memory=memory, progress=progress)
    return recording if realization is None else replace(recording, realization=network.record.realization)


def _run_loihi(
    net: Network, x: Array, realization: Realization, lif_ratio: float, access: BoardAccess, record: frozenset[str], counts: bool,
    deadline: float | None, progress: Callable[[int, int], None] | None,
) -> Recording:  # fmt: skip
    board = load_board(net.board)
    check_generation(realization, board)
    network = realize(net, realization, board=board, ratio=lif_ratio)
    require_fit(network, board)
    python = require_loihi(access, realization)
    check_registers(network, realization, x)
    sinks = counts or "spikes" in record
    chip = ChipSettings(realization, "loihi", board.generation, sinks, access)
    return run_lava(network, x, record=record, deadline=deadline, progress=progress, python=python, chip=chip)


def check_backend(net: Network, backend: str) -> None:
    """Raise `InvalidSetting` if ``backend`` does not exist or cannot run ``net``."""
    if backend not in BACKENDS:
        raise InvalidSetting(f"unknown back end {backend!r}", where="backend", limit=f"one of {', '.join(BACKENDS)}")
    if backend == "float":
        float_network(net)
    elif not net.fixed_point:
        raise InvalidSetting(
            f"{backend!r} runs integers, this network is float", where="backend", remedy='convert with board=..., or use "float"'
        )


def float_network(net: Network) -> Network:
    """The float network behind ``net``."""
    if not net.fixed_point:
        return net
    if net.origin is None:
        raise InvalidSetting("the network was saved without its float origin", where="backend", limit='"float" needs it')
    return net.origin
