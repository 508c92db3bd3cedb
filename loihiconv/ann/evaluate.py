"""Evaluate an `Ann` with PyTorch, and check one against the model that it was read from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import singledispatchmethod
from math import prod

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from loihiconv.ann.frontends import FloatModel, Source, readable
from loihiconv.ann.graph import (
    Add,
    Affine,
    Ann,
    AvgPool,
    BatchNorm,
    Clamp,
    Concat,
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
from loihiconv.core.errors import InvalidData, InvalidModel
from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Shape, Sparse
from loihiconv.core.network import assert_never
from loihiconv.core.parts import OutputPart, returned, slices


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
        self._steps: list[tuple[Node, Callable[..., Tensor]]] = [(node, self._step(node)) for node in ann]
        self._last_use = {name: i for i, node in enumerate(ann) for name in node.inputs}

    def __call__(self, x: Tensor | Array, *, keep: Collection[str] = ()) -> tuple[Tensor, dict[str, Tensor]]:
        """The output for a batch (N, \\*input_shape), and the results of the nodes named in ``keep``.

        Results are freed as soon as nothing needs them any more.
        """
        given = self._inputs(torch.as_tensor(x, device=self.device, dtype=self.dtype))
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

    def _inputs(self, batch: Tensor) -> dict[str, Tensor]:
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
    def _step(self, node: Node) -> Callable[..., Tensor]:
        """The function that computes a node's result from those of its inputs."""
        raise NotImplementedError(f"no evaluation of {type(node).__name__}")

    @_step.register
    def _(self, node: Input) -> Callable[..., Tensor]:
        return lambda: torch.empty(0)  # the batch itself is the result

    @_step.register
    def _(self, node: Linear) -> Callable[..., Tensor]:
        apply, shape = _product(node.map, self._tensor(node.map.weight)), node.shape
        bias = None if node.bias is None else self._tensor(node.bias)

        def step(x: Tensor) -> Tensor:
            y = apply(x) if shape is None else apply(x).reshape(len(x), *shape)
            return y if bias is None else y + bias

        return step

    @_step.register
    def _(self, node: BatchNorm) -> Callable[..., Tensor]:
        mean, var, gamma, beta = (self._tensor(v) for v in (node.mean, node.var, node.gamma, node.beta))
        return lambda x: F.batch_norm(x, mean, var, gamma, beta, eps=node.eps)

    @_step.register
    def _(self, node: Affine) -> Callable[..., Tensor]:
        scale, shift = self._tensor(node.scale), self._tensor(node.shift)
        return lambda x: x * scale + shift

    @_step.register
    def _(self, node: Relu) -> Callable[..., Tensor]:
        if not node.bounded:
            return F.relu
        bound = self._tensor(np.asarray(node.bound))
        return lambda x: torch.minimum(F.relu(x), bound)

    @_step.register
    def _(self, node: LeakyRelu) -> Callable[..., Tensor]:
        slope = self._tensor(node.slope)
        return lambda x: torch.where(x > 0, x, slope * x)

    @_step.register
    def _(self, node: Clamp) -> Callable[..., Tensor]:
        low, high = self._tensor(node.low), self._tensor(node.high)
        return lambda x: torch.minimum(torch.maximum(x, low), high)

    @_step.register
    def _(self, node: Round) -> Callable[..., Tensor]:
        return {"floor": torch.floor, "ceil": torch.ceil, "nearest": torch.round}[node.to]

    @_step.register
    def _(self, node: Quantize) -> Callable[..., Tensor]:
        scale = self._tensor(node.scale)
        return lambda x: scale * torch.round(x / scale).clamp(node.low, node.high)

    @_step.register
    def _(self, node: AvgPool) -> Callable[..., Tensor]:
        return lambda x: F.avg_pool2d(x, node.kernel, node.stride, node.padding)

    @_step.register
    def _(self, node: MaxPool) -> Callable[..., Tensor]:
        around = _torch_padding(node.padding)

        def largest(x: Tensor) -> Tensor:
            pooled: Tensor = torch.max_pool2d(F.pad(x, around, value=-torch.inf), node.kernel, node.stride, 0, node.dilation)
            return pooled

        return largest

    @_step.register
    def _(self, node: Reshape) -> Callable[..., Tensor]:
        return lambda x: x.reshape(len(x), *node.shape)

    @_step.register
    def _(self, node: Gather) -> Callable[..., Tensor]:
        places = torch.as_tensor(node.index + 1, dtype=torch.int64, device=self.device)  # 0 is a zero put before the values
        return lambda x: F.pad(x.flatten(1), (1, 0))[:, places].reshape(len(x), *node.shape)

    @_step.register
    def _(self, node: Concat) -> Callable[..., Tensor]:
        return lambda *parts: torch.cat(parts, 1)

    @_step.register
    def _(self, node: Add) -> Callable[..., Tensor]:
        return lambda *parts: sum(parts[1:], start=parts[0])


def _product(map: LinearMap, weight: Tensor) -> Callable[[Tensor], Tensor]:
    """The function that applies a map, whose weights are on the device."""
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


