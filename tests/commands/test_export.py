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
    for formats in ((), ("--nir", "a.nir", "--netx", "a")):
        code, _, err = run("export", lnet, *formats)
        assert code == 2
        assert "give --nir FILE or --netx FOLDER" in err


def test_a_folder_for_lava_dl(run, lnet: Path, npz: Path, tmp_path: Path) -> None:
    code, out, _ = run("export", lnet, "--netx", tmp_path / "a", "--samples", npz, "--lif-ratio", "3", "--json")
    assert code == 0
    found = json.loads(out)
    assert (found["samples"], found["cost"]["samples"], found["cost"]["ratio"], found["cost"]["corrected"]) == (3, 360, 3.0, True)
    assert lc.from_netx(tmp_path / "a/network.net").timesteps == 8
    code, _, err = run("export", lnet, "--netx", tmp_path / "b", "--selftest-samples", "1")
    assert code == 0
    assert "the self-test runs noise" in err
    assert "biases are not corrected" in err
    code, _, err = run("export", lnet, "--netx", tmp_path / "b", "--float")
    assert code == 2
    assert "leave it out" in err
