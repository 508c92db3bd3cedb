"""A gate for continuous integration: what must hold of a converted network, each with its figures, and whether all of it does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from xml.etree import ElementTree

from loihiconv.ann.frontends import Source
from loihiconv.conversion.convert import convert
from loihiconv.conversion.settings import settings_of
from loihiconv.core.choices import Task
from loihiconv.core.drift import Drift, diff
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.given import check_number, shown
from loihiconv.core.network import Network, check_network
from loihiconv.core.samples import Samples
from loihiconv.core.tables import Shown, Table
from loihiconv.evaluation.compare import Comparison, compare
from loihiconv.evaluation.verdict import main_back_end

MAX_LOSS = 1.0
LAVA_SAMPLES = 20
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML file may hold, not even in another form; names of layers and files may."""


@dataclass(frozen=True)
class Requirement:
    """One thing that must hold.

    Attributes
    ----------
    name : "accuracy", "board", "exactness", "registers" or "repeatability"
    holds : bool
    detail : str
        Its figures, or what is wrong.
    """

    name: str
    holds: bool
    detail: str


def junit(requirements: Sequence[Requirement], stopped: str = "") -> str:
    """Requirements as test cases of a JUnit XML file, which every CI service reads, and what stopped the program before it could tell."""
    failures = sum(not r.holds for r in requirements)
    suite = ElementTree.Element(
        "testsuite",
        name="loihiconv verify",
        tests=str(len(requirements) + bool(stopped)),
        failures=str(failures),
        errors=str(int(bool(stopped))),
    )
    for requirement in requirements:
        case = ElementTree.SubElement(suite, "testcase", classname="loihiconv.verify", name=requirement.name)
        if requirement.holds:
            ElementTree.SubElement(case, "system-out").text = requirement.detail
        else:
            ElementTree.SubElement(case, "failure", message=requirement.detail)
    if stopped:
        case = ElementTree.SubElement(suite, "testcase", classname="loihiconv.verify", name="verify")
        ElementTree.SubElement(case, "error", message=stopped)
    ElementTree.indent(suite)
    text = _NO_XML.sub("\ufffd", ElementTree.tostring(suite, encoding="unicode"))
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def stopped_markdown(stopped: str) -> str:
    """What a pull request is told where the program could not tell."""
    return f"### ❌ loihiconv verify: not checked\n\n{stopped}\n"


@dataclass(frozen=True, eq=False)
class Verification(Shown):
    """What was required of a network.

    Attributes
    ----------
    title : str
    requirements : tuple of Requirement
    comparison : Comparison
        With Lava, where that was asked for.
    drift : Drift or None
        Between the network and the one that the same conversion gives now, where that was asked for.
    """

    title: str
    requirements: tuple[Requirement, ...]
    comparison: Comparison
    drift: Drift | None = None

    @property
    def holds(self) -> bool:
        """Whether all of it does."""
        return all(requirement.holds for requirement in self.requirements)

    def tables(self) -> tuple[Table, ...]:
        rows = [("✓" if r.holds else "✗", r.name, r.detail) for r in self.requirements]
        return (Table(self.title, ("", "requirement", "found"), rows),)

    def __repr__(self) -> str:
        failed = ", ".join(r.name for r in self.requirements if not r.holds)
        return f"<Verification, {len(self.requirements)} requirements: {f'{failed} failed' if failed else 'all hold'}>"

    def to_json(self) -> dict[str, Any]:
        """Requirements and what was measured, as JSON values."""
        drift = {} if self.drift is None else {"drift": self.drift.to_json()}
        requirements = [asdict(requirement) for requirement in self.requirements]
        return {"holds": self.holds, "requirements": requirements, **drift, "comparison": self.comparison.to_json()}

    def junit(self) -> str:
        """The requirements as test cases of a JUnit XML file."""
        return junit(self.requirements)

    def markdown(self) -> str:
        """A summary for a pull request."""
        title = f"### {'✅' if self.holds else '❌'} {self.title}"
        return f"{title}\n\n{Table('', self.tables()[0].header, self.tables()[0].rows).markdown(left=3)}\n"


