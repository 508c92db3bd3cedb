"""Start a peer: make its environment where there is none, hand it a network, and ask it for times.

A peer is a script in this folder that runs in its own interpreter. It gets the path of an ``.npz`` (see `write_job`), prints a
line when it has warmed up, and for each line on its standard input runs all samples once and prints the seconds.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from loihiconv.core.linear import Array, Conv
from loihiconv.core.network import IF, Network

HERE = Path(__file__).parent


class PeerMissing(Exception):
    """A peer cannot be run here; the message says why."""


@dataclass(frozen=True)
class Peer:
    """A simulator by others.

    Parameters
    ----------
    script : str
        File in this folder.
    requirements : tuple of str
        Pinned.
    python : tuple of str
        Versions of Python that it runs on, the preferred one first.
    """

    script: str
    requirements: tuple[str, ...]
    python: tuple[str, ...]


PEERS = {
    "spikingjelly": Peer("spikingjelly_run.py", ("spikingjelly==2.0.0", "torch==2.14.1", "numpy<3"), ("3.12", "3.11", "3.13")),
    "snntorch": Peer("snntorch_run.py", ("snntorch==1.0.0", "torch==2.14.1", "numpy<3"), ("3.10", "3.12", "3.11")),
    "nengo_loihi": Peer("nengo_run.py", ("nengo-loihi==1.1.0", "nengo==3.2.0", "numpy==1.23.5", "scipy<1.11", "setuptools<70"), ("3.10",)),
}

READERS = {
    "sinabs": Peer(
        "sinabs_run.py", ("sinabs==3.1.3", "nirtorch==2.0.2", "nir==1.0.4", "torch==2.14.1", "numpy<3"), ("3.12", "3.11", "3.10")
    )
}
"""Those that read files that we write; see `benchmarks/nir_exchange.py`."""


def folder() -> Path:
    """Where environments lie: ``$LOIHICONV_PEERS``, or ``~/.cache/loihiconv-peers``."""
    return Path(os.environ.get("LOIHICONV_PEERS") or Path.home() / ".cache/loihiconv-peers")


def interpreter(name: str) -> Path:
    """The Python of a peer's environment, made now if it is not there or was made from other pins.

    Raises
    ------
    PeerMissing
        If it cannot be made.
    """
    peer, home = (PEERS | READERS)[name], folder() / name
    stamp, python = home / "pins.txt", home / "env/bin/python"
    if stamp.exists() and stamp.read_text() == "\n".join(peer.requirements) and python.exists():
        return python
    uv, base = shutil.which("uv"), _base(peer.python)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    if uv:
        commands = [[uv, "venv", "-q", "--python", base, str(home / "env")]]
        commands += [[uv, "pip", "install", "-q", "--python", str(python), *peer.requirements]]
    else:
        commands = [[base, "-m", "venv", str(home / "env")], [str(python), "-m", "pip", "install", "-q", *peer.requirements]]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise PeerMissing(f"its environment cannot be made: {reason[:160]}")
    stamp.write_text("\n".join(peer.requirements))
    return python


def _base(versions: tuple[str, ...]) -> str:
    """An interpreter of one of these versions that really starts."""
    if ".".join(map(str, sys.version_info[:2])) in versions:
        return sys.executable
    roots = sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/*/bin/python"))
    for version in versions:
        candidates = [shutil.which(f"python{version}"), *(str(p) for p in roots if p.parts[-3].startswith(f"{version}."))]
        for candidate in filter(None, candidates):
            if subprocess.run([candidate, "-c", ""], capture_output=True).returncode == 0:
                return candidate
    raise PeerMissing(f"no Python {' or '.join(versions)} was found")


def write_job(path: Path, network: Network, x: Array, threads: int) -> None:
    """Write a float network that is a chain, and its samples.

    Keys: ``x`` (N, \\*shape), already divided by the input's scale; ``w0``, ``b0``, ``w1``, ... weights, and biases that
    broadcast to the layer's shape; ``layers``: JSON list of {kind, stride, padding, dilation, groups, shape, vth, start};
    ``timesteps``, ``threads``.
    """
    arrays: dict[str, Array] = {"x": np.asarray(x, np.float32) / np.float32(network.input.scale)}
    layers = []
    for i, population in enumerate(network.populations[1:]):
        (connection,) = network.incoming(population.name)
        if connection.source != network.populations[i].name:
            raise PeerMissing("the network is no chain of layers")
        linear, conv = connection.map, isinstance(connection.map, Conv)
        layer: dict[str, Any] = {"kind": "conv" if conv else "dense", "shape": list(population.shape)}
        if isinstance(linear, Conv):
            layer |= {"stride": linear.stride, "padding": linear.padding, "dilation": linear.dilation, "groups": linear.groups}
        if isinstance(population, IF):
            layer |= {"vth": float(population.vth), "start": float(np.asarray(population.v_init).flat[0])}
        arrays[f"w{i}"], arrays[f"b{i}"] = linear.weight, np.asarray(population.bias, np.float32)  # type: ignore[union-attr]
        layers.append(layer)
    np.savez(path, layers=np.array(json.dumps(layers)), timesteps=network.timesteps, threads=threads, **arrays)


class Running:
    """A peer that has warmed up and waits to be timed."""

    def __init__(self, name: str, network: Network, x: Array, threads: int) -> None:
        python = interpreter(name)
        self._folder = tempfile.TemporaryDirectory(prefix="loihiconv-peer-")
        job, self._log = Path(self._folder.name) / "job.npz", Path(self._folder.name) / "log.txt"
        write_job(job, network, x, threads)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        environment |= {f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "OPENBLAS", "MKL")}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [python, HERE / PEERS[name].script, job],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment,
            )
        self.note = self._answer()

    def seconds(self) -> float:
        """Time of one run over all samples, measured by the peer itself."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return float(self._answer())

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            self._process.wait()
            reason = (self._log.read_text(errors="replace").strip().splitlines() or ["no message"])[-1]
            self.close()
            raise PeerMissing(f"it failed: {reason[:160]}")
        return line
