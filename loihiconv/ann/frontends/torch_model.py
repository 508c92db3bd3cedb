"""The front end for PyTorch: an ``nn.Module`` as a `FloatModel`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from loihiconv.ann.frontends.copies import copied, floating_dtype, in_effect, inside, name_of, to_evaluate
from loihiconv.ann.frontends.exported import example_shape
from loihiconv.ann.frontends.inputs import calling, ordered_inputs, required_inputs
from loihiconv.ann.frontends.model import FloatModel, Results, Stored
from loihiconv.ann.frontends.quantized import plain
from loihiconv.ann.frontends.results import Chosen
from loihiconv.ann.frontends.torch import is_leaf, problems, read_with_output, results
from loihiconv.ann.frontends.tracing import BATCH as EXAMPLES
from loihiconv.ann.frontends.tracing import record
from loihiconv.ann.graph import Ann
from loihiconv.core.errors import InvalidModel, LoihiconvError
from loihiconv.core.linear import Array, Shape
from loihiconv.core.parts import Part

BATCH = 256
"""Samples that are evaluated at a time."""


class TorchModel(FloatModel):
    """A module as it is now: what was read of it once is kept.

    Parameters
    ----------
    module : nn.Module
        It is left as it was. What only wraps another one is left out: `torch.compile`, `nn.DataParallel` and their like.
    inputs : sequence of Part
        What it takes, unless that is one tensor.
    curves : bool
        Whether curved activations are read, or refused.
    """

    def __init__(self, module: nn.Module, inputs: Sequence[Part] = (), *, curves: bool = False) -> None:
        self.module, self.inputs, self._curves = inside(module), tuple(inputs), curves
        self.name = name_of(self.module)
        required = required_inputs(self.module)
        self.input_names = required if len(required) > 1 else ()
        self._call = calling(self.module, self.inputs)
        self._least, self._most = 1, BATCH
        self._examples = EXAMPLES
        if (shape := example_shape(self.module)) is not None:
            self._least, self._most = (shape[0], shape[0]) if shape[0] is not None else (2, BATCH)  # open axes exclude 1
            self._examples = max(self._least, EXAMPLES) if shape[0] is None else shape[0]
            known = None not in shape[1:] and not self.input_names
            self.sample_shape = tuple(size for size in shape[1:] if size is not None) if known else None
        if len(self.inputs) > 1:
            self.sample_shape = (sum(part.size for part in self.inputs),)
        self._read: dict[Shape, Ann] = {}
        self._chosen: Chosen | None = None

    def with_inputs(self, parts: Sequence[Part]) -> TorchModel:
        return TorchModel(self.module, parts, curves=self._curves)

    def with_curves(self) -> TorchModel:
        if self._curves:
            return self
        other = TorchModel(self.module, self.inputs, curves=True)
        other.name = self.name
        return other

    def input_order(self, names: Sequence[str]) -> list[str]:
        return ordered_inputs(self.module, names)

    def ann(self, shape: Shape) -> Ann:
        if shape not in self._read:
            self._read[shape], self._chosen = read_with_output(self.module, shape, self._examples, self.inputs, curves=self._curves)
            self.notes = (self._chosen.note,) if self._chosen.note else ()
        return self._read[shape]

    def results(self, shape: Shape) -> Results:
        found = list(results(self.module, shape, self._examples, self.inputs).items())
        entries, rest = found[: max(1, len(self.inputs))], found[max(1, len(self.inputs)) :]
        x = entries[0][1] if len(entries) == 1 else torch.cat([value.flatten(1) for _, value in entries], 1)
        return Results(x.float().numpy(), {name: value.detach().float().numpy() for name, value in rest})

    def problems(self, shape: Shape) -> tuple[LoihiconvError, ...]:
        return problems(self.module, shape, self._examples, self.inputs, curves=self._curves)

    def outputs(self, x: Array) -> Array:
        return self._outputs(to_evaluate(self.module), x)

    def outputs_again(self, x: Array) -> Array:
        module = to_evaluate(self.module)
        self._outputs(module, x)
        return self._outputs(module, x)

    @property
    def epsilon(self) -> float:
        kinds = {floating_dtype(to_evaluate(self.module)), *self._within()}
        return max(torch.finfo(kind).eps for kind in kinds)

    def _within(self) -> Iterator[torch.dtype]:
        """What results are kept in on the way: in half precision, where ``forward`` casts or is under autocast."""
        for shape in list(self._read)[-1:]:
            values = record(self.module, shape, is_leaf, self._examples, self.inputs).values
            yield from (value.dtype for value in values.values() if isinstance(value, torch.Tensor) and value.is_floating_point())

    def precise_outputs(self, x: Array) -> Array | None:
        module = copied(self.module).cpu().eval().double()
        if floating_dtype(module) != torch.float64:  # a frozen program, whose weights are constants
            return None
        try:
            return self._outputs(module, x)
        except (RuntimeError, InvalidModel):  # casts within
            return None

    def _outputs(self, module: nn.Module, x: Array) -> Array:
        with torch.inference_mode():
            return np.concatenate([self._part(module, x[i : i + self._most]) for i in range(0, len(x), self._most)])

    def _part(self, module: nn.Module, x: Array) -> Array:
        """Outputs for samples at a time, filled up to as many as the module takes."""
        filled = x if len(x) >= self._least else np.concatenate([x, np.repeat(x[:1], self._least - len(x), axis=0)])
        given = torch.from_numpy(np.array(filled, np.float32, order="C"))  # a copy: modules may change their input in place
        try:
            result = self._call(module, self._divided(given.to(floating_dtype(module))))
        except Exception as error:
            raise InvalidModel(
                f"forward() fails on {len(given)} samples: {type(error).__name__}: {' '.join(str(error).split())}",
                where=self.name,
                remedy="check that the model runs on samples of this shape, whatever their number",
            ) from error
        return np.concatenate([_rows(output[: len(x)]) for output in self._outputs_in(result, x.shape[1:])], axis=1)

    def _divided(self, given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Samples as the module takes them: one tensor for each input."""
        if len(self.inputs) < 2:
            return (given,)
        parts = given.split([part.size for part in self.inputs], dim=1)
        return tuple(values.reshape(len(values), *part.shape) for values, part in zip(parts, self.inputs, strict=True))

    def _outputs_in(self, result: Any, shape: Shape) -> tuple[torch.Tensor, ...]:
        """The tensors that are outputs; which ones these are shows when the model is read."""
        if isinstance(result := plain(result), torch.Tensor):
            return (result,)
        return tuple(map(plain, self.chosen(shape).of(result)))

    def chosen(self, shape: Shape) -> Chosen:
        """Which parts of what the module returns are outputs."""
        if self._chosen is None:
            self._chosen = record(self.module, shape, is_leaf, self._examples, self.inputs).chosen
        return self._chosen

    def stored(self, shape: Shape) -> Stored:
        module = in_effect(copied(self.module))
        tensors = (*module.parameters(), *module.buffers())
        weights = [p for p in module.parameters() if p.ndim > 1]
        return Stored(
            sum(t.numel() * t.element_size() for t in tensors),
            sum(w.numel() for w in weights),
            sum(int((w == 0).sum()) for w in weights),
        )


def _rows(output: torch.Tensor) -> Array:
    """An output as an array (N, values), of float32 unless it is of float64."""
    output = output if output.dtype == torch.float64 else output.float()
    return np.asarray((output.flatten(1) if output.ndim > 1 else output[:, None]).numpy())
