"""Record which operations a PyTorch model carries out, in order, on one example.

`torch.fx` records operations and keeps the module paths that users know their layers by, but its stand-ins for
tensors have no shape, so that ``if x.shape[-1] != 28: raise ...`` fails. Here every recorded operation is also carried
out on an example, and the stand-ins answer questions about shapes from it. That costs one forward pass.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import fx, nn
from torch.fx.node import map_arg
from torch.fx.proxy import TraceError

from loihiconv.ann.frontends import aten, exported, hooks, torchscript
from loihiconv.ann.frontends.adoption import adopted
from loihiconv.ann.frontends.copies import floating_dtype, inside, name_of, to_read
from loihiconv.ann.frontends.einops_backend import know_stands
from loihiconv.ann.frontends.inputs import Calling, calling, check_arguments, check_shape, examples_of
from loihiconv.ann.frontends.memory import Memory
from loihiconv.ann.frontends.one_operation import OneOperation, bearer
from loihiconv.ann.frontends.quantized import check_float, is_quantized_layer, plain
from loihiconv.ann.frontends.results import Chosen, choose
from loihiconv.ann.frontends.stands import Stand
from loihiconv.core.errors import InvalidModel, LoihiconvError, UnsupportedLayer
from loihiconv.core.linear import Shape
from loihiconv.core.parts import Part

CHANNELS = 4
"""More of them an image hardly has."""
BATCH = 3
"""Samples in the example: a number that models do not write into a reshape, so that one which mixes samples shows."""


_EXPORT = "use PyTorch's operations throughout, or give torch.export.export(model, (samples,)).run_decompositions() in its place"


@dataclass(frozen=True, eq=False)
class Trace:
    """What happened on one example.

    Attributes
    ----------
    nodes : tuple of fx.Node
        Operations in the order in which they were carried out; the last one is the output.
    values : {node: result}
    paths : {node: str}
        Path of the module that was called, or that the operation was called in ("" for the model itself).
    names : {node: str}
        Where an operation is all that a layer does: the layer's path.
    dependent : set of nodes
        Those whose result depends on the network's input.
    memory : Memory
        What operations changed in place.
    modules : {target: module}
    chosen : Chosen
        Which parts of what the model returns are its outputs; those that are recorded, in a tuple.
    """

    nodes: tuple[fx.Node, ...]
    values: Mapping[fx.Node, Any]
    paths: Mapping[fx.Node, str]
    names: Mapping[fx.Node, str]
    dependent: set[fx.Node]
    memory: Memory
    modules: Mapping[str, nn.Module]
    chosen: Chosen


def record(
    model: nn.Module, example_shape: Shape, is_leaf: Callable[[nn.Module], bool], batch: int = BATCH, inputs: Sequence[Part] = ()
) -> Trace:
    """Carry out ``model`` on a copy, in evaluation mode, and record its operations.

    Parameters
    ----------
    model : nn.Module
        Left as it is, its training flag included.
    example_shape : tuple of int
        Shape of one sample, without the batch axis.
    is_leaf : callable
        Tells which modules are one operation and not looked into.
    batch : int
        Samples in the example, where the model takes no other number.
    inputs : sequence of Part
        What the model takes, unless that is one tensor of the example's shape.

    Raises
    ------
    InvalidModel
        If the model cannot be copied or its ``forward`` fails on an example of this shape.
    UnsupportedLayer
        If ``forward`` takes other inputs, or branches on values.
    """
    model = inside(model)
    check_float(model)
    if not inputs:
        check_arguments(model)
        check_shape(model, example_shape)
    root = _Root(to_read(model), name_of(model), calling(model, inputs))
    dtype = torch.float64 if floating_dtype(root) == torch.float64 else torch.float32
    examples = examples_of(inputs or (Part("input", example_shape),), batch, dtype)
    know_stands()
    recorder = _Recorder(dict(zip([part.name for part in inputs] or ["input"], examples, strict=True)), is_leaf)
    try:
        with torch.inference_mode(False), torch.no_grad():
            graph = recorder.trace(root)
    except LoihiconvError as error:
        if error.where:
            raise
        where = recorder.path or name_of(model)
        raise type(error)(error.what, where=where, limit=error.limit, remedy=error.remedy) from error
    except TraceError as error:
        raise UnsupportedLayer(
            f"forward() decides on the values of a tensor{_line(error)}, so that there is no one network to convert",
            where=recorder.path or name_of(model),
            remedy="write forward() without conditions or loops on values; conditions on shapes are fine",
        ) from error
    except Exception as error:
        where = recorder.path or name_of(model)
        if Stand.__name__ in str(error):  # what takes nothing but tensors and arrays, such as torch.from_numpy
            raise UnsupportedLayer(
                "forward() gives the values of a tensor to what cannot be recorded", where=where, remedy=_EXPORT
            ) from error
        if _runs(root, examples):
            what = f"forward() runs, but not while it is recorded{_line(error)}: {said(error)}"
            raise UnsupportedLayer(what, where=where, remedy=_EXPORT) from error
        raise InvalidModel(
            f"forward() fails on an example of shape {_text(inputs) or tuple(example_shape)}: {said(error)}",
            where=where,
            remedy="give the shape of one sample, without the batch axis, and check that the model runs on it" + _channel(example_shape),
        ) from error
    nodes, modules = tuple(graph.nodes), {path: module for module, path in recorder.modules.items()}
    return Trace(nodes, recorder.values, recorder.paths, recorder.names, recorder.dependent, recorder.memory, modules, root.chosen)


def _runs(root: _Root, examples: Sequence[torch.Tensor]) -> bool:
    """Whether the model itself takes samples on which recording it fails."""
    try:
        with torch.no_grad():
            root.call(root.model, [values.clone() for values in examples])
    except Exception:
        return False
    return True


def _channel(shape: Shape) -> str:
    """What layout samples may need: for an axis of one channel that is not there, or for channels that come last."""
    last = {2: "LC", 3: "HWC"}.get(len(shape)) if shape and shape[-1] <= CHANNELS < shape[0] else None
    axes = last or {1: "L", 2: "HW"}.get(len(shape))
    said = f'need --layout {axes}, or Preprocessing(layout="{axes}")'
    return f"; samples {'with channels last' if last else 'of one channel that has no axis'} {said}" if axes else ""


def said(error: Exception) -> str:
    """An exception on one line."""
    return ": ".join(filter(None, (type(error).__name__, " ".join(str(error).split()))))


def _line(error: Exception) -> str:
    """Where in the user's code an error comes from: the innermost place that is neither PyTorch's, nor ours, nor Python's."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_foreign(frame.filename)]
    return f" (line {frames[-1].lineno} of {Path(frames[-1].filename).name})" if frames else ""


