"""Networks with curved activations, all the way: convergence, Lava, files, reports, sweeps and fine-tuning."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import loihiconv as lc
from loihiconv.core.errors import UnsupportedLayer
from loihiconv.core.linear import Array

SHAPE = (1, 8, 8)


def samples(number: int = 128) -> Array:
    return np.random.default_rng(0).random((number, *SHAPE), np.float32)


def curved_cnn(activation: type[nn.Module] = nn.SiLU) -> nn.Module:
    """Warmed up, and with outputs of which each is the largest at times."""
    torch.manual_seed(0)
    model = nn.Sequential(
        *(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), activation(), nn.Flatten()),
        *(nn.Linear(144, 12), nn.BatchNorm1d(12), activation(), nn.Linear(12, 3)),
    )
    x = torch.from_numpy(samples())
    for _ in range(60):
        model(x)
    with torch.no_grad():
        model[-1].bias -= model.eval()(x).mean(0)
    return model


@pytest.mark.parametrize("activation", [nn.SiLU, nn.Tanh, nn.ELU])
def test_outputs_follow_the_curved_network(activation: type[nn.Module]) -> None:
    model, x = curved_cnn(activation), samples()
    net = lc.convert(model, x, board=None, timesteps=512, approximate=3)
    outputs, wanted = lc.run(net, x, backend="float").outputs, model(torch.from_numpy(x)).detach().numpy()
    assert min(np.corrcoef(outputs.T[i], wanted.T[i])[0, 1] for i in range(3)) > 0.98
    assert any("with ReLUs in place of curved activations outputs differ by" in note for note in net.record.notes)


def test_pieces_that_leave_little_of_the_network_are_warned_of() -> None:
    class Root(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.sqrt(torch.abs(x))

    model, x = curved_cnn(Root), samples()
    with pytest.warns(UserWarning, match=r"outputs differ by \d.*; approximate=2 takes more, and loihiconv.finetune"):
        lc.convert(model, x, board=None, timesteps=8, approximate=1)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "with ReLUs in place")
        lc.convert(model, x, board=None, timesteps=8, approximate=8)


def test_without_being_asked_for_nothing_is_approximated() -> None:
    with pytest.raises(UnsupportedLayer, match=r"^2: SiLU .* approximate=2; 1 more"):
        lc.convert(curved_cnn(), samples(), board="kapoho_point", timesteps=8)


def test_the_pieces_are_kept_and_explained(tmp_path: Path) -> None:
    model, x = curved_cnn(), samples()
    net = lc.convert(model, x, board="kapoho_point", timesteps=16, approximate=1)
    net.save(tmp_path / "net.lnet")
    again = lc.load(tmp_path / "net.lnet")
    assert again.record.curves == net.record.curves
    assert sorted(net.record.curves) == ["2", "6"]
    labels = model(torch.from_numpy(x)).argmax(1).numpy()
    comparison = lc.compare(model, again, (x, labels), explain=True)
    assert comparison.analysis is not None
    steps = {step.key for step in comparison.analysis.waterfall.steps}
    assert "rewritten" in steps


@pytest.mark.lava
def test_lava_gives_the_same_spikes() -> None:
    net = lc.convert(curved_cnn(), samples(), board="kapoho_point", timesteps=8, approximate=2)
    x = samples(2)
    emulator, lava = (lc.run(net, x, backend=backend, record=["spikes"]) for backend in ("emulator", "lava"))
    np.testing.assert_array_equal(emulator.outputs, lava.outputs)


def test_a_sweep_varies_their_number() -> None:
    model, x = curved_cnn(), samples()
    labels = model(torch.from_numpy(x)).argmax(1).numpy()
    result = lc.sweep(model, x, (x, labels), axes={"approximate": [0, 1, 2]}, board="kapoho_point", timesteps=8)
    none, one, two = result.rows
    assert none.outcome is None
    assert "2: a curved activation has no spiking counterpart" in none.reason
    assert one.outcome is not None
    assert two.outcome is not None
    assert two.outcome.agreement > one.outcome.agreement


@pytest.mark.filterwarnings("ignore:calibration data")
def test_fine_tuning_trains_the_relus_towards_the_curves() -> None:
    model, x = curved_cnn(), samples()
    tuned = lc.finetune(model, x, timesteps=4, epochs=6, batch=16, rate=0.01, approximate=1)
    assert tuned.record["losses"][-1] < tuned.record["losses"][0]
    net = lc.convert(tuned, x, board="kapoho_point", timesteps=4)
    assert not net.record.curves


@pytest.mark.filterwarnings("ignore:calibration data")
@pytest.mark.parametrize(("bias", "activation"), [(-1e3, nn.SiLU), (1e3, nn.Tanh)])
def test_a_curve_that_is_level_on_all_samples_is_silent(bias: float, activation: type[nn.Module]) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), activation(), nn.Linear(6, 3)).eval()
    with torch.no_grad():
        model[0].bias.fill_(bias)
    x = np.random.default_rng(0).random((50, 4), np.float32)
    assert lc.check(model, (4,), "kapoho_point", approximate=2).ok
    with pytest.warns(UserWarning, match="no activation on 50 calibration samples"):
        net = lc.convert(model, x, board="kapoho_point", timesteps=8, approximate=2)
    wanted = model(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(lc.run(net, x).outputs, wanted, rtol=0.05, atol=0.02)
