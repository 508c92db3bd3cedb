"""Evaluate an `Ann` with PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import singledispatchmethod
from math import prod

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from loihiconv.ann.graph import (
    Add,
    Affine,
    Ann,
    AvgPool,
    BatchNorm,
    Clamp,
    Concat,
    Curve,
    Gather,
    Input,
    LeakyRelu,
    Linear,
    MaxPool,
    Node,
    Quantize,
    Relu,
    Reshape,
    Round,
)
from loihiconv.core.ending import finish
from loihiconv.core.errors import InvalidData
from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Sparse
from loihiconv.core.network import assert_never


class Evaluator:
    """Evaluates an `Ann` on batches; parameters are moved to the device once.

    Parameters
    ----------
    ann : Ann
    device : str or torch.device
    dtype : torch.dtype
    """

    def __init__(self, ann: Ann, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32) -> None:
        self.ann, self.device, self.dtype = ann, torch.device(device), dtype
        self._steps: list[tuple[Node, Callable[..., Tensor]]] = [(node, self.step(node)) for node in ann]
        self._last_use = {name: i for i, node in enumerate(ann) for name in node.inputs}

    def __call__(self, x: Tensor | Array, *, keep: Collection[str] = ()) -> tuple[Tensor, dict[str, Tensor]]:
        """The output for a batch (N, \\*input_shape), and the results of the nodes named in ``keep``.

        Results are freed as soon as nothing needs them any more.
        """
        given = self.inputs(torch.as_tensor(x, device=self.device, dtype=self.dtype))
        results: dict[str, Tensor] = {}
        kept: dict[str, Tensor] = {}
        with torch.no_grad():
            for i, (node, step) in enumerate(self._steps):
                result = step(*(results[name] for name in node.inputs)) if node.inputs else given[node.name]
                results[node.name] = result
                if node.name in keep:
                    kept[node.name] = result
                for name in node.inputs:
                    if self._last_use[name] == i:
                        results.pop(name, None)
        return result, kept

    def inputs(self, batch: Tensor) -> dict[str, Tensor]:
        """The batch as input nodes have it: of several, each its part."""
        if tuple(batch.shape[1:]) != self.ann.sample_shape:
            raise InvalidData(f"samples have shape {tuple(batch.shape[1:])}", limit=f"the network takes {self.ann.sample_shape}")
        entries, flat = self.ann.inputs, batch.flatten(1)
        parts = flat.split([prod(entry.given) for entry in entries], dim=1)
        return {entry.name: self._arranged(entry, part) for entry, part in zip(entries, parts, strict=True)}

    def _arranged(self, entry: Input, part: Tensor) -> Tensor:
        if entry.order is not None:
            part = part[:, torch.as_tensor(entry.order, dtype=torch.int64, device=self.device)]
        return part.reshape(len(part), *entry.shape)

    def _tensor(self, values: Array) -> Tensor:
        return torch.as_tensor(np.array(values, order="C"), dtype=self.dtype, device=self.device)

    @singledispatchmethod
    def step(self, node: Node) -> Callable[..., Tensor]:
        """The function that computes a node's result from those of its inputs."""
        raise NotImplementedError(f"no evaluation of {type(node).__name__}")

    @step.register
    def _(self, node: Input) -> Callable[..., Tensor]:
        return lambda: torch.empty(0)  # the batch itself is the result

    @step.register
    def _(self, node: Linear) -> Callable[..., Tensor]:
        apply, shape = product(node.map, self._tensor(node.map.weight)), node.shape
        bias = None if node.bias is None else self._tensor(node.bias)

        def step(x: Tensor) -> Tensor:
            y = apply(x) if shape is None else apply(x).reshape(len(x), *shape)
            return y if bias is None else y + bias

        return step

    @step.register
    def _(self, node: BatchNorm) -> Callable[..., Tensor]:
        mean, var, gamma, beta = (self._tensor(v) for v in (node.mean, node.var, node.gamma, node.beta))
        return lambda x: F.batch_norm(x, mean, var, gamma, beta, eps=node.eps)

    @step.register
    def _(self, node: Affine) -> Callable[..., Tensor]:
        scale, shift = self._tensor(node.scale), self._tensor(node.shift)
        return lambda x: x * scale + shift

    @step.register
    def _(self, node: Relu) -> Callable[..., Tensor]:
        if not node.bounded:
            return F.relu
        bound = self._tensor(np.asarray(node.bound))
        return lambda x: torch.minimum(F.relu(x), bound)

    @step.register
    def _(self, node: LeakyRelu) -> Callable[..., Tensor]:
        slope = self._tensor(node.slope)
        return lambda x: torch.where(x > 0, x, slope * x)

    @step.register
    def _(self, node: Clamp) -> Callable[..., Tensor]:
        low, high = self._tensor(node.low), self._tensor(node.high)
        return lambda x: torch.minimum(torch.maximum(x, low), high)

    @step.register
    def _(self, node: Curve) -> Callable[..., Tensor]:
        places, values = (torch.as_tensor(points, dtype=torch.float64, device=self.device) for points in (node.x, node.y))
        slopes = values.diff() / places.diff()

        def between(x: Tensor) -> Tensor:
            piece = torch.searchsorted(places[1:-1].contiguous(), x.double().contiguous(), right=True)
            return (values[piece] + slopes[piece] * (x.double() - places[piece])).to(x.dtype)

        return between

    @step.register
    def _(self, node: Round) -> Callable[..., Tensor]:
        return {"floor": torch.floor, "ceil": torch.ceil, "nearest": torch.round}[node.to]

    @step.register
    def _(self, node: Quantize) -> Callable[..., Tensor]:
        scale = self._tensor(node.scale)
        return lambda x: scale * torch.round(x / scale).clamp(node.low, node.high)

    @step.register
    def _(self, node: AvgPool) -> Callable[..., Tensor]:
        return lambda x: F.avg_pool2d(x, node.kernel, node.stride, node.padding)

    @step.register
    def _(self, node: MaxPool) -> Callable[..., Tensor]:
        around = _torch_padding(node.padding)

        def largest(x: Tensor) -> Tensor:
            pooled: Tensor = torch.max_pool2d(F.pad(x, around, value=-torch.inf), node.kernel, node.stride, 0, node.dilation)
            return pooled

        return largest

    @step.register
    def _(self, node: Reshape) -> Callable[..., Tensor]:
        return lambda x: x.reshape(len(x), *node.shape)

    @step.register
    def _(self, node: Gather) -> Callable[..., Tensor]:
        places = torch.as_tensor(node.index + 1, dtype=torch.int64, device=self.device)  # 0 is a zero put before the values
        return lambda x: F.pad(x.flatten(1), (1, 0))[:, places].reshape(len(x), *node.shape)

    @step.register
    def _(self, node: Concat) -> Callable[..., Tensor]:
        return lambda *parts: torch.cat(parts, 1)

    @step.register
    def _(self, node: Add) -> Callable[..., Tensor]:
        return lambda *parts: sum(parts[1:], start=parts[0])


