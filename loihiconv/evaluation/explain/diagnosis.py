"""What is wrong with a converted network, where, and what to do about it: one sentence per finding, the first one the verdict.

Each check knows one fault. Faults that can be seen in the data or in the network's own numbers come first, in the order in which
signals pass them; after them what the chain of stages shows to cost most. A network without findings gets a sentence that says how
much the conversion costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from loihiconv.core import numbers as n
from loihiconv.core.choices import COPIES_LIMIT
from loihiconv.evaluation.explain.evidence import Evidence
from loihiconv.evaluation.explain.fidelity import Fidelity, stored_bits
from loihiconv.evaluation.explain.layers import LayerStatistics, relative
from loihiconv.evaluation.explain.waterfall import Waterfall

SCALE_RATIO = 8.0
"""Test inputs that are so many times as large, or as small, as those of calibration are on another scale."""
CLIPPED = 0.03
"""More positive activations than this share above the largest rate are a fault even where accuracy has not dropped yet."""
HIGH_PERCENTILE = 99.0
"""From here on a percentile cuts off no more than outliers."""
COARSE = 0.2
"""Rates of T steps alone may make this relative error in a layer."""
WEIGHT_ERROR = 0.2
"""Weights may be rounded by this share of their root mean square; 8 bits make about 0.01, 4 bits 0.15."""
WEIGHT_NOTICEABLE = 0.03
"""Where the step to integer weights loses accuracy, weights rounded by less are not its cause."""
WEIGHT_BITS = 8
"""Of the chips' synapses; a board may have fewer."""
BIAS_ERROR = 0.02
"""A bias that is cut off must be wrong by this share of the threshold per step."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes
    ----------
    fault : str
        "input scale", "channel order", "weights", "average pooling", "dead layer", "bias clipped", "saturation",
        "weight precision", "time steps", "timing", "reset", or "step".
    layer : str
        Population, connection or pooling layer; empty where it is the whole network's.
    what : str
        What was found, with the numbers.
    remedy : str
    cost : float or None
        Accuracy that the step in question loses.
    """

    fault: str
    layer: str
    what: str
    remedy: str
    cost: float | None = None

    @property
    def sentence(self) -> str:
        """Layer, fault and remedy on one line."""
        where = f"Layer {self.layer}: " if self.layer[:1].isdigit() else f"{self.layer}: " if self.layer else ""
        return f"{where}{self.what}; {self.remedy}."

    @property
    def of_data(self) -> bool:
        """Whether samples are wrong, for the float network too: then no change that was measured says anything."""
        return self.layer == "input"


@dataclass(frozen=True)
class Diagnosis:
    """All findings, worst first.

    Attributes
    ----------
    verdict : str
        The first finding's sentence, or that there is none.
    findings : tuple of Finding
    """

    verdict: str
    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


Check = Callable[[Evidence], Iterator[Finding]]


def diagnose(evidence: Evidence) -> Diagnosis:
    """Name what is wrong with a converted network.

    Parameters
    ----------
    evidence : Evidence
        As `loihiconv.evaluation.explain.evidence.gather` collects it.
    """
    hard = [finding for check in HARD for finding in check(evidence)]
    graded = [finding for check in GRADED for finding in check(evidence)]
    graded.sort(key=lambda finding: -(finding.cost or 0.0))
    findings = (*hard, *graded) or tuple(unexplained(evidence))
    return Diagnosis(findings[0].sentence if findings else _healthy(evidence.waterfall), findings)


def input_scale(evidence: Evidence) -> Iterator[Finding]:
    """Test inputs on another scale than those that scales were calibrated on."""
    calibrated, seen = evidence.calibrated_input, evidence.largest_input
    if not calibrated or not seen or 1 / SCALE_RATIO <= seen / calibrated <= SCALE_RATIO:
        return
    ratio = seen / calibrated
    factor = f"{ratio:.3g} times" if ratio > 1 else f"1/{1 / ratio:.3g} of"
    yield Finding(
        "input scale",
        "input",
        f"test inputs reach {seen:.4g}, {factor} the {calibrated:.4g} of the calibration data, so they are scaled wrongly",
        "preprocess both alike, e.g. divide both by 255",
    )


def input_order(evidence: Evidence) -> Iterator[Finding]:
    """Test inputs whose channels are those of the calibration data in another order."""
    if evidence.input_order is not None:
        order = ", ".join(map(str, evidence.input_order))
        yield Finding(
            "channel order",
            "input",
            f"the test data's channels look like channels {order} of the calibration data, a wrong channel order",
            "bring both into the same order, e.g. RGB",
        )


