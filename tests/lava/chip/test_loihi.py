"""The seam to lava-loihi against a stand-in (`standin/`), which runs on the CPU and keeps a diary of what it was asked for.

No board is involved: what passes here says that we ask as public code asks, not that a board answers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.core.errors import BackendFailed, BackendUnavailable, LimitExceeded
from loihiconv.core.network import Network
from loihiconv.evaluation.compare import mismatches
from loihiconv.lava import client
from loihiconv.lava.chip.settings import BoardAccess
from loihiconv.lava.client import LavaFailed
from tests.lava.small import chain
from tests.lava.workers import nothing_left

X = np.array([[1.0, 0, 2, 3], [255, 255, 0, 0]])
MODEL = "standin_neurons:NcSoftResetIF"
lava = pytest.mark.lava


def network() -> Network:
    """With a board to its name."""
    return replace(chain(weight=2), board="kapoho_point")


def events(diary: Path, kind: str) -> list[dict]:
    return [event for line in diary.read_text().splitlines() if (event := json.loads(line))["event"] == kind]


@lava
@pytest.mark.parametrize(("realization", "neuron"), [("native", "NcSoftResetIF"), ("atrlif", "NcModelATRLIF")])
def test_a_run_asks_for_neurocore_models_adapters_and_the_partition(diary, realization, neuron):
    access = BoardAccess(partition="oheogulch", neurocore_model=MODEL)
    recording = lc.run(network(), X, "loihi", record=["spikes"], realization=realization, access=access)
    assert recording.backend == "loihi"
    assert mismatches(lc.run(network(), X, record=["spikes"]), recording) == ({"hidden": 0}, 0)
    assert sorted({e["name"] for e in events(diary, "model")}) == sorted({neuron, "NcModelDense", "NcL2ModelLif"})  # the readout is a LIF
    adapters = [(e["name"], e["shape"], e["bits"]) for e in events(diary, "adapter")]
    assert adapters == [("PyToNxAdapter", [4], 24), ("NxToPyAdapter", [3], 0)]
    assert {e["bits"] for e in events(diary, "model") if e["name"] == "NcModelDense"} == {24, 0}
    assert {json.dumps(e["environment"], sort_keys=True) for e in events(diary, "adapter")} == {
        '{"LOIHI_GEN": "N3B3", "PARTITION": "oheogulch", "SLURM": "1"}'
    }
    assert events(diary, "callback") == []


@lava
def test_convolutions_take_their_payloads_through_their_own_adapter(diary):
    from loihiconv.demo import digits, digits_cnn

    net = lc.convert(digits_cnn(), digits()[0][:100], board="kapoho_point", timesteps=4)
    lc.run(net, digits()[2][:1], "loihi", counts=False, realization="atrlif", access=BoardAccess(node="ncl-og-01", chip="N3C1"))
    adapters = [(e["name"], e["shape"], e["bits"], e["given"]) for e in events(diary, "adapter")]
    assert adapters == [("PyToN3ConvAdapter", [8, 8, 1], 16, {"spike_exp": 0, "compression": "DENSE"})]  # counts=False: no sinks
    assert {e["bits"] for e in events(diary, "model") if e["name"] == "NcModelConv"} == {16, 0}  # behind the adapter, behind spikes
    assert events(diary, "adapter")[0]["environment"] == {"SLURM": "1", "BOARD": "ncl-og-01", "LOIHI_GEN": "N3C1"}


@lava
def test_all_samples_in_one_run(diary):
    """Neurons that begin each sample by themselves, and are read after its last step, or a step too late."""
    net = replace(chain(weight=2, reset="zero", bias=64), board="kapoho_point")
    for late in (1, 0):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            recording = lc.run(net, X, "loihi", record=["spikes"], realization="lifreset", access=BoardAccess(read_late=late))
        told = [str(w.message) for w in said if "are not those that the emulator predicts" in str(w.message)]
        assert len(told) == late
        assert all(text.endswith("they may have been read on another step: --read-late") for text in told)
        spikes, potentials = mismatches(lc.run(net, X, record=["spikes"]), recording)
        assert (spikes, potentials == 0) == ({"hidden": 0}, late == 0)
    read = [e["given"] for e in events(diary, "adapter") if e["name"] == "Read"]
    assert read == [{"interval": 8, "offset": offset} for offset in (2, 1)]  # the readout's last steps are 2 + 8, 2 + 16, ...
    assert {e["name"] for e in events(diary, "model")} == {"NcModelDense", "NcModelLifReset"}
    assert {(e["name"], *e["shape"]) for e in events(diary, "adapter")} == {("PyToNxAdapter", 4), ("NxToPyAdapter", 3), ("Read", 2)}


@lava
@pytest.mark.parametrize("timesteps", [1, 2, 4])
def test_readings_of_few_steps(diary, timesteps):
    """Where a sample takes no more steps than the way through the network; of one step alone every step is read, in the stand-in late."""
    net = replace(chain(weight=2, reset="zero", bias=64, timesteps=timesteps), board="kapoho_point")
    recording = lc.run(net, X, "loihi", realization="lifreset", access=BoardAccess(read_late=int(timesteps == 1)))
    np.testing.assert_array_equal(recording.potentials, lc.run(net, X).potentials)


@lava
def test_potentials_after_every_step_come_at_every_step(diary):
    net = replace(chain(weight=2, reset="zero", bias=64), board="kapoho_point")
    recording = lc.run(net, X, "loihi", realization="lifreset", record=["potentials"], access=BoardAccess(read_late=1))
    expected = lc.run(net, X, record=["potentials"])
    np.testing.assert_array_equal(recording.potentials_over_time, expected.potentials_over_time)
    assert [e["given"] for e in events(diary, "adapter") if e["name"] == "Read"] == [{}]


@lava
@pytest.mark.usefixtures("netx_python")
def test_lava_dl_builds_models_for_neuro_cores(diary, monkeypatch):
    net = replace(chain(weight=2, reset="zero", bias=64), board="kapoho_point")
    recording = lc.run(net, X, "loihi", record=["spikes"], realization="netx")
    assert mismatches(lc.run(net, X, record=["spikes"]), recording) == ({"hidden": 0}, 0)
    assert {e["name"] for e in events(diary, "model")} == {"NcModelDense", "NcModelLifReset"}
    measured = lc.run(net, X[1:], "loihi", realization="netx", access=BoardAccess(profile="throughput", profile_steps=16))
    assert (measured.profile["steps"], [(e["shape"], e["frames"]) for e in events(diary, "buffer")]) == (18, [([4], 10)])
    monkeypatch.setenv("STANDIN_WITHOUT", "LIFReset")
    with pytest.raises(BackendUnavailable, match=r"neurons hidden \(LIFReset as PyLifReset"):
        lc.run(net, X, "loihi", realization="netx")


@lava
def test_a_host_on_the_network(diary, tmp_path, monkeypatch):
    ping = tmp_path / "bin" / "ping"
    ping.parent.mkdir()
    ping.write_text('#!/bin/sh\ntest "$1" = board.example && echo answered\n')
    ping.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(ping.parent), os.environ["PATH"]]))
    lc.run(network(), X, "loihi", realization="atrlif", access=BoardAccess(host="board.example"))
    assert events(diary, "adapter")[0]["environment"] == {"NOSLURM": "1", "NXSDKHOST": "board.example", "LOIHI_GEN": "N3C1"}
    with pytest.raises(BackendUnavailable, match=r"Ethernet host: other.example does not answer a ping"):
        lc.run(network(), X, "loihi", realization="atrlif", access=BoardAccess(host="other.example"))


@lava
def test_loihi_1_is_another_chip(diary):
    access = BoardAccess(neurocore_model=MODEL)
    with pytest.raises(LimitExceeded, match=r"nahuku8: does not fit Nahuku.*: input->hidden: graded spike bits 8, limit 0"):
        lc.run(replace(network(), board="nahuku8"), X, "loihi", access=access)
    assert diary.read_text() == ""
    first, *others = network().populations
    rates = replace(network(), board="nahuku8", populations=(replace(first, coding="rate"), *others))
    recording = lc.run(rates, X, "loihi", access=access)
    np.testing.assert_array_equal(recording.potentials, lc.run(rates, X).potentials)
    assert events(diary, "adapter")[0]["environment"]["LOIHI_GEN"] == "N2A2"
    assert {e["name"] for e in events(diary, "model")} == {"NcSoftResetIF", "NcModelDense", "NcModelLifHC"}
    assert [e["bits"] for e in events(diary, "adapter") if e["name"] == "PyToNxAdapter"] == [0]


@lava
@pytest.mark.parametrize("measurement", ["throughput", "latency"])
def test_one_sample_is_measured_in_one_run_of_many_steps(diary, measurement):
    net = replace(chain(weight=2, reset="zero", bias=64), board="kapoho_point")
    access = BoardAccess(profile=measurement, profile_steps=60)
    recording = lc.run(net, X[1:], "loihi", realization="lifreset", access=access)
    np.testing.assert_array_equal(recording.potentials, lc.run(net, X[1:]).potentials)
    assert recording.spike_counts == {}
    steps = 64 + 2 + (measurement == "latency")  # 8 windows of T = 8, a depth of 2, and the step in which the host takes the last reading
    assert {k: recording.profile[k] for k in ("measurement", "steps", "chips", "chips_used", "time_per_sample_us")} == {
        "measurement": measurement,
        "steps": steps,
        "chips": 8,
        "chips_used": 1,
        "time_per_sample_us": 100.0,
    }
    assert recording.profile["power_total_w"] == pytest.approx(2.5 - 7 * 0.25)
    assert recording.profile["profiler"]["Loihi2ExecutionTime"]["execution_time_per_step"]["count"] == 2000
    names = ("Loihi2Power", "Loihi2ExecutionTime", "Loihi2Memory", "Loihi2Activity")
    assert [(e["name"], e["given"]) for e in events(diary, "callback")] == [
        (n, {"num_steps": steps} if n == names[0] else {}) for n in names
    ]
    replayed = [(e["shape"], e["frames"]) for e in events(diary, "buffer")]
    adapters = {e["name"] for e in events(diary, "adapter")}
    if measurement == "throughput":
        assert (replayed, adapters) == ([([4], 10)], set())  # nothing comes from the host, and nothing goes back
    else:
        assert (replayed, adapters) == ([], {"PyToNxAdapter", "Read"})


@lava
def test_samples_that_differ_are_measured_one_after_the_other(diary, monkeypatch):
    """Replayed on the chip, a frame for every step; what is left is the last one's result, and a buffer that is late is noticed."""
    net = replace(chain(weight=2, reset="zero", bias=64), board="kapoho_point")
    x = np.array([[255, 0, 9, 200], [1, 0, 2, 3], [0, 0, 0, 0], [255, 200, 100, 0]])
    access = BoardAccess(profile="throughput", profile_steps=60)
    recording = lc.run(net, x[:3], "loihi", realization="lifreset", access=access)
    np.testing.assert_array_equal(recording.potentials, lc.run(net, x[:3]).potentials[-1:])
    assert recording.profile["steps"] == 9 * 8 + 2
    assert [(e["shape"], e["frames"]) for e in events(diary, "buffer")] == [([4], 9 * 8 - 1)]
    monkeypatch.setenv("STANDIN_FAULTS", "late")
    with pytest.raises(BackendFailed, match="the result of what was measured is not the network's: "):
        lc.run(net, x, "loihi", realization="lifreset", access=access)


