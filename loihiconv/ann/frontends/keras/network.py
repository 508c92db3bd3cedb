"""From the description of a Keras model, models within it included, to calls of layers in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loihiconv.ann.frontends.keras.saved import Saved, opened
from loihiconv.ann.frontends.keras.variables import Place, snake_case, variables
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from loihiconv.core.linear import Array, Shape

MODELS = ("Sequential", "Functional", "Model")
_MOST_DEPTH = 50
"""Of models within models."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One call of a layer.

    Attributes
    ----------
    name : str
        The layer's, after those of the models that it is in: "encoder.conv2d". A second call of a shared layer has a number.
    kind : str
        Class, such as "Conv2D".
    config : dict
        As Keras writes it.
    weights : {variable: array}
        Shaped as Keras keeps them.
    inputs : tuple of str
        Names of the calls whose results it takes.
    keras3 : bool
        Whether Keras 3 wrote it, some of whose defaults are others.
    """

    name: str
    kind: str
    config: Mapping[str, Any]
    weights: Mapping[str, Array]
    inputs: tuple[str, ...]
    keras3: bool = True

    def refuse(self, why: str, remedy: str = "") -> UnsupportedLayer:
        """The error for a layer, or a use of one, that cannot be converted."""
        return UnsupportedLayer(f"{self.kind} {why}", where=self.name, remedy=remedy)


@dataclass(frozen=True, eq=False)
class KerasNetwork:
    """A model of one input and one output.

    Attributes
    ----------
    layers : tuple of Layer
        In order, the input first.
    output : str
        Name of the call whose result it is.
    sample : tuple of int or None
        Shape of a sample as the model takes it, channels last; None for an axis that is left open.
    """

    layers: tuple[Layer, ...]
    output: str
    sample: tuple[int | None, ...]

    @property
    def sample_shape(self) -> Shape | None:
        """Shape of a sample if the file says it all."""
        sizes = tuple(size for size in self.sample if size is not None)
        return sizes if len(sizes) == len(self.sample) else None


def read_file(path: Path) -> KerasNetwork:
    """The network of a file.

    Raises
    ------
    InvalidModel
        If the file is damaged or contradicts itself, or h5py is missing.
    UnsupportedLayer
        If the network takes several inputs or returns several results, or is written as code.
    """
    with opened(path) as saved:
        return _Reader(saved, path).network()


class _Reader:
    def __init__(self, saved: Saved, path: Path) -> None:
        self._saved, self._path = saved, path
        self._layers: list[Layer] = []
        self._calls: Counter[str] = Counter()

    def network(self) -> KerasNetwork:
        config = self._saved.config
        sample = _sample(config, self._path)
        entry = Layer("input", "InputLayer", {}, {}, (), self._saved.keras3)
        self._layers.append(entry)
        output = self._model(config, "", entry.name, Place(self._saved, self._saved.weights))
        return KerasNetwork(tuple(self._layers), output, sample)

    def _model(self, model: Mapping[str, Any], name: str, entry: str, place: Place) -> str:
        """Append the calls of a model's layers; gives the name of its result."""
        if name.count(".") > _MOST_DEPTH:
            raise InvalidModel("models within models", where=str(self._path), limit=f"{_MOST_DEPTH} at most")
        parts = _parts(model, name or str(self._path))
        places = dict(zip((_name(part) for part in parts), self._places(parts, place), strict=True))
        if len(places) != len(parts):
            raise InvalidModel("two layers have the same name", where=name or str(self._path))
        if model.get("class_name") == "Sequential":
            for part in parts:
                if part.get("class_name") != "InputLayer":
                    entry = self._call(part, name, (entry,), places[_name(part)])
            return entry
        return self._functional(model["config"], parts, name, entry, places)

    def _places(self, parts: Sequence[Mapping[str, Any]], place: Place) -> Iterator[Place]:
        seen: Counter[str] = Counter()
        for part in parts:
            key = snake_case(str(part.get("class_name")))
            yield place.within(f"{key}_{seen[key]}" if seen[key] else key, _name(part))
            seen[key] += 1

    def _functional(
        self, config: Mapping[str, Any], parts: Sequence[Mapping[str, Any]], name: str, entry: str, places: Mapping[str, Place]
    ) -> str:
        where = name or str(self._path)
        (first,) = _only(_references(config.get("input_layers")), "takes", "inputs", where)
        (last,) = _only(_references(config.get("output_layers")), "returns", "results", where)
        known: dict[tuple[str, int], str] = {first[:2]: entry}
        begin = _first_calls(parts, [last])
        calls = [(part, i, _references(node)) for part in parts for i, node in enumerate(_nodes(part), begin[_name(part)])]
        waiting = [call for call in calls if (_name(call[0]), call[1]) != first[:2]]
        while waiting and last[:2] not in known:
            ready = [call for call in waiting if all(reference[:2] in known for reference in call[2])]
            if not ready:
                raise InvalidModel(f"layer {_name(waiting[0][0])!r} takes what no layer gives", where=where)
            for part, i, references in ready:
                if any(reference[2] for reference in references):
                    raise UnsupportedLayer("takes one of several results", where=_within(name, _name(part)))
                inputs = tuple(known[reference[:2]] for reference in references)
                known[_name(part), i] = self._call(part, name, inputs, places[_name(part)])
            waiting = [call for call in waiting if (_name(call[0]), call[1]) not in known]
        if last[:2] not in known:
            raise InvalidModel(f"its output {last[0]!r} is none of its layers", where=where)
        return known[last[:2]]

    def _call(self, part: Mapping[str, Any], outer: str, inputs: tuple[str, ...], place: Place) -> str:
        kind, name = str(part.get("class_name")), _within(outer, _name(part))
        if not inputs:
            raise InvalidModel("takes nothing", where=name)
        if kind in MODELS:
            if len(inputs) != 1:
                raise UnsupportedLayer(f"a model that takes {len(inputs)} inputs", where=name)
            return self._model(part, name, inputs[0], place)
        config = part.get("config")
        if not isinstance(config, dict):
            raise InvalidModel("has no configuration", where=name)
        count = self._calls[name]
        self._calls[name] += 1
        weights = place.read(variables(kind, config))
        layer = Layer(name, kind, config, weights, inputs, self._saved.keras3)
        self._layers.append(replace(layer, name=f"{name}_{count}") if count else layer)
        return self._layers[-1].name


