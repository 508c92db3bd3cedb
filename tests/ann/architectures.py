"""Random PyTorch models for hypothesis, out of everything that is supported.

Operations are drawn one after the other and carried out on an example at once, so that whatever does not fit a shape is left out and
structure shrinks. An operation takes the latest result or any earlier one, and a module may be used again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.ann.frontends.nets import trained

MOST_VALUES = 400
"""Of one result."""

Drawn = tuple[str, Callable[..., Any]]
"""What an operation is, for whoever reads a failing example, and the operation; a module is both an operation and a layer."""


class Model(nn.Module):
    """Carries out steps, each on earlier results; the last result is the output."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        self.steps: list[tuple[str, Callable[..., Any] | int, tuple[int, ...]]] = []

    def forward(self, x: Tensor) -> Tensor:
        results = [x]
        for _, operation, sources in self.steps:
            function = self.layers[operation] if isinstance(operation, int) else operation
            results.append(function(*(results[i] for i in sources)))
        return results[-1]


@dataclass
class Case:
    """A model and the shape of its samples."""

    shape: tuple[int, ...]
    model: Model = field(default_factory=Model)

    def __repr__(self) -> str:
        steps = (f"{i + 1}: {text} of {sources}" for i, (text, _, sources) in enumerate(self.model.steps))
        return "\n  ".join([f"input {self.shape}", *steps])


@st.composite
def cases(draw: st.DrawFn, *, most: int = 8, wide: bool = False, quantized: bool = False) -> Case:
    """Models of up to ``most`` operations and a head; ``wide`` ones have more channels, so that few are without any spikes.

    ``quantized`` ones round some results, as training for few bits does.
    """
    small = st.integers(1, 5)
    channels = st.integers(6, 10) if wide else st.integers(1, 5)
    shape = draw(
        st.one_of(
            st.tuples(channels, st.integers(1, 7), st.integers(1, 7)), st.tuples(channels, st.integers(1, 9)), st.tuples(st.integers(1, 9))
        )
    )
    case = Case(shape)
    seed = draw(st.integers(0, 2**16))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        results = [torch.rand(2, *shape)]
        for _ in range(draw(st.integers(1, most))):
            _step(
                draw,
                case,
                results,
                draw(st.sampled_from([*OPERATIONS] + ["quantized"] * 8 * quantized)),
                small if not wide else st.integers(6, 10),
            )
        _head(draw, case, results)
        trained(case.model)
    case.model.eval()
    return case


def _step(draw: st.DrawFn, case: Case, results: list[Tensor], kind: str, sizes: st.SearchStrategy[int]) -> None:
    source = draw(st.one_of(st.just(len(results) - 1), st.integers(0, len(results) - 1)))
    x = results[source]
    sources: tuple[int, ...] = (source,)
    if kind in ("add", "subtract", "maximum", "cat", "stack", "minimum"):
        fits = [i for i, other in enumerate(results) if other.ndim == x.ndim]
        if kind != "cat":
            fits = [i for i in fits if results[i].shape == x.shape or kind in ("add", "subtract")]
        sources = (source, *draw(st.lists(st.sampled_from(fits), min_size=1, max_size=1 if kind != "cat" else 2)))
    if kind == "again":
        used = [step for step in case.model.steps if isinstance(step[1], int)]
        if not used:
            return
        _try(case, results, draw(st.sampled_from(used))[:2], sources)
        return
    drawn = (_quantized if kind == "quantized" else OPERATIONS[kind])(draw, x, sizes)
    if drawn is not None:
        text, operation = drawn
        if isinstance(operation, nn.Module):
            case.model.layers.append(operation.eval())
            operation = len(case.model.layers) - 1
        _try(case, results, (text, operation), sources)


def _try(case: Case, results: list[Tensor], operation: tuple[str, Any], sources: tuple[int, ...]) -> None:
    text, function = operation
    call = case.model.layers[function] if isinstance(function, int) else function
    try:
        with torch.no_grad():
            result = call(*(results[i] for i in sources))
    except (RuntimeError, IndexError, ValueError, NotImplementedError, TypeError):
        return
    if (
        not 0 < prod(result.shape[1:]) <= MOST_VALUES
        or not result.isfinite().all()
        or result.ndim > 5
        or result.ndim < 2
        or len(result) != 2
    ):
        return
    case.model.steps.append((text, function, sources))
    results.append(result)


