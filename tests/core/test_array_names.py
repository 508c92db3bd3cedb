"""Names of arrays as people give them."""

from __future__ import annotations

import pytest

from loihiconv.core.array_names import names_of


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["x_train", "y_train", "x_test", "y_test"], ("x_train", "y_train")),
        (["X_train", "Y_train", "X_test", "Y_test"], ("X_train", "Y_train")),
        (["train_images", "train_labels", "val_images", "test_images"], ("train_images", "train_labels")),
        (["training-data", "training-targets"], ("training-data", "training-targets")),
        (["images", "labels"], ("images", "labels")),
        (["X", "other"], ("X", "")),
        (["x_train/image", "x_train/state", "y_train"], ("x_train", "y_train")),
        (["x", "train_images"], ("x", "y")),
        (["images", "features"], None),
        (["train_test_images"], None),
        (["arr_0", "arr_1"], None),
        ([], None),
    ],
)
def test_which_are_samples_and_labels(names: list[str], found: tuple[str, str] | None) -> None:
    assert names_of(names, "train") == found


def test_those_of_another_part_or_of_none_are_not_marked() -> None:
    assert names_of(["x", "y", "test_images"], "train", marked=True) is None
    assert names_of(["Test_Images"], "test", marked=True) == ("Test_Images", "")
