"""Networks that loihiconv 0.1.0 saved still load, and compute what they did then: every spike and every integer.

The files and what is in them: `tests/fixtures/make_v0.py`. They are never made again. In fixed point all is compared bit for bit. Float
sums depend on the order in which a BLAS and a CPU add them up, and a spike may depend on the last bit: there potentials are compared to
1e-5, and spike counts may differ by one in one neuron of 1000 (and sample). LOIHICONV_EXACT_FLOAT=1 asks for every float spike and
potential, too, as on the machine that made the files.
"""

from __future__ import annotations

import json
import os
import zipfile
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.conversion.settings import Settings, settings_of
from loihiconv.core import lnet
from loihiconv.core.fingerprints import fingerprints
from loihiconv.core.record import ConversionRecord

FOLDER = Path(__file__).parent / "fixtures" / "v0"
NAMES = sorted(path.stem for path in FOLDER.glob("*.lnet"))
IN_LAVA = ("extremes", "graded_gates", "host_currents", "poisson_softmax", "signed_mlp")
"""Some that run there in seconds and have a bit of everything."""
EXACT_FLOAT = os.environ.get("LOIHICONV_EXACT_FLOAT") == "1"
every = pytest.mark.parametrize("name", NAMES)


@cache
def stored(name: str) -> dict[str, Any]:
    with np.load(FOLDER / f"{name}.npz") as file:
        return dict(file)


def expected(name: str, backend: str) -> dict[str, Any]:
    """What a back end computed, ``{field or field/population: array}``, with the spikes unpacked."""
    found = {key.removeprefix(f"{backend}/"): value for key, value in stored(name).items() if key.startswith(f"{backend}/")}
    shapes = {key.removeprefix("shape/"): tuple(found.pop(key)) for key in list(found) if key.startswith("shape/")}
    for population, shape in shapes.items():
        key = f"spikes/{population}"
        if found[key].shape != shape:
            found[key] = np.unpackbits(found[key], count=np.prod(shape)).reshape(shape).astype(bool)
    return found


def computed(recording: lc.Recording) -> dict[str, Any]:
    """The same of a recording."""
    single = ("predictions", "potentials", "potentials_over_time", "firing_rate", "synaptic_operations", "output_spikes")
    found = {field: np.asarray(getattr(recording, field)) for field in single if getattr(recording, field) is not None}
    for field in ("spike_counts", "payload_sums", "firing_rates", "residuals", "spikes"):
        found |= {f"{field}/{population}": np.asarray(value) for population, value in getattr(recording, field).items()}
    return found


