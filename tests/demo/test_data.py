"""Digits, split once and for all."""

import numpy as np

from loihiconv.demo import digits


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