def _is_foreign(file: str) -> bool:
    packages = tuple(f"{folder}{os.sep}" for folder in (Path(torch.__file__).parent, Path(__file__).parents[2]))
    library = f"{Path(os.__file__).parent}{os.sep}"
    return file.startswith((*packages, "<")) or (file.startswith(library) and "site-packages" not in file)


def _text(inputs: Sequence[Part]) -> str:
    return ", ".join(f"{part.name} {part.shape}" for part in inputs)


class _Root(nn.Module):
    """Calls the model with its inputs, so that its optional arguments keep their defaults, and picks its outputs."""

    def __init__(self, model: nn.Module, name: str, call: Calling) -> None:
        super().__init__()
        self.model, self.name, self.chosen, self.training = model, name, Chosen(), False
        self.call = call

    def forward(self, *inputs: Any) -> Any:
        result = self.call(self.model, inputs)
        if isinstance(result, Stand) and isinstance(plain(result.result), (tuple, list)):  # as x.max(1) gives
            result = tuple(result)
        self.chosen = choose(result, self.name, _tensor, lambda value: isinstance(value, Stand) and value.depends)
        return self.chosen.of(result)


def _tensor(value: Any) -> torch.Tensor | None:
    value = plain(value.result if isinstance(value, Stand) else value)
    return value if isinstance(value, torch.Tensor) else None