def averaged_pooling(evidence: Evidence) -> Iterator[Finding]:
    """Averages where the model takes maxima."""
    names = evidence.averaged
    if names:
        others = f" (and {', '.join(names[1:])})" if len(names) > 1 else ""
        cost = evidence.waterfall["rewritten"].loss
        yield Finding(
            "average pooling",
            names[0],
            f"average pooling stands in for the model's max pooling{others}, which costs {evidence.amount(cost)}",
            'convert with maxpool="gate" or "relu-tree", or train with average pooling',
            cost,
        )


def weights(evidence: Evidence) -> Iterator[Finding]:
    """Weights that are not the model's: in another order, all 0, or simply others."""
    for layer in evidence.fidelity:
        if layer.permuted:
            yield Finding(
                "channel order",
                layer.population,
                f"the {layer.between} has the right weights in a wrong channel order along its {layer.permuted}",
                "export and flatten channels first, (C, H, W), as torch does",
            )
        elif layer.error > 1 / 2 and not layer.dead and not layer.rounded:
            yield Finding(
                "weights",
                layer.population,
                f"the {layer.between} has other weights than the model (relative error {layer.error:.2g})",
                "convert the trained model again, and load its weights before",
            )


def dead_layers(evidence: Evidence) -> Iterator[Finding]:
    """The first layer without a spike although what feeds it spikes."""
    by_name = {layer.population: layer for layer in evidence.layers}
    for layer in evidence.layers:
        if layer.kind == "readout" or layer.silent < 1:
            continue
        before = [c.source for c in evidence.net.incoming(layer.population) if c.source in by_name]
        if any(by_name[name].silent >= 1 for name in before):
            continue
        if layer.silent_before >= 1:
            yield Finding(
                "dead layer",
                layer.population,
                f"the layer is dead in the float network already: no activation on {layer.samples} samples",
                "check its weights and biases, and train again",
            )
        else:
            yield Finding(
                "dead layer",
                layer.population,
                f"the layer is dead: no unit spikes on {layer.samples} samples, where the float network has "
                f"{share(1 - layer.silent_before, 0)} of them active",
                "check its weights, biases and threshold, or convert again with a lower percentile",
            )
        return


def clipped_biases(evidence: Evidence) -> Iterator[Finding]:
    """Biases that stop at one magnitude where the float network's go on; a single one may have been corrected, but not by half."""
    for bias in evidence.biases:
        halved = evidence.net[bias.population].spiking and bias.largest < bias.wanted / 2
        if bias.worst > BIAS_ERROR and (bias.cut > 1 or (bias.cut and halved)):
            yield Finding(
                "bias clipped",
                bias.population,
                f"{bias.cut} of {bias.values} biases are clipped at {bias.largest:,} where up to {bias.wanted:,} is needed",
                "convert again, which lowers the layer's gain until biases fit, or retrain with weight decay on biases",
            )


def saturation(evidence: Evidence) -> Iterator[Finding]:
    """Activations beyond the largest rate."""
    cost, named = _cost(evidence.waterfall, "clipped")
    hidden = [layer for layer in evidence.layers if layer.kind == "spiking"]
    percentile, chosen = evidence.settings.percentile, _errs_least(evidence)
    suspects = [] if chosen else [layer for layer in hidden if layer.clipped > CLIPPED]
    if not suspects and named:
        suspects = sorted(hidden, key=lambda layer: -layer.clipped)
    if not suspects:
        return
    layer = suspects[0]
    remedy = 'use scale="percentile"' if chosen else "raise percentile to 99.99"
    if percentile is not None and not chosen:
        remedy = f"raise percentile from {percentile:g} to {99.9 if percentile < HIGH_PERCENTILE else 99.99:g}"
    yield Finding(
        "saturation",
        layer.population,
        f"{share(layer.clipped)} of its units saturate, above {_most(layer.largest)} per step",
        remedy + _per_channel(evidence, " or use per_channel=True"),
        cost if named else max(cost, layer.clipped * evidence.waterfall.noticeable),
    )


def weight_precision(evidence: Evidence) -> Iterator[Finding]:
    """Weights that use too few bits."""
    cost, named = _cost(evidence.waterfall, "weights")
    judged = [w for w in evidence.fidelity if not w.permuted and not w.dead and w.rounded]
    suspects = [w for w in judged if w.error > WEIGHT_ERROR]
    if not suspects and named:
        suspects = sorted((w for w in judged if w.error > WEIGHT_NOTICEABLE), key=lambda w: -w.error)
    if not suspects:
        return
    layer = suspects[0]
    yield Finding(
        "weight precision",
        layer.population,
        f"its weights use only {layer.bits:.1f} bits of magnitude, {layer.levels} different values, "
        f"and are rounded by {share(layer.error, 0)} (rms)",
        _limited(evidence, layer),
        max(cost, layer.error * evidence.waterfall.noticeable),
    )


