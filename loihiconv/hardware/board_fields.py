"""What the fields of a board's file are: a number or a name with its source, and how Intel's compiler cuts networks."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Limit(BaseModel):
    """A number that hardware sets, and who says so.

    Attributes
    ----------
    value : int
    source : str
        The publication or public code that it was taken from.
    certain : bool
        False where sources disagree or the number was only observed.
    note : str
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Annotated[int, Field(strict=True, ge=0)]
    source: Annotated[str, Field(min_length=1)]
    certain: Annotated[bool, Field(strict=True)] = True
    note: str = ""

    def __int__(self) -> int:
        return self.value


class Name(BaseModel):
    """What Intel's software calls something, and who says so.

    Attributes
    ----------
    value : str
    source : str
        The publication or public code that it was taken from.
    note : str
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    source: Annotated[str, Field(min_length=1)]
    note: str = ""


class Compiler(BaseModel):
    """How Intel's compiler cuts populations into cores, as tables that it printed show; see `loihiconv.hardware.compiler`.

    Attributes
    ----------
    neurons_per_core : Limit
        Neurons of a core.
    dense_neurons_per_core : Limit
        The same of a population that no convolution feeds.
    index_bits : Limit
        What a synapse that is no convolution's holds beside its weight.
    header_bits : Limit
        What a list of synapses holds beside them.
    convolution_inputs : Limit
        Width of an image that a convolution may have without a warning.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    neurons_per_core: Limit
    dense_neurons_per_core: Limit
    index_bits: Limit
    header_bits: Limit
    convolution_inputs: Limit

    @model_validator(mode="after")
    def _at_least_one(self) -> Compiler:
        for name in ("neurons_per_core", "dense_neurons_per_core", "convolution_inputs"):
            if not getattr(self, name).value:
                raise ValueError(f"compiler.{name} is 0, at least 1 expected")
        return self
