"""From a trained model, in whatever form it comes, to an `Ann`."""

from loihiconv.ann.frontends.loading import load_factory, load_weights
from loihiconv.ann.frontends.torch import problems, read_torch

__all__ = ["load_factory", "load_weights", "problems", "read_torch"]
