"""Write the folder that goes to the host of a board: network, worker, requirements, instructions and a self-test."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import prod
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from loihiconv.backends.choice import Chosen, choose, held
from loihiconv.backends.cost import Cost, measure_cost
from loihiconv.backends.on_board import reached
from loihiconv.backends.selftest import SelfTest, run_selftest
from loihiconv.backends.stages import small_networks
from loihiconv.core import numbers as n
from loihiconv.core.errors import InvalidSetting, LimitExceeded
from loihiconv.core.files import check_free, new_folder
from loihiconv.core.fingerprints import fingerprints
from loihiconv.core.given import check_number, check_path
from loihiconv.core.input_checks import input_doubts
from loihiconv.core.input_coding import check_samples, sample_parts
from loihiconv.core.input_samples import collect_inputs
from loihiconv.core.linear import Array
from loihiconv.core.log import LOG
from loihiconv.core.network import Integrator, Network, Recording, check_network, save
from loihiconv.core.samples import Samples
from loihiconv.core.tables import Shown, Table
from loihiconv.core.version import __version__
from loihiconv.exchange.export_netx import export_netx
from loihiconv.hardware.board import Board, load_board
from loihiconv.hardware.place import place
from loihiconv.lava.chip.atrlif import spike_budget
from loihiconv.lava.chip.netx_digests import NETX_DIGESTS, NETX_FILE, layer_digests
from loihiconv.lava.chip.realizations import TO_ZERO, Realization
from loihiconv.lava.chip.settings import BoardAccess
from loihiconv.lava.expected import Expected
from loihiconv.lava.stages import FOLDER, NETWORK
from loihiconv.simulator import simulate

H5PY = "h5py==3.16.0\n"
"""What lava-dl needs beside Lava."""
PACKAGES_NETX = "\n       .venv/bin/python -m pip install --no-deps -r requirements-lava-dl.txt"
"""lava-dl itself wants an old torch, for training; its loader needs none."""
SELFTEST_SAMPLES = 3
"""Samples whose spikes the self-test compares, unless told otherwise."""
ROOMS = ("core", "lava")
"""What the worker needs: none of it imports more than numpy and, in Lava's room, Lava."""
NEURONS: Mapping[str, str] = {
    "native": "neurons of loihiconv's own, by the NeuroCore model that `bundle.json` names",
    "atrlif": "Lava's `ATRLIF`, exactly a neuron that resets by subtraction as long as 24 bits hold its state",
    "lif": "Lava's `LIF`, reset to zero, with thresholds raised and rates lowered",
    "lifreset": "Lava's `LIFReset`, reset to zero, with thresholds raised and rates lowered; all samples pass in one run",
    "netx": "`network.net`, which lava-dl's own `netx` builds: `LIFReset`, reset to zero, all samples in one run",
}


@dataclass(frozen=True, repr=False)
class Deployed(Shown):
    """What `deploy` wrote.

    Attributes
    ----------
    folder : Path
    realization : one of `loihiconv.lava.chip.realizations.REALIZATIONS`
    network : Network
        As it will run.
    samples : int
        Of the self-test.
    why : str
        Why it is this realization.
    cost : Cost
        What it costs in accuracy.
    """

    folder: Path
    realization: Realization
    network: Network
    samples: int
    why: str
    cost: Cost

    def selftest(self, *, simulate: bool = False) -> SelfTest:
        """Run the folder's self-test on the board, or in Lava's CPU simulator; see `loihiconv.backends.selftest.run_selftest`."""
        return run_selftest(self.folder, simulate=simulate)

    def __repr__(self) -> str:
        return f"<Deployed, {self.folder}: realization {self.realization}, a self-test of {n.counted(self.samples, 'sample')}>"

    def tables(self) -> tuple[Table, ...]:
        rows = [["folder", str(self.folder)], ["realization", self.realization], ["why", self.why], ["cost", str(self.cost)]]
        return (Table("", ["deployed", ""], [*rows, ["self-test", n.counted(self.samples, "sample")]]),)


