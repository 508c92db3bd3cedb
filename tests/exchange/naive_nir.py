"""NIR written out step by step: every node once per step, in PyTorch and float64. And graphs to try it on."""

from __future__ import annotations

from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from loihiconv.core.linear import Array


@dataclass
class Result:
    """Spikes (N, T, \\*shape) of each IF node, and the sum over the steps of what reaches the output."""

    spikes: dict[str, Array] = field(default_factory=dict)
    output: Array = field(default_factory=lambda: np.zeros(0))


def simulate(graph: Any, x: Array, steps: int, *, reset: str | None = None, saturation: float | None = None) -> Result:
    """Run a ``nir.NIRGraph`` on samples that stay the same, with what loihiconv writes into metadata.

    Parameters
    ----------
    graph : nir.NIRGraph
    x : array (N, \\*shape)
    steps : int
    reset : "subtract" or "zero", optional
        Of nodes whose metadata does not say it.
    saturation : float, optional
        Bound of |v|.
    """
    before: dict[str, list[str]] = {name: [a for a, b in graph.edges if b == name] for name in graph.nodes}
    order = list(TopologicalSorter(before).static_order())
    neurons = {name: node for name, node in graph.nodes.items() if type(node).__name__ == "IF"}
    v = {name: _start(node, len(x)) for name, node in neurons.items()}
    spikes: dict[str, list[torch.Tensor]] = {name: [] for name in neurons}
    total: Any = 0.0
    for _ in range(steps):
        values: dict[str, Any] = {}
        for name in order:
            node = graph.nodes[name]
            given = sum(values[other] for other in before[name]) if before[name] else torch.from_numpy(np.asarray(x, np.float64))
            if name not in neurons:
                values[name] = _linear(node, given)
                continue
            v[name] = v[name] + _t(node.r) * given
            if saturation is not None:
                v[name] = v[name].clamp(-saturation, saturation)
            values[name] = _fire(node, v[name], reset)
            spikes[name].append(values[name])
        (output,) = [name for name, node in graph.nodes.items() if type(node).__name__ == "Output"]
        total = total + values[output]
    return Result({name: torch.stack(steps_, 1).numpy() for name, steps_ in spikes.items()}, total.flatten(1).numpy())


def _t(values: Any) -> torch.Tensor:
    return torch.from_numpy(np.asarray(values, np.float64))


def _start(node: Any, n: int) -> torch.Tensor:
    start = np.asarray(node.metadata.get("v_init", 0.0), np.float64)
    return _t(np.broadcast_to(start, node.v_threshold.shape).copy()).expand(n, *node.v_threshold.shape).clone()


def _fire(node: Any, v: torch.Tensor, reset: str | None) -> torch.Tensor:
    """Spikes, which reset v in place."""
    said = node.metadata.get("reset", reset)
    said = said.decode() if isinstance(said, bytes) else said
    threshold, most = _t(node.v_threshold), int(node.metadata.get("payload_max", 1))
    if most > 1:
        sent = (v / threshold).floor().clamp(0, most)
        v -= sent * threshold
        return sent
    sent = (v > threshold).double()
    if said == "subtract":
        v -= sent * threshold
    else:
        v[:] = torch.where(sent > 0, _t(node.v_reset).expand_as(v), v)
    return sent


