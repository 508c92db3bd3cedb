"""What the sections of a report say, as rows of text and pictures, from results that are there already."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

import numpy as np
from markupsafe import Markup

from loihiconv.backends.registry import title_of
from loihiconv.core import numbers as n
from loihiconv.evaluation.compare import Comparison
from loihiconv.evaluation.explain.analysis import ERROR_SAMPLES, Analysis
from loihiconv.evaluation.explain.layers import LayerStatistics
from loihiconv.evaluation.explain.waterfall import Waterfall
from loihiconv.evaluation.workload import Workload
from loihiconv.hardware import picture
from loihiconv.report import plots

MOST_CLASSES = 12
"""Classes of a confusion matrix that is shown whole."""
MOST_PARTS = 20
"""Labels or classes whose figures are shown."""
MOST_CORES = 512
"""Cores of a board that is drawn."""
SCATTER_KEY = (("k1", "a neuron on a sample"), ("", "dashed: exact"), ("", "dotted: largest rate"))
RATES_KEY = (("k1", "rates"), ("k2", "activations"))
WEIGHTS_KEY = (("k1", "integers"), ("k2", "float × gain"), ("kr", "representable"))
HIGH_ERROR, HIGH_CLIPPED, HIGH_SILENT = 0.3, 0.03, 0.999
"""From here on a table marks a layer's figure."""

LAYER_COLUMNS = (
    {"name": "layer", "sortable": True, "hint": "population of the spiking network"},
    {"name": "kind", "sortable": False, "hint": ""},
    {
        "name": "relative error",
        "sortable": True,
        "sorted": True,
        "hint": "root mean square of rate − activation, by that of the activations",
    },
    {"name": "mean error", "sortable": True, "hint": "rate − activation in spikes per step; outputs for the readout"},
    {"name": "correlation", "sortable": True, "hint": "of rates and activations"},
    {
        "name": "clipped",
        "sortable": True,
        "hint": "positive activations above the largest rate: one spike, or the largest payload, per step",
    },
    {"name": "saturated", "sortable": True, "hint": "neurons that send the largest spike in every step"},
    {"name": "silent", "sortable": True, "hint": "neurons that never spike"},
    {"name": "silent in ANN", "sortable": True, "hint": "neurons that are never active in the float network"},
    {"name": "left over", "sortable": True, "hint": "mean |V(T) − V(0)| / τ of neurons that spiked, in spikes (Eq. 6)"},
    {"name": "weight bits", "sortable": True, "hint": "bits of magnitude that the largest weight uses, of 8"},
)


def chain(waterfall: Waterfall) -> dict[str, Any]:
    """The waterfall: bars from one value of the metric to the next."""
    steps, metric = waterfall.steps, waterfall.metric
    values = [step.value for step in steps]
    margin = max(0.15 * (max(values) - min(values)), waterfall.noticeable)
    low, high = max(0.0, min(values) - margin), max(values) + margin / 2
    high = min(1.0, high) if metric.share else high
    rows = []
    for i, step in enumerate(steps):
        row: dict[str, Any] = {
            "title": step.title,
            "meaning": step.meaning,
            "value": n.value(metric, step.value),
            "faint": False,
            "bad": False,
        }
        if step.step is None:
            row |= {"bar": plots.bar(low, step.value, low, high, "total"), "change": "", "interval": ""}
        else:
            before, loss, sign = steps[i - 1].value, step.step, -1 if metric.rises else 1
            kind = "lossbar" if loss.loss > 0 else "gainbar" if loss.loss < 0 else "nobar"
            whisker = None if step.same else (before + sign * loss.interval95[0], before + sign * loss.interval95[1])
            row |= {
                "bar": plots.bar(before, step.value, low, high, kind, whisker),
                "change": n.change(metric, loss.loss, steps[0].value),
                "interval": "nothing changed" if step.same else n.change_interval(metric, loss.interval95, steps[0].value),
                "faint": not loss.changed,
                "bad": loss.significant and loss.loss > 0,
            }
        rows.append(row)
    total = waterfall.total
    return {
        "rows": rows,
        "metric": metric.title,
        "unit": " in percentage points" if metric.share else "",
        "low": n.percent(low, 1) if metric.share else n.number(low),
        "high": n.percent(high, 1) if metric.share else n.number(high),
        "total": n.change(metric, total.loss, steps[0].value),
        "total_interval": n.change_interval(metric, total.interval95, steps[0].value),
    }