class _Recorder(fx.Tracer):
    """Records operations and carries each of them out on the example at once."""

    proxy_buffer_attributes = True

    def __init__(self, examples: Mapping[str, torch.Tensor], is_leaf: Callable[[nn.Module], bool]) -> None:
        super().__init__()
        self.values: dict[fx.Node, Any] = {}
        self.paths: dict[fx.Node, str] = {}
        self.names: dict[fx.Node, str] = {}
        self.modules: dict[nn.Module, str] = {}  # with their paths
        self.dependent: set[fx.Node] = set()
        self.memory = Memory(self.values, self.dependent)
        self.path = ""  # where recording is, and after an error: where it stopped
        self._examples, self._is_leaf, self._computing, self._only_layer = examples, is_leaf, False, ""

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return Stand(node, self)

    def create_args_for_root(self, root_fn: Any, is_module: bool, concrete_args: Any = None) -> tuple[Any, list[Any]]:
        """The model's inputs by their own names, however many there are."""
        return root_fn, [self.root, *(self.create_proxy("placeholder", name, (), {}) for name in self._examples)]

    def path_of_module(self, mod: nn.Module) -> str:
        if not self.modules:
            self.modules = {module: path for path, module in self.root.named_modules()}
        if mod not in self.modules:
            self.modules |= adopted(mod, self.root, self.path, self.modules)
        return self.modules[mod]

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return self._is_leaf(m) or is_quantized_layer(m) or super().is_leaf_module(m, module_qualified_name)

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._computing:  # fx has patched nn.Module.__call__, also for what we carry out ourselves
            return forward(*args, **kwargs)
        name = self.path_of_module(m)
        outer, self.path = self.path, name.partition(".")[2]
        if self.is_leaf_module(m, name) and hooks.has_hooks(m):
            result = hooks.carry_out(m, self._layer(name), self._result_of, self._unrecorded, *args, **kwargs)
        else:
            before = len(self.values)
            result = super().call_module(m, self._forward(m, forward), args, kwargs)
            made = [node for node in islice(self.values, before, None) if node in self.dependent] if isinstance(m, OneOperation) else []
            if (node := bearer(made)) is not None:
                self.names[node] = self.path
        self.path = outer
        return result

    def _layer(self, name: str) -> Callable[..., Any]:
        """How a module that is one operation is carried out between its hooks."""
        return lambda *args, **kwargs: self.create_proxy("call_module", name, args, kwargs)

    def _forward(self, module: nn.Module, forward: Callable[..., Any]) -> Callable[..., Any]:
        """How a module that is looked into is carried out: as recorded operations, or its own forward."""
        if isinstance(module, torch.jit.ScriptModule):
            return partial(torchscript.carry_out, module, self._within)
        if isinstance(module, fx.GraphModule) and exported.is_exported(module):
            return partial(exported.carry_out, module, self._within)
        if hooks.has_hooks(module):
            return partial(hooks.carry_out, module, module.forward, self._result_of, self._unrecorded)
        return forward

    def _result_of(self, value: Any) -> Any:
        return self.values[value.node] if isinstance(value, Stand) else value

    def _unrecorded(self, function: Callable[[], Any]) -> Any:
        with self._undisturbed():
            return function()

    @contextmanager
    def _within(self, path: str, layer: bool) -> Iterator[None]:
        """Record what is done in a module at this path below; ``layer`` says that it is all that the layer does."""
        outer = self.path
        self.path = ".".join(filter(None, (outer, path)))
        self._only_layer = self.path if layer else ""
        yield
        self.path, self._only_layer = outer, ""

    def create_proxy(self, kind: str, target: Any, args: Any, kwargs: Any, *options: Any, **named: Any) -> Any:
        if kind == "call_function" and (function := aten.counterpart(target)) is not None:
            return function(*args, **kwargs)
        return super().create_proxy(kind, target, args, kwargs, *options, **named)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        if self._computing:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)

    def create_node(self, kind: str, target: Any, args: Any, kwargs: Any, name: str | None = None, type_expr: Any = None) -> fx.Node:
        node = super().create_node(kind, target, args, kwargs, name, type_expr)
        self.paths[node] = self.path
        if self._only_layer:
            self.names[node] = self._only_layer
        if kind == "placeholder" or not self.dependent.isdisjoint(_inputs(node)):
            self.dependent.add(node)
        self.memory.before(node)
        self.values[node] = self._compute(node)
        self.memory.after(node)
        return node

    def _compute(self, node: fx.Node) -> Any:
        if node.op == "placeholder":
            return self._examples[str(node.target)]
        if node.op == "output":
            return None
        with self._undisturbed():
            if node.op == "get_attr":
                return _attribute(self.root, str(node.target))
            args, kwargs = map_arg((node.args, node.kwargs), lambda n: self.values[n])
            return carried_out(node, self.root.get_submodule, args, kwargs)

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        self._computing = True
        try:
            yield
        finally:
            self._computing = False


def carried_out(node: fx.Node, module: Callable[[str], Any], args: Any, kwargs: Any) -> Any:
    """What a recorded operation gives for some arguments; ``module`` has the layers by their targets."""
    if node.op == "call_module":
        return module(str(node.target)).forward(*args, **kwargs)
    if node.op == "call_method":
        return getattr(args[0], str(node.target))(*args[1:], **kwargs)
    assert callable(node.target)
    return node.target(*args, **kwargs)


def _inputs(node: fx.Node) -> list[fx.Node]:
    """Nodes whose values an operation takes; what it takes only the shape, type or device of is none."""
    place = _LIKE.get(node.target, len(node.args) + 1)
    named = [value for key, value in node.kwargs.items() if place < len(node.args) or (place, key) != (0, "input")]
    taken = [*node.args[:place], *node.args[place + 1 :], *named]
    found: list[fx.Node] = []
    map_arg(taken, found.append)
    return found


_LIKE: dict[Any, int] = {
    **dict.fromkeys((torch.zeros_like, torch.ones_like, torch.full_like, "new_zeros", "new_ones", "new_full", "new_tensor"), 0),
    **dict.fromkeys(("to", "type_as", "expand_as", "view_as", "reshape_as"), 1),
}
"""Operations that take nothing but the shape, type or device of one of their arguments, and which one it is."""


def _attribute(root: nn.Module, path: str) -> Any:
    value: Any = root
    for part in path.split("."):
        value = getattr(value, part)
    return value
