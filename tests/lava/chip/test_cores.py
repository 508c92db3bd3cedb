"""Nothing that belongs on a chip runs on the host in silence: each way in which Lava would do so, with the stand-in for lava-loihi."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.core.errors import BackendUnavailable
from loihiconv.core.linear import Conv
from loihiconv.core.network import IF, Connection, Input, Network
from loihiconv.evaluation.compare import mismatches
from loihiconv.lava.chip.settings import BoardAccess
from tests.lava.chip.test_loihi import X, events, network

pytestmark = pytest.mark.lava
CPU_CONFIGURATION = """
import lava.magma.core.run_configs as configs

class Replaced(configs.Loihi2SimCfg):
    def __init__(self, callback_fxs=(), **given):
        given["select_tag"] = "fixed_pt"
        super().__init__(**given)

configs.Loihi2HwCfg = Replaced
"""


def refused(realization: str = "lif", *, net: Network | None = None, x=X, **access: str) -> str:
    """What a run that is refused says."""
    net = net or reset_to_zero()
    with pytest.raises(BackendUnavailable) as caught:
        lc.run(net, x, "loihi", realization=realization, access=BoardAccess(partition="oheogulch", **access))  # type: ignore[arg-type]
    assert caught.value.exit_code == 3
    return str(caught.value)


def reset_to_zero() -> Network:
    """Which no realization has to quantize again."""
    base = network()
    first, hidden, readout = base.populations
    return replace(base, populations=(first, replace(hidden, reset="zero"), readout))


def convolution() -> Network:
    """2 x 4 x 4 inputs -> 3 x 3 x 3 neurons -> readout."""
    base = network()
    weight = np.full((3, 2, 2, 2), 2, np.int32)
    kernels = Connection("input", "hidden", Conv(weight))
    hidden = IF("hidden", (3, 3, 3), 500, np.array(0, np.int32), np.array(0, np.int32), "zero")
    out = replace(base.connections[1], map=base.connections[1].map.with_weight(np.full((2, 27), 2, np.int32)))
    populations = (Input("input", (2, 4, 4), payload_max=255, scale=255.0), hidden, base.populations[2])
    return replace(base, populations=populations, connections=(kernels, out))


@pytest.mark.parametrize("tag", ["ucoded", "", "fixed_pt"])
def test_models_for_neuro_cores_are_taken_whatever_their_tag(diary: Path, monkeypatch: pytest.MonkeyPatch, tag: str) -> None:
    monkeypatch.setenv("STANDIN_TAG", tag)
    net = reset_to_zero()
    recording = lc.run(net, X, "loihi", record=["spikes"], realization="lif", access=BoardAccess(partition="oheogulch"))
    assert recording.backend == "loihi"
    assert mismatches(lc.run(net, X, record=["spikes"]), recording) == ({"hidden": 0}, 0)
    assert sorted(e["name"] for e in events(diary, "model")) == ["NcL2ModelLif"] * 2 + ["NcModelDense"] * 2


def test_a_kind_of_neuron_without_a_model(diary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDIN_WITHOUT", "ATRLIF")
    message = refused("atrlif", net=network())
    assert re.search(
        r"would run 1 of 6 processes that belong on a chip on this host: neurons hidden \(ATRLIF as PyATRLIFModel\w+\);", message
    )
    assert events(diary, "model") == []


def test_connections_without_a_model(diary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDIN_WITHOUT", "Dense")
    message = refused()
    assert "would run 2 of 6 processes" in message
    assert re.search(r"connection 0:input->hidden \(Dense as Py\w+\), connection 1:hidden->readout \(Dense as Py\w+\);", message)
    monkeypatch.setenv("STANDIN_WITHOUT", "Conv")
    assert "1 of 6 processes that belong on a chip on this host: connection 0:input->hidden (Conv as Py" in refused(
        net=convolution(), x=np.ones((1, 2, 4, 4))
    )
    assert events(diary, "model") == []


def test_adapters_on_the_side_of_the_host_alone(diary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDIN_ON_HOST", "adapters")
    message = refused()
    assert "adapter in front of 0:input->hidden (PyToNxAdapter as PyToNxAdapterModel)" in message
    assert "adapter behind hidden (NxToPyAdapter as NxToPyAdapterModel)" in message
    assert "would run 2 of 6 processes" in message
    assert events(diary, "model") == []


def test_everything_in_python(diary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDIN_ON_HOST", "everything")
    message = refused()
    assert "nothing was run, because Lava would run 6 of 6 processes that belong on a chip on this host: neurons hidden (LIF as " in message
    assert " and 2 more; neurons and connections need a model for neuro cores" in message
    assert events(diary, "model") == []


def test_another_run_configuration(diary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something else in the interpreter's environment has put one for the CPU in its place."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(CPU_CONFIGURATION)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "site"), os.environ["PYTHONPATH"]]))
    message = refused()
    assert re.search(r"neurons hidden \(LIF as PyLifModelBitAcc\), neurons readout \(LIF as PyLifModelBitAcc\)", message)
    assert events(diary, "model") == []


def test_a_registered_model_that_is_none_for_a_chip(diary: Path) -> None:
    message = refused("native", net=network(), neurocore_model="standin_neurons:OnTheHost")
    assert "1 of 6 processes that belong on a chip on this host: neurons hidden (SoftResetIF as OnTheHost)" in message
