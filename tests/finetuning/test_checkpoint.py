"""Checkpoints come back, and what is none is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from torch import Tensor

from loihiconv.core.errors import InvalidSetting
from loihiconv.finetuning.checkpoint import KEY, Position, read_checkpoint, write_checkpoint


def trained() -> tuple[dict[str, Tensor], torch.optim.Adam]:
    torch.manual_seed(0)
    parameters = {"a.weight": torch.randn(3, 2, requires_grad=True), "a.scale": torch.tensor(0.5, requires_grad=True)}
    optimizer = torch.optim.Adam(parameters.values(), lr=0.1)
    return parameters, optimizer


def step(parameters: dict[str, Tensor], optimizer: torch.optim.Adam) -> None:
    optimizer.zero_grad()
    (parameters["a.weight"].square().sum() * parameters["a.scale"]).backward()
    optimizer.step()


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    parameters, optimizer = trained()
    step(parameters, optimizer)
    position = Position("run", 1, 0.25, (1.5, 0.5))
    write_checkpoint(tmp_path / "kept", position, parameters, optimizer)
    others, other = trained()
    assert read_checkpoint(tmp_path / "kept", "run", others, other) == position
    for state in ((parameters, optimizer), (others, other)):
        step(*state)
    assert all(torch.equal(parameters[name], others[name]) for name in parameters)


def test_of_another_training_it_is_refused(tmp_path: Path) -> None:
    parameters, optimizer = trained()
    step(parameters, optimizer)
    write_checkpoint(tmp_path / "kept", Position("run", 1), parameters, optimizer)
    with pytest.raises(InvalidSetting, match="kept: belongs to another training"):
        read_checkpoint(tmp_path / "kept", "other", parameters, optimizer)


ENDLESS = save({}, {KEY: '{"run": "run", "steps": Infinity, "total": 0, "losses": []}'})


@pytest.mark.parametrize("content", [b"", b"\x08\0\0\0\0\0\0\0{}      ", b"junk" * 100, ENDLESS])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    parameters, optimizer = trained()
    step(parameters, optimizer)
    path = tmp_path / "kept"
    path.write_bytes(content)
    with pytest.raises(InvalidSetting, match="kept: is no checkpoint, or damaged; remove it"):
        read_checkpoint(path, "run", parameters, optimizer)
    write_checkpoint(path, Position("run", 1), parameters, optimizer)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(InvalidSetting, match="damaged"):
        read_checkpoint(path, "run", parameters, optimizer)
