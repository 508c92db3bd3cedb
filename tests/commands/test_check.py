"""``loihiconv check``: what can be converted and what cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loihiconv.commands.terminal import print_check
from loihiconv.conversion.check import Check, LayerCheck

FACTORY = "loihiconv.demo.model:digits_cnn"


def test_check_and_boards(run, nets: Path) -> None:
    code, out, _ = run("check", FACTORY, "--shape", "1,8,8", "--board", "kapoho_point")
    assert code == 0
    assert "can be converted" in out
    code, out, _ = run("check", "nets_of_test:sigmoid", "--shape", "1,8,8", "--json")
    assert code == 2
    assert "Sigmoid" in json.loads(out)["problems"][0]
    assert "kapoho_point" in run("boards")[1]
    assert json.loads(run("boards", "--json")[1])["kapoho_bay"]["generation"] == 1


def test_what_is_alike_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    layer = LayerCheck("a", "spiking", (2,), 2, 12, ("convolution", "dense", "convolution"))
    print_check(Check((layer,), (), ("1: has two", "no layer's", "4: has two", "5: other")))
    out, err = capsys.readouterr()
    assert "2 convolution + dense" in out
    assert err.splitlines() == ["1, 4: has two", "no layer's", "5: other"]
