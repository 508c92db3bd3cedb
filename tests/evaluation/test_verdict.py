"""Four answers, of which the worst is the verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from torch import nn

import loihiconv as lc
from loihiconv.core.metric import ACCURACY, RMSE, Metric
from loihiconv.evaluation.compare import Comparison
from loihiconv.evaluation.explain.diagnosis import Finding
from loihiconv.evaluation.metrics import wilson
from loihiconv.evaluation.pairing import PairedLoss
from loihiconv.evaluation.result import BackendResult, small
from loihiconv.evaluation.verdict import main_back_end, survival
from loihiconv.hardware.limits import Violation
from loihiconv.hardware.place import place


def result(value: float, n: int, loss: PairedLoss | None = None, metric: Metric = ACCURACY) -> BackendResult:
    return BackendResult(metric, value, wilson(round(value * n), n), n, 1.0, loss=loss, synaptic_operations=2e6, spikes=1500.0)


def compared(loss: float, low: float, high: float, n: int = 1000, metric: Metric = ACCURACY, **fields: Any) -> Comparison:
    lost = PairedLoss(n, loss, (low, high), True)
    after = 0.9 - loss if metric.rises else 0.9 + loss
    return Comparison(32, "", {"ann": result(0.9, n, metric=metric), "emulator": result(after, n, lost, metric)}, **fields)


@pytest.mark.parametrize(
    ("comparison", "answer", "status"),
    [
        (compared(0.001, -0.002, 0.004), "no measurable change", "good"),
        (compared(0.0, -0.2, 0.2, n=12), "no measurable change", "unknown"),
        (compared(0.01, 0.005, 0.015), "−1.00 points", "warn"),
        (compared(0.003, 0.001, 0.005), "−0.30 points", "good"),
        (compared(0.1, 0.08, 0.12), "−10.00 points", "bad"),
        (compared(-0.01, -0.015, -0.005), "+1.00 points", "good"),
        (compared(0.02, 0.01, 0.03, metric=RMSE), "+0.02 of RMSE", "warn"),
        (compared(0.02, 0.01, 0.03, metric=RMSE, unit=10.0), "+0.02 of RMSE", "good"),
    ],
)
def test_whether_accuracy_survived(comparison: Comparison, answer: str, status: str) -> None:
    first = comparison.verdict.answers[0]
    assert (first.answer, first.status) == (answer, status)


@pytest.mark.parametrize(
    ("loss", "fault", "status", "said"),
    [
        (compared(0.001, -0.002, 0.004), "time steps", "good", False),
        (compared(-0.01, -0.015, -0.005), "dead layer", "good", False),
        (compared(0.0, -0.2, 0.2, n=12), "time steps", "unknown", False),
        (compared(0.01, 0.005, 0.015), "time steps", "warn", True),
        (compared(0.1, 0.08, 0.12), "time steps", "bad", True),
        (compared(0.001, -0.002, 0.004), "input scale", "warn", True),
    ],
)
def test_findings_explain_what_was_lost_and_are_no_loss_themselves(loss: Comparison, fault: str, status: str, said: bool) -> None:
    """Unless samples are wrong, which the float network gets as well: then a change says nothing."""
    finding = Finding(fault, "input" if fault == "input scale" else "conv1", "what", "remedy")
    ann, emulator = loss.backends.values()
    answer = survival(ann, emulator, "emulator", 0.005, 1.0, [finding])
    assert (answer.status, finding.sentence in answer.details) == (status, said)


def test_intervals_are_of_the_change_as_it_is_seen() -> None:
    assert "between −0.40 points and +0.20 points" in " ".join(compared(0.001, -0.002, 0.004).verdict.answers[0].details)
    assert "between +0.01 and +0.03" in " ".join(compared(0.02, 0.01, 0.03, metric=RMSE).verdict.answers[0].details)


def test_the_worst_answer_is_the_verdict() -> None:
    x = np.random.default_rng(0).random((20, 40), np.float32)
    net = lc.convert(nn.Sequential(nn.Linear(40, 30), nn.ReLU(), nn.Linear(30, 4)), x, board="kapoho_point", timesteps=4)
    fits = replace(compared(0.001, -0.002, 0.004), board="kapoho_point", placement=place(net))
    assert [a.status for a in fits.verdict.answers] == ["good", "good", "good", "unknown"]
    assert fits.verdict.title == "Not all is known"
    backends = {**fits.backends, "lava": result(1.0, 3)}
    exact = replace(fits, judge="lava", mismatched_spikes={"0": 0}, mismatched_potentials=0, backends=backends)
    assert exact.verdict.status == "good"
    assert exact.verdict.answers[3].answer == "emulator = Lava CPU"
    differs = replace(exact, mismatched_spikes={"0": 2})
    assert (differs.verdict.status, differs.verdict.worst.answer) == ("bad", "emulator and Lava CPU differ")
    assert "0: 2" in differs.verdict.worst.details[0]
    assert exact.placement is not None
    broken = [Violation("0", "neurons_per_core", 5000, 4096, certain, "make it smaller", "a paper") for certain in (False, True, True)]
    large = replace(exact, placement=replace(exact.placement, violations=tuple(broken)))
    assert (large.verdict.status, large.verdict.worst.answer) == ("bad", "does not fit")
    assert large.verdict.worst.details == ("0: neurons per core 5,000, limit 4,096; make it smaller.", "1 more limit stands in the way.")
    assert large.verdict.title == "Not ready"
    doubtful = replace(exact, placement=replace(exact.placement, violations=tuple(broken[:1])))
    assert doubtful.verdict.answers[1].details[0] == exact.verdict.answers[1].details[0]
    assert doubtful.verdict.answers[1].details[1] == "1 worst case beyond a limit that is not certain: 0, neurons per core."
    assert replace(exact, placement=None).verdict.answers[1].answer == "not known"


def test_few_samples_have_no_say() -> None:
    comparison = compared(0.001, -0.002, 0.004)
    lava = result(1.0, 3)
    with_lava = {**comparison.backends, "lava": lava}
    assert small(lava, with_lava)
    assert not small(comparison.backends["emulator"], with_lava)
    assert main_back_end(with_lava) == "emulator"
    assert not small(lava, {"ann": result(0.9, 3), "lava": lava})


@pytest.mark.parametrize(("fields", "what"), [({"payload_max": 3}, "graded spikes"), ({"silent_steps": 2}, "silent steps")])
def test_what_no_board_has_a_program_for_is_no_success(fields: dict[str, int], what: str) -> None:
    """It fits, and yet nothing but simulators runs it: the verdict says so, though all else is good."""
    net = lc.convert(nn.Sequential(nn.Linear(3, 2)), np.eye(3, dtype=np.float32), board="kapoho_point", timesteps=2)
    found = replace(compared(0.0, -0.001, 0.001), board="kapoho_point", placement=place(net), **fields).verdict
    assert (found.worst.answer, found.worst.status) == ("fits, but no board runs it yet", "warn")
    assert f"Neurons with {what} need a program that is not written" in " ".join(found.worst.details)
