import torch
from safetensors.torch import load_file

from loihiconv.demo import digits, digits_cnn, untrained
from loihiconv.demo.model import WEIGHTS


def test_shipped_weights_reach_98_percent_on_held_out_digits():
    _, _, x, y = digits()
    with torch.no_grad():
        predicted = digits_cnn()(torch.from_numpy(x)).argmax(1).numpy()
    assert len(y) >= 360
    assert (predicted == y).mean() >= 0.98


def test_an_untrained_network_does_not():
    torch.manual_seed(0)
    _, _, x, y = digits()
    with torch.no_grad():
        predicted = untrained().eval()(torch.from_numpy(x)).argmax(1).numpy()
    assert (predicted == y).mean() < 0.5


def test_the_trained_network_is_ready_to_convert():
    model = digits_cnn()
    assert not any(module.training for module in model.modules())
    assert {type(module).__name__ for module in model} >= {"Conv2d", "BatchNorm2d", "ReLU", "AvgPool2d", "Flatten", "Linear"}


def test_shipped_weights_are_small_and_finite():
    assert WEIGHTS.stat().st_size < 200_000
    assert all(bool(value.isfinite().all()) for value in load_file(WEIGHTS).values())
