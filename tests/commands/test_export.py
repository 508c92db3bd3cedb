"""``loihiconv export``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import loihiconv as lc

pytest.importorskip("nir", reason="the package nir is not installed")


def test_a_network_is_written_and_what_nir_cannot_say_is_said(run, lnet: Path, tmp_path: Path) -> None:
    code, out, err = run("export", lnet, "--nir", tmp_path / "net.nir")
    assert (code, out) == (0, "")
    assert "NIR cannot say all of it" in err
    assert "A spike subtracts v_threshold" in err
    assert lc.from_nir(tmp_path / "net.nir").timesteps == 8


def test_the_float_network_behind_it(run, lnet: Path, tmp_path: Path) -> None:
    code, out, _ = run("export", lnet, "--nir", tmp_path / "net.nir", "--float", "--json")
    assert code == 0
    found = json.loads(out)
    assert found["fixed_point"] is False
    assert any("takes a sample x" in sentence for sentence in found["not_in_nir"])
    lc.save(replace(lc.load(lnet), origin=None), tmp_path / "alone.lnet")
    code, _, err = run("export", tmp_path / "alone.lnet", "--nir", tmp_path / "net.nir", "--float")
    assert code == 2
    assert "was not quantized from a float network" in err


def test_a_format_is_needed(run, lnet: Path) -> None:
    code, _, err = run("export", lnet)
    assert code == 2
    assert "give --nir FILE" in err
