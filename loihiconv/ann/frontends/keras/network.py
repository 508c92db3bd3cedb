"""From the description of a Keras model, models within it included, to calls of layers in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from loihiconv.ann.frontends.keras.calls import given, kind_of
from loihiconv.ann.frontends.keras.saved import Saved, opened
from loihiconv.ann.frontends.keras.variables import Place, snake_case, variables
from loihiconv.ann.frontends.open_shapes import OpenShape, whole
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from loihiconv.core.linear import Array, Shape

Reference: TypeAlias = "tuple[str, int, int]"
"""Layer, number of the call, number of the result."""
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
        Class, such as "Conv2D"; of an operation, such as the product ``2 * x`` of two tensors, "ops.Multiply".
    config : dict
        As Keras writes it.
    weights : {variable: array}
        Shaped as Keras keeps them.
    inputs : tuple of str
        Names of the calls whose results it takes.
    keras3 : bool
        Whether Keras 3 wrote it, some of whose defaults are others.
    arguments : tuple
        Of an operation: None for each result that it takes, and the constants between them.
    """

    name: str
    kind: str
    config: Mapping[str, Any]
    weights: Mapping[str, Array]
    inputs: tuple[str, ...]
    keras3: bool = True
    arguments: tuple[Array | None, ...] = ()

    def refuse(self, why: str, remedy: str = "") -> UnsupportedLayer:
        """The error for a layer, or a use of one, that cannot be converted."""
        return UnsupportedLayer(f"{self.kind} {why}", where=self.name, remedy=remedy)


