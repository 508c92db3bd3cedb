"""loihiconv: trained float networks on Intel Loihi.

    net = loihiconv.convert(model, calibration, board="kapoho_point", timesteps=64)
    result = loihiconv.run(net, images)
    comparison = loihiconv.compare(model, net, (x_test, y_test), backends=["float", "emulator", "lava"])

Names are loaded when they are first used: Lava's worker imports this package where there is no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from loihiconv.core.version import __version__

if TYPE_CHECKING:
    from loihiconv.backends.deploy import deploy
    from loihiconv.backends.realize import realize
    from loihiconv.backends.run import run
    from loihiconv.conversion.check import check
    from loihiconv.conversion.convert import convert
    from loihiconv.core.network import Network, Recording, load, save
    from loihiconv.evaluation.compare import compare
    from loihiconv.evaluation.sweep.sweep import sweep
    from loihiconv.hardware.board import Board, boards
    from loihiconv.lava.chip.settings import BoardAccess

__all__ = [
    "Board",
    "BoardAccess",
    "Network",
    "Recording",
    "__version__",
    "boards",
    "check",
    "compare",
    "convert",
    "deploy",
    "load",
    "realize",
    "run",
    "save",
    "sweep",
]

_HOMES = {
    "boards": "hardware.board",
    "check": "conversion.check",
    "compare": "evaluation.compare",
    "convert": "conversion.convert",
    "deploy": "backends.deploy",
    "load": "core.network",
    "realize": "backends.realize",
    "run": "backends.run",
    "save": "core.network",
    "Board": "hardware.board",
    "BoardAccess": "lava.chip.settings",
    "sweep": "evaluation.sweep.sweep",
    "Network": "core.network",
    "Recording": "core.recording",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'loihiconv' has no attribute {name!r}")
    return getattr(import_module(f"loihiconv.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
