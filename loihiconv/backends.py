"""One door to everything that can run a `Network`."""

from __future__ import annotations

from collections.abc import Callable, Collection

from loihiconv.errors import InvalidSetting
from loihiconv.lava.client import run_lava
from loihiconv.linear import Array
from loihiconv.network import Network, Recording
from loihiconv.simulation import simulate

BACKENDS = ("float", "emulator", "lava")


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
    record : collection of "spikes", "potentials" and "residuals", optional
        What to keep beside spike counts and final potentials; "residuals" not with "lava".
    counts : bool
        Keep spike counts per sample and neuron; without them memory does not grow with N.
    device : str
        Torch device of "float" and "emulator"; the emulator's integers are the same on all of them.
    memory : int or str, optional
        Bytes, or text such as "4G", that "float" and "emulator" may take for working memory, records apart; by default what
        the environment variable LOIHICONV_MEMORY says, else a quarter of what is free.
    stock_models : bool
        "lava" with Intel's own models of the connections: the same spikes, slower.
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
    BackendUnavailable
        If Lava is not installed, or there is no such device.
    """
    check_backend(net, backend)
    kept = frozenset(record or ())
    if backend == "lava":
        return run_lava(net, x, record=kept, stock_models=stock_models, progress=progress)
    network = float_network(net) if backend == "float" else net
    return simulate(network, x, record=kept, counts=counts, device=device, memory=memory, progress=progress)


def check_backend(net: Network, backend: str) -> None:
    """Raise `InvalidSetting` if ``backend`` does not exist or cannot run ``net``."""
    if backend not in BACKENDS:
        raise InvalidSetting(f"unknown back end {backend!r}", where="backend", limit=f"one of {', '.join(BACKENDS)}")
    if backend == "float":
        float_network(net)
    elif not net.fixed_point:
        raise InvalidSetting(
            f"{backend!r} runs integers, this network is float", where="backend", remedy='convert with hardware=..., or use "float"'
        )


def float_network(net: Network) -> Network:
    """The float network behind ``net``."""
    if not net.fixed_point:
        return net
    if net.origin is None:
        raise InvalidSetting("the network was saved without its float origin", where="backend", limit='"float" needs it')
    return net.origin
