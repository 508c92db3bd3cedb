import numpy as np
import torch
from safetensors.torch import load_file

from loihiconv.demo import digits, digits_cnn, untrained
from loihiconv.demo.model import WEIGHTS
from loihiconv.demo.train import shifted


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


def test_the_split_is_fixed_stratified_and_disjoint():
    x_train, y_train, x_test, y_test = digits()
    assert x_train.shape == (1437, 1, 8, 8)
    assert x_test.shape == (360, 1, 8, 8)
    assert x_train.dtype == x_test.dtype == np.float32
    assert (x_train.min(), x_train.max()) == (0.0, 1.0)
    shares = np.bincount(y_train) / len(y_train), np.bincount(y_test) / len(y_test)
    np.testing.assert_allclose(*shares, atol=0.002)
    assert not {image.tobytes() for image in x_train} & {image.tobytes() for image in x_test}
    np.testing.assert_array_equal(digits()[2], x_test)


def test_the_trained_network_is_ready_to_convert():
    model = digits_cnn()
    assert not any(module.training for module in model.modules())
    assert {type(module).__name__ for module in model} >= {"Conv2d", "BatchNorm2d", "ReLU", "AvgPool2d", "Flatten", "Linear"}


def test_shipped_weights_are_small_and_finite():
    assert WEIGHTS.stat().st_size < 200_000
    assert all(bool(value.isfinite().all()) for value in load_file(WEIGHTS).values())


def test_training_shifts_by_at_most_one_pixel():
    torch.manual_seed(0)
    images = torch.zeros(500, 1, 8, 8)
    images[:, 0, 4, 4] = 1
    _, _, rows, columns = shifted(images).nonzero(as_tuple=True)
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == {(r, c) for r in (3, 4, 5) for c in (3, 4, 5)}
