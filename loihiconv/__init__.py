"""loihiconv: trained float networks on Intel Loihi.

    net = loihiconv.convert(model, calibration, hardware="kapoho_point", timesteps=64)
    result = loihiconv.run(net, images)
    comparison = loihiconv.compare(model, net, (x_test, y_test), backends=["float", "emulator", "lava"])

Names are loaded when they are first used: Lava's worker imports this package where there is no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from loihiconv.version import __version__

if TYPE_CHECKING:
    from loihiconv.artifact import load, save
    from loihiconv.backends import run
    from loihiconv.checking import check
    from loihiconv.conversion import convert
    from loihiconv.deployment import deploy
    from loihiconv.evaluation.comparison import compare
    from loihiconv.evaluation.sweep import sweep
    from loihiconv.hardware.config import boards
    from loihiconv.lava.chip.settings import Board
    from loihiconv.network import Network, Recording
    from loihiconv.realization.realize import realize

__all__ = [
    "Board",
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
    "boards": "hardware.config",
    "check": "checking",
    "compare": "evaluation.comparison",
    "convert": "conversion",
    "deploy": "deployment",
    "load": "artifact",
    "realize": "realization.realize",
    "run": "backends",
    "save": "artifact",
    "Board": "lava.chip.settings",
    "sweep": "evaluation.sweep",
    "Network": "network",
    "Recording": "network",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'loihiconv' has no attribute {name!r}")
    return getattr(import_module(f"loihiconv.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
