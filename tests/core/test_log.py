"""What is said under the one logger, and that nobody who does not ask for it sees it."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.core.log import LOG


def test_steps_and_remarks_are_logged(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level(logging.INFO, logger="loihiconv")
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3), nn.Dropout(), nn.Softmax(1)).eval()
    torch.save({f"module.{name}": values for name, values in model.state_dict().items()}, tmp_path / "weights.pt")
    x, y = np.random.default_rng(0).random((40, 6), np.float32), np.arange(40) % 3
    notes = lc.load_weights(model, tmp_path / "weights.pt")
    net = lc.convert(model, x, board="kapoho_point", timesteps=4)
    lc.run(net, x[:7])
    lc.compare(model, net, (x, y), backends=["float"])
    lc.sweep(model, x, (x, y), on="train", board="kapoho_point", axes={"timesteps": [2]})
    said = [record.getMessage() for record in caplog.records if record.name == "loihiconv"]
    assert said[: len(notes)] == list(notes)
    assert {"calibrated on 40 samples", *net.record.notes} <= set(said)
    assert "7 samples of 4 time steps in back end emulator" in said
    assert "back end float has run 40 samples" in said
    assert "point 1 of 1: {'timesteps': 2}" in said


def test_nothing_is_shown_to_who_does_not_ask(capsys: pytest.CaptureFixture[str]) -> None:
    assert [type(handler) for handler in LOG.handlers] == [logging.NullHandler]
    LOG.info("nobody sees this")
    assert capsys.readouterr() == ("", "")
