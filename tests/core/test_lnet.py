from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
import zipfile
import zlib
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from loihiconv.core import files, lnet
from loihiconv.core.artifact import load
from loihiconv.core.errors import ArtifactError
from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import IF, Connection, Input, MaxPool, Network, Readout, save
from loihiconv.core.record import CalibrationSummary, ConversionRecord, LayerRecord
from tests.strategies import records

DTYPES = st.sampled_from([np.int32, np.int64, np.int8, np.float32, np.float64, np.uint8, np.bool_])


@st.composite
def arrays(draw, shape):
    return draw(hnp.arrays(draw(DTYPES), shape))


@st.composite
def networks(draw, origin=None):
    channels, size = draw(st.integers(1, 3)), draw(st.integers(2, 5))
    names = draw(st.lists(st.text(min_size=1, max_size=8), min_size=3, max_size=5, unique=True))
    populations = [
        Input(names[0], (channels, size, size), draw(st.sampled_from(["analog", "rate", "poisson"])), draw(st.floats(0.1, 9)), 255)
    ]
    connections = []
    for name in names[1:]:
        source, last = populations[-1], name == names[-1]
        if source.spiking and len(source.shape) == 3 and not last and draw(st.booleans()):
            windows = Conv(np.ones((source.shape[0], 1, 1, 1), draw(st.sampled_from([np.int32, np.float32]))), groups=source.shape[0])
            estimate = draw(st.sampled_from(["count", "average"])) if source.largest_message == 1 else "count"
            populations.append(MaxPool(name, source.shape, estimate, draw(st.integers(0, 16)), source.largest_message))
            connections.append(Connection(source.name, name, windows))
            continue
        if len(source.shape) == 3 and not last and draw(st.booleans()):
            weight = draw(arrays((draw(st.integers(1, 3)), source.shape[0], 2, 2)))
            synapses = Conv(weight, padding=(0, 1, 1, 0), dilation=(1, draw(st.integers(1, min(2, source.shape[2])))))
        else:
            synapses = Dense(draw(arrays((draw(st.integers(1, 4)), int(np.prod(source.shape))))))
        shape = synapses.output_shape(source.shape)
        start, bias = draw(arrays(draw(hnp.broadcastable_shapes(shape, max_dims=len(shape))))), draw(arrays(shape))
        vth = draw(st.integers(1, 131071) | st.floats(0.1, 10))
        reset = draw(st.sampled_from(["subtract", "zero"]))
        payload_max = draw(st.sampled_from([1, 3, 255])) if reset == "subtract" else 1
        populations.append(
            Readout(
                name, shape, start, bias, decision=draw(st.sampled_from(["potential", "softmax"])), seed=draw(st.integers(0, 2**64 - 1))
            )
            if last
            else IF(name, shape, vth, start, bias, reset, payload_max)
        )
        connections.append(Connection(source.name, name, synapses, draw(st.booleans()), draw(st.integers(-8, 7))))
    numbers = draw(st.integers(1, 99)), draw(st.booleans()), draw(st.text(max_size=5))
    return Network(tuple(populations), tuple(connections), *numbers, draw(records()), origin)


def same(a, b) -> bool:
    """Equality of value, type and array bytes; NaN equals NaN."""
    if type(a) is not type(b):
        return False
    if is_dataclass(a):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


@pytest.fixture
def network() -> Network:
    weight = 2 * np.arange(-12, 12, dtype=np.int32).reshape(3, 1, 2, 4)
    return Network(
        (
            Input("in", (1, 5, 6), scale=0.5, payload_max=255),
            IF("conv", (3, 4, 3), 300, np.full((1, 1, 1), 9600, np.int32), np.arange(3, dtype=np.int32).reshape(3, 1, 1)),
            Readout("out", (2,), np.zeros((), np.int32), np.zeros(2, np.int32), scale=12.5),
        ),
        (Connection("in", "conv", Conv(weight)), Connection("conv", "out", Dense(np.ones((2, 36), np.int32)))),
        timesteps=16,
        fixed_point=True,
        board="kapoho_point",
        record=ConversionRecord(
            {"percentile": 99.9}, calibration=CalibrationSummary(3), quantization={"conv": LayerRecord(300, "bias", 7.5)}
        ),
    )


@pytest.fixture
def saved(network, tmp_path) -> Path:
    path = tmp_path / "net.lnet"
    save(network, path)
    return path


