"""Pooling."""

# ruff: noqa: D103  each function is named after what it translates, and says nothing that its decorator does not

from __future__ import annotations

from loihiconv.ann.frontends.keras.layers.registry import Value, Work, layer


@layer("MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "MaxPool1D", "MaxPool2D", "MaxPool3D")
def max_pooling(work: Work, x: Value) -> Value:
    return _pooled(work, x, "MaxPool")


@layer("AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "AvgPool1D", "AvgPool2D", "AvgPool3D")
def average_pooling(work: Work, x: Value) -> Value:
    return _pooled(work, x, "AveragePool")


def _pooled(work: Work, x: Value, kind: str) -> Value:
    dims = x.rank - 2
    size = work.numbers("pool_size", dims, 2)
    strides = work.numbers("strides", dims, size)
    tensor = work.add(kind, work.image(x), kernel_shape=size, strides=strides, **work.padding())
    return work.result(tensor, x.rank)


@layer("GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalAvgPool1D", "GlobalAvgPool2D")
def global_average_pooling(work: Work, x: Value) -> Value:
    return _whole(work, x, "GlobalAveragePool")


@layer("GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "GlobalMaxPool1D", "GlobalMaxPool2D")
def global_max_pooling(work: Work, x: Value) -> Value:
    return _whole(work, x, "GlobalMaxPool")


def _whole(work: Work, x: Value, kind: str) -> Value:
    tensor = work.add(kind, work.image(x))
    return work.result(tensor, x.rank) if work.config.get("keepdims") else Value(work.add("Flatten", tensor), 2)
