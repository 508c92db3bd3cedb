"""What a back end is: what it needs, what it can record, whether it is there, and how it runs a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

from loihiconv.core.errors import InvalidSetting

if TYPE_CHECKING:  # help texts list back ends: that takes not even numpy
    from loihiconv.core.linear import Array
    from loihiconv.core.network import Network
    from loihiconv.core.recording import Recording
    from loihiconv.lava.chip.realizations import Realization
    from loihiconv.lava.chip.settings import BoardAccess

Numbers: TypeAlias = Literal["float", "fixed point"]
Record: TypeAlias = Literal["spikes", "potentials", "residuals"]


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What a run may be told beside network and samples; a back end takes from it what concerns it.

    Attributes
    ----------
    record : set of "spikes", "potentials" and "residuals"
    counts, device, memory, stock_models, realization, lif_ratio, calibration, access, deadline, progress
        As `loihiconv.run` takes them.
    first : int
        Index of the first sample in the run that the samples are part of: random spikes depend on it.
    """

    record: frozenset[str] = frozenset()
    counts: bool = True
    device: str = "cpu"
    memory: int | str | None = None
    stock_models: bool = False
    realization: Realization | None = None
    lif_ratio: float | None = None
    calibration: Array | None = None
    access: BoardAccess | None = None
    deadline: float | None = None
    progress: Callable[[int, int], None] | None = None
    strict: bool = False
    first: int = 0


@dataclass(frozen=True)
class Availability:
    """Whether a back end can be used from here.

    Attributes
    ----------
    ready : bool
    detail : str
        What was found, or what is missing.
    remedy : str
        What to do where something is missing.
    """

    ready: bool
    detail: str
    remedy: str = ""


@runtime_checkable
class Backend(Protocol):
    """Something that runs a `Network`.

    Attributes
    ----------
    name : str
        As users name it.
    title : str
        As tables name it, in a word or two.
    description : str
        One line, for help texts.
    numbers : "float" or "fixed point"
        Which number system it computes in.
    records : set of "spikes", "potentials" and "residuals"
        What it can record beside spike counts and final potentials.
    samples : int or None
        How many samples a comparison gives it unless told otherwise, where it is slow; None for a whole test set.
    hardware : bool
        Whether it runs on a board.
    judges : str
        Name of the back end that has to agree with it spike for spike; `loihiconv.compare` counts what differs. Empty without one.
    """

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def numbers(self) -> Numbers: ...
    @property
    def records(self) -> frozenset[Record]: ...
    @property
    def samples(self) -> int | None: ...
    @property
    def hardware(self) -> bool: ...
    @property
    def judges(self) -> str: ...

    def availability(self, *, quick: bool = False) -> Availability:
        """Whether it can be used from here, and if not, why and what to do; never raises.

        Parameters
        ----------
        quick : bool
            Look at what can be seen at once, and start no program.
        """

    def run(self, network: Network, x: Array, options: RunOptions) -> Recording:
        """Run samples (N, \\*input shape) through a network that `check_numbers` accepts; see `loihiconv.run`."""


def check_numbers(backend: Backend, network: Network) -> None:
    """Raise `InvalidSetting` if a back end's number system is not one that the network has."""
    if backend.numbers == "float":
        float_network(network)
    elif not network.fixed_point:
        raise InvalidSetting(
            f"{backend.name!r} runs integers, this network is float",
            where="backend",
            remedy='convert with board=..., or use "float"',
        )


def float_network(net: Network) -> Network:
    """The float network behind ``net``."""
    if not net.fixed_point:
        return net
    if net.origin is None:
        raise InvalidSetting("the network was saved without its float origin", where="backend", limit='"float" needs it')
    return net.origin
