"""Write the folder that goes to the host of a board: network, worker, requirements, instructions and a self-test."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import prod
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from loihiconv.backends.on_board import check_biases, check_thresholds, reached
from loihiconv.backends.realize import check_generation, realize
from loihiconv.backends.register_check import check_registers
from loihiconv.core.errors import InvalidSetting, LimitExceeded
from loihiconv.core.fingerprints import fingerprints
from loihiconv.core.given import check_number, check_path
from loihiconv.core.input_coding import check_samples
from loihiconv.core.linear import Array
from loihiconv.core.network import Integrator, Network, Recording, check_network, save
from loihiconv.core.version import __version__
from loihiconv.hardware.board import Board, load_board
from loihiconv.hardware.place import require_fit
from loihiconv.lava.chip.atrlif import spike_budget
from loihiconv.lava.chip.lif import RATIO
from loihiconv.lava.chip.realizations import Realization
from loihiconv.lava.chip.settings import BoardAccess
from loihiconv.simulator import simulate

SELFTEST_SAMPLES = 3
"""Samples whose spikes the self-test compares, unless told otherwise."""
ROOMS = ("core", "lava")
"""What the worker needs: none of it imports more than numpy and, in Lava's room, Lava."""
NEURONS: Mapping[str, str] = {
    "native": "neurons of loihiconv's own, by the NeuroCore model that `bundle.json` names",
    "atrlif": "Lava's `ATRLIF`, exactly a neuron that resets by subtraction as long as 24 bits hold its state",
    "lif": "Lava's `LIF`, reset to zero, with thresholds raised and rates lowered",
}


@dataclass(frozen=True)
class Deployed:
    """What `deploy` wrote.

    Attributes
    ----------
    folder : Path
    realization : "native", "atrlif" or "lif"
    network : Network
        As it will run.
    samples : int
        Of the self-test.
    """

    folder: Path
    realization: Realization
    network: Network
    samples: int


def deploy(
    network: Network,
    x: Array,
    out: str | os.PathLike[str],
    *,
    board: str | Path | Board | None = None,
    realization: Realization | None = None,
    lif_ratio: float = RATIO,
    access: BoardAccess | None = None,
    samples: int = SELFTEST_SAMPLES,
) -> Deployed:
    """Write a self-contained folder that runs a network on a board, or on a CPU.

    The folder appears atomically: finished, or not at all.

    Parameters
    ----------
    network : Network
        Fixed point.
    x : array (N, \\*input shape)
        Samples of which the first ones go into the self-test.
    out : path
        The folder; must not exist.
    board : str, path or Board, optional
        The board; by default that of the network.
    realization : "native", "atrlif" or "lif", optional
        By default "native" where ``access`` names a NeuroCore model, else "atrlif", and on Loihi 1 "lif".
    lif_ratio : float, at least 1
        Of "lif": threshold to largest input per step.
    access : BoardAccess, optional
        How the board is reached; by default as its file says.
    samples : int
        Of the self-test.

    Raises
    ------
    InvalidSetting
        If the folder exists or cannot be written.
    InvalidData
        If the samples do not fit the network.
    LimitExceeded
        If the network does not fit the board, or its neurons' registers do not hold what the samples bring.
    """
    check_network(network)
    check_path(out, "deploy")
    check_number(samples, "samples", low=1)
    target, config = Path(os.path.abspath(out)), load_board(board if board is not None else network.board)
    check_free(target)
    access = reached(config, access or BoardAccess())
    stock: Realization = "atrlif" if config.generation == 2 else "lif"
    chosen: Realization = realization or ("native" if access.neurocore_model else stock)
    check_generation(chosen, config)
    realized = realize(network, chosen, board=config, ratio=lif_ratio)
    check_biases(realized, config)
    check_thresholds(realized, chosen, config)
    require_fit(realized, config)
    first = np.asarray(check_samples(network, x)[:samples])
    check_registers(realized, chosen, first)
    expected = simulate(realized, first, record=["spikes"])
    if expected.spikes and not any(s.any() for s in expected.spikes.values()):
        raise LimitExceeded(
            f'realization "{chosen}" sends no spike in {network.timesteps} time steps: a self-test would prove nothing',
            where="samples",
            limit="at least one spike expected",
            remedy="convert with more time steps" + (", or lower lif_ratio" if chosen == "lif" else ""),
        )
    temporary = target.parent / f".loihiconv-{secrets.token_hex(8)}.tmp"
    try:
        temporary.mkdir()
        _write(temporary, target.name, realized, config, chosen, access, first, expected)
        temporary.rename(target)
    except OSError as error:
        raise InvalidSetting(f"cannot be written: {error.strerror or error}", where=str(target)) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return Deployed(target, chosen, realized, len(first))


