"""Four questions about a converted network, and the answer to all of them: the worst of the four.

Did accuracy survive, does it fit the board, what does it cost, and is it exact: do two back ends that must agree do so?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from loihiconv.backends.registry import ANN, find, title_of
from loihiconv.core import numbers as n
from loihiconv.core.metric import Metric
from loihiconv.core.population_base import unwritten_sentence
from loihiconv.evaluation.explain.diagnosis import Finding
from loihiconv.evaluation.result import BackendResult
from loihiconv.hardware.placement import Placement

Status: TypeAlias = Literal["good", "unknown", "warn", "bad"]
TITLES: Mapping[Status, str] = {
    "good": "Nothing stands in the way",
    "unknown": "Not all is known",
    "warn": "Look at this first",
    "bad": "Not ready",
}
MARKS: Mapping[Status, str] = {"good": "✓", "unknown": "?", "warn": "!", "bad": "✗"}
RANK: Sequence[Status] = ("good", "unknown", "warn", "bad")
"""From the best to the worst."""
FEWEST = 20
"""Fewer samples cannot be drawn again for an interval."""
WIDE = 0.05
"""An interval that reaches so far, as a share, does not tell whether accuracy survived."""
SEVERE = 5
"""Times a noticeable loss that is a bad one."""


@dataclass(frozen=True)
class Answer:
    """One question and its answer.

    Attributes
    ----------
    question : str
    answer : str
        In a few words.
    details : tuple of str
        With the figures, a sentence or two.
    status : "good", "unknown", "warn" or "bad"
    """

    question: str
    answer: str
    details: tuple[str, ...]
    status: Status


@dataclass(frozen=True)
class Verdict:
    """The answers, and the worst of them.

    Attributes
    ----------
    answers : tuple of Answer
    """

    answers: tuple[Answer, ...]

    @property
    def worst(self) -> Answer:
        """The first of the worst answers."""
        return max(self.answers, key=lambda a: RANK.index(a.status))

    @property
    def status(self) -> Status:
        """Of the worst answer."""
        return self.worst.status

    @property
    def title(self) -> str:
        """All of it in a few words."""
        return TITLES[self.status]


def main_back_end(results: Mapping[str, BackendResult]) -> str:
    """The back end that a network is judged by: of those that ran the most samples, the last one."""
    names = [name for name in results if name != ANN]
    return max(names, key=lambda name: (results[name].n, names.index(name))) if names else ANN


def survival(
    ann: BackendResult, result: BackendResult, title: str, noticeable: float, unit: float, findings: Sequence[Finding] = ()
) -> Answer:
    """Whether accuracy survived: by the change that was measured and its interval.

    What a diagnosis found explains a loss that is there. It is none by itself, unless samples are wrong.

    Parameters
    ----------
    ann, result : BackendResult
        Of the float network, and of the back end that is judged.
    title : str
        Of that back end.
    noticeable : float
        Loss that is.
    unit : float
        What losses are measured by: 1 for shares.
    findings : sequence of Finding
        Worst first.
    """
    question, metric = "Did accuracy survive?", result.metric
    if result.loss is None:
        return Answer(question, "not measured", ("Only the float network ran.",), "unknown")
    change = result.loss
    low, high = change.interval95
    between = " and ".join(_change(metric, loss) for loss in ((high, low) if metric.rises else (low, high)))
    before = n.figure(metric, ann.value) if result.n == ann.n else "the float network"
    figure = f"{metric.title[:1].upper()}{metric.title[1:]} {before} to {n.figure(metric, result.value)}"
    details = [f"{figure}, {title}, n\u00a0=\u00a0{result.n:,}.", f"The change lies between {between} (95\u00a0%)."]
    answer, status = "no measurable change", "good"
    if change.significant:
        answer = _change(metric, change.loss) + ("" if metric.title == "accuracy" else f" of {metric.title}")
        status = "bad" if change.loss > SEVERE * noticeable else "warn" if change.loss > noticeable else "good"
    elif (high - low > 2 * WIDE * unit and high > noticeable) or (not metric.counted and result.n < FEWEST):
        status = "unknown"
        details.append("Too few samples to tell.")
    if findings and findings[0].of_data:
        status = "bad" if status == "bad" else "warn"
    if findings and status in ("warn", "bad"):
        details.append(findings[0].sentence)
    return Answer(question, answer, tuple(details), status)  # type: ignore[arg-type]


def fit(board: str, placement: Placement | None, unwritten: Sequence[str] = ()) -> Answer:
    """Whether it fits the board; None says that there is no placement.

    ``unwritten`` is what no board has a neuron program for, as `unwritten_programs` names it.
    """
    question = "Does it fit the board?"
    if placement is None:
        what = f"The board {board} is not known here." if board else "A float network; convert with a board."
        return Answer(question, "not known" if board else "no board", (what,), "unknown")
    certain = [str(v) for v in placement.violations if v.certain]
    where = f"{placement.cores:,} of {placement.board.cores:,} cores of {placement.board.title}."
    if placement.fits:
        unsure = len(placement.violations)
        said = ""
        if unsure:
            first = placement.violations[0]
            broken = f"{first.layer or 'network'}, {first.quantity.replace('_', ' ')}"
            said = f"{n.counted(unsure, 'worst case')} beyond a limit that is not certain: {broken}."
        if unwritten:
            details = (where, said, unwritten_sentence(unwritten))
            return Answer(question, "fits, but no board runs it yet", tuple(filter(None, details)), "warn")
        return Answer(question, "fits", tuple(filter(None, (where, said))), "good")
    others = len(certain) - 1
    more = (f"{others} more limits stand in the way." if others > 1 else "1 more limit stands in the way.",) if others else ()
    return Answer(question, "does not fit", (f"{certain[0]}.", *more), "bad")


def cost(result: BackendResult, timesteps: int, macs: float | None) -> Answer:
    """What it costs, beside a float network of so many multiplications where that is known."""
    question, operations = "What does it cost?", result.synaptic_operations
    if operations is None or operations != operations:  # NaN: spikes were not counted
        return Answer(question, "not measured", (), "unknown")
    details = [f"{n.short(result.spikes or 0.0)} spikes in {timesteps} time steps, per sample."]
    if macs:
        details.append(f"The float network multiplies {n.short(macs)} times: {operations / macs:.2g} operations for each.")
    return Answer(question, f"{n.short(operations)} operations", tuple(details), "good")


def exactness(judge: str, samples: int, spikes: Mapping[str, int], potentials: int) -> Answer:
    """Whether it is exact, by how many spikes and potentials differ from what the judge says; "" where none was asked."""
    question = "Is it exact?"
    if not judge:
        return Answer(question, "not checked", ("Emulator and Lava were not both run: name lava among the back ends.",), "unknown")
    judged, by = title_of(find(judge).judges), title_of(judge)
    if not sum(spikes.values()) and not potentials:
        what = f"Every spike of {len(spikes)} populations and every potential, {samples} samples."
        return Answer(question, f"{judged} = {by}", (what,), "good")
    where = ", ".join(f"{name}: {count:,}" for name, count in spikes.items() if count)
    details = f"Of {samples} samples, spikes {where or 'none'}; potentials {potentials:,}."
    return Answer(question, f"{judged} and {by} differ", (details,), "bad")


def _change(metric: Metric, loss: float) -> str:
    """A loss as it is seen on the figure: accuracy falls, an error grows."""
    moved = -loss if metric.rises else loss
    sign = "−" if moved < 0 else "+" if moved > 0 else ""
    return f"{sign}{100 * abs(moved):.2f} points" if metric.share else f"{sign}{abs(moved):.3g}"
