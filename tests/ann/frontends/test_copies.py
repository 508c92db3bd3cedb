"""Wrapped, pruned, normalized and parametrized models are read as what they compute, and left as they were."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune

import loihiconv as lc
from loihiconv.ann.frontends import readable
from loihiconv.ann.frontends.copies import copied, inside, own_names
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.graph import Linear
from loihiconv.core.errors import InvalidModel
from tests.ann.frontends.programs import SHAPE, Cnn, kinds, quietly


def samples(n: int = 8) -> Any:
    return np.random.default_rng(0).random((n, *SHAPE), np.float32)


WRAPPERS: dict[str, Callable[[nn.Module], Any]] = {
    "data parallel": nn.DataParallel,
    "compiled": torch.compile,
    "averaged": torch.optim.swa_utils.AveragedModel,
    "both": lambda model: nn.DataParallel(torch.compile(model)),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_wrappers_are_read_as_what_is_inside(wrapper: str) -> None:
    model = Cnn().eval()
    wrapped = WRAPPERS[wrapper](model)
    read = readable(wrapped)
    assert (read.name, kinds(read.ann(SHAPE))) == ("Cnn", kinds(read_torch(model, SHAPE)))
    np.testing.assert_allclose(read.outputs(samples()), readable(model).outputs(samples()), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_wrappers_inside_of_models_leave_no_trace_in_names(wrapper: str) -> None:
    plain = nn.ModuleDict({"backbone": Cnn(), "head": nn.Linear(5, 2)})

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = WRAPPERS[wrapper](plain["backbone"])
            self.head = plain["head"]

        def forward(self, x: Tensor) -> Any:
            return self.head(F.relu(self.backbone(x)))

    model = Net()
    names = [node.name for node in read_torch(model, SHAPE)]
    assert names[:4] == ["input", "backbone.conv", "backbone.bn", "backbone.relu"]
    assert lc.convert(model, samples(), board=None, timesteps=4).populations
    assert set(plain.state_dict()) <= own_names(model).keys()
    assert all(torch.equal(model.state_dict()[own_names(model)[key]], value) for key, value in plain.state_dict().items())
    assert type(model.backbone) is not Cnn  # the user's own is still wrapped
    assert type(inside(model.backbone)) is Cnn


@pytest.fixture
def process_group(tmp_path: Path) -> Iterator[None]:
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/group", rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.skipif(not torch.distributed.is_available(), reason="PyTorch without distributed training")
@pytest.mark.usefixtures("process_group")
def test_distributed_models_are_read_without_their_group() -> None:
    model = nn.parallel.DistributedDataParallel(Cnn().eval())
    assert kinds(readable(model).ann(SHAPE)) == kinds(read_torch(model.module, SHAPE))
    outer = nn.Sequential(model, nn.Linear(5, 2))
    assert [node.name for node in read_torch(outer, SHAPE)][1] == "0.conv"
    assert lc.convert(outer, samples(), board=None, timesteps=4).populations


def test_models_that_compile_their_own_forward() -> None:
    in_place, by_hand = Cnn().eval(), Cnn().eval()
    in_place.compile()
    by_hand.forward = torch.compile(by_hand.forward)  # type: ignore[method-assign]
    for model in (in_place, by_hand):
        assert kinds(read_torch(model, SHAPE)) == kinds(read_torch(Cnn().eval(), SHAPE))
        assert readable(model).outputs(samples()).shape == (8, 5)


class Own(nn.Module):
    """A layer of the user's own."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 64))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x.flatten(1), self.weight)


def _pruned(model: nn.Sequential) -> None:
    prune.l1_unstructured(model[1], "weight", 0.5)
    prune.l1_unstructured(model[1], "weight", 0.2)
    prune.random_unstructured(model[1], "bias", 0.5)
    prune.ln_structured(model[3], "weight", 0.5, 2, 0)
    prune.l1_unstructured(model[0], "weight", 0.3)


def _old_norms(model: nn.Sequential) -> None:
    quietly(nn.utils.weight_norm, model[1])
    quietly(nn.utils.spectral_norm, model[3])
    quietly(nn.utils.weight_norm, model[0])


def _parametrized(model: nn.Sequential) -> None:
    parametrizations.weight_norm(model[1])
    parametrizations.spectral_norm(model[3])
    parametrizations.weight_norm(model[0])


