"""Order of neurons, by hand and there and back."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings

from loihiconv.core.linear import Conv, Dense
from loihiconv.simulator.layout import Geometry, channels_first, channels_last, dense_channels_last, spread, without_idle_strides
from tests.strategies import Case, cases


def test_images_are_in_rows_columns_channels() -> None:
    image = np.arange(8).reshape(1, 2, 2, 2)
    assert channels_last(image, (2, 2, 2)).tolist() == [[0, 4, 1, 5, 2, 6, 3, 7]]
    np.testing.assert_array_equal(channels_first(channels_last(image, (2, 2, 2)), (2, 2, 2)), image)
    assert channels_last(np.arange(3)[None], (3,)).tolist() == [[0, 1, 2]]
    over_time = channels_first(np.zeros((4, 5, 6)), (1, 2, 3))
    assert over_time.shape == (4, 5, 1, 2, 3)


def test_values_per_channel_are_spread_over_pixels() -> None:
    assert spread(np.array([1, 2])[:, None, None], (2, 1, 2), np.int32).tolist() == [[1, 2, 1, 2]]


def test_a_dense_weight_takes_and_gives_images_in_that_order() -> None:
    rng = np.random.default_rng(0)
    source, target = (2, 3, 2), (3, 2, 2)
    weight, x = rng.integers(-5, 6, (12, 12)), rng.integers(0, 3, (4, *source))
    inside = torch.from_numpy(channels_last(x, source)) @ dense_channels_last(torch.from_numpy(weight), source, target).T
    np.testing.assert_array_equal(channels_first(inside.numpy(), target), (x.reshape(4, 12) @ weight.T).reshape(4, *target))


def test_geometry() -> None:
    geometry = Geometry(Conv(np.ones((3, 2, 1, 1))), (2, 2, 2), (3, 2, 2))
    image = torch.arange(16).reshape(2, 2, 2, 2)
    flat = torch.from_numpy(channels_last(image.numpy(), (2, 2, 2)))
    assert torch.equal(geometry.image(flat), image)
    assert geometry.image(flat).data_ptr() == flat.data_ptr()
    assert torch.equal(geometry.flat(image), flat)
    assert geometry.pixelwise
    assert not Geometry(Conv(np.ones((2, 1, 1, 1)), groups=2), (2, 2, 2), (2, 2, 2)).pixelwise
    assert not Geometry(Conv(np.ones((3, 2, 1, 1)), (2, 2)), (2, 2, 2), (3, 1, 1)).pixelwise
    assert not Geometry(Dense(np.ones((1, 8))), (2, 2, 2), (1,)).pixelwise


@settings(max_examples=60, deadline=None)
@given(case=cases(max_timesteps=1, max_samples=1))
def test_strides_that_step_nowhere_change_nothing(case: Case) -> None:
    """Where a convolution has one row or column, and in all others too."""
    for connection in case.network.connections:
        source = case.network[connection.source].shape
        steady = without_idle_strides(connection.map, source)
        assert steady.output_shape(source) == connection.map.output_shape(source)
        x = np.random.default_rng(0).integers(0, 9, (2, *source)).astype(np.float64)
        if isinstance(steady, Conv) and not Geometry(steady, source, steady.output_shape(source)).blind:
            assert all(s == 1 for s, size in zip(steady.stride, steady.output_shape(source)[1:], strict=True) if size == 1)
            np.testing.assert_array_equal(steady.apply(x), connection.map.apply(x))
