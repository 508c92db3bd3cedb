"""A float network in a file of ours: safetensors, whose metadata holds the network as JSON. Nothing in it is executable.

The tensors are the arrays of the network; the metadata's one entry, ``loihiconv``, is JSON with format, version and what
`loihiconv.core.dataclass_json` makes of a `TunedFile`.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from loihiconv.ann.graph import Add, Ann, Input, Linear, MaxPool, Quantize
from loihiconv.core.dataclass_json import UPDATE, Malformed, decode, encode
from loihiconv.core.ending import LastFunction
from loihiconv.core.errors import InvalidModel
from loihiconv.core.files import write_bytes
from loihiconv.core.json_text import read_json
from loihiconv.core.linear import Array
from loihiconv.core.parts import OutputPart
from loihiconv.core.record import Json

FORMAT, VERSION = "loihiconv fine-tuned network", 1
KEY = "loihiconv"


@dataclass(frozen=True, eq=False)
class TunedFile:
    """What such a file holds.

    Parameters
    ----------
    nodes : tuple of Node
        Those of an `Ann` whose rectified activations are rounded to T steps.
    ending, parts, output_name
        As of an `Ann`.
    record : JSON values
        How it was trained.
    """

    nodes: tuple[Input | Linear | Quantize | MaxPool | Add, ...]
    ending: tuple[LastFunction, ...]
    parts: tuple[OutputPart, ...]
    output_name: str
    record: Json

    @property
    def ann(self) -> Ann:
        """The network."""
        return Ann(self.nodes, ending=self.ending, parts=self.parts, output_name=self.output_name)


def write_tuned(content: TunedFile, path: str | os.PathLike[str]) -> None:
    """Write a network to a file, atomically.

    Raises
    ------
    InvalidSetting
        If the file cannot be written.
    """
    arrays: dict[str, Array] = {}
    description = {"format": FORMAT, "version": VERSION, "network": encode(content, "", arrays)}
    stored = {name: _stored(values) for name, values in arrays.items()}
    write_bytes(path, save(stored, {KEY: json.dumps(description, allow_nan=False)}))


def read_tuned(path: Path) -> TunedFile:
    """The network in a file.

    Raises
    ------
    InvalidModel
        If the file is damaged, altered, or from a newer version.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(KEY, "")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
        return _decoded(read_json(text), arrays)
    except Malformed as error:
        raise InvalidModel(str(error), where=str(path), remedy=error.remedy) from error
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise InvalidModel(f"is damaged: {error}", where=str(path), remedy="copy it again") from error


def _decoded(head: Any, arrays: dict[str, Array]) -> TunedFile:
    if not isinstance(head, dict) or head.get("format") != FORMAT or not isinstance(head.get("version"), int):
        raise Malformed("holds no fine-tuned network")
    if head["version"] > VERSION:
        raise Malformed(f"was written by a newer loihiconv (format {head['version']}; this one reads up to {VERSION})", UPDATE)
    content: TunedFile = decode(head.get("network"), TunedFile, "network", arrays)
    for name, values in arrays.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise Malformed(f"{name.removesuffix('.npy')} holds NaN or infinity")
    try:
        _ = content.ann
    except InvalidModel as error:
        raise Malformed(f"is inconsistent: {error}") from error
    return content


def _stored(values: Array) -> Array:
    """Numbers as they are kept: 32 bits of floats, which is what training has."""
    return np.array(values, np.float32 if values.dtype.kind == "f" else values.dtype, order="C")


def rounded(ann: Ann, scales: dict[str, Array], timesteps: int, record: Json) -> TunedFile:
    """A simplified network whose ReLUs have become clip-floor-shift activations of these λ, as it is stored."""
    nodes = tuple(
        Quantize(node.name, node.inputs, np.asarray(scales[node.name] / timesteps, np.float32), 0, timesteps)
        if node.name in scales
        else node
        for node in ann
    )
    return TunedFile(nodes, ann.ending, ann.parts, ann.output_name, record)  # type: ignore[arg-type]  # what simplification leaves