def verify_reading(model: Source, ann: Ann, x: Tensor | Array, *, tolerance: float = 1e-4) -> None:
    """Check that ``ann`` computes what ``model`` computes in evaluation mode, its last functions included.

    Parameters
    ----------
    model : what `loihiconv.ann.frontends` reads
    x : (N, \\*input_shape)
        A few real samples.
    tolerance : float
        Largest difference allowed, relative to the largest output; `ROUNDED` where activations are rounded.

    Raises
    ------
    InvalidModel
        If they differ, so that a misread model is never converted in silence; it names the first operation that does, where the front
        end can tell.
    """
    reference = readable(model)
    batch = torch.as_tensor(x, device="cpu", dtype=torch.float32)
    expected = torch.from_numpy(reference.outputs(batch.numpy()))
    if not expected.isfinite().all():
        remedy = "check that training converged, and that samples are as in training"
        raise InvalidModel("outputs are NaN or infinite", where=reference.name, remedy=remedy)
    if any(isinstance(node, (Round, Quantize)) for node in ann):
        tolerance = max(tolerance, ROUNDED)
    try:
        _verify(expected, outputs_of(ann, Evaluator(ann)(batch)[0]), tolerance, reference.name, ann.parts)
    except InvalidModel as error:
        if _agree(reference, expected, ann, batch):
            return
        if first := _first_difference(reference, ann, tuple(batch.shape[1:]), tolerance):
            raise InvalidModel(error.what, where=first, limit="the first that differs", remedy=error.remedy) from error
        raise


def _agree(reference: FloatModel, expected: Tensor, ann: Ann, batch: Tensor) -> bool:
    """Whether a network gives the same in float64, or as nearly as numbers of fewer bits than float32's can tell."""
    precise = reference.precise_outputs(batch.numpy())
    exact, tolerance = (expected, ROUNDINGS * reference.epsilon) if precise is None else (torch.from_numpy(precise), PRECISE)
    try:
        _verify(exact, outputs_of(ann, Evaluator(ann, dtype=torch.float64)(batch)[0]), tolerance, "", ann.parts)
    except InvalidModel:
        return False
    return True


def _first_difference(reference: FloatModel, ann: Ann, shape: Shape, tolerance: float) -> str:
    """The first node that gives something else than the model's operation of that name; empty where none does or nobody can tell."""
    if [node.name for node in ann] != [node.name for node in reference.ann(shape)] or (results := reference.results(shape)) is None:
        return ""  # a network that has been rewritten gives other results under the same names
    names = [name for name in results.nodes if name in ann]
    _, kept = Evaluator(ann)(results.x, keep=names)
    for name in names:
        expected, read = torch.from_numpy(results.nodes[name]).flatten(1), kept[name].flatten(1)
        if expected.shape == read.shape and not float((read - expected).abs().max()) <= tolerance * float(expected.abs().max()):
            return name
    return ""


def verify_rewriting(ann: Ann, rewritten: Ann, x: Tensor | Array, *, tolerance: float = 1e-3) -> None:
    """Check that a network computes what it computed before the passes, as `verify_reading` does with the model."""
    batch = torch.as_tensor(x, device="cpu", dtype=torch.float32)
    expected, read = (outputs_of(network, Evaluator(network)(batch)[0]) for network in (ann, rewritten))
    _verify(expected, read, tolerance, ann.output.name, rewritten.parts)


def outputs_of(ann: Ann, result: Tensor) -> Tensor:
    """What a network returns, flattened (N, outputs), once its last node has given this result: its ending applied.

    Several outputs follow one another.
    """
    if not any(ending for _, ending in ann.ends):
        return result.flatten(1)
    values = result.flatten(1).double().cpu().numpy()
    each = [finish(ending, values[:, place]).reshape(len(values), -1) for place, ending in ann.ends]
    return torch.from_numpy(np.concatenate(each, axis=1))


def _verify(expected: Tensor, read: Tensor, tolerance: float, where: str, parts: Sequence[OutputPart]) -> None:
    """Compare outputs, each of several by itself: they may be of different magnitudes."""
    if not parts or expected.shape != read.shape:
        _verify_one(expected, read, tolerance, where)
        return
    for name, place in slices(returned(parts)).items():
        _verify_one(expected[:, place], read[:, place], tolerance, f"{where}, output {name}")


def _verify_one(expected: Tensor, read: Tensor, tolerance: float, where: str) -> None:
    if expected.shape != read.shape:
        raise InvalidModel(f"the model returns shape {tuple(expected.shape)} but was read as {tuple(read.shape)}", remedy=_REPORT)
    difference = (read - expected).abs()
    # NaN compares false, so that it counts as a difference.
    if not float(difference.max()) <= tolerance * float(expected.abs().max()):
        raise InvalidModel(
            f"the model's outputs differ by up to {float(difference.max()):.3g} from those of the network read from it",
            where=where,
            remedy=_REPORT,
        )


ROUNDINGS = 8
"""Times the rounding of one number that outputs may differ by, where a model computes in fewer bits than float32's."""
PRECISE = 1e-6
"""Difference allowed in float64, of parameters that are float32."""
ROUNDED = 0.05
"""Difference allowed where activations are rounded: one that lies between two steps may go either way in float32."""
_REPORT = "does it use hooks, randomness, global state or the number of samples? Remove them; if not, please report this as a bug"
