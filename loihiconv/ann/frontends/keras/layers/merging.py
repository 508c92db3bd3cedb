"""Layers of several inputs."""

# ruff: noqa: D103  each function is named after what it translates, and says nothing that its decorator does not

from __future__ import annotations

from loihiconv.ann.frontends.keras.layers.registry import Value, Work, layer

_KINDS = {"Add": "Sum", "Subtract": "Sub", "Multiply": "Mul", "Average": "Mean", "Maximum": "Max", "Minimum": "Min"}


@layer(*_KINDS)
def merged(work: Work, *inputs: Value) -> Value:
    kind = _KINDS[work.layer.kind]
    names, rank, moved = alike(work, inputs)
    if kind in ("Sub", "Mul"):  # of two
        tensor = names[0]
        for name in names[1:]:
            tensor = work.add(kind, tensor, name)
        return Value(tensor, rank, moved)
    return Value(work.add(kind, *names), rank, moved)


@layer("Concatenate")
def concatenate(work: Work, *inputs: Value) -> Value:
    names, rank, moved = alike(work, inputs)
    axis = work.axis(Value("", rank), int(work.config.get("axis", -1)))
    return Value(work.add("Concat", *names, axis=work.along(Value("", rank, moved), axis)), rank, moved)


def alike(work: Work, inputs: tuple[Value, ...]) -> tuple[list[str], int, bool]:
    """Names of tensors that lie alike, their rank, and whether channels are moved."""
    ranks = {value.rank for value in inputs}
    if len(ranks) > 1:
        raise work.layer.refuse(f"joins results of {' and '.join(str(r - 1) for r in sorted(ranks))} axes", "join results of equal shape")
    rank, moved = ranks.pop(), any(value.moved for value in inputs)
    return [work.first(value) if moved else value.tensor for value in inputs], rank, moved
