"""Quantization-aware training of torch.ao and Brevitas is read as what it computes; int8 models are refused."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.ao import quantization
from torch.ao.quantization.fx import _decomposed  # noqa: F401  registers the operators of convert_pt2e

import loihiconv as lc
from loihiconv.ann.evaluator import Evaluator
from loihiconv.ann.frontends.torch import problems, read_torch
from loihiconv.ann.graph import Linear, Quantize, Relu
from loihiconv.ann.passes import lower
from loihiconv.core.errors import UnsupportedLayer
from tests.ann.frontends import brevitas_like as brevitas
from tests.ann.frontends.brevitas_like import Proxy
from tests.ann.frontends.nets import IMAGE, Net

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.ao.quantization is deprecated:DeprecationWarning")
SHAPE = (2, 6, 6)


def assert_same(model: nn.Module, shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> Any:
    """What is read computes what the model does, its rounding included."""
    ann = read_torch(model, shape)
    x = torch.rand(16, *shape, generator=torch.Generator().manual_seed(1)) * 2 - 0.5
    with torch.no_grad():
        expected = model(x)
    expected = expected.value if isinstance(expected, tuple) else expected
    read = Evaluator(ann)(x)[0].flatten(1)
    far = (read - expected.flatten(1)).abs() > 1e-5  # one that lies between two steps may go either way
    assert far.float().mean() < 0.02
    return ann


class Quantizing(nn.Module):
    """Residual, with every fused layer of torch.ao, stubs and a sum with a quantizer of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.quant, self.dequant = quantization.QuantStub(), quantization.DeQuantStub()
        self.conv, self.bn, self.relu = nn.Conv2d(2, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU()
        self.conv2, self.bn2 = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)
        self.conv3, self.relu3 = nn.Conv2d(3, 3, 2), nn.ReLU()
        self.plus = nn.quantized.FloatFunctional()
        self.fc, self.relu4, self.last = nn.Linear(75, 6), nn.ReLU(), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn(self.conv(self.quant(x))))
        x = self.relu3(self.conv3(self.plus.add(x, self.bn2(self.conv2(x)))))
        return self.dequant(self.last(self.relu4(self.fc(x.flatten(1)))))


@pytest.fixture(scope="module")
def trained() -> nn.Module:
    torch.manual_seed(0)
    model = Quantizing().train()
    model.qconfig = quantization.get_default_qat_qconfig("fbgemm")
    fused = [["conv", "bn", "relu"], ["conv2", "bn2"], ["conv3", "relu3"], ["fc", "relu4"]]
    model = quantization.prepare_qat(quantization.fuse_modules_qat(model, fused))
    for _ in range(3):
        model(torch.rand(16, *SHAPE) * 2 - 0.5)
    return model.eval()


def test_quantization_aware_training_of_torch(trained: nn.Module) -> None:
    scale = float(trained.conv.activation_post_process.scale)
    ann = assert_same(trained.apply(quantization.disable_observer), SHAPE)
    lowered = lower(ann)
    layers = [node.layer or node.name for node in lowered.ann if isinstance(node, Linear)]
    assert [name for name in layers if name.startswith(("conv", "fc", "last"))] == ["conv", "conv3", "fc", "last"]
    first = next(node for node in lowered.ann if isinstance(node, Relu))
    assert (first.bound, first.levels) == (pytest.approx(127 * scale), 0)
    assert lowered.notes == ("training rounded activations; rounding is left to rates",)


def test_a_quantizer_does_not_follow_what_it_is_read_with(trained: nn.Module) -> None:
    model = copy.deepcopy(trained).apply(quantization.enable_observer)
    before = copy.deepcopy(model.state_dict())
    x = np.random.default_rng(0).random((8, *SHAPE), np.float32) * 100
    notes = lc.convert(model, x, board=None, timesteps=4).record.notes
    assert any("without the rounding of activations outputs differ by" in note for note in notes)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_observers_and_switched_off_quantizers_do_nothing(trained: nn.Module) -> None:
    plain = Quantizing().eval()
    plain.qconfig = quantization.get_default_qconfig("fbgemm")
    watched = quantization.prepare(plain)
    watched(torch.rand(4, *SHAPE))
    off = copy.deepcopy(trained).apply(quantization.disable_fake_quant).apply(quantization.disable_observer)
    for model in (watched, off):
        assert not any(isinstance(node, Quantize) for node in assert_same(model, SHAPE))


def test_integer_models_are_refused(trained: nn.Module) -> None:
    model = quantization.convert(copy.deepcopy(trained))
    (problem,) = problems(model, SHAPE)
    assert isinstance(problem, UnsupportedLayer)
    assert str(problem).startswith("quant: Quantize computes with integers")
    assert problem.remedy == "give the model as it was before torch.ao.quantization.convert"


