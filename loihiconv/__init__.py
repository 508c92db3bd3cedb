"""loihiconv: trained float networks on Intel Loihi.

    net = loihiconv.convert(model, calibration, board="kapoho_point", timesteps=64)
    result = loihiconv.run(net, images)
    comparison = loihiconv.compare(model, net, (x_test, y_test), backends=["float", "emulator", "lava"])

Names are loaded when they are first used: Lava's worker imports this package where there is no torch, and the command line's help needs
none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from loihiconv.core.version import __version__

if TYPE_CHECKING:
    from loihiconv.ann.frontends.loading import load_weights
    from loihiconv.backends.deploy import deploy
    from loihiconv.backends.energy import estimate_energy
    from loihiconv.backends.realize import realize
    from loihiconv.backends.run import run
    from loihiconv.conversion.check import check
    from loihiconv.conversion.convert import convert
    from loihiconv.conversion.settings import Settings
    from loihiconv.core.artifact import load
    from loihiconv.core.drift import Drift, diff
    from loihiconv.core.errors import LoihiconvError
    from loihiconv.core.network import Network, Recording, save
    from loihiconv.core.preprocessing import Preprocessing
    from loihiconv.core.selection import only
    from loihiconv.evaluation.certificate import Certificate, certify
    from loihiconv.evaluation.compare import Comparison, compare
    from loihiconv.evaluation.sweep.result import SweepResult
    from loihiconv.evaluation.sweep.sweep import sweep
    from loihiconv.evaluation.verify import Verification, verify
    from loihiconv.exchange.export_netx import export_netx
    from loihiconv.exchange.export_nir import export_nir
    from loihiconv.exchange.from_netx import from_netx
    from loihiconv.exchange.from_nir import from_nir
    from loihiconv.finetuning.finetune import finetune
    from loihiconv.hardware.board import Board, boards
    from loihiconv.hardware.place import place
    from loihiconv.hardware.placement import Placement
    from loihiconv.lava.chip.settings import BoardAccess
    from loihiconv.report.comparison_plot import plot_comparison
    from loihiconv.report.save import save_report
    from loihiconv.report.sweep_plot import plot_sweep
    from loihiconv.report.sweep_table import sweep_table

_MODULES = {
    "ann.frontends.loading": ("load_weights",),
    "backends.deploy": ("deploy",),
    "backends.energy": ("estimate_energy",),
    "backends.realize": ("realize",),
    "backends.run": ("run",),
    "conversion.check": ("check",),
    "conversion.convert": ("convert",),
    "conversion.settings": ("Settings",),
    "core.artifact": ("load",),
    "core.drift": ("Drift", "diff"),
    "core.errors": ("LoihiconvError",),
    "core.network": ("Network", "Recording", "save"),
    "core.preprocessing": ("Preprocessing",),
    "core.selection": ("only",),
    "evaluation.certificate": ("Certificate", "certify"),
    "evaluation.compare": ("Comparison", "compare"),
    "evaluation.verify": ("Verification", "verify"),
    "evaluation.sweep.result": ("SweepResult",),
    "evaluation.sweep.sweep": ("sweep",),
    "exchange.export_netx": ("export_netx",),
    "exchange.export_nir": ("export_nir",),
    "exchange.from_netx": ("from_netx",),
    "exchange.from_nir": ("from_nir",),
    "finetuning.finetune": ("finetune",),
    "hardware.board": ("Board", "boards"),
    "hardware.place": ("place",),
    "hardware.placement": ("Placement",),
    "lava.chip.settings": ("BoardAccess",),
    "report.comparison_plot": ("plot_comparison",),
    "report.save": ("save_report",),
    "report.sweep_plot": ("plot_sweep",),
    "report.sweep_table": ("sweep_table",),
}
"""Where each public name stands; the imports above and `__all__` say the same to type checkers, and a test holds them together."""
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Board",
    "BoardAccess",
    "Certificate",
    "Comparison",
    "Drift",
    "LoihiconvError",
    "Network",
    "Placement",
    "Preprocessing",
    "Recording",
    "Settings",
    "SweepResult",
    "Verification",
    "__version__",
    "boards",
    "certify",
    "check",
    "compare",
    "convert",
    "deploy",
    "diff",
    "estimate_energy",
    "export_netx",
    "export_nir",
    "finetune",
    "from_netx",
    "from_nir",
    "load",
    "load_weights",
    "only",
    "place",
    "plot_comparison",
    "plot_sweep",
    "realize",
    "run",
    "save",
    "save_report",
    "sweep",
    "sweep_table",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'loihiconv' has no attribute {name!r}")
    return getattr(import_module(f"loihiconv.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