def check_free(folder: Path) -> None:
    """Raise `InvalidSetting` at once where the folder exists or could not be made."""
    if folder.exists():
        raise InvalidSetting("exists", where=str(folder), remedy="remove it or choose another name")
    if not folder.parent.is_dir():
        raise InvalidSetting("its folder does not exist", where=str(folder), remedy="make the folder first")
    if not os.access(folder.parent, os.W_OK):
        raise InvalidSetting("its folder cannot be written to", where=str(folder))


def _write(
    folder: Path, name: str, network: Network, config: Board, realization: Realization, access: BoardAccess, x: Array, expected: Recording
) -> None:
    package = Path(__file__).resolve().parents[1]
    _copy(package / "__init__.py", folder / "loihiconv" / "__init__.py")
    for path in sorted(path for room in ROOMS for path in (package / room).rglob("*.py")):
        _copy(path, folder / "loihiconv" / path.relative_to(package))
    templates = Path(__file__).with_name("deployed")
    _copy(templates / "requirements.txt", folder / "requirements.txt")
    _copy(templates / "run.sh", folder / "run.sh")
    (folder / "run.sh").chmod(0o755)
    save(replace(network, origin=None), folder / "network.lnet")
    settings = {
        "format": 1,
        "loihiconv": __version__,
        "board": config.name,
        "generation": config.generation,
        "realization": realization,
        "access": asdict(access),
    }
    (folder / "bundle.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    spikes = {f"spikes/{population}": np.packbits(s.reshape(len(x), -1), axis=1) for population, s in expected.spikes.items()}
    digests = {f"fingerprints/{population}": np.array(digest) for population, digest in fingerprints(network).items()}
    np.savez_compressed(folder / "selftest.npz", x=x, potentials=expected.potentials, **spikes, **digests)
    readme = Template((templates / "README.md").read_text(encoding="utf-8"))
    (folder / "README.md").write_text(readme.substitute(_facts(name, network, config, realization, access, len(x))), encoding="utf-8")


def _facts(name: str, network: Network, config: Board, realization: Realization, access: BoardAccess, samples: int) -> dict[str, Any]:
    where = f"at {access.host}" if access.host else f"SLURM, partition {access.partition}" if access.partition else "SLURM"
    where += f", chips {access.chip}" if access.chip else ""
    return {
        "name": name,
        "folder": name,
        "version": __version__,
        "title": config.title,
        "timesteps": network.timesteps,
        "neurons": f"{sum(prod(p.shape) for p in network.layers):,}",
        "populations": len(network.populations),
        "realization": realization,
        "neuron": NEURONS[realization],
        "where": where,
        "samples": samples,
        "limits": _limits(network, realization),
    }


def _limits(network: Network, realization: Realization) -> str:
    if realization != "atrlif":
        return ""
    rows = [
        f"| {p.name} | {int(p.unit(0))} | {spike_budget(int(p.unit(0)))} |"
        for p in network.populations
        if isinstance(p, Integrator) and p.resets == "subtract"
    ]
    table = "\n".join(["| population | threshold | spikes of one neuron and sample that 24 bits hold |", "|---|---|---|", *rows])
    return (
        f"## The budget of ATRLIF\n\nIts state only grows within a sample. T = {network.timesteps} spikes of a neuron fit:\n\n{table}\n\n"
        "Strong inputs that turn into inhibition within one sample can still saturate a potential. loihiconv's emulator checks samples\n"
        'for that (`lc.run(net, x, "lava", realization="atrlif")`), this folder cannot.\n'
    )


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