def repacked(path: Path, change) -> Path:
    """The file with its members changed by ``change(members)`` and, unless that did it, its checksums made anew."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sums = members.pop("SHA256SUMS")
    members = change(members) or members
    if "SHA256SUMS" not in members:
        members["SHA256SUMS"] = "".join(f"{hashlib.sha256(d).hexdigest()}  {n}\n" for n, d in members.items()).encode()
    elif members["SHA256SUMS"] == b"old":
        members["SHA256SUMS"] = sums
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def edited(path: Path, edit) -> Path:
    """The file with ``edit(description)`` applied to its JSON, checksums in order."""

    def change(members):
        description = json.loads(members["network.json"])
        edit(description)
        members["network.json"] = json.dumps(description).encode()

    return repacked(path, change)


def refusal(path) -> str:
    with pytest.raises(ArtifactError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


@settings(max_examples=60, deadline=None)
@given(networks() | networks().flatmap(lambda origin: networks(origin=origin)))
def test_round_trip_is_exact(tmp_path_factory, network):
    path = tmp_path_factory.mktemp("artifact") / "net.lnet"
    save(network, path)
    loaded = lnet.read(path, Network)  # as `load`, but for the rules that hold for numbers
    assert same(loaded.populations, network.populations)
    assert same(loaded.connections, network.connections)
    assert (loaded.timesteps, loaded.fixed_point, loaded.board) == (network.timesteps, network.fixed_point, network.board)
    assert same(loaded.origin, network.origin)
    assert same(loaded.record, replace(network.record, saved=network.record.saved or loaded.record.saved))


def test_the_same_network_gives_the_same_bytes(network, saved, tmp_path):
    save(network, tmp_path / "again.lnet")
    save(load(saved), tmp_path / "reloaded.lnet")
    assert saved.read_bytes() == (tmp_path / "again.lnet").read_bytes() == (tmp_path / "reloaded.lnet").read_bytes()


def test_memory_order_is_no_part_of_an_array(network, saved, tmp_path):
    turned = Dense(np.asfortranarray(network.connections[1].map.weight))
    other = Network(
        network.populations, (network.connections[0], Connection("conv", "out", turned)), 16, True, "kapoho_point", network.record
    )
    save(other, tmp_path / "other.lnet")
    assert saved.read_bytes() == (tmp_path / "other.lnet").read_bytes()


def test_loaded_arrays_are_writable(saved):
    load(saved).connections[0].map.weight[0] = 1


def test_who_saved_it_is_noted_once(network, tmp_path):
    path = tmp_path / "net.lnet"
    save(network, path)
    assert load(path).record.saved["numpy"] == np.__version__
    save(Network(network.populations, network.connections, 1, record=ConversionRecord(saved={"numpy": "1.0"})), path)
    assert load(path).record.saved == {"numpy": "1.0"}


def test_checksums_are_those_of_sha256sum(saved, tmp_path):
    with zipfile.ZipFile(saved) as archive:
        for line in archive.read("SHA256SUMS").decode().splitlines():
            digest, name = line.split("  ")
            assert hashlib.sha256(archive.read(name)).hexdigest() == digest
        assert len(archive.namelist()) == 8


def test_import_needs_numpy_alone():
    code = "import sys, loihiconv.core.network; sys.exit(bool({'torch', 'yaml', 'pydantic', 'sklearn', 'numba'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(lnet.__file__).parents[2], check=False).returncode == 0


# What cannot be loaded.


def test_missing(tmp_path):
    assert "no such file" in refusal(tmp_path / "nothing.lnet")


def test_directory(tmp_path):
    assert "directory" in refusal(tmp_path)


def test_nul_in_the_path():
    with pytest.raises(ArtifactError, match="null"):
        load("a\0b")


def denied(*_):
    raise PermissionError(13, "Permission denied")


def test_unreadable(saved, monkeypatch):
    monkeypatch.setattr(lnet, "read_bytes", denied)  # not by its mode: tests may run as root
    assert "denied" in refusal(saved)


def test_empty(tmp_path):
    (tmp_path / "x").touch()
    assert "empty" in refusal(tmp_path / "x")


def test_truncated_anywhere(saved):
    data = saved.read_bytes()
    for length in [*range(1, len(data) - 1, 97), len(data) - 1]:
        saved.write_bytes(data[:length])
        message = refusal(saved)
        assert length < 2 or "truncated" in message


def test_any_altered_byte_is_found_or_harmless(network, saved):
    data = saved.read_bytes()
    for position in range(0, len(data), 13):
        saved.write_bytes(data[:position] + bytes([data[position] ^ 0x55]) + data[position + 1 :])
        try:
            loaded = load(saved)
        except ArtifactError:
            continue
        else:  # dates and attributes in the zip's directory say nothing about the network
            assert same(loaded.populations, network.populations)
            assert same(loaded.connections, network.connections)


def test_altered_array_that_the_zip_does_not_notice(saved):
    def change(members):
        name = "connections.1.map.weight.npy"
        members[name] = members[name][:-4] + b"\7\0\0\0"
        members["SHA256SUMS"] = b"old"

    assert "checksum of its member connections.1.map.weight.npy differs" in refusal(repacked(saved, change))


def test_altered_json(saved):
    def change(members):
        members["network.json"] = members["network.json"].replace(b'"timesteps": 16', b'"timesteps": 17')
        members["SHA256SUMS"] = b"old"

    assert "checksum of its member network.json" in refusal(repacked(saved, change))


def test_newer_version(saved):
    message = refusal(edited(saved, lambda d: d.update(version=lnet.VERSION + 1, network={"class": "Brain"})))
    assert f"written by a newer loihiconv (format {lnet.VERSION + 1}; this one reads up to {lnet.VERSION}); update loihiconv" in message


@pytest.mark.parametrize("version", [None, "1", 0, True, 1.0])
def test_nonsensical_version(saved, version):
    assert "format version" in refusal(edited(saved, lambda d: d.update(version=version)))


def test_what_every_version_looks_for_first(saved):
    """A change of the format is a new number: this one has been written since there are records in place of metadata."""
    with zipfile.ZipFile(saved) as archive:
        head = json.loads(archive.read("network.json"))
    assert (head["format"], head["version"], sorted(head)) == ("loihiconv network", 2, ["format", "network", "version"])


def test_descriptions_have_a_size_up_to_which_they_are_read(saved, monkeypatch):
    with zipfile.ZipFile(saved) as archive:
        size = len(archive.read("network.json"))
    monkeypatch.setattr(lnet, "_JSON_LIMIT", size)
    assert load(saved).timesteps == 16
    monkeypatch.setattr(lnet, "_JSON_LIMIT", size - 1)
    assert "network.json is larger than" in refusal(saved)


def test_foreign_files(tmp_path):
    path = tmp_path / "foreign"
    path.write_bytes(b"\x93NUMPY no zip")
    assert "not a zip file" in refusal(path)
    with open(path, "wb") as file:
        np.savez(file, x=np.zeros(3))
    assert "without network.json" in refusal(path)
    for text in ("{}", "[1]", '{"format": "something else", "version": 1}'):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("network.json", text)
        assert "not a loihiconv network" in refusal(path)
    for text in ("{", "\xff", "[" * 100_000):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("network.json", text)
        assert "not JSON" in refusal(path)


@pytest.mark.parametrize(
    ("sums", "message"), [({"SHA256SUMS": b"old"}, "member populations.1.bias.npy is missing"), ({}, "bias is missing")]
)
def test_missing_array(saved, sums, message):
    def change(members):
        del members["populations.1.bias.npy"]
        members.update(sums)

    assert message in refusal(repacked(saved, change))


def test_a_member_without_a_checksum(saved):
    def change(members):
        name = "connections.1.map.weight.npy"
        members["SHA256SUMS"] = b"".join(
            hashlib.sha256(d).hexdigest().encode() + f"  {n}\n".encode() for n, d in members.items() if n != name
        )

    assert "checksum of its member connections.1.map.weight.npy differs" in refusal(repacked(saved, change))


@pytest.mark.parametrize("name", ["../../evil.npy", "/tmp/evil.npy", "spare.npy"])
def test_members_that_do_not_belong(saved, tmp_path, name):
    array = np.lib.format.magic(1, 0) + b"\x46\0{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }            \n\1\0\0\0"
    before = sorted(tmp_path.rglob("*"))
    assert name in refusal(repacked(saved, lambda m: m.update({name: array})))
    assert sorted(tmp_path.rglob("*")) == before


def test_two_members_of_one_name(saved):
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(saved, "a") as archive:
        archive.writestr("network.json", "{}")
    assert "same name" in refusal(saved)


def test_zip_bomb(saved):
    with zipfile.ZipFile(saved, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.npy", bytes(10**7))
    assert "compressed" in refusal(saved)


def test_a_member_that_is_compressed_to_its_own_size(saved):
    data = next(d for d in (bytes(range(1, n)) + bytes(n) for n in range(1, 30)) if len(deflated(d)) == len(d))
    with zipfile.ZipFile(saved, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("spare.npy", data)
    assert "compressed" in refusal(saved)


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def test_a_member_that_claims_more_than_the_file_holds(saved):
    """In the zip's directory: 20 bytes into an entry are its compressed and its plain size."""
    data = bytearray(saved.read_bytes())
    place = data.index(b"PK\1\2") + 20
    data[place : place + 8] = len(data).to_bytes(4, "little") * 2
    saved.write_bytes(data)
    assert "claims to hold more than its size" in refusal(saved)