def test_functions() -> None:
    scales, zeros = torch.tensor([0.1, 0.2, 0.3, 0.4]), torch.zeros(4, dtype=torch.int32)
    ops = torch.ops.quantized_decomposed

    def forward(m: Any, x: Tensor) -> Tensor:
        x = torch.fake_quantize_per_channel_affine(m.c(x), scales, zeros, 1, -8, 7)
        x = ops.dequantize_per_tensor.default(ops.quantize_per_tensor.default(x, 0.1, 3, 0, 15, torch.uint8), 0.1, 3, 0, 15, torch.uint8)
        weight = ops.dequantize_per_channel.default(m.w, scales, None, 0, -128, 127, torch.int8)
        return torch.fake_quantize_per_tensor_affine(nn.functional.conv2d(x, weight), 0.05, 10, -128, 127)

    model = Net(forward, c=nn.Conv2d(4, 4, 1))
    model.register_buffer("w", torch.randint(-100, 100, (4, 4, 1, 1), dtype=torch.int8))
    quantizers = [node for node in assert_same(model, IMAGE) if isinstance(node, Quantize)]
    assert [(node.low, node.high) for node in quantizers] == [(-8, 7), (-3, 12), (-138, 117)]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda m, x: torch.fake_quantize_per_channel_affine(x, torch.rand(7), torch.zeros(7), 2, 0, 15), "has scales of shape"),
        (lambda m, x: torch.fake_quantize_per_tensor_affine(x, 0.1, 0, 0, 0), "has steps from 0 to 0 only"),
        (lambda m, x: torch.fake_quantize_per_channel_affine(x, torch.rand(4), torch.arange(4.0), 1, 0, 15), "several of them"),
    ],
)
def test_other_quantizers_are_refused(function: Any, said: str) -> None:
    (problem,) = problems(Net(function), IMAGE)
    assert said in str(problem)


def act(kind: type[brevitas.QuantReLU] = brevitas.QuantReLU, wrapped: bool = False, **options: Any) -> nn.Module:
    return kind(Proxy(nn.ReLU() if kind is brevitas.QuantReLU else nn.Identity(), **options), wrapped)


def test_brevitas() -> None:
    torch.manual_seed(0)
    first, last = brevitas.QuantConv2d(4, 3, 3), brevitas.QuantLinear(36, 3)
    last.output_quant = Proxy(nn.Identity(), bits=8, signed=True)

    def forward(m: Any, x: Tensor) -> Any:
        y = m.r(m.bn(m.a(m.q(x))))
        z = m.add(m.h(m.b(y)), m.b(y))
        return m.l(m.pool(m.s(z)).flatten(1)), m.up(y)

    model = Net(
        forward,
        q=act(brevitas.QuantIdentity, True, bits=8, step=0.01, signed=True),
        a=first,
        bn=nn.BatchNorm2d(3),
        r=act(wrapped=True),
        b=brevitas.QuantConv2d(3, 3, 3, padding=1, bias=False),
        h=act(brevitas.QuantHardTanh, signed=True, bits=5, step=0.05),
        add=brevitas.QuantEltwiseAdd(Proxy(nn.Identity(), bits=8, step=0.01, signed=True), Proxy(nn.Identity(), bits=8, zero=99)),
        s=act(wrapped=True, bits=2),
        pool=nn.MaxPool2d(2, 1),
        l=last,
        up=brevitas.QuantUpsample(scale_factor=2),
    ).eval()
    main = Net(lambda m, x: m.inner(x)[0], inner=model)
    ann = assert_same(main, IMAGE)
    bias = ann["inner.a"]
    assert isinstance(bias, Linear)
    step = 0.01 * float(first.quant_weight(None).scale)
    np.testing.assert_allclose(np.rint(bias.bias / step), bias.bias / step, atol=1e-3)
    lowered = lower(ann)
    assert "training rounded activations to 3 and 15 steps" in lowered.notes[-1]
    assert {relu.levels for relu in lowered.ann if isinstance(relu, Relu)} == {3, 15, 0}
    assert lc.check(model, IMAGE).ok


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (brevitas.QuantReLU(Proxy(nn.Sigmoid())), "0.function: Sigmoid anywhere but at the very end"),
        (brevitas.QuantIdentity(Proxy(nn.Identity(), bits=1, signed=True)), "0.quantizer: QuantIdentity has steps from -1 to 0 only"),
        (brevitas.QuantReLU(Proxy(nn.ReLU(), zero=0.5)), "0.quantizer: QuantReLU has a zero point between two steps"),
        (brevitas.QuantLSTM(), "0: QuantLSTM cannot be converted"),
    ],
)
def test_what_brevitas_does_else_is_refused(layer: nn.Module, said: str) -> None:
    (problem,) = problems(nn.Sequential(layer, nn.Linear(5, 3)), (5,))
    assert said in str(problem)
