"""A network that is trained further: nearer to the float network, and converted like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.ann.frontends import readable
from loihiconv.conversion.likeness import divergence
from loihiconv.core.errors import InvalidData, InvalidModel, InvalidSetting
from loihiconv.core.linear import Array
from tests.finetuning.small import Residual, images, mlp, vectors


def missed(model: nn.Module, source: Any, x: Array, timesteps: int) -> float:
    """How far the emulator's outputs are from the float network's, as distributions of classes."""
    net = lc.convert(source, x, board="kapoho_point", timesteps=timesteps)
    return float(divergence(readable(model).outputs(x), lc.run(net, x).outputs).mean())


@pytest.mark.filterwarnings("ignore:calibration data")
@pytest.mark.parametrize("rates", ["spikes", "rounded"])
def test_the_emulator_comes_nearer_to_the_float_network(rates: Any, tmp_path: Path) -> None:
    model, x = mlp(), vectors()
    before = {name: values.clone() for name, values in model.state_dict().items()}
    tuned = lc.finetune(model, x, timesteps=3, epochs=12, batch=32, rate=0.02, rates=rates)
    losses = tuned.record["losses"]
    assert losses[-1] < 0.7 * losses[0]
    assert missed(model, tuned, x, 3) < 0.8 * missed(model, model, x, 3)
    assert all(torch.equal(values, before[name]) for name, values in model.state_dict().items())
    tuned.save(tmp_path / "tuned.safetensors")
    nets = [lc.convert(source, x, board="kapoho_point", timesteps=3) for source in (tuned, tmp_path / "tuned.safetensors")]
    assert lc.diff(*nets).same
    assert "fine-tuned for timesteps=3, 12 epochs on 192 samples" in nets[0].record.notes[0]
    hidden = list(nets[0].record.calibration.scales.values())[1:-1]
    assert all(np.allclose(scale, np.ravel(value), rtol=1e-6) for scale, value in zip(hidden, tuned.scales.values(), strict=True))


@pytest.mark.filterwarnings("ignore:calibration data")
def test_any_architecture_and_labels() -> None:
    model, x = Residual().eval(), images()
    y = readable(model).outputs(x).argmax(axis=1)
    options: dict[str, Any] = {"timesteps": 3, "epochs": 3, "batch": 8, "rate": 0.01, "board": "kapoho_point"}
    for loss, more in (("outputs", {}), ("labels", {}), ("both", {"shift": 1, "flip": True})):
        tuned = lc.finetune(model, (x, y), loss=loss, **more, **options)
        assert tuned.record["losses"][-1] < tuned.record["losses"][0]
        net = lc.convert(tuned, x, board="kapoho_point", timesteps=3)
        assert lc.run(net, x).outputs.shape == (32, 3)
    assert tuned.record["weight_bits"] == 8


@pytest.mark.filterwarnings("ignore:calibration data")
def test_neurons_that_listen_first_have_the_rounded_rates() -> None:
    x = vectors()
    tuned = lc.finetune(mlp(), x, timesteps=3, epochs=2, rates="rounded")
    net = lc.convert(tuned, x, board=None, timesteps=3, silent_steps=3, buffered=True)
    found, expected = lc.run(net, x, "float").outputs, tuned.outputs(x)
    # A potential that is the threshold up to rounding may go either way.
    assert (np.abs(found - expected).max(axis=1) < 1e-4 * np.abs(expected).max()).mean() > 0.95


class Two(nn.Module):
    """Two inputs, two outputs."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b, self.c = nn.Linear(12, 8), nn.Linear(4, 8), nn.Linear(8, 2)

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> dict[str, torch.Tensor]:
        h = (self.a(left) + self.b(right)).relu()
        return {"class": self.c(h), "number": self.c(h).tanh()}


