"""Layers of Keras as operations, one small function each; importing this package registers them all."""

from loihiconv.ann.frontends.keras.layers import activations, dense, merging, operations, pooling, shapes, statistics

__all__ = ["activations", "dense", "merging", "operations", "pooling", "shapes", "statistics"]
