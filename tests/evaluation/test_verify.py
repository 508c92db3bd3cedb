"""The gate: each requirement fails for its own reason, and says so."""

from __future__ import annotations

import os
from copy import deepcopy
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from torch import nn

import loihiconv as lc
from loihiconv.core.errors import BackendUnavailable, InvalidSetting
from loihiconv.core.network import IF, Network
from loihiconv.demo import digits, digits_cnn
from loihiconv.evaluation.verify import Requirement, junit


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    x_train, _, x_test, y_test = digits()
    return {"train": x_train[:100], "test": (x_test[:120], y_test[:120])}


@pytest.fixture(scope="module")
def model() -> nn.Module:
    return digits_cnn()


@pytest.fixture(scope="module")
def net(model: nn.Module, data: dict[str, Any]) -> Network:
    return lc.convert(model, data["train"], board="kapoho_point", timesteps=8)


def failed(found: lc.Verification) -> list[str]:
    return [requirement.name for requirement in found.requirements if not requirement.holds]


@pytest.mark.lava
def test_what_holds(model: nn.Module, net: Network, data: dict[str, Any], lava_python: str) -> None:
    found = lc.verify(model, net, data["test"], max_loss=5, lava_samples=2, calibration=data["train"])
    assert [r.name for r in found.requirements] == ["accuracy", "board", "exactness", "registers", "repeatability"]
    assert found.holds, found.summary()
    assert repr(found) == "<Verification, 5 requirements: all hold>"
    suite = ElementTree.fromstring(found.junit())
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("5", "0")
    assert found.markdown().startswith("### ✅ loihiconv verify: kapoho_point, 8 time steps\n\n| ")


@pytest.mark.parametrize("said", ["\x00\x1b[2J\x0b", os.fsdecode(b"caf\xe9"), "\ufffe\U0001f9e0", "]]> & <a> \"'"])
def test_whatever_names_hold_a_ci_service_can_read_it(said: str) -> None:
    text = junit([Requirement("accuracy", False, said), Requirement("board", True, said)], said)
    suite = ElementTree.fromstring(text.encode())
    told = [suite[0][0].get("message"), suite[1][0].text, suite[2][0].get("message")]
    assert [len(each or "") for each in told] == [len(said)] * 3
    assert told[0] == "".join(c if c in "[2Jcaf\U0001f9e0]> & <a> \"'" else "\ufffd" for c in said)


def test_each_requirement_fails_by_itself(model: nn.Module, net: Network, data: dict[str, Any]) -> None:
    x, y = data["test"]
    worse = lc.verify(model, net, (x, np.where(np.arange(len(y)) < 60, y, (y + 1) % 10)), max_loss=0, lava_samples=0)
    assert "accuracy" not in failed(worse)  # the float network is judged by the same labels
    weights = [replace(c, map=c.map.with_weight(np.zeros_like(c.map.weight))) for c in net.connections]
    blind = replace(net, connections=tuple(weights))
    found = lc.verify(model, blind, data["test"], lava_samples=0, calibration=data["train"])
    assert failed(found) == ["accuracy", "repeatability"]
    assert "At most 1 point may be lost." in found.requirements[0].detail
    assert "map.weight: " in found.requirements[-1].detail
    suite = ElementTree.fromstring(found.junit())
    assert [case.attrib["name"] for case in suite if case.find("failure") is not None] == failed(found)
    assert found.markdown().startswith("### ❌")
    low = [replace(p, v_init=np.array([-(2**23) + 1], np.int32)) if isinstance(p, IF) else p for p in net.populations]
    dark = lc.verify(model, replace(net, populations=tuple(low)), data["test"], lava_samples=0)
    assert "registers" not in failed(dark)
    assert "At the lower end alone" in dark.requirements[2].detail
    full = replace(net.readout, v_init=np.array([2**23 - 1], np.int32), bias=np.array([64], np.int32))
    assert "registers" in failed(lc.verify(model, replace(net, populations=(*net.populations[:-1], full)), data["test"], lava_samples=0))


def test_what_cannot_be_checked_is_refused(model: nn.Module, net: Network, data: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOIHICONV_LAVA_PYTHON", "/nowhere/python")
    with pytest.raises(BackendUnavailable):
        lc.verify(model, net, data["test"], samples=4)
    assert net.origin is not None
    with pytest.raises(InvalidSetting, match="a float network"):
        lc.verify(model, net.origin, data["test"])
    with pytest.raises(InvalidSetting, match="does not say how it was converted"):
        lc.verify(model, replace(net, record=type(net.record)()), data["test"], samples=4, lava_samples=0, calibration=data["train"])


def test_a_float_network_that_is_another_one(model: nn.Module, net: Network, data: dict[str, Any]) -> None:
    """Without its weights it gets nothing right, so that nothing can be lost."""
    forgotten = deepcopy(model)
    for parameter in forgotten.parameters():
        nn.init.zeros_(parameter)
    found = lc.verify(forgotten, net, data["test"], lava_samples=0)
    assert failed(found) == ["accuracy"]
    assert "is it the one that was converted" in found.requirements[0].detail
