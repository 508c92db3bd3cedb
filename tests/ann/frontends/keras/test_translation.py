"""All that stands in the way of a Keras model is said at once, by the names of its layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loihiconv.ann.frontends.keras.reference.activations import FUNCTIONS
from loihiconv.core.errors import UnsupportedLayer
from tests.ann.frontends.keras.made import agreed, functional, part, problems, sequential, weights


def test_code_is_never_carried_out_and_everything_is_listed(tmp_path: Path) -> None:
    parts = (part("Lambda", "mine"), part("Dense", "d", activation="my_function"), part("LSTM", "l"), part("MultiHeadAttention", "m"))
    found = problems(tmp_path, sequential((3,), *parts), {"d": {"kernel": weights(3, 2), "bias": weights(2)}})
    assert found[0].startswith("mine: Lambda cannot be converted; use Keras' own layers; what stands in the file is code")
    assert found[1].startswith("d: Dense has the activation 'my_function', which is not known")
    assert "l: LSTM cannot be converted; use a feed-forward network" in found[2]
    assert "two activations" in found[3]


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (part("ReLU", threshold=1.0), "has a threshold"),
        (part("Conv2D", padding="odd"), "has padding 'odd'"),
        (part("Conv2DTranspose", dilation_rate=2), "is dilated"),
        (part("Reshape", target_shape="all"), "has target_shape all"),
        (part("Permute", dims=[1, 1, 2]), "has dims [1, 1, 2] for 3 axes"),
        (part("ZeroPadding2D", padding=[1, 2, 3]), "has padding [1, 2, 3] for 2 axes"),
        (part("UpSampling2D", interpolation="lanczos3"), "has interpolation 'lanczos3'"),
        (part("BatchNormalization", axis=2), "acts on axis 2"),
        (part("MaxPooling2D", pool_size=[1, 2, 3]), "has pool_size [1, 2, 3], where 2 integers are expected"),
        (part("Concatenate", axis=0), "acts on the batch axis"),
        (part("Softmax", axis=[1, 2]), "has axis [1, 2]"),
        (part("LeakyReLU", alpha="much"), "contradicts itself: ValueError"),
    ],
)
def test_refusals(layer: dict[str, object], said: str, tmp_path: Path) -> None:
    kernel = {"kernel": weights(3, 3, 3, 3), "bias": weights(3)}
    norm = {name: np.ones(3, np.float32) for name in ("gamma", "beta", "moving_mean", "moving_variance")}
    name = str(layer["name"])
    found = problems(tmp_path, sequential((4, 4, 3), layer), {name: norm if "norm" in name else kernel})
    assert len(found) == 1
    assert found[0].startswith(f"{name}: ")
    assert said in found[0]


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_activations_by_name(activation: str, tmp_path: Path) -> None:
    layers = (part("Dense", "d", activation=activation), part("Activation", "a", activation=activation))
    agreed(tmp_path, sequential((5,), *layers, keras3=True), {"d": {"kernel": 4 * weights(5, 7), "bias": weights(7)}})


OPERATION = {"module": "keras.src.ops.numpy"}


def called(layer: dict[str, Any], *arguments: Any, **options: Any) -> dict[str, Any]:
    """A part that is called with these arguments besides "x", as Keras 3 writes it."""
    x = {"class_name": "__keras_tensor__", "config": {"keras_history": ["x", 0, 0]}}
    return {**layer, "inbound_nodes": [{"args": [x, *arguments], "kwargs": options}]}


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (called({**part("Mean", "m"), **OPERATION}), "m: ops.Mean cannot be converted; write it with a layer of Keras' own"),
        (
            called({**part("GetItem", "g"), **OPERATION}, {"class_name": "__slice__", "config": {}}),
            "g: ops.GetItem is called with something",
        ),
        (called({**part("Add", "a"), **OPERATION}, 1, alpha=2), "a: ops.Add is called with alpha; write it"),
        (called({**part("Add", "a"), **OPERATION}, [[1], [2], [3]]), "a: ops.Add takes a constant of shape (3, 1); give it one for all"),
        (called({**part("Add", "a"), **OPERATION}), "a: ops.Add takes 1 arguments; give it two"),
        (called({**part("Clip", "c", x_min=0), **OPERATION}), "c: ops.Clip has bounds [0, None]"),
        (
            called({**part("Dropout", "d"), "module": "keras.layers"}, noise=0.5),
            "d: Dropout is called with noise=0.5; call it with",
        ),
        (called(part("Dropout", "d", trainable=True), True), "d: Dropout is called with argument 2=True"),
        ({**part("Dropout", "d"), "inbound_nodes": [[["x", 0, 0, {"training": True}]]]}, "d: Dropout is called with training=True"),
        (called({**part("ReLU", "r"), "module": None}), "r: ReLU is a class of one's own; use Keras' own layers"),
        (called({**part("ReLU", "r"), "module": "my.layers"}), "r: ReLU is a class of one's own"),
        (
            called(part("Dense", "d", dtype={"class_name": "QuantizedDTypePolicy"})),
            "d: Dense is quantized; floating-point weights expected",
        ),
        (called(part("Dense", "d", dtype="float32", lora_rank=2)), "d: Dense has LoRA weights beside its own; save the model as .keras"),
    ],
)
def test_calls_that_are_refused(layer: dict[str, Any], said: str, tmp_path: Path) -> None:
    name = str(layer["name"])
    model = {**functional((3,), layer, output=name), "keras3": True}
    try:
        found = problems(tmp_path, model)
    except UnsupportedLayer as error:
        found = [str(error)]
    assert len(found) == 1
    assert found[0].startswith(said)


def test_an_argument_that_says_nothing_is_none(tmp_path: Path) -> None:
    layer = called({**part("Dropout", "d", rate=0.5), "module": "keras.layers"}, None, training=True, mask=[None])
    agreed(
        tmp_path,
        {**functional((3,), layer, part("Dense", "e", ["d"]), output="e"), "keras3": True},
        {"e": {"kernel": weights(3, 2), "bias": weights(2)}},
    )


def test_merging_what_broadcasts(tmp_path: Path) -> None:
    for kind in ("Average", "Maximum", "Minimum", "Add", "Subtract"):
        parts = (part("Permute", "p", ["x"], dims=[2, 1, 3]), part("GlobalAveragePooling2D", "g", ["p"], keepdims=True))
        agreed(tmp_path, functional((3, 3, 2), *parts, part(kind, "m", ["x", "g"]), output="m"))


CHANNELS = 3
CONVS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose"]),
        "size": st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "strides": st.integers(1, 3),
        "padding": st.sampled_from(["same", "valid"]),
        "activation": st.sampled_from(["linear", "relu", "tanh"]),
        "use_bias": st.booleans(),
    }
)
POOLS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["MaxPooling2D", "AveragePooling2D"]),
        "pool_size": st.integers(1, 3),
        "strides": st.integers(1, 3),
        "padding": st.sampled_from(["same", "valid"]),
    }
)
OTHERS = st.sampled_from(
    [
        {"kind": "ReLU"},
        {"kind": "ZeroPadding2D", "padding": [[1, 2], [0, 1]]},
        {"kind": "UpSampling2D", "size": [2, 1]},
        {"kind": "Permute", "dims": [2, 1, 3]},
        {"kind": "Rescaling", "scale": 0.5, "offset": [0.1, 0.2, 0.3]},
        {"kind": "Dropout", "rate": 0.5},
        {"kind": "Softmax", "axis": 1},
    ]
)


def drawn(i: int, given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A layer and its variables."""
    kind, config = str(given["kind"]), {key: value for key, value in given.items() if key not in ("kind", "size")}
    size: Any = given.get("size", ())
    shapes = {
        "Conv2D": {"kernel": (*size, CHANNELS, CHANNELS)},
        "Conv2DTranspose": {"kernel": (*size, CHANNELS, CHANNELS)},
        "DepthwiseConv2D": {"depthwise_kernel": (*size, CHANNELS, 1)},
        "SeparableConv2D": {"depthwise_kernel": (*size, CHANNELS, 1), "pointwise_kernel": (1, 1, CHANNELS, CHANNELS)},
    }.get(kind, {})
    values = {name: weights(*shape) for name, shape in shapes.items()}
    if values and config["use_bias"]:
        values["bias"] = weights(CHANNELS)
    return part(kind, f"layer{i}", **(config if values else {**config, **({"size": size} if size else {})})), values


@given(st.lists(st.one_of(CONVS, POOLS, OTHERS), min_size=1, max_size=4), st.sampled_from([(9, 8), (12, 7)]), st.booleans())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_layers_are_what_numpy_makes_of_them(tmp_path: Path, chosen: list[dict[str, Any]], size: tuple[int, int], pooled: bool) -> None:
    height, width = size
    for config in chosen:  # windows must not be larger than what is left
        stride = config.get("strides", 1)
        if config["kind"] == "Permute":
            height, width = width, height
        elif "padding" in config and config["kind"] not in ("Conv2DTranspose", "ZeroPadding2D"):
            smaller = config["padding"] == "valid"
            height, width = ((n - 3) // stride + 1 if smaller else -(-n // stride) for n in (height, width))
        if min(height, width) < 3:
            return
    layers = [drawn(i, config) for i, config in enumerate(chosen)]
    last = part("GlobalAveragePooling2D" if pooled else "Flatten", "last")
    model = sequential((*size, CHANNELS), *(layer for layer, _ in layers), last)
    agreed(tmp_path, model, {str(layer["name"]): values for layer, values in layers if values})
