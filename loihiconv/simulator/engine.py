"""The simulator: batched, layer by layer, all steps of a block at once; float and fixed point alike.

No population waits for another's delay: windows are aligned to the wavefront (see `loihiconv.core.network`), so this is
exactly what Lava and the chip compute. Samples are cut into chunks, so that memory does not grow with their number; each core works on
chunks of its own, in memory of its own that it uses again: no barrier within a layer, so a busy neighbour costs its share and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.input_coding import Samples, check_samples
from loihiconv.core.network import Network, Recording
from loihiconv.simulator import memory as sizes
from loihiconv.simulator.devices import find_device, ieee_products, threads
from loihiconv.simulator.results import RECORDS
from loihiconv.simulator.run import Run

Progress = Callable[[int, int], None]


def simulate(
    network: Network,
    x: Samples,
    *,
    record: Collection[str] = (),
    counts: bool = True,
    device: str | torch.device = "cpu",
    memory: int | str | None = None,
    portable: bool | None = None,
    first: int = 0,
    progress: Progress | None = None,
) -> Recording:
    """Run a network, float or fixed point, on samples.

    Parameters
    ----------
    network : Network
    x : array (N, \\*input shape), or one for each of several inputs, by name or in order
    record : collection of "spikes", "potentials" and "residuals"
        "spikes" keeps every spike (N T neurons bytes), "potentials" the readout after each step, "residuals" every
        population's membrane potentials after the last step (4 N neurons bytes).
    counts : bool
        Keep spike counts per sample and neuron (4 N neurons bytes). Without them memory does not grow with N.
    device : str
        A torch device; the integers are the same on all of them.
    memory : int or str, optional
        Bytes that working memory may take, records apart; see `loihiconv.simulator.memory.budget`.
    portable : bool, optional
        Use torch's operations alone, as on an accelerator; by default on all devices but the CPU.
    first : int
        Index of the first of these samples in the run that they are part of: random spikes depend on it.
    progress : callable (samples done, samples in all), optional

    Returns
    -------
    Recording
        Bit for bit what Lava's fixed-point simulation gives, if the network is fixed point.

    Raises
    ------
    InvalidData
        If samples have the wrong shape, are not finite or are none.
    InvalidSetting
        If ``record`` holds something else, or more than memory can.
    BackendUnavailable
        If there is no such device.
    """
    if unknown := set(record) - set(RECORDS):
        raise InvalidSetting(f"cannot record {sorted(unknown)[0]!r}", where="record", limit=f"any of {', '.join(RECORDS)}")
    x = check_samples(network, x)
    place = find_device(device)
    kept = frozenset(record) | ({"counts"} if counts else set())
    run = Run(network, x, place, kept, place.type != "cpu" if portable is None else portable, first=first)
    workers = torch.get_num_threads() if place.type == "cpu" else 1
    blocks = sizes.plan(network, len(x), memory=sizes.budget(memory, place), workers=workers, accelerator=place.type != "cpu")
    done = 0
    with ieee_products(place), threads(workers) as each:
        for samples in each(lambda begin: run.chunk(begin, blocks), range(0, len(x), blocks.samples)):
            done += samples
            if progress is not None:
                progress(done, len(x))
    return run.recording()
