"""Layers' own names for operations, where PyTorch's exporters have left them in the file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from loihiconv.ann.frontends.onnx.graph import Operation

SCOPES = "pkg.torch.onnx.name_scopes"
"""Key of a node's metadata under which torch.export's exporter lists the modules that it was called in, outermost first, then itself."""
_WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_WEIGHT = ".weight"
_QUOTED = re.compile(r"'([^']*)'")


def named_as_layers(operations: Iterable[Operation], scopes: Mapping[str, str]) -> list[Operation]:
    """Operations that are called as the layers whose they are: "layer1.0.conv1", "layer1.0.relu".

    A layer has its path in the model for a name, if it has weights or is one operation; operations of one that calls others are its path
    and what they do. Operations of which the file does not say the layer keep their names.

    Parameters
    ----------
    operations : iterable of Operation
        Named as in the file.
    scopes : {name: text}
        What the file has under `SCOPES`.
    """
    found = [(operation, layer(operation, scopes.get(operation.name, ""))) for operation in operations]
    alone = Counter(path for _, path in found if path is not None)
    outer = {path[:i] for path in alone for i, letter in enumerate(path) if letter == "."}
    named = []
    for operation, path in found:
        if path is None:
            named.append(operation)
        elif path and (operation.kind in _WEIGHTED or (alone[path] == 1 and path not in outer)):
            named.append(replace(operation, name=path))
        else:
            named.append(replace(operation, name=".".join(filter(None, (path, operation.kind.lower())))))
    return named


def layer(operation: Operation, scopes: str = "") -> str | None:
    """Path of the layer that an operation belongs to; "" is the model itself, and None that the file does not say.

    Weights say it best: they keep their names where a batch norm after them was put into them. Then what exporters note: "['', 'layer1',
    'layer1.0', 'relu']" in metadata, or "/layer1/layer1.0/Relu" as the node's name, where a module in a list repeats the list's name.
    """
    weight = operation.inputs[1] if operation.kind in _WEIGHTED and len(operation.inputs) > 1 else ""
    if weight.endswith(_WEIGHT) and not weight.startswith("/"):
        return weight.removesuffix(_WEIGHT)
    if modules := _QUOTED.findall(scopes)[:-1]:
        return str(modules[-1])
    root, slash, rest = operation.name.partition("/")
    *within, own = rest.split("/")
    if root or not slash or not re.fullmatch(rf"{re.escape(operation.kind)}(_\d+)?", own):
        return None
    path: list[str] = []
    for part in within:
        if path and part.startswith(f"{path[-1]}."):
            path.pop()
        path.append(part)
    return ".".join(path)