def few_steps(evidence: Evidence) -> Iterator[Finding]:
    """Rates too coarse, or spikes too few to arrive in time."""
    steps_cost, steps_named = _cost(evidence.waterfall, "steps")
    time_cost, time_named = _cost(evidence.waterfall, "spikes")
    timesteps = evidence.net.timesteps
    before = "rewritten" if _errs_least(evidence) else "clipped"  # then few steps are why so much was cut off
    coarse = [(layer, _added(layer, before, "steps")) for layer in evidence.layers if layer.kind == "spiking"]
    over = [(layer, error) for layer, error in coarse if error > COARSE]
    if not coarse or not (over or steps_named or time_named):
        return
    layer, error = over[0] if over else max(coarse, key=lambda pair: pair[1])
    if evidence.settings.reset == "zero":
        yield Finding(
            "reset",
            layer.population,
            f"reset to zero throws charge away at every spike, an error of {share(error, 0)} in {timesteps} time steps",
            'use reset="subtract"',
            max(steps_cost + time_cost, error * evidence.waterfall.noticeable),
        )
        return
    if time_named and (time_cost > steps_cost or not (over or steps_named)):
        late = first_jump(evidence.layers, "spikes", evidence.waterfall) or layer
        yield Finding(
            "timing",
            late.population,
            f"spikes that come too early or too late cost {evidence.amount(time_cost)} at {timesteps} time steps",
            in_time(evidence),
            time_cost,
        )
        if not steps_named:
            return
    yield Finding(
        "time steps",
        layer.population,
        f"{timesteps} time steps are too few: rates take only {timesteps * layer.largest * evidence.net.copies + 1} values, "
        f"which alone is an error of {share(error, 0)}",
        f"raise timesteps to {_enough(timesteps, error)}",
        max(steps_cost, error * evidence.waterfall.noticeable),
    )


def in_time(evidence: Evidence) -> str:
    """What lets spikes come in time. Silent steps only where they are there already, or no board lacks a program for them."""
    timesteps, silent = evidence.net.timesteps, evidence.net.silent_steps
    if 0 < silent < timesteps:
        return f"raise silent_steps to {timesteps}"
    if not (evidence.settings.hold_back or silent or evidence.net.signed):
        return "use hold_back=0.5"
    ways = []
    if (copies := 2 * evidence.net.copies) <= COPIES_LIMIT:
        ways.append(f"use copies={copies}" + (", if the board holds so many neurons" if evidence.net.board else ""))
    if not (silent or evidence.net.signed or evidence.net.board):
        ways.append(f"use silent_steps={timesteps}")
    return ", or ".join([*ways, f"raise timesteps to {2 * timesteps}"])


def straightened_curves(evidence: Evidence) -> Iterator[Finding]:
    """ReLUs where the model has curves, if that costs anything."""
    cost, named = _cost(evidence.waterfall, "rewritten")
    if evidence.curves and named:
        first, *others = evidence.curves
        more = f" (and {n.counted(len(others), 'other')})" if others else ""
        relus = evidence.settings.approximate
        yield Finding(
            "curved activations",
            first,
            f"{n.counted(relus, 'ReLU')} in place of each of the model's curves, {first}{more}, cost {evidence.amount(cost)}",
            f"use approximate={2 * relus}, or train with ReLU",
            cost,
        )


def other_steps(evidence: Evidence) -> Iterator[Finding]:
    """Steps that no other check looks at."""
    chain = evidence.waterfall
    explained = {"ann", "clipped", "steps", "spikes", "weights"} | ({"rewritten"} if evidence.averaged or evidence.curves else set())
    for step in chain.steps:
        cost, named = _cost(chain, step.key)
        if named and step.key not in explained:
            layer = first_jump(evidence.layers, step.key, chain)
            yield Finding(
                "step",
                "" if layer is None else layer.population,
                f"{STEP_NAMES.get(step.key, step.title)} costs {evidence.amount(cost)}",
                REMEDIES.get(step.key, "look at how it differs from the emulator"),
                cost,
            )


def unexplained(evidence: Evidence) -> Iterator[Finding]:
    """The dearest step of a conversion that loses more than chance would, where nothing else explains it."""
    chain = evidence.waterfall
    worst = max(chain.steps[1:], key=lambda step: step.loss)
    if not (chain.total.significant and chain.total.loss > chain.noticeable and worst.loss > 0):
        return
    layer = first_jump(evidence.layers, worst.key, chain)
    where = "" if layer is None else layer.population
    yield Finding(
        "step",
        where,
        f'most is lost by the step to "{worst.title}": {evidence.amount(worst.loss)}',
        REMEDIES.get(worst.key, "see the table of layers"),
        worst.loss,
    )


