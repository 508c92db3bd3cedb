"""Assertions for tests of users' own networks, in tests of users' own."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

TESTS = """
import numpy as np
import pytest
from dataclasses import replace
import loihiconv as lc
from loihiconv.demo import digits, digits_cnn
from loihiconv.testing import assert_fits, assert_loss, assert_repeatable, assert_same_network, assert_same_spikes

pytest_plugins = ["loihiconv.testing"]
X_TRAIN, _, X, Y = digits()
X_TRAIN, X, Y = X_TRAIN[:50], X[:40], Y[:40]

@pytest.fixture(scope="module")
def net():
    return lc.convert(digits_cnn(), X_TRAIN, board="kapoho_point", timesteps=4)

@pytest.fixture(scope="module")
def blind(net):
    return replace(net, connections=tuple(replace(c, map=c.map.with_weight(np.zeros_like(c.map.weight))) for c in net.connections))

def test_holds(net):
    assert_fits(net)
    assert_loss(digits_cnn(), net, (X, Y), points=20)
    assert_repeatable(digits_cnn(), net, X_TRAIN)
    assert_same_spikes(net, X[:2], ("emulator", "emulator"))

def test_loss(net, blind):
    assert_loss(digits_cnn(), blind, (X, Y), points=5)

def test_network(net, blind):
    assert_same_network(net, blind)

def test_spikes(net, blind):
    assert_same_spikes(net, X[:2], ("emulator", "lava"))

def test_lava(lava):
    pass
"""


def test_a_test_suite_of_a_user(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOIHICONV_LAVA_PYTHON", "/nowhere/python")
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:xdist")
    result.assert_outcomes(passed=1, failed=2, skipped=2)
    result.stdout.fnmatch_lines(["*a loss of at most 5 points is allowed*", "*map.weight: * values, by up to *"])


def test_it_needs_nothing_but_pytest() -> None:
    source = Path(__file__).resolve().parent.parent / "loihiconv" / "testing.py"
    top = [line for line in source.read_text().splitlines() if line.startswith(("import", "from"))]
    assert top == ["from __future__ import annotations", "from typing import TYPE_CHECKING, Any", "import pytest"]