def _within(outer: str, name: str) -> str:
    return f"{outer}.{name}" if outer else name


def _parts(model: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    """Descriptions of a model's layers."""
    kind, config = model.get("class_name"), model.get("config")
    parts = config.get("layers") if isinstance(config, dict) else config  # Keras 1 and early 2 wrote a list of Sequential
    if kind not in MODELS or not isinstance(parts, list) or (kind != "Sequential" and not isinstance(config, dict)):
        raise UnsupportedLayer(
            f"{kind} is a class of its own, whose code the file does not hold",
            where=where,
            limit="Sequential and functional models are read",
            remedy="build it of layers with the functional API, or write it as ONNX",
        )
    if not parts or not all(isinstance(part, dict) and isinstance(part.get("config"), (dict, list)) for part in parts):
        raise InvalidModel("has no layers, or something else among them", where=where)
    return parts


def _name(part: Mapping[str, Any]) -> str:
    config = part.get("config")
    return str((config.get("name") if isinstance(config, dict) else None) or part.get("name") or part.get("class_name"))


def _nodes(part: Mapping[str, Any]) -> list[Any]:
    nodes = part.get("inbound_nodes", [])
    return nodes if isinstance(nodes, list) else []


def _references(node: Any) -> list[tuple[str, int, int]]:
    """Results that are named in a description: (layer, number of the call, number of the result), as Keras 1 to 3 write them."""
    if isinstance(node, dict):
        if node.get("class_name") == "__keras_tensor__":
            return _references(node.get("config", {}).get("keras_history"))
        return [found for value in node.values() for found in _references(value)]
    if not isinstance(node, list):
        return []
    if len(node) >= 3 and isinstance(node[0], str) and all(isinstance(n, int) for n in node[1:3]):
        return [(node[0], node[1], node[2])]
    return [found for value in node for found in _references(value)]


def _first_calls(parts: Sequence[Mapping[str, Any]], others: list[tuple[str, int, int]]) -> Counter[str]:
    """Number of the first call of each layer: 1 of models that count their own making as a call, as most of Keras 2 do."""
    named = [*others, *(reference for part in parts for node in _nodes(part) for reference in _references(node))]
    models = {_name(part) for part in parts if part.get("class_name") in MODELS}
    return Counter({name: min((number for known, number, _ in named if known == name), default=0) for name in models})


def _only(found: list[tuple[str, int, int]], does: str, what: str, where: str) -> list[tuple[str, int, int]]:
    if len(found) == 1:
        return found
    names = ", ".join(reference[0] for reference in found[:8]) or "none"
    raise UnsupportedLayer(
        f"{does} {len(found)} {what} ({names})",
        where=where,
        limit="a spiking network here has one input and one output",
        remedy="save keras.Model(input, output) of the part that is wanted",
    )


def _sample(model: Mapping[str, Any], path: Path) -> tuple[int | None, ...]:
    """Shape of a sample, from wherever a model says it."""
    config = model.get("config")
    while True:
        parts = _parts(model, str(path))
        config = model.get("config")
        if isinstance(config, dict) and model["class_name"] != "Sequential":
            ((first, *_),) = _only(_references(config.get("input_layers")), "takes", "inputs", str(path))
            inner = next((part for part in parts if _name(part) == first), parts[0])
        else:
            inner = parts[0]
        for source in (inner.get("config"), config, inner.get("build_config"), model.get("build_config")):
            found = _batch_shape(source)
            if found is not None:
                return found
        if inner.get("class_name") not in MODELS:
            raise InvalidModel(
                "does not say what shape its input has", where=str(path), remedy="build the model on its input and save it again"
            )
        model = inner


def _batch_shape(config: Any) -> tuple[int | None, ...] | None:
    if not isinstance(config, dict):
        return None
    for key in ("batch_shape", "batch_input_shape", "build_input_shape", "input_shape"):
        shape = config.get(key)
        if isinstance(shape, list) and len(shape) > 1 and all(n is None or (isinstance(n, int) and n > 0) for n in shape):
            return tuple(shape[1:])
    return None