def glance(a: Analysis) -> list[tuple[str, str]]:
    """A few figures for the first screen."""
    worst = max(a.waterfall.layers, key=lambda layer: layer.relative_error)
    spiking = a.workloads["spiking"]
    rows = [("largest layer error", f"{worst.population}, {n.percent(worst.relative_error, 1)} of its activations")]
    if a.latency is not None:
        tolerance = 2 * a.waterfall.noticeable
        near = f"within {n.amount(a.waterfall.metric, tolerance)} of the end"
        rows.append((near, f"after {a.latency.latency(tolerance)} of {len(a.latency.value)} steps"))
    rows.append(("neurons that spike per step", n.percent(1 - spiking.activation_sparsity)))
    return rows


def layers(a: Analysis) -> list[dict[str, Any]]:
    """Every layer's figures and pictures, the largest relative error first."""
    bits = {w.population: w.bits_used for w in a.weights if not w.on_host}
    order = sorted(enumerate(a.waterfall.layers), key=lambda item: -item[1].relative_error)
    return [_layer(layer, i, bits.get(layer.population), a) for i, layer in order]


def heat(waterfall: Waterfall) -> dict[str, Any]:
    """Every layer's relative error at every stage."""
    stages = [step for step in waterfall.steps if all(step.key in layer.errors for layer in waterfall.layers)]
    rows = []
    for layer in waterfall.layers:
        errors = [layer.errors[step.key].rms / layer.activation_rms if layer.activation_rms else float("nan") for step in stages]
        cells = [
            {"text": n.percent(e, 1) if isfinite(e) else n.NONE, "share": f"{min(1.0, e):.3f}" if isfinite(e) else "0"} for e in errors
        ]
        rows.append({"name": layer.population, "cells": cells})
    return {"header": [step.title for step in stages], "rows": rows}


def parts(a: Analysis) -> dict[str, Any]:
    """What each layer's squared error is made of."""
    names = {
        "propagated": "layers before, weights",
        "left_over": "left over (Eq. 6)",
        "saturation": "saturation",
        "discarded": "discarded",
        "transient": "timing",
    }
    rows = [
        {
            "name": error.population,
            "cells": [{"text": n.percent(error.share[p], 0), "share": f"{min(1.0, max(0.0, error.share[p])):.3f}"} for p in names],
            "all": n.percent(error.left_over_of_all_layers, 0),
        }
        for error in a.errors
    ]
    return {"header": list(names.values()), "rows": rows, "samples": ERROR_SAMPLES}


def time(a: Analysis) -> dict[str, Any]:
    """The metric against time, and how soon it is there."""
    curve = a.latency
    if curve is None:
        return {"metric": "", "lead": "Potentials over time were not recorded.", "plot": None, "rows": []}
    metric, tolerance, steps = curve.metric, 2 * a.waterfall.noticeable, len(curve.value)
    final = n.value(metric, float(curve.value[-1]))
    near = f"within {n.amount(metric, tolerance)} of the final {final}"
    lead = f"After {curve.latency(tolerance)} of {steps} time steps the {metric.title} stays {near}."
    lead += f" An answer of step t leaves the readout {curve.depth} steps later, one for each layer and silent ones where there are any."
    shown = sorted({1, 2, 4, 8, 16, 32, 64, 128, 256, 512, steps} & set(range(1, steps + 1)))
    rows = [
        (t, n.value(metric, float(curve.value[t - 1])), n.value_interval(metric, (float(curve.low[t - 1]), float(curve.high[t - 1]))))
        for t in shown
    ]
    ann = a.waterfall.steps[0].value
    return {
        "metric": metric.title,
        "lead": lead,
        "title": f"on {n.count(curve.n)} samples, from one run",
        "plot": plots.latency(curve, ann),
        "rows": rows,
    }