def header(text: str) -> bytes:
    return np.lib.format.magic(1, 0) + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nonsense",
        header("{'descr': '<i4', 'fortran_order': False, 'shape': (1000000, 1000000, 1000000)}"),  # fills no memory
        header("{'descr': '<i4', 'fortran_order': False, 'shape': (-1,)}"),
        header("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}") + b"cos\nsystem\n(S'false'\ntR.",
        header("{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}") + bytes(8),
        header("{'descr': '<i4', 'fortran_order': True, 'shape': (1, 2)}") + bytes(8),
        header("{'descr': '<i4'"),
        header("__import__('os').abort()"),
    ],
)
def test_what_is_no_array(saved, data):
    assert "populations.1.bias.npy is not an array" in refusal(repacked(saved, lambda m: m.update({"populations.1.bias.npy": data})))


@pytest.mark.parametrize(
    ("edit", "part"),
    [
        (lambda n: n.pop("populations"), "lacks its field 'populations'"),
        (lambda n: n.update(colour="red"), "unknown field 'colour'"),
        (lambda n: n.update({"class": "Connection"}), "unknown kind 'Connection'; Network expected"),
        (lambda n: n["populations"][1].update({"class": "HodgkinHuxley"}), "Input or IF or MaxPool or Readout"),
        (lambda n: n["populations"].__setitem__(1, "IF"), "unknown kind"),
        (lambda n: n["populations"].__setitem__(1, ["IF"]), "unknown kind"),
        (lambda n: n.update(timesteps="16"), "network.timesteps is '16', not a valid int"),
        (lambda n: n.update(timesteps=True), "not a valid int"),
        (lambda n: n.update(fixed_point=1), "not a valid bool"),
        (lambda n: n.update(record=[1]), "network.record"),
        (lambda n: n["record"].update(mood="good"), "network.record has an unknown field 'mood'"),
        (lambda n: n["record"].update(settings=[1]), "network.record.settings is [1]"),
        (lambda n: n["record"].update(notes=[1]), "network.record.notes.0 is 1, not a valid str"),
        (lambda n: n["record"].update(search=[{"class": "Trial"}]), "network.record.search.0 lacks its field 'step'"),
        (lambda n: n["record"]["calibration"].update(largest={"conv": "9"}), "network.record.calibration.largest.conv is '9'"),
        (lambda n: n["record"]["calibration"].update(scales={"conv": 9}), "network.record.calibration.scales.conv is 9"),
        (
            lambda n: n["record"]["calibration"].update(payload_errors={"07": 0.5}),
            "network.record.calibration.payload_errors is {'07': 0.5}",
        ),
        (lambda n: n["record"]["quantization"]["conv"].pop("gain"), "network.record.quantization.conv lacks its field 'gain'"),
        (lambda n: n["record"].update(realization={"class": "Trial"}), "unknown kind 'Trial'; RealizationRecord expected"),
        (lambda n: n["populations"][1].update(reset="later"), "network.populations.1.reset is 'later'"),
        (lambda n: n["populations"][1].update(bias=[1, 2, 3]), "array of network.populations.1.bias is missing"),
        (lambda n: n["populations"][1].update(bias={"array": "network.json"}), "is missing"),
        (lambda n: n["populations"][1].update(shape=[3, 4, "3"]), "shape.2"),
        (lambda n: n["connections"][0]["map"].update(stride=[1]), "stride"),
        (lambda n: n["connections"][0]["map"].update(stride=[0, 0]), "network is inconsistent"),
        (lambda n: n["connections"][0].update(source="elsewhere"), "network is inconsistent"),
        (lambda n: n["populations"].pop(), "network is inconsistent"),
    ],
)
def test_descriptions_that_make_no_network(saved, edit, part):
    assert part in refusal(edited(saved, lambda d: edit(d["network"])))


