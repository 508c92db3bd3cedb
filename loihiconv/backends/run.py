"""One door to everything that can run a `Network`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection
from dataclasses import replace
from os import PathLike

from loihiconv.backends.backend import Backend, RunOptions
from loihiconv.backends.lava_cpu import LavaCpu
from loihiconv.backends.loihi import Loihi
from loihiconv.backends.registry import check_backend
from loihiconv.backends.simulators import EMULATOR
from loihiconv.backends.spread import carried_out
from loihiconv.clusters.cluster import Cluster, check_cluster, connected
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.given import check_number, check_path, several, shown
from loihiconv.core.input_checks import input_doubts
from loihiconv.core.input_coding import check_samples, sample_parts
from loihiconv.core.input_samples import collect_inputs
from loihiconv.core.log import LOG
from loihiconv.core.network import Network
from loihiconv.core.progress import reporting
from loihiconv.core.recording import Recording
from loihiconv.core.samples import Samples
from loihiconv.core.saturation import lines
from loihiconv.core.validation import validate
from loihiconv.lava.chip.realizations import Realization, check_realization
from loihiconv.lava.chip.settings import BoardAccess


def run(
    net: Network,
    x: Samples,
    backend: str = "emulator",
    record: Collection[str] | None = None,
    *,
    samples: int | None = None,
    counts: bool = True,
    device: str = "cpu",
    memory: int | str | None = None,
    stock_models: bool = False,
    realization: Realization | None = None,
    lif_ratio: float | None = None,
    calibration: Samples | None = None,
    access: BoardAccess | None = None,
    deadline: float | None = None,
    strict: bool = False,
    keep: str | PathLike[str] | None = None,
    cluster: Cluster | None = None,
    progress: Callable[[int, int], None] | bool | None = None,
) -> Recording:
    """Run samples through a spiking network.

    Parameters
    ----------
    net : Network
    x : array or tensor (N, \\*input shape), Dataset, DataLoader, or iterable of samples or batches
        As they come, where the network has a preprocessing, or else as the float network takes them. Labels are not looked at. Of several
        inputs {input: array}, or a tuple of arrays, one for each of the network's ``inputs``, or batches of either.
    backend : str
        Any that `loihiconv.backends.registry` knows, among them
        "float": the float spiking network that ``net`` was quantized from, or ``net`` itself if it is float.
        "emulator": the fixed-point network, batched, bit for bit as Lava computes it.
        "lava": the same integers in Lava's CPU simulator, in a process of its own.
        "loihi": a board, through Intel's lava-loihi. No board has been within reach of this project.
    record : collection of "spikes", "potentials" and "residuals", optional
        What to keep beside spike counts and final potentials; "residuals" not with "lava" and "loihi".
    samples : int, optional
        Only the first so many; all of them are held in memory.
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
    realization : "native", "atrlif", "lif", "lifreset" or "netx", optional
        How neurons on the chip reset by subtraction; see `loihiconv.lava.chip.realizations`. "emulator" runs the integers that it takes,
        "lava" exactly the process graph that goes to the chip. By default "loihi" takes "native", and the others the network as it is.
    lif_ratio : float, at least 1, optional
        Of the realizations that reset to zero: threshold to largest input per step; see `loihiconv.realize`.
    calibration : array (N, \\*input shape), optional
        Training samples on which realizations that reset to zero correct biases and choose a ratio; see `loihiconv.realize`.
    access : BoardAccess, optional
        Of "loihi": SLURM partition or address, what is measured, NeuroCore model.
    deadline : float, optional
        Seconds after which "lava" or "loihi" is ended, and any back end between slices that are kept; by default generous.
    strict : bool
        Refuse samples that saturate what is watched (`loihiconv.core.saturation`) instead of warning; "lava" and "loihi" then run only
        what the emulator has found to be free of it.
    keep : path, optional
        A folder in which slices of the run are kept as they are finished. The same call with the same folder runs what is not in it, and
        gives the same recording. It is made here, and stays until you remove it.
    cluster : "local[:n]", "tcp://scheduler:port", "slurm:profile.yaml" or distributed.Client, optional
        Runs slices of samples on the workers of a dask cluster, with the same results. Needs ``loihiconv[cluster]``.
    progress : callable (samples done, samples in all) or True, optional
        True shows a bar, on a terminal or in a notebook.

    Returns
    -------
    Recording

    Raises
    ------
    InvalidSetting
        If the back end is unknown or cannot run this kind of network.
    InvalidModel
        If the network breaks a rule of `loihiconv.core.validation`, as one that was made by hand may.
    InvalidData
        If the samples do not fit the network.
    LimitExceeded
        If the network does not fit the board, or the realization's 24-bit registers do not hold what these samples bring; with
        ``strict`` also if samples saturate.
    ArtifactError
        If ``keep`` holds another run.
    BackendFailed
        If a run breaks or passes its deadline.
    BackendUnavailable
        If Lava is not installed, there is no such device, no Loihi can be reached, or no cluster.

    Warns
    -----
    UserWarning
        If samples do not look like those of the calibration (see `loihiconv.core.input_checks`), or saturate host currents or
        potentials: ``saturated`` of the recording says which.
    """
    validate(net)
    _check_options(device, realization, lif_ratio, access, deadline)
    options = RunOptions(
        record=frozenset(several(() if record is None else record, "record", '["spikes"]')),
        counts=counts,
        device=device,
        memory=memory,
        stock_models=stock_models,
        realization=realization,
        lif_ratio=lif_ratio,
        calibration=calibration,
        access=access,
        deadline=deadline,
        progress=reporting(progress),
        strict=strict,
    )
    if keep is not None:
        check_path(keep, "keep")
    check_cluster(cluster)
    chosen = check_backend(net, backend, options.record)
    if access is not None and access.profile is not None and not chosen.hardware:
        raise InvalidSetting(f"back end {backend!r} has no time and power of a chip", where="profile", limit="a board can be measured")
    if access is not None and access.read_late and not chosen.hardware:
        raise InvalidSetting(f"back end {backend!r} reads potentials when they are due", where="read_late", limit="only a board reads late")
    if access is not None and access.profile is not None and keep is not None:
        raise InvalidSetting("a measurement is one run", where="keep", limit="nothing of it is kept", remedy="run without it")
    given = check_samples(net, collect_inputs(sample_parts(net), x, "input", samples=samples).x)
    if said := input_doubts(net, given):
        warnings.warn(said, stacklevel=2)
    if strict and chosen.numbers == "fixed point" and chosen is not EMULATOR and not _emulates(chosen, options):
        # Lava and boards see less of it than the emulator, and a board's time is dear.
        _refuse(EMULATOR.run(net, given, replace(options, record=frozenset(), counts=False, device="cpu", progress=None)))
    LOG.info("%d samples of %d time steps in back end %s", len(given), net.timesteps, chosen.name)
    with connected(cluster, boards=chosen.hardware) as client:
        recording = carried_out(chosen, net, given, options, client, keep)
    if strict:
        _refuse(recording)
    for said in lines(recording.saturated):
        warnings.warn(said, stacklevel=2)
    return recording


def _check_options(device: object, realization: object, lif_ratio: object, access: object, deadline: object) -> None:
    """Raise `InvalidSetting` for the first option that is of no use to any back end."""
    if not isinstance(device, str):
        raise InvalidSetting(shown(device), where="device", limit='the name of a device expected, such as "cpu"')
    if realization is not None:
        check_realization(realization)
    if lif_ratio is not None:
        check_number(lif_ratio, "lif_ratio", low=1)
    if access is not None and not isinstance(access, BoardAccess):
        raise InvalidSetting(shown(access), where="access", limit="a BoardAccess expected, or None")
    if deadline is not None:
        check_number(deadline, "deadline", low=0, above=True)


def _emulates(chosen: Backend, options: RunOptions) -> bool:
    """Whether a back end emulates the samples itself before it runs them, on a realization's integers, and is strict about it."""
    return isinstance(chosen, Loihi) or (isinstance(chosen, LavaCpu) and options.realization is not None)


def _refuse(recording: Recording) -> None:
    """Raise the error for the first population that saturates."""
    for saturation in recording.saturated:
        raise saturation.error()
