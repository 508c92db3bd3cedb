"""Read what lava-dl has exported for its ``netx``, HDF5 files that are customarily ``*.net``, as `netx_layers` describes them."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, get_args

import numpy as np

from loihiconv.ann.frontends.hdf5 import Tree, holds, read_tree
from loihiconv.ann.frontends.netx_layers import FULL_DECAY, NO_DECAY, OURS, SIGMA_DELTA, SPIKING, Layer, Netx, Neuron, Ours
from loihiconv.core.choices import Coding
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Pair, Shape

MOST_VALUES = 2**26
"""Of a layer: more neurons than all boards have."""
_REFUSED = {
    "dense_rec": "has recurrent connections",
    "dense_comp": "has complex weights",
    "convT": "is a transposed convolution",
    "unpool": "is an unpooling",
    "average": "averages groups of neurons",
    "concat": "joins layers",
}


def is_netx(path: str | Path) -> bool:
    """Whether a file is one that lava-dl has exported."""
    return holds(path, "layer/0/type", ".net")


def read_netx(path: str | Path) -> Netx:
    """The layers of a file.

    Raises
    ------
    InvalidModel
        If the file cannot be read, or is none of lava-dl's.
    UnsupportedLayer
        For layers with delays, recurrent connections, or of a kind that lava-dl's loader does not read either.
    """
    tree = read_tree(path)
    members = tree.get("layer")
    if not isinstance(members, Mapping) or not members or sorted(members, key=_number) != [str(i) for i in range(len(members))]:
        raise InvalidModel("holds no layers of lava-dl", where=str(path), limit="layer/0, layer/1, ... expected")
    fields = [_Fields(members[str(i)], str(i)) for i in range(len(members))]
    entry = fields.pop(0) if fields[0].kind == "input" else None
    if not fields:
        raise InvalidModel("holds an input and no layers", where=str(path))
    shape = entry.shape() if entry is not None and entry.has("shape") else fields[0].features()
    layers, source = [], shape
    for part in fields:
        if part.kind == "flatten":
            source = (prod(source),)
            continue
        layers.append(part.layer(source))
        source = layers[-1].shape
    simulation = tree.get("simulation")
    steps = _Fields(simulation, "simulation") if isinstance(simulation, Mapping) else None
    return Netx(
        str(path),
        shape,
        entry.neuron() if entry is not None else None,
        entry.whole("weight", 64) if entry is not None else 64,
        entry.whole("bias", 0) if entry is not None else 0,
        tuple(layers),
        steps.whole("tSample", 0) or None if steps is not None else None,
        _ours(tree[OURS]) if isinstance(tree.get(OURS), Mapping) else None,
    )


def _number(key: str) -> int:
    return int(key) if key.isdecimal() and len(key) < 9 else -1


def _ours(tree: Any) -> Ours:
    fields = _Fields(tree, "")
    fields.name = OURS
    coding = next((c for c in get_args(Coding) if c == fields.word("coding")), None)
    if coding is None:
        raise InvalidModel(f"coding {fields.word('coding')!r}", where=OURS, limit=f"one of {', '.join(get_args(Coding))} expected")
    scale, unit = (float(fields.numbers(key).ravel()[0]) for key in ("scale", "unit"))
    given, order = ((fields.numbers(key).astype(np.int64) if fields.has(key) else None) for key in ("given", "order"))
    signed, plane = (bool(fields.whole(key, 0)) for key in ("signed", "bias_plane"))
    names, seed = fields.word("names"), fields.word("seed")
    if not (seed.isdecimal() and len(seed) <= 20):
        raise InvalidModel(f"seed {seed!r}", where=OURS, limit="0 to 2^64 - 1 expected")
    return Ours(coding, scale, fields.whole("payload_max", 0), signed, plane, int(seed), unit, names, given, order)


class _Fields:
    """A layer's group in the file."""

    def __init__(self, tree: Any, number: str) -> None:
        self.tree: Tree = dict(tree) if isinstance(tree, Mapping) else {}
        self.kind = self.word("type")
        self.name = f"{self.kind or 'layer'}{number}"

    def has(self, key: str) -> bool:
        return key in self.tree

    def word(self, key: str) -> str:
        value = self.tree.get(key, "")
        value = value[0] if isinstance(value, list) and value else value
        return value if isinstance(value, str) else ""

    def numbers(self, key: str) -> Array:
        if isinstance(self.tree.get(key), Mapping):
            raise UnsupportedLayer(f"has complex {key}s", where=self.name, limit="real numbers expected")
        try:
            values = np.asarray(self.tree[key], np.float64)
        except KeyError as error:
            raise InvalidModel(f"has no {key}", where=self.name) from error
        except (TypeError, ValueError) as error:
            raise InvalidModel(f"its {key} holds no numbers", where=self.name) from error
        if not np.isfinite(values).all() or not values.size:
            raise InvalidModel(f"its {key} is empty, or holds NaN or infinity", where=self.name)
        return values

    def whole(self, key: str, default: int) -> int:
        return int(self.numbers(key).ravel()[0]) if self.has(key) else default

    def pair(self, key: str, default: int) -> Pair:
        values = self.numbers(key).ravel() if self.has(key) else np.array([default])
        return int(values[0]), int(values[-1])

    def shape(self) -> Shape:
        numbers = tuple(int(n) for n in self.numbers("shape").ravel())
        if len(numbers) > 3 or min(numbers) < 1 or prod(numbers) > MOST_VALUES:
            raise InvalidModel(f"shape {numbers}", where=self.name, limit="(C, H, W) or (n,) expected")
        return numbers if len(numbers) == 3 else (prod(numbers),)

    def features(self) -> Shape:
        """What a first layer takes, where no input says it."""
        if self.kind != "flatten":
            self.refuse()
        if self.kind != "dense":
            limit = "an input with a shape, or a dense layer first, expected"
            raise InvalidModel("the file does not say what shape samples have", where=self.name, limit=limit)
        weight = self.numbers("weight")
        return (weight.shape[-1] if weight.ndim > 1 else weight.size // prod(self.shape()),)

    def layer(self, source: Shape) -> Layer:
        self.refuse()
        shape = self.shape() if self.kind != "dense" else (prod(self.shape()),)
        linear = self.dense(shape) if self.kind == "dense" else self.conv(source)
        try:
            given = linear.output_shape(source)
        except ValueError as error:
            raise InvalidModel(str(error), where=self.name) from error
        if given != shape:
            raise InvalidModel(f"gives shape {given}, the file says {shape}", where=self.name)
        return Layer(self.name, shape, linear, self.bias(shape), self.neuron())

    def refuse(self) -> None:
        """Raise `UnsupportedLayer` for what no network of ours can say."""
        if self.kind in _REFUSED or self.kind not in ("dense", "conv", "pool"):
            what = _REFUSED.get(self.kind, f"is of an unknown type, {self.kind!r}")
            raise UnsupportedLayer(what, where=self.name, limit="input, dense, conv, pool and flatten expected")
        if self.has("weight_rec"):
            raise UnsupportedLayer("has recurrent connections", where=self.name)
        if self.has("delay") and self.numbers("delay").any():
            raise UnsupportedLayer("has axonal delays", where=self.name, limit="delays of 0 expected", remedy="train with delay=False")

    def weights(self) -> Array:
        values = self.numbers("weight")
        if (values != np.rint(values)).any():
            raise InvalidModel("its weights are no whole numbers", where=self.name, remedy="export it with lava-dl's export_hdf5")
        return values

    def dense(self, shape: Shape) -> LinearMap:
        weight = self.weights()
        if weight.size % shape[0]:
            raise InvalidModel(f"weights of shape {weight.shape} for {shape[0]} neurons", where=self.name)
        return Dense(weight.reshape(shape[0], -1))

    def conv(self, source: Shape) -> LinearMap:
        weight = self.weights()
        weight = weight[..., 0] if weight.ndim == 5 and weight.shape[-1] == 1 else weight
        if weight.ndim != 4 or len(source) != 3:
            raise InvalidModel(f"weights of shape {weight.shape} on an input of shape {source}", where=self.name)
        groups = source[0] if self.kind == "pool" else self.whole("groups", 1)
        if self.kind == "pool":
            weight = np.broadcast_to(weight[:1, :1], (source[0], 1, *weight.shape[2:]))
        stride, dilation, (vertical, horizontal) = self.pair("stride", 1), self.pair("dilation", 1), self.pair("padding", 0)
        if min(*stride, *dilation, groups) < 1 or min(vertical, horizontal) < 0 or len(weight) % groups:
            raise InvalidModel(f"stride {stride}, dilation {dilation}, padding {(vertical, horizontal)}, groups {groups}", where=self.name)
        return Conv(np.array(weight), stride, (vertical, vertical, horizontal, horizontal), dilation, groups)

    def bias(self, shape: Shape) -> Array | None:
        if not self.has("bias"):
            return None
        values = np.trunc(self.numbers("bias"))
        if values.size == 1:
            return values.reshape((1,) * len(shape))
        if values.ndim == 3 and values.shape == shape[::-1]:
            return values.transpose(2, 1, 0)
        if values.size != shape[0]:
            raise InvalidModel(f"a bias of shape {values.shape} for neurons of shape {shape}", where=self.name)
        return values.reshape(-1, *(1,) * (len(shape) - 1))

    def neuron(self) -> Neuron | None:
        if not self.has("neuron"):
            return None
        fields = _Fields(self.tree["neuron"], "")
        kind, fields.name = fields.kind, f"{self.name}: neuron"
        if kind == SIGMA_DELTA:
            sigma = fields.has("sigma_output") and bool(fields.whole("sigma_output", 0))
            return Neuron(kind, fields.whole("vThMant", 0), activation=fields.word("activation") or "relu", sigma_output=sigma)
        if kind not in SPIKING:
            limit = f"{', '.join(SPIKING)} and {SIGMA_DELTA} expected"
            raise UnsupportedLayer(f"{kind or 'nameless'} neurons", where=self.name, limit=limit)
        decays = fields.whole("iDecay", FULL_DECAY), fields.whole("vDecay", NO_DECAY)
        if fields.whole("refDelay", 1) > 1:
            raise UnsupportedLayer(f"a refractory period of {fields.whole('refDelay', 1)} steps", where=self.name, limit="1 expected")
        if fields.whole("wgtExp", 0) or fields.whole("messageBits", 0) or fields.whole("gradedSpike", 0):
            raise UnsupportedLayer("graded spikes, or an exponent of weights", where=self.name, limit="binary spikes and wgtExp 0 expected")
        return Neuron(kind, fields.whole("vThMant", 0), *decays)
