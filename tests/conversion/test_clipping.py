"""Weights that are cut off so that the others have a finer step."""

from __future__ import annotations

import numpy as np
import pytest

from loihiconv.conversion.clipping import RATIO, best_clipping, fitting_factor, level, rounding_errors
from loihiconv.conversion.quantization import quantize
from loihiconv.core.linear import Conv, Dense, from_matrix
from tests.conversion.test_quantization import LOIHI2, chain


def test_errors_by_hand() -> None:
    """4 bits of one sign: multiples of 16 up to 240. 72 becomes 64, and 480 is cut off at 240."""
    dense = Dense(np.array([[1.0, 0.3], [2.0, 1.0]]))
    assert rounding_errors(dense, 240, 4) == pytest.approx([(8 / 240) ** 2, 1.0])
    assert rounding_errors(dense, 240, 4, np.array([[9.0, 2.0], [0.5, 9.0]])) == pytest.approx([2 * (8 / 240) ** 2, 0.5])
    sparse = from_matrix(dense.weight, (2,), (2,))
    assert rounding_errors(sparse, 240, 4) == pytest.approx([(8 / 240) ** 2, 1.0])


def test_signs_that_mix_have_steps_twice_as_wide() -> None:
    """Multiples of 32 up to 224: -72 becomes -64, 240 is cut off."""
    conv = Conv(np.array([1.0, -0.3]).reshape(1, 2, 1, 1))
    np.testing.assert_allclose(rounding_errors(conv, 240, 4), [[[(8 / 240) ** 2 + (16 / 240) ** 2]]])


def normal_with_outlier(outlier: float = 2.0) -> Dense:
    weight = np.random.default_rng(0).normal(0, 0.2, (40, 200))
    weight[3, 7] = outlier
    return Dense(weight)


def test_few_bits_cut_an_outlier_off_and_eight_do_not() -> None:
    """The choice is that of least error."""
    linear = normal_with_outlier()
    tried = [float(rounding_errors(linear, 224 / 2 * RATIO**i, 4).mean()) for i in range(11)]
    assert best_clipping([(linear, 224 / 2)], 4) == pytest.approx(RATIO ** int(np.argmin(tried)))
    assert best_clipping([(linear, 224 / 2)], 4) > 2
    assert best_clipping([(linear, 254 / 2)], 8) == 1


def test_what_is_exact_is_left() -> None:
    assert best_clipping([(Dense(np.array([[1.0, -1.0, 0.0]])), 224.0)], 4) == 1


def test_all_that_comes_into_a_population_decides() -> None:
    """A second map, of weights that fit exactly where nothing is cut off, outweighs the first."""
    linear, exact = normal_with_outlier(), Dense(np.full((40, 200), 2.0) * np.resize([1, -1], 200))
    assert best_clipping([(linear, 112.0), (exact, 112.0)], 4) == 1


def test_what_has_one_weight_per_output_is_never_cut_off() -> None:
    """A skip takes no part in the choice, but all of it still fits."""
    linear = normal_with_outlier()
    alone = best_clipping([(linear, 112.0)], 4)
    sizes = np.resize([1.0, 0.4, 0.7], 40)
    skip = Dense(np.diag(sizes))
    assert alone > 2
    assert best_clipping([(linear, 112.0), (skip.with_weight(skip.weight * 240 / 112), 112.0)], 4) == 1
    assert best_clipping([(linear, 112.0), (skip.with_weight(skip.weight * 240 / 112 / 1.5), 112.0)], 4) == pytest.approx(1.5)
    assert best_clipping([(linear, 112.0), (skip.with_weight(skip.weight / 100), 112.0)], 4) == alone
    assert best_clipping([(skip, 240.0)], 4) == 1


def test_level_are_maps_whose_outputs_have_weights_of_one_magnitude() -> None:
    skip = Conv(np.array([0.3, 0.5, 0.1, 0.0]).reshape(4, 1, 1, 1), groups=4)
    padded = Conv(np.eye(4, 2)[:, :, None, None] * 0.7)
    means = Conv(np.full((4, 1, 2, 2), 0.25), stride=(2, 2), groups=4)
    for linear in (skip, padded, means, Dense(np.array([[0.1, -0.1], [3.0, 0.0]])), from_matrix(np.eye(3) * 0.1, (3,), (3,))):
        assert level(linear)
        assert level(linear.with_weight(linear.weight.astype(np.float32)))
    assert not level(Dense(np.array([[1.0, 1.0], [1.0, 0.99]])))
    assert not level(normal_with_outlier())


def test_fitting_factors_by_hand() -> None:
    assert fitting_factor(Dense(np.array([[0.5, 2.0]])), 4) == 120
    assert fitting_factor(Dense(np.array([[0.5, -2.0]])), 4) == 112
    assert fitting_factor(Dense(np.zeros((1, 2))), 4) == np.inf


def test_gains_go_beyond_the_largest_weight() -> None:
    weight = normal_with_outlier().weight
    net = quantize(chain([weight, np.ones((1, 40))], coding="rate"), LOIHI2.model_copy(update={"weight_bits": _bits(4)}))
    (first, _) = net.connections
    beyond = best_clipping([(Dense(weight), 112.0)], 4)
    assert net.record.quantization["dense0"].gain == pytest.approx(112 * beyond, abs=1)
    assert first.map.weight[3, 7] == first.map.weight.max() == 224
    assert net.record.quantization["dense0"].limited_by == "weights of input->dense0"


def _bits(bits: int) -> object:
    return LOIHI2.weight_bits.model_copy(update={"value": bits})
