"""What `fuzz` reads of files that loihiconv wrote and reads again, and that a full disk or a person may have changed since."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import fuzz_mutations as mutations
import numpy as np
import torch
from fuzz_archives import of_zip
from fuzz_small import Parser, converted, network, samples, written

import loihiconv as lc
from loihiconv.backends.conformance import write_conformance
from loihiconv.backends.conformance_check import OUTPUTS, Unusable, check, read_cases
from loihiconv.backends.slices import Slices, joined_slices
from loihiconv.clusters.cluster import check_cluster
from loihiconv.clusters.profile import read_profile
from loihiconv.core.errors import InvalidData
from loihiconv.core.tables import Table
from loihiconv.evaluation.difference import diff_files
from loihiconv.evaluation.sweep.cache import SweepCache
from loihiconv.evaluation.sweep.outcome import Outcome, Row
from loihiconv.evaluation.verify import Requirement, junit
from loihiconv.finetuning.checkpoint import Position, read_checkpoint, write_checkpoint
from loihiconv.lava.bundle import read_content
from loihiconv.lava.expected import Expected

RUN = "a run"
FIRST, SECOND = "000000000000-000000000005.slice", "000000000005-000000000008.slice"


@cache
def _slices() -> dict[str, bytes]:
    """Files of a run's folder."""
    with tempfile.TemporaryDirectory() as name:
        kept = Slices(Path(name, "kept"), RUN, 8)
        for first, last in ((0, 5), (5, 8)):
            kept.write(first, lc.run(converted(), samples()[first:last]))
        return {path.name: path.read_bytes() for path in kept.folder.iterdir()}


def _read_slices(path: Path) -> None:
    joined_slices(converted(), Slices(path.parent, RUN, 8).finished())


def _training() -> list[bytes]:
    parameters = dict(network().named_parameters())
    optimizer = torch.optim.Adam(list(parameters.values()))
    for values in parameters.values():
        moments = {moment: torch.zeros_like(values) for moment in ("exp_avg", "exp_avg_sq")}
        optimizer.state[values] = {"step": torch.tensor(3.0), **moments}
    return [written(lambda path: write_checkpoint(path, Position(RUN, 3, 0.5, (1.5, 1.0)), parameters, optimizer))]


def _read_training(path: Path) -> None:
    parameters = dict(network().named_parameters())
    read_checkpoint(path, RUN, parameters, torch.optim.Adam(parameters.values()))


def _point() -> list[bytes]:
    outcome = Outcome(4, 100, 0.9, 0.8, 0.95, 0.01, 0.0, 0.02, 0.98, 0.1, 1e4)
    rows = (Row({"timesteps": 4}, {"percentile": 99.9}, outcome), Row({"timesteps": 4}, {}, None, "too large"))
    return [json.dumps(row.to_json()).encode() for row in rows]


def _read_point(path: Path) -> None:
    if (found := SweepCache(path.parent).get(path.stem)) is not None:
        Row.from_json(found, {"timesteps": 4})


@cache
def _comparison() -> bytes:
    comparison = lc.compare(network(), converted(), (samples(), np.arange(8) % 3), ["emulator"])
    return json.dumps(comparison.to_json()).encode()


def _read_comparison(path: Path) -> None:
    diff_files(path.parent / "before.json", path)


@cache
def _vectors() -> bytes:
    with tempfile.TemporaryDirectory() as name:
        write_conformance(Path(name, "c"))
        return Path(name, "c", "vectors.npz").read_bytes()


def _results() -> list[bytes]:
    with tempfile.TemporaryDirectory() as name:
        vectors, results = Path(name, "vectors.npz"), Path(name, "results.npz")
        vectors.write_bytes(_vectors())
        np.savez_compressed(results, **{f"{case['name']}/{key}": out[key] for case, _, out in read_cases(vectors) for key in OUTPUTS})
        return [results.read_bytes()]


def _read_results(path: Path) -> None:
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            check(path.parent / "vectors.npz", str(path))
    except Unusable as error:
        raise InvalidData(str(error)) from error


def _bundle() -> list[bytes]:
    content: dict[str, Any] = {"realization": "lifreset", "generation": 2, "chips": [8, 1], "access": {"partition": "kp"}}
    return [json.dumps({**content, "stages": ["dense", "reset", "network"]}).encode()]


def _expected() -> list[bytes]:
    recording = lc.run(converted(), samples(), record=["spikes"])
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "expected.npz")
        Expected.of(samples(), recording).write(path)
        return [path.read_bytes()]


def _read_verdicts(path: Path) -> None:
    """What a CI service and a pull request are told, in which names and messages stand that may hold anything."""
    said = path.read_text(errors="surrogateescape")
    requirements = (Requirement("accuracy", False, said), Requirement("board", True, said))
    suite = ElementTree.fromstring(junit(requirements, said).encode())
    lines = Table("", ["requirement", "found"], [(r.name, r.detail) for r in requirements]).markdown(left=2).splitlines()
    if len(lines) != 4 or suite.get("tests") != str(2 + bool(said)):
        raise AssertionError("not what was told")


PROFILE = b"jobs: 2\ncores: 4\nmemory: 4 GiB\npartition: cpu\ndirectives: ['--gres=gpu:1']\nprologue: [module load python]\n"
CLUSTERS = [b"local", b"local:8", b"tcp://10.0.0.1:8786", b"slurm:profile.yaml"]

KEPT = (
    Parser("profile", ".yaml", lambda: [PROFILE], read_profile, mutations.of_text),
    Parser("cluster", ".txt", lambda: CLUSTERS, lambda path: check_cluster(path.read_text(errors="replace")), mutations.of_text),
    Parser("manifest", "run.json", lambda: [_slices()["run.json"]], lambda path: Slices(path.parent, RUN, 8), mutations.of_json),
    Parser(
        "slice",
        SECOND,
        lambda: [_slices()[SECOND], _slices()[FIRST]],
        _read_slices,
        of_zip,
        {name: lambda name=name: _slices()[name] for name in ("run.json", FIRST)},  # type: ignore[misc]
    ),
    Parser("training", ".safetensors", _training, _read_training, mutations.of_safetensors),
    Parser(
        "point", ".json", _point, _read_point, mutations.of_json, {"sweep.json": lambda: b'{"format": "loihiconv sweep", "version": 2}'}
    ),
    Parser("comparison", ".json", lambda: [_comparison()], _read_comparison, mutations.of_json, {"before.json": _comparison}),
    Parser("results", ".npz", _results, _read_results, of_zip, {"vectors.npz": _vectors}),
    Parser("verdicts", ".xml", lambda: [b"0.9 of it | lost <2> & more"], _read_verdicts, mutations.of_text),
    Parser("bundle", "bundle.json", _bundle, lambda path: read_content(path.parent), mutations.of_json),
    Parser("expected", ".npz", _expected, lambda path: Expected.read(path, converted()), of_zip),
)
"""The first kinds that are read; see `fuzz_parsers.PARSERS` for all."""
