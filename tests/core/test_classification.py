"""The potential readout and the spiking softmax."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loihiconv.core import classification
from loihiconv.core.classification import decide, softmax_spikes
from loihiconv.core.ending import Argmax, HostFunction, LastFunction, Pick, Pointwise, Rescale, Shaped, Softmax
from loihiconv.core.network import Readout
from loihiconv.core.parts import OutputPart


def readout(**changes: object) -> Readout:
    zero = np.zeros(1, np.int32)
    return replace(Readout("readout", (3,), zero, zero, decision="softmax", rate=1.0), **changes)  # type: ignore[arg-type]


def test_softmax_wins_as_often_as_it_should() -> None:
    """Constant potentials 0, 1, 2 at scale 1: shares e^V / sum e^V; and the generator asks at a fifth of the steps."""
    course = np.tile(np.array([0.0, 1.0, 2.0]), (4, 20_000, 1))
    spikes = softmax_spikes(readout(rate=0.2), course)
    assert spikes.sum(axis=2).max() == 1
    assert spikes.any(axis=2).mean() == pytest.approx(0.2, abs=0.01)
    shares = spikes.sum(axis=(0, 1)) / spikes.sum()
    np.testing.assert_allclose(shares, np.exp([0, 1, 2]) / np.exp([0, 1, 2]).sum(), atol=0.02)
    np.testing.assert_array_equal(softmax_spikes(readout(rate=0.2), course[2:], first=2), spikes[2:])


def test_potentials_are_compared_in_units_of_the_readout() -> None:
    course = np.tile(np.array([0.0, 1.0, 2.0]), (2, 500, 1))
    np.testing.assert_array_equal(softmax_spikes(readout(scale=64.0), 64 * course), softmax_spikes(readout(), course))


def test_words_decide_whether_and_for_whom(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rate of 1/4 asks below 2^30; classes without a chance never win, and those of 1/2 each share the words in halves."""
    drawn = [(2**30 - 1, 0), (2**30 - 1, 2**31 - 1), (2**30 - 1, 2**31), (2**30 - 1, 2**32 - 1), (2**30, 0)]
    monkeypatch.setattr(classification, "words", lambda *_, **__: np.array(drawn, np.uint32))
    course = np.tile(np.array([-1000.0, 0.0, 0.0]), (1, len(drawn), 1))
    spikes = softmax_spikes(readout(rate=0.25), course)[0]
    assert [np.flatnonzero(row).tolist() for row in spikes] == [[1], [1], [2], [2], []]


def test_in_a_tie_only_those_of_most_spikes_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Classes 0 and 1 win a step each and 2 none, though its last potential is the largest."""
    monkeypatch.setattr(classification, "words", lambda *_, **__: np.array([(0, 0), (0, 0)], np.uint32))
    course = np.array([[[-10.0, -900.0, -900.0], [-900.0, -20.0, -900.0]]])
    decided = decide(readout(), np.array([[-9.0, -8.0, -1.0]]), course)
    assert decided.output_spikes is not None
    assert decided.output_spikes.tolist() == [[1, 1, 0]]
    assert decided.predictions.tolist() == [1]


def test_softmax_with_large_integers_takes_the_largest() -> None:
    course = np.tile(np.array([-(2**23) + 1, 2**23 - 1, 0], np.int32), (1, 8, 1))
    decided = decide(readout(), course[:, -1], course)
    assert decided.predictions.tolist() == [1]
    assert decided.output_spikes is not None
    assert decided.output_spikes.tolist() == [[0, 8, 0]]


def test_ties_go_to_the_larger_potential() -> None:
    course = np.array([[[0, 5, 5], [3, 4, 4]]])
    silent = decide(readout(rate=1e-12), course[:, -1], course)
    assert silent.output_spikes is not None
    assert silent.output_spikes.sum() == 0
    assert silent.predictions.tolist() == [1]
    assert decide(readout(decision="potential"), course[:, -1]).predictions.tolist() == [1]


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ((Shaped((2, 2, 2)),), [[[1, 0], [1, 0]]]),
        ((Shaped((2, 2, 2)), Softmax(0)), [[[1, 0], [1, 0]]]),
        ((Shaped((2, 2, 2)), Argmax(0)), [[[1, 0], [1, 0]]]),
        ((Shaped((1, 2, 4)),), [[[1, 0, 0, 1], [1, 0, 1, 0]]]),
        ((Shaped((1, 2, 4)), Pointwise("sigmoid")), [[[1, 0, 0, 1], [1, 0, 1, 0]]]),
        ((Shaped((8, 1, 1)),), [3]),
    ],
)
def test_images_have_a_class_at_every_pixel(ending: tuple[HostFunction, ...], expected: list[object]) -> None:
    zero = np.zeros(1, np.int32)
    net = Readout("out", (8,), zero, zero, ending=ending)  # type: ignore[arg-type]
    found = decide(net, np.array([[1, -2, 0, 40, 6, -3, 8, -9]]), unit=20.0).predictions
    assert found.tolist() == expected
    assert found.shape[1:] == classification.decision_shape(net)


MINUS = Rescale(np.array(-1.0), np.array(1.0))


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ((Softmax(0), Pick(np.array([2, 0, 1]), (3,))), [2, 1]),  # classes in another order
        ((Softmax(0), Pick(np.array([0, 2]), (2,))), [1, 0]),  # without one of them
        ((Pick(np.array([2, 0, 1]), (3,)), Argmax(0)), [2, 1]),
        ((Softmax(0, log=True), Rescale(np.array(-1.0), np.array(0.0))), [0, 1]),  # the least likely one
        ((Softmax(0), Pick(np.array([1]), (1,))), [1, 0]),  # whether it is more likely than not
        ((Pick(np.array([1]), (1,)), Pointwise("sigmoid"), MINUS), [0, 0]),  # 1 - sigmoid says yes below 0
    ],
)
def test_last_functions_that_put_other_outputs_first_are_what_decides(ending: tuple[LastFunction, ...], expected: list[int]) -> None:
    zero, potentials = np.zeros(1, np.int32), np.array([[-40, 60, 20], [100, 0, 30]])
    assert decide(Readout("out", (3,), zero, zero, ending=ending), potentials, unit=20.0).predictions.tolist() == expected
    parts = (OutputPart("first", (2,)), OutputPart("second", (3,), ending=ending))
    several = Readout("out", (5,), zero, zero, parts=parts)
    both = decide(several, np.hstack([[[5, -5], [0, 1]], potentials]), unit=np.full(5, 20.0)).predictions
    assert both.tolist() == [[0, expected[0]], [1, expected[1]]]