def _linear(node: Any, x: torch.Tensor) -> torch.Tensor:
    match type(node).__name__:
        case "Input" | "Output":
            return x
        case "Affine":
            return x @ _t(node.weight).T + _t(node.bias)
        case "Linear":
            return x @ _t(node.weight).T
        case "Scale":
            return x * _t(node.scale)
        case "Flatten":
            end = int(node.end_dim)
            return x.flatten(int(node.start_dim) + 1, end + 1 if end >= 0 else end)
        case "Conv1d" | "Conv2d" as kind:
            padding = node.padding if isinstance(node.padding, str) else tuple(map(int, np.atleast_1d(node.padding)))
            stride, dilation = tuple(map(int, np.atleast_1d(node.stride))), tuple(map(int, np.atleast_1d(node.dilation)))
            conv: Any = F.conv1d if kind == "Conv1d" else F.conv2d
            return conv(x, _t(node.weight), _t(node.bias), stride, padding, dilation, int(node.groups))
        case "SumPool2d" | "AvgPool2d" as kind:
            kernel, stride, padding = (tuple(map(int, np.atleast_1d(n))) for n in (node.kernel_size, node.stride, node.padding))
            return F.avg_pool2d(x, kernel, stride, padding, divisor_override=1 if kind == "SumPool2d" else None)
        case kind:
            raise AssertionError(kind)


def eighths(rng: np.random.Generator, *shape: int) -> Array:
    """Multiples of 1/8, with which float32 computes exactly."""
    return (rng.integers(-12, 13, shape) / 8).astype(np.float32)


def random_graph(nir: Any, seed: int, *, reset: bool = False) -> Any:
    """A graph of convolutions, pooling, sums and dense layers between IF neurons; sizes and kinds by the seed."""
    rng = np.random.default_rng(seed)
    c, h, w = (int(n) + more for n, more in zip(rng.integers(1, 4, 3), (0, 4, 4), strict=True))
    nodes: dict[str, Any] = {"in": nir.Input(np.array([c, h, w]))}
    edges: list[tuple[str, str]] = []
    last, shape, kinds = "in", (c, h, w), [str(k) for k in rng.choice(["conv", "pool", "block"], rng.integers(1, 4))]

    def add(name: str, node: Any, *sources: str) -> str:
        nodes[name] = node
        edges.extend((source, name) for source in sources)
        return name

    def neurons(name: str, source: str, shape: tuple[int, ...]) -> str:
        per = rng.choice([0.5, 1.0, 2.0], shape[0]).reshape(-1, *(1,) * (len(shape) - 1))
        threshold = np.broadcast_to(per, shape).astype(np.float32)
        v_reset = {"v_reset": np.where(threshold == 1, -1.0, 0.0).astype(np.float32)} if reset else {}
        return add(name, nir.IF(r=np.full(shape, rng.choice([0.5, 1.0]), np.float32), v_threshold=threshold.copy(), **v_reset), source)

    for i, kind in enumerate(kinds):
        if kind == "pool" and min(shape[1:]) > 3:
            pool = nir.SumPool2d if rng.random() < 0.5 else nir.AvgPool2d
            last = add(f"pool{i}", pool(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])), last)
            shape = (shape[0], shape[1] // 2, shape[2] // 2)
        out, pad = int(rng.integers(1, 4)), int(rng.integers(0, 2))
        pad = 1 if kind == "block" or min(shape[1:]) < 3 else pad
        conv = nir.Conv2d((shape[1], shape[2]), eighths(rng, out, shape[0], 3, 3), 1, (pad, pad), 1, 1, eighths(rng, out))
        branches = [add(f"conv{i}", conv, last)]
        if kind == "block":
            one = nir.Conv2d((shape[1], shape[2]), eighths(rng, out, shape[0], 1, 1), 1, (0, 0), 1, 1, eighths(rng, out))
            branches.append(add(f"skip{i}", one, last))
        shape = (out, shape[1] + 2 * pad - 2, shape[2] + 2 * pad - 2)
        last = neurons(f"if{i}", branches[0], shape)
        edges.extend((branch, last) for branch in branches[1:])
    last = add("flatten", nir.Flatten({"input": np.array(shape)}, 0, -1), last)
    last = add("dense", nir.Affine(eighths(rng, 5, int(np.prod(shape))), eighths(rng, 5)), last)
    if rng.random() < 0.5:
        last = neurons("if_out", last, (5,))
    add("out", nir.Output(np.array([5])), last)
    return nir.NIRGraph(nodes, edges)