def verify(
    model: Source,
    net: Network,
    test_set: Samples,
    *,
    max_loss: float = MAX_LOSS,
    lava_samples: int = LAVA_SAMPLES,
    samples: int | None = None,
    calibration: Samples | None = None,
    task: Task | None = None,
    output: str | None = None,
    device: str = "cpu",
    progress: Callable[[str, int, int], None] | bool | None = None,
) -> Verification:
    """Check what a converted network must keep: its accuracy, the board's limits, every spike in Lava, and that it can be made again.

    Parameters
    ----------
    model : nn.Module, or another kind that `loihiconv.ann.frontends` reads
        The float network that ``net`` came from.
    net : Network
        Fixed point.
    test_set : as `loihiconv.compare` takes it
    max_loss : float
        Most that the emulator may lose against the float network: percentage points of accuracy, or per cent of the unit that the task's
        metric is measured by.
    lava_samples : int
        First samples on which emulator and Lava must agree on every spike and every potential; 0 asks for none.
    samples : int, optional
        Only the first so many of the test set.
    calibration : as `loihiconv.convert` takes it, optional
        The samples that ``net`` was calibrated on: then the conversion is made again, and must give the same integers.
    task : "classification", "binary", "multilabel", "regression" or "dense", optional
        As `loihiconv.compare` takes it.
    progress : as `loihiconv.compare` takes it, optional
    output : str, optional
        Of a network with several outputs the one that is judged, and run in Lava; the conversion is repeated as a whole.

    Returns
    -------
    Verification
        ``holds`` says whether all of it does.

    Raises
    ------
    InvalidSetting
        If the network is float.
    BackendUnavailable
        If Lava is asked for and not there: what cannot be checked does not hold, and is not passed over either.
    """
    check_network(net)
    check_number(max_loss, "max_loss", low=0)
    if type(lava_samples) is not int or lava_samples < 0:
        raise InvalidSetting(f"lava_samples {shown(lava_samples)}", where="verify", limit="a whole number of at least 0 expected")
    if not net.fixed_point:
        raise InvalidSetting("a float network", where="verify", limit="a fixed-point one expected", remedy="convert with board=...")
    names = ["emulator", *(["lava"] if lava_samples else [])]
    comparison = compare(
        model,
        net,
        test_set,
        names,
        samples=samples,
        lava_samples=lava_samples or None,
        task=task,
        output=output,
        device=device,
        progress=progress,
    )
    again = None if calibration is None else diff(net, converted_again(model, net, calibration))
    requirements = (*_measured(comparison, max_loss), *([] if again is None else [_repeated(again)]))
    return Verification(f"loihiconv verify: {comparison.title}", requirements, comparison, again)


def _measured(comparison: Comparison, max_loss: float) -> Iterator[Requirement]:
    accuracy, board, _, exact = comparison.verdict.answers
    result = comparison.backends[main_back_end(comparison.backends)]
    assert result.loss is not None  # the emulator always runs
    loss = 100 * result.loss.loss / comparison.unit
    unit = "% of the unit" if not result.metric.share else "point" if max_loss == 1 else "points"
    details = [*accuracy.details[:2], f"At most {max_loss:g} {unit} may be lost."]
    stranger = 100 * result.loss.interval95[1] / comparison.unit < -max(max_loss, MAX_LOSS)
    if stranger:
        details.append("The float network does worse than what was made of it: is it the one that was converted, with its weights?")
    yield Requirement("accuracy", loss <= max_loss and not stranger, " ".join(details))
    yield Requirement("board", board.status == "good", f"{board.answer}: {' '.join(board.details)}")
    if comparison.judge:
        yield Requirement("exactness", exact.status == "good", f"{exact.answer}: {' '.join(exact.details)}")
    yield _registers(comparison)


def _registers(comparison: Comparison) -> Requirement:
    """Hidden potentials at the lower end alone are said, and no failure: where registers stay there, as in Lava, they cost nothing."""
    said = "; ".join(comparison.saturated)
    harmless = all(s.harmless for s in comparison.saturations)
    if said and harmless:
        said = f"At the lower end alone, which costs nothing where registers stay there, as in Lava: {said}"
    return Requirement("registers", harmless, said or "none comes to its end on these samples.")


def _repeated(drift: Drift) -> Requirement:
    first = sorted(drift.changes, key=lambda change: " -> " not in change.where)  # weights, from which most else follows
    changes = "; ".join(f"{c.where} {c.what}: {c.how}" for c in first[:3])
    more = f"; and {len(drift.changes) - 3} more" if len(drift.changes) > 3 else ""
    others = "; ".join(f"{c.where}: {c.how}" for c in drift.settings)
    said = "the conversion, made again, gives the same integers." if drift.same else f"{changes}{more}"
    return Requirement("repeatability", drift.same, f"{said} ({others})" if others else said)


def converted_again(model: Source, net: Network, calibration: Samples) -> Network:
    """The network that the same conversion gives now."""
    settings = settings_of(net.record)
    if settings is None or net.record.realization is not None:
        what = "it does not say how it was converted" if settings is None else "it was changed for a realization after its conversion"
        raise InvalidSetting(what, where="verify", remedy="leave calibration out, or convert it anew")
    chosen = {name: value for name, value in vars(settings).items() if name != "timesteps"}
    number = net.record.calibration.samples
    return convert(
        model,
        calibration,
        board=net.board,
        timesteps=settings.timesteps,
        optimize="none",
        preprocessing=net.preprocessing,
        samples=number,
        **chosen,
    )
