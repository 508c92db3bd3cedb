"""Programs of torch.export are read as the models that they were made from, under the same names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import loihiconv as lc
from loihiconv.ann.frontends import readable
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from tests.ann.frontends.programs import SHAPE, Cnn, assert_read_alike, kinds, quietly
from tests.ann.frontends.test_layers import SUPPORTED


def export(model: nn.Module, samples: int = 3, shape: tuple[int, ...] = SHAPE, **options: Any) -> Any:
    return quietly(torch.export.export, model, (torch.rand(samples, *shape),), **options)


def exported(model: nn.Module, x: Tensor) -> Any:
    return quietly(torch.export.export, model, (x.clone(),)).module()


def decomposed(model: nn.Module, x: Tensor) -> Any:
    return quietly(torch.export.export(model, (x.clone(),)).run_decompositions).module()


def test_programs_are_read_as_their_models() -> None:
    as_written, read = assert_read_alike(Cnn(), SHAPE, exported)
    assert kinds(read) == kinds(as_written)


def test_decomposed_programs_compute_the_same() -> None:
    as_written, read = assert_read_alike(Cnn(), SHAPE, decomposed)
    names = {node.name for node in as_written}
    assert {"conv", "bn", "blocks.0.0", "blocks.1.1", "fc"} <= names & {node.name for node in read}


@pytest.mark.slow
@pytest.mark.parametrize("case", SUPPORTED)
def test_exported_layers_compute_the_same(case: str) -> None:
    assert_read_alike(*SUPPORTED[case][:2], exported)


@pytest.mark.parametrize("samples", [1, 4])
def test_any_number_of_samples_is_evaluated_with_the_exported_one(samples: int) -> None:
    model = Cnn().eval()
    program, x = export(model, samples), np.random.default_rng(0).random((10, *SHAPE), np.float32)
    read = readable(program)
    assert (read.name, read.sample_shape) == ("Cnn", SHAPE)
    np.testing.assert_allclose(read.outputs(x), readable(model).outputs(x), rtol=1e-4, atol=1e-5)
    assert lc.convert(program, x, board=None, timesteps=4).populations


def test_an_open_number_of_samples() -> None:
    program = export(Cnn().eval(), dynamic_shapes={"x": {0: torch.export.Dim("samples")}})
    x = np.random.default_rng(0).random((1, *SHAPE), np.float32)
    assert readable(program).outputs(x).shape == (1, 5)
    assert lc.convert(program, np.repeat(x, 5, axis=0), board=None, timesteps=4).populations


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(InvalidModel, match=r"Cnn: was exported for samples of shape \(1, 8, 8\), not \(1, 9, 9\)"):
        readable(export(Cnn().eval())).ann((1, 9, 9))
    with pytest.raises(UnsupportedLayer, match=r"bn: the graph was made in training mode.*call model\.eval\(\)"):
        readable(export(Cnn().train())).ann(SHAPE)
    model = nn.Sequential(nn.Linear(8, 8), nn.GELU(), nn.Flatten(), nn.Linear(64, 2))
    assert [problem.split(";")[0] for problem in lc.check(export(model.eval()), SHAPE).problems] == ["1: gelu cannot be converted"]


def test_graphs_of_fx_are_modules_as_others() -> None:
    as_written, read = assert_read_alike(Cnn(), SHAPE, lambda model, x: torch.fx.symbolic_trace(model))
    assert kinds(read) == kinds(as_written)
    assert read_torch(torch.fx.symbolic_trace(nn.Sequential(nn.Linear(2, 2))), (2,))["0"]


def test_vmap_is_refused_before_it_begins() -> None:
    class Mapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(6, 4)

        def forward(self, x: Tensor) -> Any:
            return torch.vmap(self.fc)(x).relu()

    program = export(Mapped().eval(), shape=(6,))
    with pytest.raises(UnsupportedLayer, match=r"uses torch.vmap; give program.run_decompositions"):
        lc.convert(program, np.random.default_rng(0).random((8, 6), np.float32), board=None, timesteps=4)
    torch.rand(1)  # fails where PyTorch was left within vmap
    plain = quietly(program.run_decompositions)
    assert lc.check(plain, (6,)).ok
    with pytest.raises(UnsupportedLayer, match=r"run_decompositions\(\) in its place"):
        read_torch(Mapped(), (6,))
