"""Where training is, in a file: parameters and the optimizer's state as safetensors, the rest as JSON in their metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.files import write_bytes
from loihiconv.core.json_text import read_json

KEY = "loihiconv training"
MOMENTS = ("exp_avg", "exp_avg_sq")
_REMEDY = "remove it, or go on with what it was made with"


@dataclass(frozen=True)
class Position:
    """How far training is.

    Attributes
    ----------
    run : str
        Fingerprint of the network, the samples and all choices.
    steps : int
        Of the optimizer.
    total : float
        Loss of the present epoch, summed over its steps so far.
    losses : tuple of float
        Mean of each finished epoch.
    """

    run: str
    steps: int = 0
    total: float = 0.0
    losses: tuple[float, ...] = ()


def write_checkpoint(path: Path, position: Position, parameters: Mapping[str, Tensor], optimizer: torch.optim.Adam) -> None:
    """Write a checkpoint, atomically.

    Raises
    ------
    InvalidSetting
        If it cannot be written.
    """
    tensors = {name: values.detach().contiguous() for name, values in parameters.items()}
    for name, values in parameters.items():
        tensors |= {f"{name}:{moment}": optimizer.state[values][moment].contiguous() for moment in MOMENTS}
    write_bytes(path, save(tensors, {KEY: json.dumps(asdict(position), allow_nan=False)}))


def read_checkpoint(path: Path, run: str, parameters: Mapping[str, Tensor], optimizer: torch.optim.Adam) -> Position:
    """Put parameters and optimizer where a checkpoint has them.

    Raises
    ------
    InvalidSetting
        If it is damaged, or belongs to another network, other samples or other choices.
    """
    try:
        with safe_open(path, framework="pt") as file:
            known = read_json((file.metadata() or {})[KEY])
            position = Position(str(known["run"]), int(known["steps"]), float(known["total"]), tuple(map(float, known["losses"])))
            if position.run != run:
                limit = "the same model, samples and options expected"
                raise InvalidSetting("belongs to another training", where=str(path), limit=limit, remedy=_REMEDY)
            with torch.no_grad():
                for name, values in parameters.items():
                    values.copy_(file.get_tensor(name))
                    moments = {moment: file.get_tensor(f"{name}:{moment}").to(values.device, copy=True) for moment in MOMENTS}
                    optimizer.state[values] = {"step": torch.tensor(float(position.steps)), **moments}
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise InvalidSetting("is no checkpoint, or damaged", where=str(path), remedy="remove it") from error
    return position
