"""Ann: the float network as a graph of a few operations.

Front ends build an `Ann`; passes rewrite it until only `Linear`, `Relu`, `MaxPool` and `Add` are left. Nodes are
listed in topological order, the last one is the output, and shapes never include the batch axis.

A result is a vector (n,) or an image (C, H, W). What has other axes where it comes from is kept as an image: (C, L) as (C, 1, L),
(C, D, H, W) as (C, D H, W); see `arranged`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from math import inf, prod
from typing import Literal, TypeAlias

import numpy as np

from loihiconv.core.ending import LastFunction
from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Array, Conv, LinearMap, Pair, Shape
from loihiconv.core.parts import OutputPart, Part, described, slices


@dataclass(frozen=True, eq=False)
class Node:
    """One operation.

    Parameters
    ----------
    name : str
        Module path in the user's network, unique within the `Ann`.
    inputs : tuple of str
        Names of the nodes whose results it takes.
    """

    name: str
    inputs: tuple[str, ...]

    def output_shape(self, *shapes: Shape) -> Shape:
        """Shape of the result for inputs of these shapes; raises ValueError where they do not fit."""
        return shapes[0]

    def shape_after(self, shapes: tuple[Shape, ...]) -> Shape:
        """`output_shape`, remembered: rewriting asks for those of all nodes after every change."""
        known: tuple[tuple[Shape, ...], Shape] | None = self.__dict__.get("_known")
        if known is None or known[0] != shapes:
            known = (shapes, self.output_shape(*shapes))
            object.__setattr__(self, "_known", known)
        return known[1]


@dataclass(frozen=True, eq=False)
class Input(Node):
    """What the user feeds in, or one of several arrays of it, of the given shape.

    Parameters
    ----------
    sample_shape : tuple of int
        Shape of a sample as users give it; empty for ``shape``.
    order : int array (n,) or None
        Place in the flattened sample of each value of the flattened result; None leaves them as they come.
    """

    inputs: tuple[str, ...] = field(default=(), init=False)
    shape: Shape = ()
    sample_shape: Shape = ()
    order: Array | None = None

    @property
    def given(self) -> Shape:
        """Shape of a sample."""
        return self.sample_shape or self.shape

    def output_shape(self, *shapes: Shape) -> Shape:
        return self.shape


@dataclass(frozen=True, eq=False)
class Linear(Node):
    """y = map(x) + bias, where bias broadcasts to the output's shape, or is None.

    Parameters
    ----------
    shape : tuple of int or None
        Of the result, where it is not the map's own: a dense layer whose values are an image.
    layer : str
        Layer that users know its neurons by, where it is not its own name: a slice of a convolution's result is no layer, and neither is
        a part of it for each of what it sums up.
    """

    map: LinearMap
    bias: Array | None = None
    shape: Shape | None = None
    layer: str = ""

    def output_shape(self, *shapes: Shape) -> Shape:
        own = self.map.output_shape(shapes[0])
        if self.shape is not None and prod(self.shape) != prod(own):
            raise ValueError(f"shape {own} does not become {self.shape}")
        return own if self.shape is None else self.shape


@dataclass(frozen=True, eq=False)
class BatchNorm(Node):
    """y = gamma (x - mean) / sqrt(var + eps) + beta per channel, with the statistics of training."""

    gamma: Array
    beta: Array
    mean: Array
    var: Array
    eps: float

    def output_shape(self, *shapes: Shape) -> Shape:
        if shapes[0][0] != len(self.mean):
            raise ValueError(f"{len(self.mean)} channels expected, got shape {shapes[0]}")
        return shapes[0]


@dataclass(frozen=True, eq=False)
class Affine(Node):
    """y = scale x + shift, value by value; both broadcast to the shape of x."""

    scale: Array
    shift: Array

    def output_shape(self, *shapes: Shape) -> Shape:
        for values in (self.scale, self.shift):
            _check_broadcast(np.shape(values), shapes[0])
        return shapes[0]


@dataclass(frozen=True, eq=False)
class Relu(Node):
    """y = min(max(x, 0), bound).

    Parameters
    ----------
    scale_of : str
        Node whose scale λ it takes; empty for one of its own.
    bound : float or array
        One number, or one per channel, shaped to broadcast to x; 6 for ReLU6.
    levels : int
        Steps between 0 and the bound that training rounded to; 0 for none. Rates of so many time steps are those of training.
    """

    scale_of: str = ""
    bound: float | Array = inf
    levels: int = 0

    def output_shape(self, *shapes: Shape) -> Shape:
        _check_broadcast(np.shape(self.bound), shapes[0])
        if np.size(self.bound) > 1 and np.shape(self.bound)[1:] != (1,) * (len(shapes[0]) - 1):
            raise ValueError(f"one bound, or one per channel, expected; got shape {np.shape(self.bound)}")
        if not np.all(np.asarray(self.bound) > 0):
            raise ValueError(f"has a bound of {np.min(self.bound):.4g}, so that nothing passes")
        return shapes[0]

    @property
    def bounded(self) -> bool:
        """Whether some of its results cannot be arbitrarily large."""
        return bool(np.isfinite(self.bound).any())


@dataclass(frozen=True, eq=False)
class LeakyRelu(Node):
    """y = x where x > 0, else slope x; one slope per value that broadcasts to x (PReLU), -1 for |x|."""

    slope: Array

    def output_shape(self, *shapes: Shape) -> Shape:
        _check_broadcast(np.shape(self.slope), shapes[0])
        return shapes[0]


@dataclass(frozen=True, eq=False)
class Clamp(Node):
    """y = min(max(x, low), high); both broadcast to x, and may be infinite."""

    low: Array
    high: Array

    def output_shape(self, *shapes: Shape) -> Shape:
        for values in (self.low, self.high):
            _check_broadcast(np.shape(values), shapes[0])
        if np.any(np.asarray(self.low) > self.high):
            raise ValueError(f"clamps between {np.max(self.low):.4g} and {np.min(self.high):.4g}, which leaves nothing")
        return shapes[0]


@dataclass(frozen=True, eq=False)
class Curve(Node):
    """y = f(x), value by value: straight between points of f, and beyond the first and last ones as between those next to them.

    Parameters
    ----------
    x, y : array (n,)
        Places in ascending order, so many that nothing is lost between them, and the values there.
    """

    x: Array
    y: Array


@dataclass(frozen=True, eq=False)
class Round(Node):
    """y = the whole number below x ("floor"), above it ("ceil"), or nearest to it, halves to even ("nearest")."""

    to: Literal["floor", "ceil", "nearest"]


@dataclass(frozen=True, eq=False)
class Quantize(Node):
    """y = scale clamp(round(x / scale), low, high), halves to even: what training with fake quantization puts behind activations.

    Parameters
    ----------
    scale : array
        Between two steps: one number, or one per channel, shaped to broadcast to x.
    low, high : int
        Whole numbers that there are steps for, less the zero point: 0 to 15 for 4 bits without a sign.
    """

    scale: Array
    low: int
    high: int

    def output_shape(self, *shapes: Shape) -> Shape:
        _check_broadcast(np.shape(self.scale), shapes[0])
        if not np.all(np.asarray(self.scale) > 0) or not self.low <= 0 < self.high:
            raise ValueError(f"quantizes to {self.low} to {self.high} steps of {np.min(self.scale):.4g}, so that nothing passes")
        return shapes[0]


@dataclass(frozen=True, eq=False)
class AvgPool(Node):
    """Mean over windows of (C, H, W); zeros of the padding count as inputs (torch's ``count_include_pad``)."""

    kernel: Pair
    stride: Pair
    padding: Pair = (0, 0)

    def output_shape(self, *shapes: Shape) -> Shape:
        return _pooled(shapes[0], self.kernel, self.stride, self.padding)


@dataclass(frozen=True, eq=False)
class MaxPool(Node):
    """Maximum over windows of (C, H, W); the padding (top, bottom, left, right) never wins."""

    kernel: Pair
    stride: Pair
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: Pair = (1, 1)

    def output_shape(self, *shapes: Shape) -> Shape:
        channels = _image(shapes[0])[0]
        return windows(self, channels).output_shape(shapes[0])


def windows(pool: MaxPool, channels: int) -> Conv:
    """A depthwise convolution of ones with the windows of a max-pooling."""
    return Conv(np.ones((channels, 1, *pool.kernel)), pool.stride, pool.padding, pool.dilation, channels)


@dataclass(frozen=True, eq=False)
class Reshape(Node):
    """The same values in the same order, in another shape."""

    shape: Shape

    def output_shape(self, *shapes: Shape) -> Shape:
        if prod(shapes[0]) != prod(self.shape):
            raise ValueError(f"{prod(self.shape)} values expected, got shape {shapes[0]}")
        return self.shape


@dataclass(frozen=True, eq=False)
class Gather(Node):
    """Picks values: y[i] = x[index[i]] on flattened results.

    Parameters
    ----------
    index : int array (n,)
        -1 for a zero.
    shape : tuple of int
    """

    index: Array
    shape: Shape

    def output_shape(self, *shapes: Shape) -> Shape:
        if self.index.max(initial=-1) >= prod(shapes[0]):
            raise ValueError(f"value {self.index.max()} is picked from shape {shapes[0]}")
        return self.shape


@dataclass(frozen=True, eq=False)
class Concat(Node):
    """Results one after the other along the first axis, the channels."""

    def output_shape(self, *shapes: Shape) -> Shape:
        if len({shape[1:] for shape in shapes}) != 1:
            raise ValueError(f"equal shapes but for the channels expected, got {' and '.join(map(str, shapes))}")
        return (sum(shape[0] for shape in shapes), *shapes[0][1:])


@dataclass(frozen=True, eq=False)
class Add(Node):
    """Sum of two or more results of the same shape (a residual connection).

    Parameters
    ----------
    layer : str
        Linear layer whose synapses these are, one set for every part of what it takes; empty for a sum that the model writes.
    """

    layer: str = ""

    def output_shape(self, *shapes: Shape) -> Shape:
        if len(set(shapes)) != 1:
            raise ValueError(f"equal shapes expected, got {' and '.join(map(str, shapes))}")
        return shapes[0]


def needed(nodes: Sequence[Node], output: str) -> tuple[Node, ...]:
    """Those nodes that an output depends on, and all inputs, in order."""
    live = {output}
    for node in reversed(nodes):
        if node.name in live:
            live.update(node.inputs)
    return tuple(node for node in nodes if node.name in live or isinstance(node, Input))


def arranged(shape: Shape) -> Shape:
    """The shape (n,) or (C, H, W) in which values of any shape are kept: the first axis stays the first, the last the last."""
    if len(shape) in (1, 3):
        return shape
    return (shape[0], prod(shape[1:-1]), shape[-1]) if shape else (1,)


def _check_broadcast(values: Shape, shape: Shape) -> None:
    try:
        fits = np.broadcast_shapes(values, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"shape {values} does not broadcast to {shape}")


def _image(shape: Shape) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise ValueError(f"an input of shape (C, H, W) expected, got {shape}")
    return shape[0], shape[1], shape[2]


def _pooled(shape: Shape, kernel: Pair, stride: Pair, padding: Pair) -> Shape:
    c, h, w = _image(shape)
    height = (h + 2 * padding[0] - kernel[0]) // stride[0] + 1
    width = (w + 2 * padding[1] - kernel[1]) // stride[1] + 1
    if height < 1 or width < 1:
        raise ValueError(f"windows of {kernel[0]}x{kernel[1]} are larger than the input of shape {shape}")
    return c, height, width


Nodes: TypeAlias = tuple[Node, ...]


@dataclass(frozen=True, eq=False)
class Ann:
    """A float network: nodes in topological order, every `Input` first, the output last.

    Several outputs are one node, too, in which one follows the other.

    Raises
    ------
    InvalidModel
        If names repeat, an input is missing, or shapes do not fit together.

    Attributes
    ----------
    notes : tuple of str
        What a user should know of how it was read.
    ending : tuple of HostFunction
        What comes after the last node and no neuron computes, such as a softmax, on its flattened result; see `loihiconv.core.ending`.
    parts : tuple of OutputPart
        Where there are several outputs: name, shape and ending of each, in the order in which the last node has their values.
    output_name : str
        What the model calls the output, where that is one of several.
    """

    nodes: Nodes
    notes: tuple[str, ...] = ()
    ending: tuple[LastFunction, ...] = ()
    parts: tuple[OutputPart, ...] = ()
    output_name: str = ""

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for node in self.nodes:
            if node.name in seen:
                raise InvalidModel("two operations have this name", where=node.name, remedy="give every module its own name")
            if not seen.issuperset(node.inputs):
                missing = next(name for name in node.inputs if name not in seen)
                raise InvalidModel(f"takes the result of {missing!r}, which comes later or nowhere", where=node.name)
            seen.add(node.name)
        kinds, inputs = [isinstance(n, Input) for n in self.nodes], len(self.inputs)
        if not inputs or any(kinds[inputs:]):
            raise InvalidModel("a network needs its inputs as its first nodes", remedy="give forward() a tensor argument")
        if self.parts and sum(part.size for part in self.parts) != prod(self.shapes[self.output.name]):
            raise InvalidModel("outputs that are not those of its parts", where=self.output.name, limit=described(self.parts, "outputs"))
        _ = self.shapes

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """Shape of every node's result."""
        shapes: dict[str, Shape] = {}
        for node in self.nodes:
            try:
                shapes[node.name] = node.shape_after(tuple([shapes[name] for name in node.inputs]))
            except ValueError as error:
                raise InvalidModel(str(error), where=node.name, remedy="check the layer's sizes against the input's shape") from error
        return shapes

    @cached_property
    def inputs(self) -> tuple[Input, ...]:
        """The input nodes."""
        return tuple(takewhile(lambda node: isinstance(node, Input), self.nodes))  # type: ignore[arg-type]  # what the condition says

    @property
    def input(self) -> Input:
        """The input node.

        Raises
        ------
        InvalidModel
            If there are several.
        """
        if len(self.inputs) > 1:
            raise InvalidModel(f"the network has {len(self.inputs)} inputs", where="input", limit="this works on networks of one")
        return self.inputs[0]

    @property
    def sample_shape(self) -> Shape:
        """Shape of one sample: of several inputs (values,), see `loihiconv.core.packing.packed`."""
        first, *others = self.inputs
        return first.given if not others else (sum(prod(node.given) for node in self.inputs),)

    @property
    def input_parts(self) -> tuple[Part, ...]:
        """Name and shape of each input, whose values follow one another in samples."""
        return tuple(Part(node.name, node.given) for node in self.inputs)

    def is_input(self, name: str) -> bool:
        """Whether a node is an input."""
        return isinstance(self[name], Input)

    @property
    def output(self) -> Node:
        """The node whose result the network returns."""
        return self.nodes[-1]

    @property
    def ends(self) -> tuple[tuple[slice, tuple[LastFunction, ...]], ...]:
        """Of each output where its values are in the flattened result, and its ending on them."""
        if not self.parts:
            return ((slice(0, prod(self.shapes[self.output.name])), self.ending),)
        return tuple((place, part.flat_ending) for part, place in zip(self.parts, slices(self.parts).values(), strict=True))

    def __getitem__(self, name: str) -> Node:
        return self._by_name[name]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def users(self, name: str) -> Nodes:
        """Nodes that take the result of ``name``."""
        return self._users.get(name, ())

    @cached_property
    def _users(self) -> dict[str, Nodes]:
        users: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                users.setdefault(name, []).append(node)
        return {name: tuple(nodes) for name, nodes in users.items()}

    @cached_property
    def _by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}