def _head(draw: st.DrawFn, case: Case, results: list[Tensor]) -> None:
    kind = draw(st.sampled_from(("classes", "one", "as it is", "mean")))
    last = (len(results) - 1,)
    if kind == "mean" and results[-1].ndim > 2:
        _try(case, results, ("mean over space", lambda x: x.mean(tuple(range(2, x.ndim)))), last)
    if kind in ("classes", "one") or not case.model.layers:  # a model without any operation is refused
        _try(case, results, ("flatten", lambda x: x.flatten(1)), last)
        case.model.layers.append(nn.Linear(results[-1].shape[1], 4 if kind == "classes" else 1))
        _try(case, results, ("Linear", len(case.model.layers) - 1), (len(results) - 1,))


# --- operations: (draw, example, sizes) -> what it is and the operation


def _of(layer: nn.Module) -> Drawn:
    return repr(layer), layer


def _by_rank(x: Tensor, kinds: tuple[Any, Any]) -> Any:
    return {3: kinds[0], 4: kinds[1]}.get(x.ndim)


def _linear(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn:
    return _of(nn.Linear(x.shape[-1], draw(sizes), bias=draw(st.booleans())))


def _conv(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn | None:
    kind = _by_rank(x, (nn.Conv1d, nn.Conv2d))
    if kind is None:
        return None
    groups = draw(st.sampled_from([g for g in range(1, x.shape[1] + 1) if x.shape[1] % g == 0]))
    stride = draw(st.integers(1, 2))
    padding = draw(st.sampled_from((0, 1, 2, *(("same",) if stride == 1 else ()))))
    options = {"stride": stride, "padding": padding, "dilation": draw(st.integers(1, 2)), "groups": groups, "bias": draw(st.booleans())}
    return _of(kind(x.shape[1], groups * draw(st.integers(1, 2)) if groups > 1 else draw(sizes), draw(st.integers(1, 3)), **options))


def _transposed(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn | None:
    kind = _by_rank(x, (nn.ConvTranspose1d, nn.ConvTranspose2d))
    if kind is None:
        return None
    groups = draw(st.sampled_from([g for g in range(1, x.shape[1] + 1) if x.shape[1] % g == 0]))
    options = {"stride": draw(st.integers(1, 3)), "padding": draw(st.integers(0, 1)), "output_padding": draw(st.integers(0, 1))}
    return _of(kind(x.shape[1], groups * draw(st.integers(1, 2)), draw(st.integers(1, 3)), groups=groups, **options))


def _batch_norm(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn | None:
    kind = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d}.get(x.ndim)
    return kind and _of(kind(x.shape[1], affine=draw(st.booleans())))


def _activation(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn:
    kinds = (
        *(nn.ReLU(), nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(0.2), nn.PReLU(), nn.Hardtanh(-0.5, 0.3), nn.Hardtanh(0, 0.4), nn.Hardsigmoid()),
        nn.PReLU(x.shape[1], init=0.4),
    )
    return _of(draw(st.sampled_from(kinds)))


def _quantized(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn:
    low, high = draw(st.sampled_from(((0, 3), (0, 15), (-8, 7), (-128, 127), (0, 255))))
    step = float(torch.rand(()) / 5 + 0.01)  # no round number, so that nothing lies just between two steps
    if draw(st.booleans()):
        steps, zeros = torch.rand(x.shape[1]) / 5 + 0.01, torch.zeros(x.shape[1], dtype=torch.int32)
        return f"quantized {low} to {high} per channel", lambda x: torch.fake_quantize_per_channel_affine(x, steps, zeros, 1, low, high)
    return f"quantized {low} to {high}", lambda x: torch.fake_quantize_per_tensor_affine(x, step, 0, low, high)


def _clamp(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn:
    low, high = draw(st.sampled_from(((0, None), (0.1, 0.6), (None, 0.5), (-0.4, None), (-0.3, 0.3), (0, 0.5))))
    return f"clamp({low}, {high})", lambda x: x.clamp(low, high)


def _pool(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn | None:
    kernel = draw(st.integers(1, 3))
    stride, padding, ceil_mode = draw(st.integers(1, 3)), draw(st.integers(0, kernel // 2)), draw(st.booleans())
    if draw(st.booleans()):
        kind = _by_rank(x, (nn.MaxPool1d, nn.MaxPool2d))
        return kind and _of(kind(kernel, stride, padding, draw(st.integers(1, 2)), ceil_mode=ceil_mode))
    options: dict[str, Any] = {"count_include_pad": draw(st.booleans())}
    if x.ndim == 4:
        options["divisor_override"] = draw(st.sampled_from((None, 3)))
    kind = _by_rank(x, (nn.AvgPool1d, nn.AvgPool2d))
    return kind and _of(kind(kernel, stride, padding, ceil_mode, **options))


def _adaptive(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn | None:
    kinds = draw(st.sampled_from(((nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d), (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d))))
    kind = _by_rank(x, kinds)
    return kind and _of(kind(draw(st.integers(1, 3))))


def _reduced(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn:
    axes = draw(st.lists(st.integers(1, x.ndim - 1), min_size=1, max_size=2, unique=True))
    keep = draw(st.booleans()) or len(axes) == x.ndim - 1
    name = draw(st.sampled_from(("mean", "sum", "amax")))
    return f"{name}({axes}, {keep})", lambda x: getattr(x, name)(axes, keep)


def _less_mean(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn:
    axis = draw(st.integers(1, x.ndim - 1))
    return f"less mean over {axis}", lambda x: x - x.mean(axis, keepdim=True)


def _cat(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn:
    axis = draw(st.integers(1, x.ndim - 1))
    return f"cat {axis}", lambda *parts: torch.cat(parts, axis)


def _stack(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn:
    axis = draw(st.integers(1, x.ndim))
    return f"stack {axis}", lambda *parts: torch.stack(parts, axis)


def _part(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn:
    axis, count = draw(st.integers(1, x.ndim - 1)), draw(st.integers(1, 3))
    name, at = draw(st.sampled_from(("chunk", "split"))), draw(st.integers(-1, 1))
    return f"{name}({count}, {axis})[{at}]", lambda x: getattr(x, name)(count, axis)[at]


def _slice(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn:
    bounds = st.none() | st.integers(-4, 4)
    slices = [slice(draw(bounds), draw(bounds), draw(st.integers(1, 2))) for _ in x.shape[1:]]
    index: tuple[Any, ...] = (slice(None), *slices)
    if x.ndim > 2 and draw(st.booleans()):
        index = (*index[:-1], draw(st.integers(-1, 0)))
    return f"{index}", lambda x: x[index]


def _arranged(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn:
    axes = draw(st.permutations(range(1, x.ndim)))
    axis, by = draw(st.integers(1, x.ndim - 1)), draw(st.integers(-2, 3))
    times = [1, *draw(st.lists(st.integers(1, 2), min_size=x.ndim - 1, max_size=x.ndim - 1))]
    kinds: tuple[Drawn, ...] = (
        (f"permute{axes}", lambda x: x.permute(0, *axes)),
        (f"flip({axis})", lambda x: x.flip(axis)),
        (f"roll({by}, {axis})", lambda x: x.roll(by, axis)),
        (f"repeat({times})", lambda x: x.repeat(*times)),
        (f"unsqueeze({axis})", lambda x: x.unsqueeze(axis)),
        (f"squeeze({axis})", lambda x: x.squeeze(axis)),
        (f"flatten({axis})", lambda x: x.flatten(axis)),
        (f"channel shuffle({by})", lambda x: F.channel_shuffle(x, by)),
        (f"pixel shuffle({by})", lambda x: F.pixel_shuffle(x, by)),
        (f"pixel unshuffle({by})", lambda x: F.pixel_unshuffle(x, by)),
    )
    return draw(st.sampled_from(kinds))


def _reshape(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn:
    count = prod(x.shape[1:])
    first = draw(st.sampled_from([n for n in range(1, count + 1) if count % n == 0]))
    second = draw(st.sampled_from([n for n in range(1, count // first + 1) if count // first % n == 0]))
    shape = draw(st.sampled_from(((count,), (first, count // first), (first, second, count // first // second))))
    return f"reshape{shape}", lambda x: x.reshape(-1, *shape)


def _pad(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn:
    axes = draw(st.integers(1, max(1, min(2, x.ndim - 2))))
    mode = draw(st.sampled_from(("constant", "reflect", "replicate", "circular")))
    if mode != "constant":
        axes = max(1, x.ndim - 2)
    width = st.integers(-1 if mode == "constant" else 0, 2)
    around = draw(st.lists(width, min_size=2 * axes, max_size=2 * axes))
    value = draw(st.sampled_from((0.0, 0.7))) if mode == "constant" else None
    return f"pad({around}, {mode}, {value})", lambda x: F.pad(x, around, mode, value)


def _upsample(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn:
    mode = draw(st.sampled_from(("nearest", "nearest-exact", "linear" if x.ndim == 3 else "bilinear")))
    options: dict[str, Any] = {"size": draw(st.integers(1, 5))}
    if draw(st.booleans()):
        options = {"scale_factor": draw(st.sampled_from((2, 1.5)))}
    if "linear" in mode:
        options["align_corners"] = draw(st.booleans())
    return _of(nn.Upsample(mode=mode, **options))


def _constant(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn:
    shape = [size if draw(st.booleans()) else 1 for size in x.shape[1:]]
    values = torch.randn(shape, dtype=torch.float64)
    kinds: tuple[Drawn, ...] = (
        (f"plus {shape}", lambda x: x + values),
        (f"less {shape}", lambda x: values - x),
        (f"times {shape}", lambda x: x * values),
        (f"over {shape}", lambda x: x / (values.abs() + 0.5)),
        ("negated", lambda x: -x),
        ("half", lambda x: x / 2 + 0.1),
    )
    return draw(st.sampled_from(kinds))


def _beside_constants(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn:
    axis, mask = draw(st.integers(1, x.ndim - 1)), torch.rand(x.shape[1:]) > 0.5
    kinds: tuple[Drawn, ...] = (
        ("masked", lambda x: torch.where(mask, x, 0.3)),
        ("filled", lambda x: x.masked_fill(mask, -0.2)),
        (f"with ones {axis}", lambda x: torch.cat([x, torch.ones_like(x)], axis)),
    )
    return draw(st.sampled_from(kinds))


def _in_place(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn:
    axis, end = draw(st.integers(1, x.ndim - 1)), draw(st.integers(-1, 2))
    part = (*(slice(None) for _ in range(axis)), slice(end))

    def assigned(x: Tensor) -> Tensor:
        y = x.clone()
        y[part] = 0.4
        return y

    def added(x: Tensor) -> Tensor:
        y = x + 1
        y[part] += x[part]
        y -= x
        return y

    def apart(x: Tensor) -> Tensor:
        y = x * 2
        first, rest = y[:, :1], y[:, 1:]
        first.relu_()
        return torch.cat([rest, first], 1)

    return draw(st.sampled_from(((f"assigned {part}", assigned), (f"added {part}", added), ("apart", apart))))


def _affine(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn:
    """What has no handler, and is read by trial."""
    axis = draw(st.integers(1, x.ndim - 1))
    matrix = torch.randn(x.shape[-1], draw(st.integers(1, 4)), dtype=torch.float64)
    kinds: tuple[Drawn, ...] = (
        (f"cumsum {axis}", lambda x: x.cumsum(axis)),
        (f"diff {axis}", lambda x: x.diff(dim=axis)),
        (f"x @ {tuple(matrix.shape)}", lambda x: x @ matrix),
        (f"einsum {tuple(matrix.shape)}", lambda x: torch.einsum("n...i,ij->n...j", x, matrix.to(x.dtype))),
    )
    return draw(st.sampled_from(kinds))


def _pool_3d(draw: st.DrawFn, x: Tensor, sizes: Any) -> Drawn | None:
    if x.ndim != 4:
        return None
    kernel, ceil_mode = draw(st.tuples(*[st.integers(1, 2)] * 3)), draw(st.booleans())
    pool = draw(st.sampled_from((F.max_pool3d, F.avg_pool3d)))
    return f"{pool.__name__}({kernel}, {ceil_mode})", lambda x: pool(x.unsqueeze(1), kernel, ceil_mode=ceil_mode).squeeze(1)


def _two(text: str, function: Callable[..., Any]) -> Callable[..., Drawn]:
    return lambda draw, x, sizes: (text, function)


OPERATIONS: dict[str, Callable[..., Drawn | None]] = {
    "activation": _activation,
    "linear": _linear,
    "conv": _conv,
    "transposed": _transposed,
    "batch norm": _batch_norm,
    "clamp": _clamp,
    "pool": _pool,
    "adaptive": _adaptive,
    "reduced": _reduced,
    "less mean": _less_mean,
    "cat": _cat,
    "stack": _stack,
    "part": _part,
    "slice": _slice,
    "arranged": _arranged,
    "reshape": _reshape,
    "pad": _pad,
    "upsample": _upsample,
    "constant": _constant,
    "beside constants": _beside_constants,
    "in place": _in_place,
    "affine": _affine,
    "pool 3d": _pool_3d,
    "again": _two("again", lambda x: x),
    "add": _two("add", lambda a, b: a + b),
    "subtract": _two("subtract", lambda a, b: a - b),
    "maximum": _two("maximum", torch.maximum),
    "minimum": _two("minimum", torch.minimum),
}
