"""Exponents of weights: formulas by hand and by counting, and networks that had too few bits without them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import loihiconv as lc
from loihiconv.conversion.exponents import choose_exponent, floor_loss, floor_variance, mean_loss, widest_exponent
from loihiconv.core.fixed_point import round_weights
from loihiconv.core.linear import Conv, Dense, from_matrix
from loihiconv.core.network import WEIGHT_EXP_MIN, Connection
from loihiconv.demo import digits


@pytest.mark.parametrize(
    ("largest", "limit", "exponent"),
    [
        (254, 254, 0),
        (300, 254, 0),
        (127, 254, -1),
        (127.5, 254, 0),
        (1, 254, -7),
        (0.9, 254, -8),
        (1e-3, 254, -8),
        (0, 254, 0),
        (255, 255, 0),
    ],
)
def test_widest_exponent(largest: float, limit: int, exponent: int) -> None:
    assert widest_exponent(largest, limit) == exponent


@given(exponent=st.integers(-8, 0), step=st.sampled_from((1, 2, 4)))
def test_what_a_shift_cuts_off(exponent: int, step: int) -> None:
    """Over all residues, counted."""
    sums = np.arange(0, 2**10, step)
    cut = sums * 2.0**exponent - np.right_shift(sums, -exponent)
    assert floor_loss(exponent, step) == pytest.approx(cut.mean())
    assert floor_variance(exponent, step) == pytest.approx(cut.var())


def test_mean_loss_of_a_connection() -> None:
    even = Dense(np.array([[2, -4, 6]], np.int32))
    assert mean_loss(Connection("a", "b", even, weight_exp=-2)) == (1 - 2 / 4) / 2
    assert mean_loss(Connection("a", "b", even)) == 0
    assert mean_loss(Connection("a", "b", even, on_host=True, weight_exp=-2)) == 0


def test_an_exponent_is_chosen_where_it_helps() -> None:
    nearest = partial(round_weights, even=True)
    small = np.array([[0.7, -1.3, 0.2, 1.9]])
    assert choose_exponent(Dense(small), 254, 2, nearest, 0.05, 64) == -7
    assert choose_exponent(Dense(small), 254, 2, nearest, 0.05, 64, lowest=-3) == -3
    assert choose_exponent(from_matrix(small, (1,), (4,)), 254, 2, nearest, 0.05, 64) == -7
    assert choose_exponent(from_matrix(0 * small, (1,), (4,)), 254, 2, nearest, 0.05, 64) == 0  # no synapse at all
    assert choose_exponent(Dense(small * 100), 254, 2, nearest, 0.05, 64) == 0  # they fill the range
    assert choose_exponent(Dense(np.array([[2.0, -2.0]])), 254, 2, nearest, 0.05, 64) == 0  # exact as they are


def test_none_is_chosen_where_it_gains_nothing() -> None:
    """126 and its like are whole with an exponent and without, and -1 cuts nothing off of even numbers."""
    assert widest_exponent(126, 254) == -1
    assert choose_exponent(Dense(np.array([[126.0, -126.0]])), 254, 2, partial(round_weights, even=True), 1.0, 64) == 0


def test_largest_weights_are_cut_off_where_that_pays() -> None:
    """4 bits, multiples of 32 up to 224: with -1 the step is 16, and of 128 only 112 is left."""
    nearest = partial(round_weights, weight_bits=4, even=True)
    few = Dense(np.array([[128.0, -128.0, *np.resize([16.0, -48.0, 80.0], 30)]]))
    assert widest_exponent(128, 224) == 0
    assert choose_exponent(few, 224, 32, nearest, 0.05, 64) == 0
    assert choose_exponent(few, 224, 32, nearest, 0.05, 64, beyond=True) == -1
    assert choose_exponent(few, 224, 32, nearest, 0.05, 64, lowest=0, beyond=True) == 0
    assert choose_exponent(Dense(few.weight * 1.75), 224, 32, nearest, 0.05, 64, beyond=True) == 0  # half of it would be too much


@pytest.mark.parametrize("outputs", [1, 10])
@pytest.mark.parametrize(("mean_square", "exponent"), [(0.124, 0), (0.126, -2)])
def test_errors_are_those_of_a_mean_output(outputs: int, mean_square: float, exponent: int) -> None:
    """50.5 errs by 0.5 twice, or with 2^-2 not at all but by a variance of (1 - 1/4) / 12 = 0.0625 of what is cut off."""
    weight = np.tile([[50.5, -50.5]], (outputs, 1))
    nearest = partial(round_weights, even=True)
    assert choose_exponent(Dense(weight), 254, 2, nearest, mean_square, 1) == exponent
    assert choose_exponent(Dense(weight), 254, 2, nearest, mean_square / 64, 64) == exponent


def pooled() -> nn.Module:
    """The head of every ResNet and MobileNet: 1,024 inputs per output, with weights a 64th as large."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 10),
    )
    return model.eval()


@pytest.mark.parametrize("timesteps", [8, 64, 256, 1024])
def test_readouts_keep_their_bits(timesteps: int) -> None:
    """7.5 or more, until with T = 1,024 the smallest exponent is reached; the emulator says what the float spiking network says."""
    x = digits()[0][:64]
    net = lc.convert(pooled(), x, board="kapoho_point", timesteps=timesteps)
    assert net.record.quantization["7"].weight_bits_used >= 7.5 or net.incoming("7")[0].weight_exp == WEIGHT_EXP_MIN
    assert net.record.quantization["7"].weight_bits_used >= (6 if timesteps == 1024 else 7.5)
    assert net.incoming("7")[0].weight_exp < 0
    test = digits()[2][: 40 if timesteps < 1024 else 8]
    integers, floats = lc.run(net, test), lc.run(net, test, "float")
    wanted = floats.potentials / net.origin.readout.scale / timesteps  # type: ignore[union-attr]  # it was quantized
    found = integers.potentials / net.readout.scale / timesteps
    assert np.abs(found - wanted).max() < 0.1 * np.abs(wanted).max() + 2 / timesteps


@pytest.mark.lava
@pytest.mark.parametrize("stock_models", [False, True])
def test_lava_shifts_alike(lava_python: str, stock_models: bool) -> None:
    x = digits()[0][:64]
    net = lc.convert(pooled(), x, board="kapoho_point", timesteps=16)
    test = digits()[2][:2]
    emulated, simulated = (
        lc.run(net, test, b, record=["spikes"], **o) for b, o in (("emulator", {}), ("lava", {"stock_models": stock_models}))
    )
    for name, spikes in emulated.spikes.items():
        np.testing.assert_array_equal(spikes, simulated.spikes[name], err_msg=name)
    np.testing.assert_array_equal(emulated.potentials, simulated.potentials)


def test_convolutions_shift_only_where_they_must() -> None:
    """Lava's Conv has no exponent on a chip; what has bits enough keeps its shared weights."""
    net = lc.convert(pooled(), digits()[0][:64], board="kapoho_point", timesteps=16)
    assert [c.weight_exp for c in net.connections if isinstance(c.map, Conv)] == [0, 0]