def _equalized(model: nn.Sequential) -> None:
    """Weights that a hook of the user's own sets."""
    for layer in (model[0], model[1]):
        weight = layer.weight
        del layer._parameters["weight"]
        layer.register_parameter("weight_orig", nn.Parameter(weight.data))
        layer.register_forward_pre_hook(lambda module, _: setattr(module, "weight", module.weight_orig * 0.5))


@pytest.mark.parametrize("change", [_pruned, _old_norms, _parametrized, _equalized])
def test_weights_in_effect_are_read_and_the_model_is_left_as_it_was(change: Callable[[nn.Sequential], None]) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(Own(), nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    change(model)
    model.train()(torch.rand(4, *SHAPE))  # weights are results with gradients now
    before, types = copy.deepcopy(model.state_dict()), [type(part) for part in model.modules()]
    weight = model[1].weight
    x = torch.rand(8, *SHAPE)
    ann = read_torch(model, SHAPE)
    net = lc.convert(model, x.numpy(), board=None, timesteps=4)  # holds the reading against the model
    assert net.populations
    assert [type(part) for part in model.modules()] == types
    assert list(model.state_dict()) == list(before)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert model.training
    assert torch.equal(model[1].weight, weight)
    node = ann["1"]
    assert isinstance(node, Linear)
    model.eval()(x)
    np.testing.assert_allclose(node.map.weight, model[1].weight.detach(), rtol=1e-6)


def test_zeros_of_pruned_weights_count() -> None:
    model = nn.Sequential(nn.Linear(10, 10, bias=False))
    prune.l1_unstructured(model[0], "weight", 0.4)
    stored = readable(model).stored((10,))
    assert (stored.bytes, stored.weights, stored.zeros) == (400, 100, 40)


def test_results_that_are_kept_as_attributes_can_be_copied() -> None:
    model = Cnn()
    model.last = model(torch.rand(2, *SHAPE))
    model.history = [{"seen": model.last}]
    clone = copied(model)
    assert torch.equal(clone.last, model.last)
    assert clone.last is not model.last


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_mixed_precision_is_read_in_float32(dtype: torch.dtype) -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(72, 2)).eval()
    model[4].to(dtype)
    assert lc.convert(model, samples(), board=None, timesteps=4).populations
    assert model[4].weight.dtype == dtype


class Trainer:
    """What training registers its hooks from, and cannot be copied."""

    def __init__(self) -> None:
        self.batches = (batch for batch in ())
        self.seen = 0

    def count(self, module: nn.Module, inputs: Any, output: Tensor) -> None:
        self.seen += 1


def test_hooks_of_what_cannot_be_copied_are_called_as_they_are() -> None:
    model, trainer = Cnn().eval(), Trainer()
    model.bn.register_forward_hook(trainer.count)
    assert kinds(read_torch(model, SHAPE)) == kinds(read_torch(Cnn(), SHAPE))
    assert trainer.seen == 1


def test_what_cannot_be_copied_is_said() -> None:
    model = Cnn()
    model.stream = (value for value in ())
    with pytest.raises(InvalidModel, match=r"Cnn: the model cannot be copied: .*generator.*; do not keep open files"):
        read_torch(model, SHAPE)
    program = quietly(torch.export.export, Cnn().eval(), (torch.rand(2, *SHAPE),))
    with pytest.raises(InvalidModel, match=r"cannot be copied: .*give the exported program"):
        read_torch(torch.export.unflatten(program), SHAPE)


WITHOUT_VALUES: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "meta": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 2, device="meta")), r"1.weight: .*without values; model.to_empty"),
    "lazy": (lambda: nn.Sequential(nn.Flatten(), nn.LazyLinear(2)), r"1.weight: .*without values; run the model once"),
    "lazy batch norm": (lambda: nn.Sequential(nn.LazyBatchNorm2d(), nn.Flatten()), r"0.weight: .*without values; run the model once"),
}


@pytest.mark.parametrize("case", WITHOUT_VALUES)
def test_weights_without_values_are_refused_by_name(case: str) -> None:
    make, message = WITHOUT_VALUES[case]
    assert not lc.check(make(), SHAPE).ok
    with pytest.raises(InvalidModel, match=message):
        lc.convert(make(), samples(), board=None, timesteps=4)


def test_compressed_sparse_buffers_are_copied() -> None:
    model = nn.Linear(4, 2)
    model.register_buffer("adjacency", torch.eye(4).to_sparse_csr())
    clone = copied(model)
    assert torch.equal(clone.adjacency.to_dense(), torch.eye(4))
    assert clone.adjacency is not model.adjacency
