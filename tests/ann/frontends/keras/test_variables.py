"""Where a layer's weights are, in all layouts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loihiconv.ann.frontends.keras.model import KerasModel
from loihiconv.ann.frontends.keras.variables import snake_case, variables
from loihiconv.core.errors import InvalidModel
from tests.ann.frontends.keras.made import h5py, part, saved, sequential, weights


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Conv2D", "conv2d"), ("ReLU", "re_lu"), ("MaxPooling2D", "max_pooling2d"), ("BatchNormalization", "batch_normalization")],
)
def test_names_as_keras_counts_them(name: str, expected: str) -> None:
    assert snake_case(name) == expected


def test_which_there_are() -> None:
    assert variables("Dense", {}) == ("kernel", "bias")
    assert variables("SeparableConv2D", {"use_bias": False}) == ("depthwise_kernel", "pointwise_kernel")
    assert variables("BatchNormalization", {"scale": False}) == ("beta", "moving_mean", "moving_variance")
    assert variables("Normalization", {"mean": [0.0]}) == variables("ReLU", {}) == ()


def test_what_is_missing_or_there_twice_is_said(tmp_path: Path) -> None:
    model = sequential((3,), part("Dense", "head"))
    with pytest.raises(InvalidModel, match="head: its weights are missing; save the whole model again"):
        KerasModel(saved(tmp_path, model))
    with pytest.raises(InvalidModel, match="head: its bias is in the file 0 times"):
        KerasModel(saved(tmp_path, model, {"head": {"kernel": weights(3, 2)}}))


def test_weights_under_another_name_are_not_taken(tmp_path: Path) -> None:
    """Keras 3 writes the layer's name beside its variables; an exchange would go unseen otherwise."""
    source = Path(__file__).parents[3] / "fixtures" / "keras" / "residual.keras"
    import io
    import zipfile

    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    data = io.BytesIO(members["model.weights.h5"])
    with h5py.File(data, "r+") as file:
        file["layers/conv2d/vars"].attrs["name"] = "other"
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, data.getvalue() if name == "model.weights.h5" else content)
    with pytest.raises(InvalidModel, match="its weights are those of 'other'"):
        KerasModel(path)


def test_names_with_numbers_of_older_files(tmp_path: Path) -> None:
    """ "conv_1_1/kernel:0" is what Keras 2 wrote of a layer that was made twice."""
    path = saved(tmp_path, sequential((3,), part("Dense", "head")), {"head": {"kernel": weights(3, 2), "bias": weights(2)}})
    with h5py.File(path, "r+") as file:
        group = file["model_weights/head"]
        group.move("head", "head_1")
        group.attrs["weight_names"] = [b"head_1/kernel:0", b"head_1/bias:0"]
    assert KerasModel(path).outputs(np.zeros((1, 3), np.float32)).shape == (1, 2)