def classes(a: Analysis) -> dict[str, Any]:
    """The confusion matrix, or of many classes the pairs that are mixed up most."""
    matrix = a.confusion
    if matrix is None:
        return {"confusion": None, "mixed_up": None}
    if len(matrix) > MOST_CLASSES:
        wrong = matrix - np.diag(np.diag(matrix))
        pairs = [divmod(int(k), len(matrix)) for k in np.argsort(-wrong, axis=None, kind="stable")[:10]]
        return {"confusion": None, "mixed_up": [(i, j, n.count(wrong[i, j])) for i, j in pairs if wrong[i, j]]}
    totals = np.maximum(matrix.sum(axis=1), 1)
    rows = [
        {
            "label": i,
            "cells": [
                {"text": "" if not value else n.count(value), "share": f"{value / totals[i]:.3f}", "wrong": i != j}
                for j, value in enumerate(row)
            ],
        }
        for i, row in enumerate(matrix)
    ]
    return {"confusion": {"classes": range(len(matrix)), "rows": rows}, "mixed_up": None}


def parts_of(comparison: Comparison) -> dict[str, Any] | None:
    """The metric of every label or class, of each back end; None where it has none."""
    ran = {name: result for name, result in comparison.backends.items() if result.parts}
    if not ran:
        return None
    lengths = range(max(len(result.parts) for result in ran.values()))
    rows = [(k, [n.percent(result.parts[k], 1) for result in ran.values()]) for k in lengths]
    word = "label" if comparison.task == "multilabel" else "class"
    shown = rows if len(rows) <= MOST_PARTS else sorted(rows, key=lambda row: _first_number(row[1][-1]))[:MOST_PARTS]
    title = f"{comparison.metric.title.removeprefix('macro ').removeprefix('mean ')} of every {word}"
    return {
        "title": title + ("" if shown is rows else f", the lowest {MOST_PARTS} of {len(rows)}"),
        "header": [word, *(title_of(name) for name in ran)],
        "rows": shown,
    }


def _first_number(text: str) -> float:
    return float(text.partition("\u00a0")[0]) if text != n.NONE else 101.0


def work(workloads: Mapping[str, Workload]) -> dict[str, Any]:
    """Size and work of the float and the spiking network, side by side."""
    loads = list(workloads.values())
    rows: list[tuple[str, ...]] = [
        ("footprint, parameters and state", *(n.in_bytes(w.footprint) for w in loads)),
        ("connection sparsity", *(n.percent(w.connection_sparsity) for w in loads)),
        ("activation sparsity", *(n.percent(w.activation_sparsity) for w in loads)),
        ("executions (time steps) per sample", *(n.count(w.executions) for w in loads)),
        ("effective MACs per sample", *(n.short(w.macs) for w in loads)),
        ("effective ACs per sample", *(n.short(w.acs) for w in loads)),
        ("effective operations per execution", *(n.short((w.macs + w.acs) / w.executions) for w in loads)),
        ("dense operations per sample", *(n.short(w.dense) for w in loads)),
        ("membrane updates per sample", *(n.short(w.membrane_updates) if w.membrane_updates else n.NONE for w in loads)),
    ]
    return {"header": ["float ANN" if key == "ann" else "spiking network" for key in workloads], "rows": rows}


def ranges(a: Analysis) -> dict[str, Any] | None:
    """Sums, potentials and biases against the chip's registers."""
    if not a.ranges:
        return None
    rows = []
    for r in a.ranges:
        cells = [
            {
                "svg": plots.gauge(r, "u", r.u_seen, r.u_worst),
                "text": f"{n.short(r.u_seen)}, worst {n.short(r.u_worst)} of {n.short(2**17)}",
            },
            {
                "svg": plots.gauge(r, "v", r.v_seen, r.v_worst),
                "text": f"{n.short(r.v_seen)}, worst {n.short(r.v_worst)} of {n.short(2**23)}",
            },
            {"svg": plots.gauge(r, "bias", r.bias, None), "text": f"{n.short(r.bias)} of {n.short(4095 * 2**7)}"},
        ]
        rows.append({"name": r.population, "cells": cells})
    return {"header": ["synaptic sum |u|", "potential |v|", "bias"], "rows": rows}


