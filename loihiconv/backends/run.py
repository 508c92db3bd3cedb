"""One door to everything that can run a `Network`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection
from dataclasses import replace

from loihiconv.backends.backend import RunOptions
from loihiconv.backends.registry import check_backend
from loihiconv.backends.simulators import EMULATOR
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.given import check_callable, check_number, several, shown
from loihiconv.core.input_checks import doubts
from loihiconv.core.input_coding import Samples, check_samples
from loihiconv.core.network import Network
from loihiconv.core.recording import Recording
from loihiconv.core.validation import validate
from loihiconv.lava.chip.lif import RATIO
from loihiconv.lava.chip.realizations import Realization, check_realization
from loihiconv.lava.chip.settings import BoardAccess


def run(
    net: Network,
    x: Samples,
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
    strict: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Recording:
    """Run samples through a spiking network.

    Parameters
    ----------
    net : Network
    x : array (N, \\*input shape), or {input: array} or a tuple of arrays
        One array for each of the network's ``inputs`` where there are several.
    backend : str
        Any that `loihiconv.backends.registry` knows, among them
        "float": the float spiking network that ``net`` was quantized from, or ``net`` itself if it is float.
        "emulator": the fixed-point network, batched, bit for bit as Lava computes it.
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
    strict : bool
        Refuse samples that saturate what is watched (`loihiconv.core.saturation`) instead of warning; "lava" and "loihi" then run only
        what the emulator has found to be free of it.
    progress : callable (samples done, samples in all), optional

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
    BackendUnavailable
        If Lava is not installed, there is no such device, or no Loihi can be reached.

    Warns
    -----
    UserWarning
        If samples do not look like those of the calibration (see `loihiconv.core.input_checks`), or saturate host currents or the readout's
        potentials: ``saturated`` of the recording says which.
    """
    validate(net)
    _check_options(device, realization, lif_ratio, access, deadline, progress)
    options = RunOptions(
        record=frozenset(several(() if record is None else record, "record", '["spikes"]')),
        counts=counts,
        device=device,
        memory=memory,
        stock_models=stock_models,
        realization=realization,
        lif_ratio=lif_ratio,
        access=access,
        deadline=deadline,
        progress=progress,
    )
    chosen = check_backend(net, backend, options.record)
    samples = check_samples(net, x)
    if net.fixed_point or net.record.calibration.samples:  # a float network that was imported without calibration knows no range
        for said in doubts(net, samples):
            warnings.warn(said, stacklevel=2)
    if strict and chosen.numbers == "fixed point" and chosen is not EMULATOR:
        # Lava and boards see less of it than the emulator, and a board's time is dear.
        _refuse(EMULATOR.run(net, samples, replace(options, record=frozenset(), counts=False, device="cpu", progress=None)))
    recording = replace(chosen.run(net, samples, options), output_unit=net.output_unit, parts=net.readout.parts)
    if strict:
        _refuse(recording)
    for saturation in recording.saturated:
        warnings.warn(str(saturation.error()), stacklevel=2)
    return recording


def _check_options(
    device: object, realization: object, lif_ratio: object, access: object, deadline: object, progress: Callable[[int, int], None] | None
) -> None:
    """Raise `InvalidSetting` for the first option that is of no use to any back end."""
    if not isinstance(device, str):
        raise InvalidSetting(shown(device), where="device", limit='the name of a device expected, such as "cpu"')
    if realization is not None:
        check_realization(realization)
    check_number(lif_ratio, "lif_ratio", low=1)
    if access is not None and not isinstance(access, BoardAccess):
        raise InvalidSetting(shown(access), where="access", limit="a BoardAccess expected, or None")
    if deadline is not None:
        check_number(deadline, "deadline", low=0, above=True)
    check_callable(progress, "progress")


def _refuse(recording: Recording) -> None:
    """Raise the error for the first population that saturates."""
    for saturation in recording.saturated:
        raise saturation.error()
