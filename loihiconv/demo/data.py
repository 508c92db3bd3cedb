"""scikit-learn's handwritten digits, split once and for all."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Images: TypeAlias = npt.NDArray[np.float32]
Labels: TypeAlias = npt.NDArray[np.int64]

HELD_OUT = 360
"""Images that training never sees: a fifth of the 1,797, with every class in proportion."""
SEED = 0


def digits() -> tuple[Images, Labels, Images, Labels]:
    """Training and held-out digits.

    Returns
    -------
    x_train : float32 (1437, 1, 8, 8)
        Images in [0, 1]: pixel / 16.
    y_train : int64 (1437,)
        The digits they show.
    x_test : float32 (360, 1, 8, 8)
        Held-out images, stratified by class; the same 360 on every call.
    y_test : int64 (360,)
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    images = (pixels / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    x_train, x_test, y_train, y_test = train_test_split(
        images, labels.astype(np.int64), test_size=HELD_OUT, stratify=labels, random_state=SEED
    )
    return x_train, y_train, x_test, y_test