def check_equal(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        assert found[key].dtype == value.dtype, key
        if key.startswith("firing_rate"):  # a mean in float64: versions of numpy divide in other orders
            np.testing.assert_allclose(found[key], value, rtol=1e-13, err_msg=key)
        else:
            np.testing.assert_array_equal(found[key], value, err_msg=key)


def test_all_are_here() -> None:
    assert len(NAMES) == 20
    assert {path.stem for path in FOLDER.glob("*.npz")} == set(NAMES)
    assert sum(bool(stored(name)["lava_equal"]) for name in NAMES) == 18
    assert {name for name in IN_LAVA if not stored(name)["lava_equal"]} == {"host_currents"}  # which that version's Lava refused


@every
def test_emulator(name: str) -> None:
    net = lc.load(FOLDER / f"{name}.lnet")
    if not net.fixed_point:
        assert not expected(name, "emulator")
        return
    recording = lc.run(net, stored(name)["x"], "emulator", ["spikes", "potentials", "residuals"])
    assert recording.backend == "emulator"
    check_equal(computed(recording), expected(name, "emulator"))


@every
def test_float(name: str) -> None:
    net, wanted = lc.load(FOLDER / f"{name}.lnet"), expected(name, "float")
    assert bool(wanted) == (net.origin is not None or not net.fixed_point)
    if not wanted:
        return
    found = computed(lc.run(net, stored(name)["x"], "float", ["spikes", "potentials"]))
    if EXACT_FLOAT:
        check_equal(found, wanted)
        return
    assert found.keys() == wanted.keys()
    np.testing.assert_array_equal(found["predictions"], wanted["predictions"])
    for key in ("potentials", "potentials_over_time"):  # these depend on the BLAS
        np.testing.assert_allclose(found[key], wanted[key], rtol=1e-5, atol=1e-5 * np.abs(wanted[key]).max(), err_msg=key)
    counts = [key for key in wanted if key.startswith(("spike_counts/", "payload_sums/"))]
    off = np.concatenate([np.abs(found[key] - wanted[key]).ravel() for key in counts])
    assert off.max() <= 1
    assert np.count_nonzero(off) <= ceil(off.size / 1000)


def as_metadata(record: ConversionRecord) -> dict[str, Any]:
    """A record's JSON by the names that metadata had: what calibration measured of the input stood beside its summary."""
    said = json.loads(json.dumps(record.to_json()))
    for name in ("inputs", "potentials", "payloads"):  # what files of that version do not know
        assert said["calibration"].pop(name) == {}
    return said | {name: said["calibration"].pop(name) for name in ("input_mean_square", "payload_errors")}


@every
def test_record(name: str) -> None:
    """All that metadata said is in the record, the float origin's too, and nothing else."""
    net = lc.load(FOLDER / f"{name}.lnet")
    with zipfile.ZipFile(FOLDER / f"{name}.lnet") as archive:
        origin = json.loads(archive.read("network.json"))["network"]["origin"]
    said = {"network": (net, json.loads(str(stored(name)["metadata"])))}
    if net.origin is not None:
        said["origin"] = net.origin, origin["metadata"]
    for network, metadata in said.values():
        settings = metadata.get("settings", {})
        charge = {"charge": settings["start"]} if settings.get("hold_back") else {}
        assert as_metadata(network.record) == {**as_metadata(ConversionRecord()), **metadata, **charge}
        assert settings_of(network.record) == (Settings(**settings) if settings else None)


@every
def test_saved_again(name: str, tmp_path: Path) -> None:
    """In today's format the network is the same, and what saved it first is remembered."""
    old = lc.load(FOLDER / f"{name}.lnet")
    lc.save(old, tmp_path / "new.lnet")
    new = lc.load(tmp_path / "new.lnet")
    assert fingerprints(new) == fingerprints(old)
    assert new.record == old.record
    assert (new.origin and new.origin.record) == (old.origin and old.origin.record)


@pytest.mark.parametrize("path", sorted((FOLDER.parent / "v2").glob("*.lnet")), ids=lambda path: path.stem)
def test_version_2_of_the_format(path: Path) -> None:
    """The same networks as version 2 of the format held them: `tests/fixtures/make_v2.py`."""
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("network.json"))["version"] == 2
    new, old = lc.load(path), lc.load(FOLDER / path.name)
    assert fingerprints(new) == fingerprints(old)
    assert (new.record, new.origin is None) == (old.record, old.origin is None)
    assert new.origin is None or fingerprints(new.origin) == fingerprints(old.origin)


@pytest.mark.parametrize("name", ["several", "silent", "signed"])
def test_what_came_into_version_2_later(name: str) -> None:
    """Inputs and outputs of several, preprocessing of each, silent steps, signed spikes: `tests/fixtures/make_v2_later.py`."""
    net = lc.load(FOLDER.parent / "v2_later" / f"{name}.lnet")
    with np.load(FOLDER.parent / "v2_later" / f"{name}.npz") as file:
        held = dict(file)
    x = held["x"] if "x" in held else {key.removeprefix("x/"): values for key, values in held.items() if key.startswith("x/")}
    recording = lc.run(net, x, record=["spikes"])
    np.testing.assert_array_equal(recording.potentials, held["potentials"])
    assert {f"spikes/{key}" for key in recording.spikes} == {key for key in held if key.startswith("spikes/")}
    for key, values in recording.spikes.items():
        np.testing.assert_array_equal(values, held[f"spikes/{key}"], err_msg=key)


def test_there_are_files_of_every_version_but_the_newest_to_come() -> None:
    assert lnet.VERSION == 2, "keep some files of version 2's successor, too"
    assert len(list((FOLDER.parent / "v2").glob("*.lnet"))) == 5


@pytest.mark.lava
@pytest.mark.usefixtures("lava_python")
@pytest.mark.parametrize("name", IN_LAVA)
def test_lava(name: str) -> None:
    """Lava computed what the emulator did, residuals apart, which it does not record."""
    recording = lc.run(lc.load(FOLDER / f"{name}.lnet"), stored(name)["x"], "lava", ["spikes", "potentials"])
    assert recording.backend == "lava"
    found, wanted = computed(recording), expected(name, "emulator")
    check_equal(found, {key: value for key, value in wanted.items() if not key.startswith("residuals/")})
