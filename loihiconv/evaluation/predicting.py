"""Classes that the float network names, and test sets that can be judged by."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from loihiconv.errors import InvalidData
from loihiconv.linear import Array


def predict(model: nn.Module, x: Array, batch: int = 256) -> Array:
    """Classes that the float network names, evaluated in inference mode without changing the model."""
    training = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.inference_mode():
            outputs = [model(torch.from_numpy(np.ascontiguousarray(x[i : i + batch], np.float32))) for i in range(0, len(x), batch)]
    finally:
        for module, mode in training.items():
            module.training = mode
    return np.concatenate([o.flatten(1).argmax(1).numpy() for o in outputs])


def check_test_set(test_set: tuple[Array, Array]) -> tuple[Array, Array]:
    """Samples and labels as arrays, or `InvalidData` if they do not belong together."""
    try:
        x, y = (np.asarray(part) for part in test_set)
    except (TypeError, ValueError) as error:
        raise InvalidData("not a pair of samples and labels", where="test set", limit="(x, y) expected") from error
    if len(x) != len(y):
        raise InvalidData(f"{len(x)} samples and {len(y)} labels", where="test set", limit="as many labels as samples expected")
    if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer):
        raise InvalidData(f"labels of type {y.dtype} and shape {y.shape}", where="test set", limit="whole numbers (N,) expected")
    return x, y
