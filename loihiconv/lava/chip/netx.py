"""A network as lava-dl's own loader builds it of an HDF5 file: the only loader of networks that Intel has tested on chips.

``lava.lib.dl.netx.hdf5.Network`` (lava-dl 0.6) makes a ``Dense`` or ``Conv`` and a ``LIFReset`` of each layer. It counts their resets from
the first layer on, which it takes for the one that samples enter at once; ours come over a connection that takes a step, hence a
``reset_offset`` of 1, as in lava-dl's own test on chips with spikes from the host.

lava-dl takes the parameters of resonate-and-fire neurons from ``lava.lib.dl.slayer``, and has modules for video beside its loader; both
need torch. No network of ours has a use for them, so something empty stands in for them: then lava-dl needs ``h5py`` and Lava alone
(``pip install --no-deps lava-dl``).
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from loihiconv.core.errors import ArtifactError, BackendUnavailable
from loihiconv.core.linear import Conv
from loihiconv.core.network import Network
from loihiconv.lava.chip.ends import ADAPTER_BITS, Adapters, HostEnds
from loihiconv.lava.chip.graph import Graph
from loihiconv.lava.chip.settings import ChipSettings
from loihiconv.lava.job import Job, Settings

INSTALL = "pip install h5py and then, as lava-dl itself wants an old torch, pip install --no-deps lava-dl"
_SLAYER, _MODULES = "lava.lib.dl.slayer", "lava.lib.dl.netx.sequential_modules"


def load(network: Network, job: Job, settings: Settings, chip: ChipSettings, adapters: Adapters) -> Graph:
    """The graph that lava-dl builds, between the host's ends.

    Parameters
    ----------
    network : Network
        What the file holds, as `loihiconv.backends.realize.realize` gives it; only names, shapes and T are taken from it.
    job : Job
    settings : Settings
    chip : ChipSettings
        ``netx`` names the file.
    adapters : Adapters

    Raises
    ------
    BackendUnavailable
        If lava-dl cannot be imported.
    ArtifactError
        If lava-dl does not read the file, or makes other layers of it than the network has.
    """
    populations = network.layers
    (first,) = network.incoming(populations[0].name)
    kind = "conv" if isinstance(first.map, Conv) else "dense"
    bits = 0 if network.input.spiking else ADAPTER_BITS[kind]
    try:
        net = loader()(str(chip.netx), reset_interval=network.timesteps, reset_offset=1, input_message_bits=bits)
    except BackendUnavailable:
        raise
    except Exception as error:  # whatever a damaged file leads to
        raise ArtifactError(f"lava-dl cannot load it: {error}", where=str(chip.netx), remedy="export it again") from error
    if [int(np.prod(layer.shape)) for layer in net.layers] != [p.size for p in populations]:
        raise ArtifactError("holds other layers than the network has", where=str(chip.netx), remedy="export it again")
    if int(np.prod(net.inp.shape)) != network.input.size:
        what = f"takes shape {net.inp.shape}, the network's input has {network.input.size} values"
        raise ArtifactError(what, where=str(chip.netx), remedy="export it again")
    ends = HostEnds(network, job, settings, chip, adapters)
    for population, layer in zip(populations, net.layers, strict=True):
        ends.on_chip.cores |= {f"neurons {population.name}": layer.neuron, f"connection to {population.name}": layer.synapse}
        if chip.sinks and population.spiking:
            ends.sink(population, layer.out)
    source = ends.source(net.inp.shape, network.input.name, populations[0].name, record=True)
    ends.adapted(source, kind, bits, f"adapter in front of {populations[0].name}").connect(net.inp)
    later = ends.reader(net.layers[-1].neuron)
    return Graph({}, net.layers[-1].neuron, net, ends.on_chip, later)


def loader() -> Any:
    """lava-dl's ``Network``.

    Raises
    ------
    BackendUnavailable
        If it cannot be imported.
    """
    try:
        if _SLAYER not in sys.modules:
            _stand_in()
        from lava.lib.dl.netx.hdf5 import Network as Loader
    except ImportError as error:
        raise BackendUnavailable(f"lava-dl cannot be used: {error}", where="realization netx", remedy=INSTALL) from error
    return Loader


def _stand_in() -> None:
    def missing(_: Any) -> Any:
        raise NotImplementedError("resonate-and-fire neurons need lava-dl's slayer, and that needs torch")

    for name in (_SLAYER, f"{_SLAYER}.neuron", f"{_SLAYER}.neuron.rf", _MODULES):
        sys.modules[name] = ModuleType(name)
    found = find_spec("lava.lib.dl.netx")
    if found is not None and found.origin is not None:  # Lava asks all modules beside a process for the folder that they are in
        sys.modules[_MODULES].__file__ = str(Path(found.origin).with_name("sequential_modules.py"))
    sys.modules[f"{_SLAYER}.neuron.rf"].neuron_params = missing  # type: ignore[attr-defined]