def board(a: Analysis) -> dict[str, Any] | None:
    """Placement on cores, and the estimate of energy and time."""
    p = a.placement
    if p is None:
        return None
    lead = f"{p.board.title}: {p.cores} cores on {p.chips} of {p.board.chips.value} chips; at least {p.bound} are needed."
    rule = "" if p.board.compiler is None else ", cut as the tables that Intel's compiler printed show"
    lead += f" Placed by calculation{rule}; not tried on the board."
    energy: list[tuple[str, str]] = []
    if a.energy is not None:
        c = a.energy.counts
        energy = [
            ("synaptic operations per sample", n.short(c.synaptic_operations)),
            ("compartment updates", n.short(c.updates)),
            ("spikes", n.short(c.spikes)),
            ("spike messages between cores", n.short(c.messages)),
            ("messages between chips", n.short(c.chip_crossings)),
        ]
        low, high = a.energy.joules
        energy.append(("energy per sample, estimated", f"{n.number(low * 1e6)} to {n.number(high * 1e6)} µJ"))
        low, high = a.energy.seconds
        energy.append(("time per sample, estimated", f"{n.number(low * 1e3)} to {n.number(high * 1e3)} ms"))
        if (m := a.energy.measurement or a.energy.yardstick) is not None:
            took = f"{n.number(m.joules * 1e6)} µJ and {n.number(m.seconds * 1e3)} ms with {m.timesteps} steps on {m.cores} cores"
            energy.append((f"measured by others: {m.network}", took))
    drawing = Markup(picture.svg(p)) if 0 < p.cores <= MOST_CORES else None
    return {
        "lead": lead,
        "violations": [str(violation) for violation in p.violations],
        "layers": [(layer.name, n.count(layer.neurons), n.count(len(layer.cores)), layer.kind) for layer in p.layers],
        "label": a.energy.label if a.energy else "",
        "energy": energy,
        "svg": drawing,
    }


def _layer(layer: LayerStatistics, index: int, bits: float | None, a: Analysis) -> dict[str, Any]:
    hidden = layer.kind != "readout"
    figures: list[dict[str, Any]] = [
        {"title": "Activation against rate", "svg": plots.scatter(layer, index), "key": SCATTER_KEY[: 3 if hidden else 2]},
    ]
    if hidden:
        figures.append({"title": "How often which rate", "svg": plots.histogram(layer, index), "key": RATES_KEY})
    figures += [
        {"title": f"Weights {w.connection}, {w.kind}, {n.count(w.synapses)}", "svg": plots.weights(w, 100 * index + k), "key": WEIGHTS_KEY}
        for k, w in enumerate(a.weights)
        if w.population == layer.population
    ]
    return {
        "name": layer.population,
        "anchor": "layer-" + re.sub(r"[^\w.-]", "_", layer.population),
        "kind": layer.kind,
        "shape": n.size(layer.shape),
        "cells": _cells(layer, bits, hidden),
        "summary": f"{layer.kind}, {n.size(layer.shape)}, relative error {n.percent(layer.relative_error, 1)}, "
        f"correlation {n.number(layer.correlation, 4)}",
        "figures": figures,
    }


def _cells(layer: LayerStatistics, bits: float | None, hidden: bool) -> list[dict[str, Any]]:
    def cell(value: float | None, text: str, bad: bool = False) -> dict[str, Any]:
        known = value is not None and isfinite(value)
        return {"value": f"{value:.6g}" if known else "-1", "text": text if known else n.NONE, "bad": bad}

    return [
        cell(layer.relative_error, n.percent(layer.relative_error, 1), layer.relative_error > HIGH_ERROR),
        cell(layer.error.mean, n.number(layer.error.mean, 2)),
        cell(layer.correlation, n.decimal(layer.correlation, 4)),
        cell(layer.clipped if hidden else None, n.percent(layer.clipped), layer.clipped > HIGH_CLIPPED),
        cell(layer.saturated if hidden else None, n.percent(layer.saturated)),
        cell(layer.silent if hidden else None, n.percent(layer.silent, 1), hidden and layer.silent > HIGH_SILENT),
        cell(layer.silent_before if hidden else None, n.percent(layer.silent_before, 1)),
        cell(layer.left_over, n.number(layer.left_over, 2)),
        cell(bits, n.decimal(bits, 1) if bits is not None else ""),
    ]
