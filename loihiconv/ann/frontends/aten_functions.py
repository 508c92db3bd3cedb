"""ATen operators whose arguments or results differ from those of the function that users call."""

# ruff: noqa: D103  each function is named after the operators that it stands for

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F

from loihiconv.ann.frontends.handlers import Handlers
from loihiconv.core.errors import UnsupportedLayer

FUNCTIONS: Handlers[str] = Handlers()
"""By the operator's name. Arguments that an operator always has come by place, others by name where they are not the default."""
stands_for = FUNCTIONS.on
"""Register what to call for operators of these names."""


# --- layers with weights


@stands_for("_convolution", "convolution")
def convolution(
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
    *backend: bool,
) -> Any:
    axes = weight.ndim - 2
    if transposed:
        return getattr(F, f"conv_transpose{axes}d")(input, weight, bias, stride, padding, output_padding, groups, dilation)
    return getattr(F, f"conv{axes}d")(input, weight, bias, stride, padding, dilation, groups)


@stands_for("_convolution_mode")
def convolution_with_padding(input: Any, weight: Any, bias: Any, stride: Any, padding: str, dilation: Any, groups: int) -> Any:
    return getattr(F, f"conv{weight.ndim - 2}d")(input, weight, bias, stride, padding, dilation, groups)


@stands_for("addmm")
def addmm(bias: Any, input: Any, weight: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    if beta != 1 or alpha != 1:
        return torch.addmm(bias, input, weight, beta=beta, alpha=alpha)
    return F.linear(input, weight.t(), bias)


@stands_for("mm")
def mm(input: Any, weight: Any) -> Any:
    return F.linear(input, weight.t())


@stands_for("embedding")
def embedding(weight: Any, indices: Any, **options: Any) -> Any:
    return F.embedding(indices, weight)


# --- normalization


@stands_for("batch_norm")
def batch_norm(
    input: Any, weight: Any, bias: Any, mean: Any, var: Any, training: bool, momentum: float, eps: float, *cudnn: Any, **named: Any
) -> Any:
    _refuse_training(training)
    return F.batch_norm(input, mean, var, weight, bias, False, momentum, eps)


@stands_for("_native_batch_norm_legit_no_training")
def batch_norm_of_inference(input: Any, weight: Any, bias: Any, mean: Any, var: Any, momentum: float, eps: float) -> Any:
    return F.batch_norm(input, mean, var, weight, bias, False, momentum, eps), None, None


@stands_for("native_batch_norm", "_native_batch_norm_legit", "cudnn_batch_norm")
def native_batch_norm(input: Any, weight: Any, bias: Any, *others: Any) -> Any:
    *statistics, training, momentum, eps = others
    _refuse_training(training or len(statistics) != 2)
    mean, var = statistics
    return F.batch_norm(input, mean, var, weight, bias, False, momentum, eps), None, None


@stands_for("instance_norm")
def instance_norm(
    input: Any, weight: Any, bias: Any, mean: Any, var: Any, use_input_stats: bool, momentum: float, eps: float, *cudnn: Any
) -> Any:
    return F.instance_norm(input, mean, var, weight, bias, use_input_stats, momentum, eps)


@stands_for("native_layer_norm")
def layer_norm(input: Any, normalized_shape: Any, weight: Any, bias: Any, eps: float) -> Any:
    return F.layer_norm(input, normalized_shape, weight, bias, eps), None, None


@stands_for("native_group_norm")
def group_norm(input: Any, weight: Any, bias: Any, samples: Any, channels: Any, pixels: Any, groups: int, eps: float) -> Any:
    return F.group_norm(input, groups, weight, bias, eps), None, None


# --- activations and dropout


@stands_for("_softmax")
def softmax(input: Any, dim: int, half_to_float: bool) -> Any:
    return F.softmax(input, dim)


@stands_for("_log_softmax")
def log_softmax(input: Any, dim: int, half_to_float: bool) -> Any:
    return F.log_softmax(input, dim)


@stands_for("dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout", "dropout_")
def dropout(input: Any, p: float, training: bool) -> Any:
    _refuse_training(training and p > 0)
    return F.dropout(input, p, False)


@stands_for("native_dropout")
def native_dropout(input: Any, p: float, training: bool | None) -> Any:
    return dropout(input, p, bool(training)), None


def _refuse_training(training: bool) -> None:
    if training:
        raise UnsupportedLayer(
            "the graph was made in training mode, with dropout or statistics of batches",
            remedy="call model.eval() before it is exported or traced",
        )


# --- quantization, as torchao's convert_pt2e writes it: what integers stand for in their place


@stands_for("quantized_decomposed::quantize_per_tensor")
def quantize(input: Any, scale: Any, zero_point: Any, quant_min: int, quant_max: int, dtype: Any, **options: Any) -> Any:
    return torch.fake_quantize_per_tensor_affine(input, scale, zero_point, quant_min, quant_max)


@stands_for("quantized_decomposed::dequantize_per_tensor")
def dequantize(input: Any, scale: Any, zero_point: Any, *ends: Any, **options: Any) -> Any:
    return input.clone() if input.dtype.is_floating_point else (input.float() - zero_point) * scale


@stands_for("quantized_decomposed::dequantize_per_channel")
def dequantize_channels(input: Any, scales: Any, zero_points: Any, axis: int, *ends: Any, **options: Any) -> Any:
    if input.dtype.is_floating_point:
        return input.clone()
    along = [-1 if i == axis else 1 for i in range(input.ndim)]
    zero = 0 if zero_points is None else zero_points.float().reshape(along)
    return (input.float() - zero) * scales.float().reshape(along)


# --- pooling and resampling


@stands_for("max_pool1d_with_indices", "max_pool2d_with_indices", "max_pool3d_with_indices")
def max_pool_with_indices(input: Any, kernel_size: Sequence[int], stride: Any = None, *options: Any, **named: Any) -> Any:
    return getattr(F, f"max_pool{len(kernel_size)}d")(input, kernel_size, stride or None, *options, **named), None


@stands_for("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d")
def adaptive_max_pool(input: Any, output_size: Sequence[int]) -> Any:
    return getattr(F, f"adaptive_max_pool{len(output_size)}d")(input, output_size), None


@stands_for("_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "mkldnn_adaptive_avg_pool2d")
def adaptive_avg_pool(input: Any, output_size: Sequence[int]) -> Any:
    return getattr(F, f"adaptive_avg_pool{len(output_size)}d")(input, output_size)


def _resampling(mode: str, antialias: bool = False) -> Callable[..., Any]:
    def upsample(input: Any, output_size: Any, *options: Any, **scales: Any) -> Any:
        corners = next((option for option in options if isinstance(option, bool)), None)
        factors = next((option for option in options if isinstance(option, (list, tuple))), None) if output_size is None else None
        return F.interpolate(input, output_size, factors, mode, corners, antialias=antialias)

    return upsample


for _axes, _smooth in {1: "linear", 2: "bilinear", 3: "trilinear"}.items():
    stands_for(f"upsample_nearest{_axes}d")(_resampling("nearest"))
    stands_for(f"_upsample_nearest_exact{_axes}d")(_resampling("nearest-exact"))
    stands_for(f"upsample_{_smooth}{_axes}d")(_resampling(_smooth))
stands_for("upsample_bicubic2d")(_resampling("bicubic"))
stands_for("_upsample_bilinear2d_aa")(_resampling("bilinear", antialias=True))
stands_for("_upsample_bicubic2d_aa")(_resampling("bicubic", antialias=True))


# --- arrangement


@stands_for("constant_pad_nd")
def constant_pad(input: Any, pad: Any, value: float = 0) -> Any:
    return F.pad(input, pad, "constant", value)


def _padding(mode: str) -> Callable[..., Any]:
    return lambda input, padding: F.pad(input, padding, mode)


for _axes in (1, 2, 3):
    stands_for(f"reflection_pad{_axes}d")(_padding("reflect"))
    stands_for(f"replication_pad{_axes}d")(_padding("replicate"))


@stands_for("slice")
def slice_(input: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Any:
    return input[(slice(None),) * (dim % input.ndim) + (slice(start, end, step),)]


@stands_for("index")
def index(input: Any, indices: Sequence[Any]) -> Any:
    return input[tuple(slice(None) if place is None else place for place in indices)]


@stands_for("index_put_")
def index_put_(input: Any, indices: Sequence[Any], values: Any) -> Any:
    places = tuple(slice(None) if place is None else place for place in indices)
    input[places[0] if len(places) == 1 else places] = values
    return input


@stands_for("index_put")
def index_put(input: Any, indices: Sequence[Any], values: Any) -> Any:
    return index_put_(input.clone(), indices, values)


@stands_for("split_with_sizes", "unsafe_split_with_sizes", "unsafe_split")
def split(input: Any, sizes: Any, dim: int = 0) -> Any:
    return torch.split(input, sizes, dim)


@stands_for("unsafe_chunk")
def chunk(input: Any, chunks: int, dim: int = 0) -> Any:
    return torch.chunk(input, chunks, dim)


@stands_for("_unsafe_view", "_reshape_alias")
def view(input: Any, size: Any, *strides: Any) -> Any:
    return input.reshape(size)


@stands_for("im2col")
def im2col(input: Any, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Any:
    return F.unfold(input, kernel_size, dilation, padding, stride)


# --- what does nothing here, and what asks for sizes


@stands_for("to", "_to_copy", "type_as", "alias", "lift_fresh", "lift_fresh_copy", "detach_", "_autocast_to_full_precision")
def same(input: Any, *options: Any, **named: Any) -> Any:
    """A conversion between floating-point types or devices: networks are read in one precision, on the CPU."""
    dtypes = [option for option in (*options, *named.values()) if isinstance(option, torch.dtype)]
    alike = not dtypes or (dtypes[0].is_floating_point and input.dtype.is_floating_point)
    return input.clone() if alike else input.to(dtypes[0])


@stands_for("contiguous")
def contiguous(input: Any, **memory_format: Any) -> Any:
    return input.contiguous()


@stands_for("clone")
def clone(input: Any, **memory_format: Any) -> Any:
    return input.clone().contiguous() if memory_format else input.clone()


@stands_for("sym_size", "size")
def size(input: Any, dim: int | None = None) -> Any:
    return list(input.shape) if dim is None else input.shape[dim]


@stands_for("sym_numel", "numel")
def numel(input: Any) -> int:
    return int(input.numel())


@stands_for("dim")
def dim(input: Any) -> int:
    return int(input.ndim)


@stands_for("_assert_scalar", "_assert_async", "_assert_tensor_metadata", "sym_constrain_range", "sym_constrain_range_for_size")
def nothing(*_: Any, **named: Any) -> None:
    return None