def test_what_was_measured_has_to_be_the_network(monkeypatch):
    net = replace(chain(weight=2, reset="zero", bias=64), board="kapoho_point")
    right = lc.run(net, X[1:])
    monkeypatch.setattr("loihiconv.lava.detection.require_loihi", lambda *_: sys.executable)
    for wrong in (0, 1):
        monkeypatch.setattr(
            "loihiconv.lava.client.run_lava", lambda *_, wrong=wrong, **__: replace(right, potentials=right.potentials + wrong)
        )
        if not wrong:
            lc.run(net, X[1:], "loihi", realization="lifreset", access=BoardAccess(profile="throughput"))
            continue
        with pytest.raises(BackendFailed, match="the result of what was measured is not the network's: 2 of 2 potentials differ"):
            lc.run(net, X[1:], "loihi", realization="lifreset", access=BoardAccess(profile="throughput"))


@lava
def test_the_configuration_gets_callbacks_and_exceptions(diary):
    program = """
from loihiconv.lava.chip import loihi
from loihiconv.lava.chip.settings import BoardAccess, ChipSettings
access = BoardAccess(neurocore_model="standin_neurons:NcSoftResetIF")
for generation in (1, 2):
    found = loihi.configuration(ChipSettings("native", "loihi", generation, access=access), loihi.callbacks(7))
    print(type(found).__name__, found.select_tag, [type(c).__name__ for c in found.callback_fxs])
    print({p.__name__: m.__name__ for p, m in found.exception_proc_model_map.items()})
print(loihi.configuration(ChipSettings("lif", "loihi", 2), []).exception_proc_model_map)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=diary.parent)
    callbacks = "['Loihi2Power', 'Loihi2ExecutionTime', 'Loihi2Memory', 'Loihi2Activity']"
    models = "{'SoftResetIF': 'NcSoftResetIF'}"
    expected = [f"Loihi1HwCfg None {callbacks}", models, f"Loihi2HwCfg None {callbacks}", models, "{}"]
    assert done.stdout.splitlines() == expected


@lava
def test_an_error_in_the_middle_leaves_nothing(diary, tmp_path, monkeypatch):
    started = []
    start = client._start
    monkeypatch.setattr(client, "_start", lambda *given: started.append(start(*given)) or started[-1])
    monkeypatch.setenv("STANDIN_FAILS_AT", "15")  # in the second sample, whose steps are 11 to 20
    with pytest.raises(LavaFailed, match="ConnectionResetError: the board went away") as caught:
        lc.run(network(), X, "loihi", realization="atrlif")
    assert caught.value.partial is not None
    assert len(caught.value.partial) == 1
    assert caught.value.partial.backend == "loihi"
    assert nothing_left(started, tmp_path)


@lava
@pytest.mark.parametrize("silent", [2, 5])
def test_a_slurm_that_does_not_answer_at_once_is_asked_again(diary, tmp_path, monkeypatch, silent):
    """Lava gives sinfo one second, and has up to five tries."""
    sinfo, asked = tmp_path / "bin" / "sinfo", tmp_path / "asked"
    sinfo.parent.mkdir()
    busy = f'echo x >> {asked}; test $(wc -l < {asked}) -gt {silent} || exit 1; echo "PARTITION AVAIL"'
    sinfo.write_text(f'#!/bin/sh\ncase "$*" in *--noheader*) echo kp 1 idle ;; *) {busy} ;; esac\n')
    sinfo.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(sinfo.parent), os.environ["PATH"]]))
    if silent < 5:
        lc.run(network(), X, "loihi", realization="atrlif")
        assert events(diary, "adapter")[0]["environment"] == {"SLURM": "1", "PARTITION": "kp", "LOIHI_GEN": "N3C1"}
        return
    with pytest.raises(BackendUnavailable, match=r"^backend loihi: no Loihi can be reached: .*SLURM controller is not available") as caught:
        lc.run(network(), X, "loihi", realization="atrlif", access=BoardAccess(partition="kp"))
    assert "run 'loihiconv boards'" in str(caught.value)
    assert len(asked.read_text().splitlines()) == 5


@lava
@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("nowhere:Model", "NeuroCore model nowhere:Model: cannot be loaded: No module named 'nowhere'"),
        ("standin_neurons:Missing", "standin_neurons:Missing: cannot be loaded"),
        ("standin_neurons:NotAModel", "is no model of SoftResetIF"),
    ],
)
def test_a_neurocore_model_that_is_none(diary, model, message):
    with pytest.raises(LavaFailed, match=message):
        lc.run(network(), X, "loihi", access=BoardAccess(neurocore_model=model))


@lava
def test_native_without_a_neurocore_model_is_refused_at_once(diary):
    with pytest.raises(
        BackendUnavailable, match=r"NeuroCore model: none registered for SoftResetIF; .*\"netx\", \"lifreset\" and \"lif\" do not"
    ):
        lc.run(network(), X, "loihi")
    assert diary.read_text() == ""


def test_without_lava_loihi_nothing_else_runs(monkeypatch):
    monkeypatch.setattr("loihiconv.lava.client.run_lava", lambda *_, **__: pytest.fail("something ran"))
    with pytest.raises(BackendUnavailable, match="backend loihi: no run on a Loihi is possible from here: ") as caught:
        lc.run(network(), X, "loihi", realization="atrlif")
    assert caught.value.exit_code == 3
    assert 'backend "lava" with a realization runs the same process graph on a CPU' in str(caught.value)


@lava
def test_without_a_buffer_on_the_chip_throughput_is_refused(diary):
    program = """
import sys
from loihiconv.lava.chip import loihi
sys.modules["lava.proc.cyclic_buffer"] = None
try:
    loihi.Replaying().replay(None)
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=diary.parent)
    assert done.stdout.startswith("BackendUnavailable profile throughput: nothing can be replayed on the chip: ")
    assert done.stdout.rstrip().endswith('measure "latency", for which samples come from the host')
