"""What training sees is what a conversion without corrections computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.ann.frontends import readable
from loihiconv.ann.graph import Linear
from loihiconv.ann.passes import simplify
from loihiconv.core.linear import Array, Conv, Dense
from loihiconv.finetuning.finetune import student_of
from loihiconv.finetuning.options import Tuning
from loihiconv.finetuning.student import Student, is_trained
from tests.finetuning.small import Residual, images, mlp, vectors


@pytest.mark.filterwarnings("ignore:calibration data")
@pytest.mark.parametrize(("model", "x"), [(mlp(), vectors(64)), (Residual().eval(), images())])
def test_spikes_in_time_are_those_of_the_float_simulator(model: nn.Module, x: Array) -> None:
    net = lc.convert(model, x, board=None, timesteps=5, bias_correction=False, maxpool="relu-tree")
    simple = simplify(readable(model).ann(x.shape[1:]))
    student = student_of(simple, x, Tuning(5), None)
    with torch.no_grad():
        found = student(torch.from_numpy(x)).flatten(1).numpy()
    expected = lc.run(net, x, "float").outputs
    # A potential that is the threshold up to rounding may go either way.
    assert (np.abs(found - expected).max(axis=1) < 1e-4 * np.abs(expected).max()).mean() > 0.9


def test_weights_on_the_grid_are_few() -> None:
    x = vectors(64)
    simple = simplify(readable(mlp()).ann(x.shape[1:]))
    fine, coarse = (student_of(simple, x, Tuning(5), bits)(torch.from_numpy(x)) for bits in (8, 3))
    exact = student_of(simple, x, Tuning(5), None)(torch.from_numpy(x))
    assert 0 < float((fine - exact).detach().abs().mean()) < float((coarse - exact).detach().abs().mean())


@pytest.mark.filterwarnings("ignore:calibration data")
@pytest.mark.parametrize(("model", "x"), [(mlp(), vectors(64)), (Residual().eval(), images())])
def test_what_is_trained_on_a_grid_is_kept_on_it(model: nn.Module, x: Array) -> None:
    simple = simplify(readable(model).ann(x.shape[1:]))
    coarse = student_of(simple, x, Tuning(5, rates="rounded"), 3)
    kept = Student(coarse.tuned(simple), coarse.scales(), 5, in_time=False)
    with torch.no_grad():
        torch.testing.assert_close(kept(torch.from_numpy(x)), coarse(torch.from_numpy(x)))


def test_pruned_weights_stay_pruned() -> None:
    model, x = mlp(), vectors(64)
    with torch.no_grad():
        model[0].weight[:, ::2] = 0
    tuned = lc.finetune(model, x, timesteps=3, epochs=1)
    layer = next(node for node in tuned.ann((12,)) if isinstance(node, Linear))
    assert not layer.map.weight[:, ::2].any()
    assert layer.map.weight[:, 1::2].all()


def test_what_only_arranges_is_not_trained() -> None:
    rng = np.random.default_rng(0)
    assert is_trained(Linear("a", ("x",), Dense(rng.normal(size=(3, 4)))))
    assert not is_trained(Linear("a", ("x",), Dense(np.sign(rng.normal(size=(3, 4))))))
    assert not is_trained(Linear("a", ("x",), Conv(np.full((3, 1, 2, 2), 0.25), groups=3)))
    assert not is_trained(Linear("a", ("x",), Dense(np.zeros((3, 4)))))
