"""Which variables a layer has, and where its file keeps them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from loihiconv.ann.frontends.keras.saved import Saved, array, attribute, datasets, subgroup
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from loihiconv.core.linear import Array

_WITH_BIAS = {
    **dict.fromkeys(("Dense", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose"), ("kernel",)),
    **dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), ("depthwise_kernel",)),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), ("depthwise_kernel", "pointwise_kernel")),
}
_ALIASES = {"depthwise_kernel": ("depthwise_kernel", "kernel"), "gamma": ("gamma",), "alpha": ("alpha", "alphas")}


def variables(kind: str, config: Mapping[str, Any], where: str = "", *, merged: bool = True) -> tuple[str, ...]:
    """Names of a layer's variables, in the order in which Keras 3 numbers them.

    Raises
    ------
    UnsupportedLayer
        If they are not what the layer multiplies with: those of a quantized one, or with others to be added to them.
    """
    policy = config.get("dtype")
    if (isinstance(policy, dict) and "Quantized" in str(policy.get("class_name"))) or config.get("quantization_config"):
        remedy = "save the model before model.quantize(); quantization is done here"
        raise UnsupportedLayer(f"{kind} is quantized", where=where, limit="floating-point weights expected", remedy=remedy)
    if config.get("lora_rank") and not merged:
        raise UnsupportedLayer(
            f"{kind} has LoRA weights beside its own", where=where, remedy="save the model as .keras, which adds them up"
        )
    if kind in _WITH_BIAS:
        return (*_WITH_BIAS[kind], *(("bias",) if config.get("use_bias", True) else ()))
    if kind == "BatchNormalization":
        gamma, beta = (("gamma",) if config.get("scale", True) else ()), (("beta",) if config.get("center", True) else ())
        return (*gamma, *beta, "moving_mean", "moving_variance")
    if kind == "PReLU":
        return ("alpha",)
    if kind == "Normalization" and config.get("mean") is None:
        return ("mean", "variance")
    return ()


class Place:
    """Where the weights of some layers lie.

    Parameters
    ----------
    saved : Saved
    group : h5py.Group
        Of one layer of the whole model (as Keras 1 and 2 have it), or of a model within (Keras 3).
    """

    def __init__(self, saved: Saved, group: Any, path: tuple[str, ...] = ()) -> None:
        self._saved, self._group, self._path = saved, group, path

    def within(self, key: str, name: str) -> Place:
        """Where the weights of one of a model's layers lie.

        Parameters
        ----------
        key : str
            As Keras 3 counts layers: "conv2d_1".
        name : str
            The layer's own.
        """
        if self._saved.legacy:
            outermost = not self._path
            group = subgroup(self._group, name) if outermost else self._group
            return Place(self._saved, group, (*self._path, name))
        return Place(self._saved, subgroup(subgroup(self._group, "layers"), key), (*self._path, name))

    def read(self, names: Sequence[str]) -> dict[str, Array]:
        """Variables by their names.

        Raises
        ------
        InvalidModel
            If one is missing or cannot be read.
        """
        where = ".".join(self._path)
        if names and self._group is None:
            raise InvalidModel("its weights are missing", where=where, remedy="save the whole model again: model.save('model.keras')")
        if self._saved.legacy:
            return {name: array(self._group, self._legacy(name, where), where) for name in names}
        own = subgroup(self._group, "vars") if names else None
        kept = None if own is None else attribute(own, "name")
        if kept is not None and kept != self._path[-1]:
            raise InvalidModel(f"its weights are those of {kept!r}", where=where, remedy="save the model again")
        return {name: array(self._group, f"vars/{i}", where) for i, name in enumerate(names)}

    def _legacy(self, name: str, where: str) -> str:
        """Path of a variable: "block/conv/kernel:0" of the layer conv."""
        known = datasets(self._group)
        wanted = _ALIASES.get(name, (name,))
        found = [path for path in known if path.rpartition("/")[2].partition(":")[0] in wanted]
        if len(self._path) > 1:  # a layer of a model within, whose name is part of the path; a repeated one gets a number
            inner = re.compile(re.escape(self._path[-1]) + r"(_\d+)?\Z")
            within = [path for path in found if any(part == self._path[-1] for part in path.split("/")[:-1])]
            found = within or [path for path in found if any(inner.match(part) for part in path.split("/")[:-1])]
        if len(found) != 1:
            raise InvalidModel(f"its {name} is in the file {len(found)} times", where=where, limit="once expected")
        return found[0]


def snake_case(name: str) -> str:
    """A class's name as Keras 3 writes it: "conv2d", "re_lu", "max_pooling2d"."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