@pytest.mark.filterwarnings("ignore:calibration data")
def test_spikes_that_training_has_seen_are_not_corrected() -> None:
    """But for what rounding to integers changes; of another T they are."""
    x = vectors(64)
    for rates, timesteps, corrected in (("spikes", 3, False), ("spikes", 4, True), ("rounded", 3, True)):
        tuned = lc.finetune(mlp(), x, timesteps=3, epochs=1, rates=rates)
        given = [lc.convert(tuned, x, board=None, timesteps=timesteps, bias_correction=on).layers[0] for on in (True, False)]
        assert (given[0].bias != given[1].bias).any() == corrected
        if not corrected:
            on_chip = [lc.convert(tuned, x, board="kapoho_point", timesteps=3, bias_correction=on).layers[0] for on in (True, False)]
            assert (on_chip[0].bias != on_chip[1].bias).any()


def test_windows_of_windows() -> None:
    """Max-pooling of many values is pooled twice."""
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.MaxPool2d(5, 1, 2), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(27, 3))
    assert len(lc.finetune(model, images(8), timesteps=3, epochs=1).scales) == 1


@pytest.mark.filterwarnings("ignore:calibration data")
def test_several_inputs_and_outputs(tmp_path: Path) -> None:
    x = {"left": vectors(40), "right": vectors(40)[:, :4]}
    tuned = lc.finetune(Two(), x, timesteps=3, epochs=2)
    path = tmp_path / "two.safetensors"
    tuned.save(path)
    net = lc.convert(path, x, board="kapoho_point", timesteps=3)
    assert [part.name for part in net.readout.parts] == ["class", "number"]
    assert len(lc.finetune(Two(), x, timesteps=3, epochs=1, output="number").ann((16,)).parts) == 0


def test_it_goes_on_with_a_checkpoint_of_the_same_training_alone(tmp_path: Path) -> None:
    from loihiconv.finetuning import training

    path, x = tmp_path / "kept", vectors(32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "PAUSE", -1.0)
        first = lc.finetune(mlp(), x, timesteps=3, epochs=1, checkpoint=path)
    again = lc.finetune(mlp(), x, timesteps=3, epochs=1, checkpoint=path)
    assert first.record == again.record
    for other in ({"x": x[:31]}, {"timesteps": 4}, {"rate": 0.1}):
        options: dict[str, Any] = {"timesteps": 3, "epochs": 1, "checkpoint": path, **other}
        with pytest.raises(InvalidSetting, match="belongs to another training"):
            lc.finetune(mlp(), options.pop("x", x), **options)


@pytest.mark.parametrize(
    ("options", "data", "error", "said"),
    [
        ({"epoch": 3}, vectors(8), InvalidSetting, "no such option: epoch, did you mean 'epochs'"),
        ({"loss": "labels"}, vectors(8), InvalidData, "holds no labels"),
        ({"loss": "labels"}, (vectors(8), np.arange(8)), InvalidData, "labels that are no classes; indices from 0 to 4"),
        ({}, vectors(8)[:, :5], lc.LoihiconvError, "12"),
        ({}, vectors(8) * np.nan, InvalidData, "NaN or infinity"),
        ({}, vectors(0), InvalidData, "no samples"),
        ({"board": "kapoho"}, vectors(8), lc.LoihiconvError, "kapoho"),
    ],
)
def test_errors_are_lines(options: dict[str, Any], data: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        lc.finetune(mlp(), data, timesteps=4, **options)


def test_without_weights_there_is_nothing_to_train() -> None:
    with pytest.raises(InvalidModel, match="no weights to train"):
        lc.finetune(nn.Sequential(nn.ReLU(), nn.AvgPool2d(2)), images(4), timesteps=4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here: torch.cuda.is_available() is False")
@pytest.mark.parametrize("rates", ["spikes", "rounded"])
def test_a_gpu_trains_as_well(rates: Any) -> None:
    options: dict[str, Any] = {"timesteps": 3, "epochs": 2, "batch": 8, "rate": 0.01, "board": "kapoho_point", "shift": 1, "rates": rates}
    here, there = (lc.finetune(Residual().eval(), images(), device=device, **options) for device in ("cpu", "cuda"))
    assert there.record["losses"] == pytest.approx(here.record["losses"], rel=0.5)  # spikes that are on the edge go either way
    assert lc.finetune(mlp(), vectors(), timesteps=3, epochs=1, device="cuda", rates=rates).record["losses"]