HARD: tuple[Check, ...] = (input_scale, input_order, averaged_pooling, weights, dead_layers, clipped_biases)
"""Seen in the data or in the network's own numbers, in the order in which signals meet them."""
GRADED: tuple[Check, ...] = (straightened_curves, saturation, weight_precision, few_steps, other_steps)
"""A matter of degree: the one that costs most is named first."""
STEP_NAMES = {
    "rewritten": "rewriting the layers",
    "float": "bias correction",
    "biases": "rounding the biases",
    "emulator": "bias correction after quantization",
}
REMEDIES = {
    "rewritten": "check the notes of the conversion",
    "clipped": "raise percentile, or use per_channel=True if it is off",
    "steps": "raise timesteps",
    "spikes": "raise timesteps, or use hold_back=0.5 if it is 0",
    "float": "correct on more samples, or convert with bias_correction=False",
    "weights": "retrain with weight decay against outliers, or use per_channel=True if it is off",
    "biases": "look at the layer's biases, which leave the 13 bits of a mantissa",
    "emulator": "convert without bias correction, or correct on more samples",
}
"""What helps against a step, by its key."""


def first_jump(layers: tuple[LayerStatistics, ...], key: str, chain: Waterfall) -> LayerStatistics | None:
    """The first layer that a stage adds at least half of its largest relative error to."""
    keys = [step.key for step in chain.steps]
    before = keys[keys.index(key) - 1]
    added = [(layer, _added(layer, before, key)) for layer in layers]
    largest = max((error for _, error in added), default=0.0)
    return next((layer for layer, error in added if error >= largest / 2 > 0), None)


def share(value: float, digits: int = 1) -> str:
    """A share in percent."""
    return f"{100 * value:.{digits}f} %"


def _most(largest: int) -> str:
    """The largest spike in words."""
    return "one spike" if largest == 1 else f"a payload of {largest}"


def _added(layer: LayerStatistics, before: str, after: str) -> float:
    """Relative error that a stage adds to a layer, as independent errors add: in squares."""
    old = layer.errors[before].rms if before in layer.errors else 0.0
    new = layer.errors[after].rms if after in layer.errors else layer.error.rms
    return relative(float(np.sqrt(max(new**2 - old**2, 0.0))), layer.activation_rms)


def _cost(chain: Waterfall, key: str) -> tuple[float, bool]:
    """What a step loses, and whether that is enough to name it."""
    if key not in chain:
        return 0.0, False
    step = chain[key]
    return step.loss, step.step is not None and step.step.significant and step.loss > chain.noticeable


def _limited(evidence: Evidence, layer: Fidelity) -> str:
    """What keeps a layer's weights from using their bits, and what helps against that."""
    entry = evidence.net.record.quantization.get(layer.population)
    cause = "" if entry is None else entry.limited_by
    together = ', or rounding="auto"' if evidence.settings.rounding in ("nearest", "first") else ""
    if stored_bits(evidence.net) < WEIGHT_BITS:
        return "use all 8 bits: choose a board with 8-bit weights" + _per_channel(evidence, ", or per_channel=True") + together
    if cause and not cause.startswith("weights of "):
        if layer.bits < WEIGHT_BITS - 1:
            fewer = ", which fewer time steps make smaller" if cause.endswith("over T steps") else ""
            return f"use all 8 bits: the layer's gain is limited by its {cause}{fewer}{together}"
    elif cause and cause.removeprefix("weights of ") != layer.between.removeprefix("connection "):
        other = cause.removeprefix("weights of ")
        return f"the larger weights of {other} set the gain of both: retrain with weight decay against them{together}"
    return "retrain with weight decay against outliers" + _per_channel(evidence, ", or use per_channel=True") + together


def _errs_least(evidence: Evidence) -> bool:
    """Whether scales were chosen to err least, so that what is cut off is no mistake, and nothing kept them from being larger."""
    percentile = evidence.settings.percentile
    return evidence.settings.scale in ("mse", "balanced") and (percentile is None or percentile >= HIGH_PERCENTILE)


def _per_channel(evidence: Evidence, text: str) -> str:
    """A remedy, unless it has been taken already."""
    return "" if evidence.settings.per_channel else text


def _enough(timesteps: int, error: float) -> int:
    """Steps after which the rounding error, which falls as 1/T, is a tenth of what is bearable; a power of two."""
    wanted = max(2 * timesteps, timesteps * error / COARSE * 4)
    return int(2 ** np.ceil(np.log2(wanted)))


def _healthy(chain: Waterfall) -> str:
    metric, total, last = chain.metric, chain.total, chain.steps[-1]
    if not total.significant:
        change = f"no measurable change of {metric.title}"
    else:
        change = f"{metric.title} {'loses' if total.loss > 0 else 'gains'} {n.amount(metric, total.loss)}"
    before, after = (n.figure(metric, step.value) for step in (chain.steps[0], last))
    return f"No layer stands out: {change}, from {before} to {after} on {chain.n:,} samples."
