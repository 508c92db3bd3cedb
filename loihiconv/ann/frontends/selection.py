"""One output of a float network that has several."""

from __future__ import annotations

from collections.abc import Sequence

from loihiconv.ann.frontends.model import FloatModel, Results
from loihiconv.ann.graph import Ann, Concat, needed
from loihiconv.core.errors import InvalidSetting, LoihiconvError
from loihiconv.core.given import shown
from loihiconv.core.linear import Array, Shape
from loihiconv.core.parts import Part, described, find, returned, slices


class OneOutput(FloatModel):
    """A float network that gives one of the outputs of another.

    Parameters
    ----------
    model : FloatModel
    output : str
        Name of the output. That of the only one of a model may be any.
    """

    def __init__(self, model: FloatModel, output: str) -> None:
        self.model, self.output = model, output
        self.name, self.sample_shape = model.name, model.sample_shape
        self.inputs, self.input_names = model.inputs, model.input_names
        self.notes, self.takes_bytes = model.notes, model.takes_bytes

    def with_inputs(self, parts: Sequence[Part]) -> FloatModel:
        return OneOutput(self.model.with_inputs(parts), self.output)

    def with_curves(self) -> FloatModel:
        return OneOutput(self.model.with_curves(), self.output)

    def input_order(self, names: Sequence[str]) -> list[str]:
        return self.model.input_order(names)

    def ann(self, shape: Shape) -> Ann:
        whole = self.model.ann(shape)
        self.notes = self.model.notes
        if not whole.parts:
            return whole
        last = whole.output
        assert isinstance(last, Concat)  # as front ends join outputs
        index = find(whole.parts, self.output, "output")
        result, part = last.inputs[index], whole.parts[index]
        said = (f"output {self.output} of {described(whole.parts, 'outputs')}", *whole.notes[1:])
        return Ann(needed(whole.nodes, result), said, ending=part.flat_ending, output_name=self.output)

    def outputs(self, x: Array) -> Array:
        return self._of(self.model.outputs(x), x.shape[1:])

    def outputs_again(self, x: Array) -> Array | None:
        values = self.model.outputs_again(x)
        return None if values is None else self._of(values, x.shape[1:])

    def precise_outputs(self, x: Array) -> Array | None:
        values = self.model.precise_outputs(x)
        return None if values is None else self._of(values, x.shape[1:])

    @property
    def epsilon(self) -> float:
        return self.model.epsilon

    def results(self, shape: Shape) -> Results | None:
        return self.model.results(shape)

    def problems(self, shape: Shape) -> tuple[LoihiconvError, ...]:
        return self.model.problems(shape) or super().problems(shape)

    def _of(self, values: Array, shape: Shape) -> Array:
        parts = self.model.ann(shape).parts
        if not parts:
            return values
        find(parts, self.output, "output")
        return values[:, slices(returned(parts))[self.output]]


def with_output(model: FloatModel, output: str | None) -> FloatModel:
    """The model with only one of its outputs, if one is named."""
    if output is None:
        return model
    if not isinstance(output, str):
        raise InvalidSetting(shown(output), where="output", limit="the name of an output expected")
    return OneOutput(model, output)


def with_relus(model: FloatModel, approximate: int) -> FloatModel:
    """The model with curved activations read as such, where ReLUs are to be taken for them."""
    return model.with_curves() if approximate else model


def judged(model: FloatModel, output: str | None, shape: Shape) -> FloatModel:
    """The model with the one output that is to be judged.

    Raises
    ------
    InvalidSetting
        If it has several and none of them is named, or none has the name.
    """
    model = with_output(model, output)
    if parts := model.ann(shape).parts:
        raise several(parts)
    return model


def several(parts: Sequence[Part]) -> InvalidSetting:
    """The error where one output is judged and there are several."""
    return InvalidSetting(
        f"the network has {described(parts, 'outputs')}",
        where="output",
        limit="one is judged",
        remedy=f"output={parts[0].name!r} picks one",
    )
