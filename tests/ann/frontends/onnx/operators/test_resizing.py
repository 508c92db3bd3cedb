"""Scaling of images as onnxruntime does it, whatever its rules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.ann.frontends.onnx.made import carried_out, made, node, refusal

PLACES = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"]
SHAPE = (3, 4, 5)
SIZES = {"twice": [8, 10], "uneven": [7, 6], "smaller": [2, 3], "one": [1, 1]}


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_to_sizes(mode: str, place: str, sizes: str, tmp_path: Path) -> None:
    whole = {"sizes": np.array([1, 3, *SIZES[sizes]])}
    resize = node("Resize", "x - - sizes", mode=mode, coordinate_transformation_mode=place)
    carried_out(made([resize], SHAPE, whole, batch=1), SHAPE, tmp_path)


@pytest.mark.parametrize("rule", ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"])
@pytest.mark.parametrize("place", ["half_pixel", "asymmetric"])
def test_nearest_rules(rule: str, place: str, tmp_path: Path) -> None:
    scales = {"scales": np.array([1, 1, 1.5, 0.6], np.float32)}
    resize = node("Resize", "x - scales", mode="nearest", coordinate_transformation_mode=place, nearest_mode=rule)
    carried_out(made([resize], SHAPE, scales), SHAPE, tmp_path)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("factors", [(2, 2), (1.5, 2), (1, 1)])
def test_scales_of_all_ages(mode: str, factors: tuple[float, float], tmp_path: Path) -> None:
    scales = {"scales": np.array([1, 1, *factors], np.float32)}
    carried_out(made([node("Resize", "x - scales", mode=mode)], SHAPE, scales), SHAPE, tmp_path)
    carried_out(made([node("Resize", "x scales", mode=mode)], SHAPE, scales, opset=10), SHAPE, tmp_path)
    carried_out(made([node("Upsample", "x scales", mode=mode)], SHAPE, scales, opset=9), SHAPE, tmp_path)
    carried_out(made([node("Upsample", "x", mode=mode, scales=[1.0, 1.0, *map(float, factors)])], SHAPE, opset=7), SHAPE, tmp_path)


def test_axes(tmp_path: Path) -> None:
    model = made([node("Resize", "x - scales", axes=[2, 3])], SHAPE, {"scales": np.array([2, 3], np.float32)}, opset=18)
    carried_out(model, SHAPE, tmp_path)


def test_refusals(tmp_path: Path) -> None:
    scales = {"scales": np.array([1, 1, 2, 2], np.float32)}
    for attributes, reason in (
        ({"mode": "cubic"}, "use nearest or linear interpolation"),
        ({"antialias": 1, "mode": "linear"}, "smooths"),
        ({"coordinate_transformation_mode": "tf_crop_and_resize"}, "places pixels by 'tf_crop_and_resize'"),
    ):
        assert reason in refusal(made([node("Resize", "x - scales", **attributes)], SHAPE, scales, opset=18), SHAPE, tmp_path)
    for factors in ([1, 2, 2, 2], [1, 1, 1e6, 1e6]):
        model = made([node("Resize", "x - scales")], SHAPE, {"scales": np.array(factors, np.float32)})
        assert "the_resize: Resize" in refusal(model, SHAPE, tmp_path)