def test_origins_within_origins_without_end(saved):
    def nest(d):
        innermost = d["network"]
        for _ in range(sys.getrecursionlimit() * 2 // 5):
            innermost["origin"] = {**innermost, "origin": None}
            innermost = innermost["origin"]

    assert "nested too deeply" in refusal(edited(saved, nest))


def test_a_field_with_a_default_may_be_missing(saved):
    assert load(edited(saved, lambda d: d["network"]["populations"][0].pop("signed"))).input.signed is False


# What cannot be saved.


def test_missing_folder(network, tmp_path):
    with pytest.raises(ArtifactError, match=r"folder does not exist; make the folder first"):
        save(network, tmp_path / "missing" / "net.lnet")
    assert not list(tmp_path.iterdir())


def test_a_folder_is_in_the_way(network, tmp_path):
    with pytest.raises(ArtifactError, match="cannot be written: Is a directory"):
        save(network, tmp_path)
    assert not list(tmp_path.iterdir())
    assert not list(tmp_path.parent.glob(".loihiconv-*"))


def test_folder_that_may_not_be_written(network, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "open", denied, raising=False)
    with pytest.raises(ArtifactError, match="denied"):
        save(network, tmp_path / "net.lnet")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"a": {"b": np.zeros(2)}}, r"settings\.a\.b is a ndarray"),
        ({"a": [np.float32(1)]}, r"settings\.a\.0 is a float32"),
        ({"a": float("nan")}, r"settings\.a is nan"),
        ({"a": {1: 2}}, r"settings\.a has the key 1"),
        ({"a": Path("x")}, r"settings\.a is a P"),
    ],
)
def test_settings_that_are_no_json(network, tmp_path, settings, message):
    with pytest.raises(ArtifactError, match=message):
        save(Network(network.populations, network.connections, 1, record=ConversionRecord(settings)), tmp_path / "net.lnet")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (ConversionRecord(notes=("a", 1)), r"record\.notes\.1 is 1, not a valid str"),
        (ConversionRecord(provenance={("numpy",): "1.0"}), r"record\.provenance has the key \('numpy',\)"),
        (ConversionRecord(calibration=CalibrationSummary(largest={"conv": -np.inf})), r"record\.calibration\.largest\.conv is -inf"),
        (
            ConversionRecord(calibration=CalibrationSummary(largest={"conv": np.zeros(1)})),
            r"record\.calibration\.largest\.conv is \{'array'",
        ),
    ],
)
def test_records_that_no_reader_would_take(network, tmp_path, record, message):
    with pytest.raises(ArtifactError, match=message):
        save(replace(network, record=record), tmp_path / "net.lnet")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("vth", "bias", "message"),
    [
        ("1", np.zeros(1), "vth is '1', not a valid float"),
        (np.inf, np.zeros(1), "vth is inf"),
        (1, np.array([None]), "array of object"),
        (1, np.array(["a"]), "array of <U1"),
        (1, 0.0, "array of network.populations.1.bias is missing"),
    ],
)
def test_values_that_no_reader_would_take(network, tmp_path, vth, bias, message):
    middle = IF("conv", (3, 4, 3), vth, np.zeros(1), bias)
    with pytest.raises(ArtifactError, match=message):
        save(Network((network.input, middle, network.readout), network.connections, 1), tmp_path / "net.lnet")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_failure_leaves_the_old_file_and_nothing_else(network, saved, monkeypatch, failure):
    old = saved.read_bytes()
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(failure))
    with pytest.raises((ArtifactError, KeyboardInterrupt)):
        save(Network(network.populations, network.connections, 1), saved)
    assert saved.read_bytes() == old
    assert list(saved.parent.iterdir()) == [saved]


def test_links_are_followed_and_permissions_are_ordinary(network, saved, tmp_path):
    link = tmp_path / "link.lnet"
    link.symlink_to(saved)
    save(network, link)
    assert link.is_symlink()
    plain = tmp_path / "plain"
    plain.touch()
    assert stat.S_IMODE(saved.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