@dataclass(frozen=True, eq=False)
class KerasNetwork:
    """A model.

    Attributes
    ----------
    layers : tuple of Layer
        In order, the inputs first.
    outputs : {name: str}
        What the model calls its outputs, and the name of the call whose result each is.
    samples : tuple of shapes
        Shape of a sample of each input as the model takes it, channels last; None for an axis that is left open.
    """

    layers: tuple[Layer, ...]
    outputs: Mapping[str, str]
    samples: tuple[OpenShape, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return tuple(layer.name for layer in self.layers[: len(self.samples)])

    @property
    def sample_shapes(self) -> tuple[Shape, ...] | None:
        """Shape of a sample of each input if the file says it all."""
        return whole(self.samples)


def read_file(path: Path) -> KerasNetwork:
    """The network of a file.

    Raises
    ------
    InvalidModel
        If the file is damaged or contradicts itself, or h5py is missing.
    UnsupportedLayer
        If the network is written as code.
    """
    with opened(path) as saved:
        return _Reader(saved, path).network()


class _Reader:
    def __init__(self, saved: Saved, path: Path) -> None:
        self._saved, self._path = saved, path
        self._layers: list[Layer] = []
        self._calls: Counter[str] = Counter()
        self._names_taken: set[str] = set()

    def network(self) -> KerasNetwork:
        config = self._saved.config
        parts = _parts(config, str(self._path))
        first = _references(config["config"].get("input_layers")) if _is_functional(config) else [(_name(parts[0]), 0, 0)]
        if not first:
            raise InvalidModel("takes no input", where=str(self._path))
        names = ["input"] if len(first) == 1 else [reference[0] for reference in first]
        samples = tuple(_sample(config, reference[0], self._path) for reference in first)
        self._layers += [Layer(name, "InputLayer", {}, {}, (), self._saved.keras3) for name in names]
        results = self._model(config, "", tuple(names), Place(self._saved, self._saved.weights))
        return KerasNetwork(tuple(self._layers), dict(zip(self._names(config, len(results)), results, strict=True)), samples)

    def _names(self, config: Mapping[str, Any], count: int) -> list[str]:
        """What the model calls its outputs: keys of the dict that they are in, or their layers."""
        given = config["config"].get("output_layers") if _is_functional(config) else None
        layers = [reference[0] for reference in _references(given)]
        names = list(given) if isinstance(given, dict) and len(given) == count else layers
        names = names if len(names) == count else [f"output_{i}" for i in range(count)]
        return [name if names.count(name) == 1 else f"{name}_{i}" for i, name in enumerate(names)]

    def _model(self, model: Mapping[str, Any], name: str, entries: tuple[str, ...], place: Place) -> tuple[str, ...]:
        """Append the calls of a model's layers; gives the names of its results."""
        if name.count(".") > _MOST_DEPTH:
            raise InvalidModel("models within models", where=str(self._path), limit=f"{_MOST_DEPTH} at most")
        parts = _parts(model, name or str(self._path))
        places = dict(zip((_name(part) for part in parts), self._places(parts, place), strict=True))
        if len(places) != len(parts):
            raise InvalidModel("two layers have the same name", where=name or str(self._path))
        self._names_taken.update(_within(name, part) for part in places)
        if model.get("class_name") == "Sequential":
            for part in parts:
                if part.get("class_name") != "InputLayer":
                    entries = self._call(part, name, entries, places[_name(part)])
            return entries
        return self._functional(model["config"], parts, name, entries, places)

    def _places(self, parts: Sequence[Mapping[str, Any]], place: Place) -> Iterator[Place]:
        seen: Counter[str] = Counter()
        for part in parts:
            key = snake_case(str(part.get("class_name")))
            yield place.within(f"{key}_{seen[key]}" if seen[key] else key, _name(part))
            seen[key] += 1

    def _functional(
        self,
        config: Mapping[str, Any],
        parts: Sequence[Mapping[str, Any]],
        name: str,
        entries: tuple[str, ...],
        places: Mapping[str, Place],
    ) -> tuple[str, ...]:
        where = name or str(self._path)
        first, last = _references(config.get("input_layers")), _references(config.get("output_layers"))
        if len(first) != len(entries) or not last:
            raise InvalidModel(f"takes {len(first)} inputs, given are {len(entries)}; and returns {len(last)} results", where=where)
        known: dict[Reference, str] = dict(zip(first, entries, strict=True))
        last = _counted(parts, last) if self._saved.keras3 else last
        begin = _first_calls(parts, last)
        calls = [(part, i, _references(node), node) for part in parts for i, node in enumerate(_nodes(part), begin[_name(part)])]
        waiting = [call for call in calls if (_name(call[0]), call[1], 0) not in known]
        while waiting and not all(reference in known for reference in last):
            ready = [call for call in waiting if all(reference in known for reference in call[2])]
            if not ready:
                raise InvalidModel(f"layer {_name(waiting[0][0])!r} takes what no layer gives", where=where)
            for part, i, references, node in ready:
                results = self._call(part, name, tuple(known[reference] for reference in references), places[_name(part)], node)
                known.update(((_name(part), i, place), result) for place, result in enumerate(results))
            waiting = [call for call in waiting if (_name(call[0]), call[1], 0) not in known]
        if missing := [reference[0] for reference in last if reference not in known]:
            raise InvalidModel(f"its output {missing[0]!r} is none of its layers", where=where)
        return tuple(known[reference] for reference in last)

    def _call(self, part: Mapping[str, Any], outer: str, inputs: tuple[str, ...], place: Place, node: Any = None) -> tuple[str, ...]:
        kind, name = kind_of(part, node), _within(outer, _name(part))
        if not inputs:
            raise InvalidModel("takes nothing", where=name)
        arguments = given(node, kind, name)
        if kind in MODELS:
            return self._model(part, name, inputs, place)
        config = part.get("config")
        if not isinstance(config, dict):
            raise InvalidModel("has no configuration", where=name)
        self._calls[name] += 1
        again = (f"{name}_{i}" for i in range(self._calls[name] - 1, len(self._layers) + len(self._names_taken)))
        call = name if self._calls[name] == 1 else next(other for other in again if other not in self._names_taken)
        self._names_taken.add(call)
        weights = place.read(variables(kind, config, name, merged=not self._saved.legacy))
        layer = Layer(name, kind, config, weights, inputs, self._saved.keras3, arguments)
        self._layers.append(replace(layer, name=call))
        return (self._layers[-1].name,)


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


def _references(node: Any) -> list[Reference]:
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


def _counted(parts: Sequence[Mapping[str, Any]], last: list[Reference]) -> list[Reference]:
    """Outputs as Keras 3 names them: it counts the making of functional models within as a call there, and nowhere else."""
    made = {_name(part) for part in parts if part.get("class_name") in MODELS[1:]}
    return [(name, number - 1 if name in made and number else number, place) for name, number, place in last]


def _first_calls(parts: Sequence[Mapping[str, Any]], others: list[Reference]) -> Counter[str]:
    """Number of the first call of each layer: 1 of models that count their own making as a call, as most of Keras 2 do."""
    named = [*others, *(reference for part in parts for node in _nodes(part) for reference in _references(node))]
    models = {_name(part) for part in parts if part.get("class_name") in MODELS}
    return Counter({name: min((number for known, number, _ in named if known == name), default=0) for name in models})


def _is_functional(model: Mapping[str, Any]) -> bool:
    return isinstance(model.get("config"), dict) and model.get("class_name") != "Sequential"


def _sample(model: Mapping[str, Any], first: str, path: Path) -> tuple[int | None, ...]:
    """Shape of a sample of the input layer of a name, from wherever a model says it."""
    while True:
        parts = _parts(model, str(path))
        config = model.get("config")
        inner = next((part for part in parts if _name(part) == first), parts[0])
        for source in (inner.get("config"), config, inner.get("build_config"), model.get("build_config")):
            found = _batch_shape(source)
            if found is not None:
                return found
        if inner.get("class_name") not in MODELS:
            raise InvalidModel(
                "does not say what shape its input has", where=str(path), remedy="build the model on its input and save it again"
            )
        model = inner
        names = _references(model["config"].get("input_layers")) if _is_functional(model) else []
        first = names[0][0] if names else ""


def _batch_shape(config: Any) -> tuple[int | None, ...] | None:
    if not isinstance(config, dict):
        return None
    for key in ("batch_shape", "batch_input_shape", "build_input_shape", "input_shape"):
        shape = config.get(key)
        if isinstance(shape, list) and len(shape) > 1 and all(n is None or (isinstance(n, int) and n > 0) for n in shape):
            return tuple(shape[1:])
    return None