def deploy(
    network: Network,
    x: Samples,
    out: str | os.PathLike[str],
    *,
    y: Array | None = None,
    board: str | Path | Board | None = None,
    realization: Realization | None = None,
    lif_ratio: float | None = None,
    calibration: Samples | None = None,
    access: BoardAccess | None = None,
    samples: int = SELFTEST_SAMPLES,
) -> Deployed:
    """Write a self-contained folder that runs a network on a board, or on a CPU.

    The folder appears atomically: finished, or not at all.

    Parameters
    ----------
    network : Network
        Fixed point.
    x : array or tensor (N, \\*input shape), Dataset, DataLoader, or iterable of samples or batches
        Samples, as the network takes them, of which the first ones go into the self-test, and on which the emulator measures what the
        realization costs.
    out : path
        The folder; must not exist.
    y : array (N, ...), optional
        Labels of the samples; by default those that come with them.
    board : str, path or Board, optional
        The board; by default that of the network.
    realization : one of `loihiconv.lava.chip.realizations.REALIZATIONS`, optional
        By default "native" where ``access`` names a NeuroCore model, else the first of "netx", "lifreset" and "lif" that holds the network:
        parts that are publicly known to have run on chips. ``why`` of the result says what spoke against the others.
    lif_ratio : float, at least 1, optional
        Of realizations that reset to zero: threshold to largest input per step; see `loihiconv.realize`.
    calibration : array (N, \\*input shape), optional
        Training samples, for realizations that reset to zero; see `loihiconv.realize`.
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
    UnsupportedLayer
        If the network has parts that the realization has not.
    LimitExceeded
        If the network does not fit the board, or its neurons' registers do not hold what the samples bring.

    Warns
    -----
    UserWarning
        If samples do not look like calibration's (see `loihiconv.core.input_checks`), or saturate registers of the network that will run.
    """
    check_network(network)
    check_path(out, "deploy")
    check_number(samples, "samples", low=1)
    target, config = Path(os.path.abspath(out)), load_board(board if board is not None else network.board)
    check_free(target)
    access = reached(config, access or BoardAccess())
    if access.profile is not None:
        raise InvalidSetting("a folder is not measured when it is written", where="profile", remedy="run its run.sh measure on the board")
    data = collect_inputs(sample_parts(network), x, "samples")
    x, y = check_samples(network, data.x), data.y if y is None else y
    if said := input_doubts(network, x):
        warnings.warn(said, stacklevel=2)
    first = np.asarray(x[:samples])
    options: dict[str, Any] = {"board": config, "ratio": lif_ratio, "calibration": calibration}
    if realization is None and access.neurocore_model:
        chosen, why = Chosen("native", held(network, "native", config, first, options)), "a NeuroCore model is named"
    elif realization is None:
        chosen, why = choose(network, config, first, options)
    else:
        chosen, why = Chosen(realization, held(network, realization, config, first, options)), "it was asked for"
    realized = chosen.network
    expected = simulate(realized, first, record=["spikes"])
    if expected.spikes and not any(s.any() for s in expected.spikes.values()):
        raise LimitExceeded(
            f'realization "{chosen.name}" sends no spike in {network.timesteps} time steps: a self-test would prove nothing',
            where="samples",
            limit="at least one spike expected",
            remedy="convert with more time steps" + (", or lower lif_ratio" if chosen.name in TO_ZERO else ""),
        )
    cost = measure_cost(network, realized, x, y)
    for said in cost.saturated:
        warnings.warn(said, stacklevel=2)
    with new_folder(target) as folder:
        _write(folder, target.name, config, chosen, access, first, expected, ". ".join((why, str(cost), *cost.saturated)))
    LOG.info("%s is written, with realization %s: %s", target, chosen.name, why)
    return Deployed(target, chosen.name, realized, len(first), why, cost)


def _write(folder: Path, name: str, config: Board, chosen: Chosen, access: BoardAccess, x: Array, expected: Recording, why: str) -> None:
    network, realization = chosen.network, chosen.name
    package = Path(__file__).resolve().parents[1]
    _copy(package / "__init__.py", folder / "loihiconv" / "__init__.py")
    for path in sorted(path for room in ROOMS for path in (package / room).rglob("*.py")):
        _copy(path, folder / "loihiconv" / path.relative_to(package))
    templates = Path(__file__).with_name("deployed")
    packages = (templates / "requirements.txt").read_text(encoding="utf-8")
    (folder / "requirements.txt").write_text(packages + (H5PY if realization == "netx" else ""), encoding="utf-8")
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
        "chips": [config.chips.value, place(network, config).chips],
        "stages": [*(small.name for small in small_networks(network, realization)), NETWORK],
    }
    (folder / "bundle.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    if realization == "netx":
        _copy(templates / "requirements-lava-dl.txt", folder / "requirements-lava-dl.txt")
    _write_stages(folder, chosen, Expected.of(x, expected))
    readme = Template((templates / "README.md").read_text(encoding="utf-8"))
    (folder / "README.md").write_text(readme.substitute(_facts(name, network, config, realization, access, len(x), why)), encoding="utf-8")


def _write_stages(folder: Path, chosen: Chosen, expected: Expected) -> None:
    """The self-test: small networks, and what the emulator predicts of them and of the network itself."""
    digests = {population: np.array(digest) for population, digest in fingerprints(chosen.network).items()}
    if chosen.name == "netx":
        export_netx(chosen.network, folder / NETX_FILE)
        digests[NETX_DIGESTS] = np.array(layer_digests(folder / NETX_FILE))
    replace(expected, digests=digests).write(folder / "selftest.npz")
    (folder / FOLDER).mkdir()
    for small in small_networks(chosen.network, chosen.name):
        save(small.network, folder / FOLDER / f"{small.name}.lnet")
        Expected.of(small.x, simulate(small.network, small.x, record=["spikes"])).write(folder / FOLDER / f"{small.name}.npz")
        if chosen.name == "netx":
            export_netx(small.network, folder / FOLDER / f"{small.name}.net")


def _facts(
    name: str, network: Network, config: Board, realization: Realization, access: BoardAccess, samples: int, why: str
) -> dict[str, Any]:
    where = f"at {access.host}" if access.host else f"SLURM, partition {access.partition}" if access.partition else "SLURM"
    where += f", chips {access.chip}" if access.chip else ""
    return {
        "name": name,
        "folder": name,
        "version": __version__,
        "title": config.title,
        "timesteps": network.timesteps,
        "wanted": network.samples,
        "neurons": f"{sum(prod(p.shape) for p in network.layers):,}",
        "populations": len(network.populations),
        "realization": realization,
        "neuron": NEURONS[realization],
        "why": why,
        "packages": PACKAGES_NETX if realization == "netx" else "",
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