def product(map: LinearMap, weight: Tensor) -> Callable[[Tensor], Tensor]:
    """The function that applies a map, with these weights, which are on the device and may need gradients."""
    match map:
        case Dense():
            return lambda x: F.linear(x.flatten(1), weight)
        case Sparse(outputs=outputs):
            synapses = matrix(map, weight)
            return lambda x: torch.sparse.mm(synapses, x.flatten(1).T).T.reshape(len(x), *outputs)
        case Conv(stride=stride, dilation=dilation, groups=groups):
            around = _torch_padding(map.padding)
            return lambda x: F.conv2d(F.pad(x, around), weight, None, stride, 0, dilation, groups)
        case _:
            assert_never(map)


def matrix(linear: Sparse, weight: Tensor) -> Tensor:
    """Synapses with these weights as a sparse tensor (outputs, inputs), on the device of the weights."""
    places = torch.as_tensor(np.stack([linear.rows, linear.columns]), dtype=torch.int64, device=weight.device)
    return torch.sparse_coo_tensor(places, weight, (prod(linear.outputs), prod(linear.inputs)), check_invariants=True).coalesce()


def _torch_padding(padding: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    top, bottom, left, right = padding
    return left, right, top, bottom


def forward(ann: Ann, x: Tensor | Array, *, keep: Collection[str] = ()) -> tuple[Tensor, dict[str, Tensor]]:
    """Evaluate once, in float32, where ``x`` lies; an `Evaluator` is faster for many batches."""
    return Evaluator(ann, x.device if isinstance(x, Tensor) else "cpu")(x, keep=keep)


def batch_of(x: Tensor | Array) -> Tensor:
    """Samples as a tensor of float32 on the CPU; of what cannot be written to, as of a memory map, a copy."""
    return torch.as_tensor(x if isinstance(x, Tensor) else np.require(x, np.float32, ["C", "W"]), device="cpu", dtype=torch.float32)


def outputs_of(ann: Ann, result: Tensor) -> Tensor:
    """What a network returns, flattened (N, outputs), once its last node has given this result: its ending applied.

    Several outputs follow one another.
    """
    if not any(ending for _, ending in ann.ends):
        return result.flatten(1)
    values = result.flatten(1).double().cpu().numpy()
    each = [finish(ending, values[:, place]).reshape(len(values), -1) for place, ending in ann.ends]
    return torch.from_numpy(np.concatenate(each, axis=1))
