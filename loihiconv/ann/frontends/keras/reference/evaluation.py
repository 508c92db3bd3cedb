"""Evaluate a Keras model in NumPy, channels last, from what Keras says its layers do.

This is the reference that a read file is held against: it shares nothing with what reads the file but the weights and the configuration.
Convolutions are sums over windows, padded as TensorFlow pads: ceil(size / stride) results for "same", the odd pixel at the end
(https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from loihiconv.ann.frontends.keras.network import KerasNetwork
from loihiconv.ann.frontends.keras.reference import kernels as _kernels
from loihiconv.ann.frontends.keras.reference import operations as _operations
from loihiconv.ann.frontends.keras.reference import pooling as _pooling
from loihiconv.ann.frontends.keras.reference import shapes as _shapes
from loihiconv.ann.frontends.keras.reference import values as _values
from loihiconv.ann.frontends.keras.reference.activations import activated
from loihiconv.ann.frontends.keras.reference.rules import RULES
from loihiconv.core.errors import InvalidModel, LoihiconvError
from loihiconv.core.linear import Array

BATCH = 64
"""Samples that are evaluated at a time."""

_REGISTERED = (_kernels, _operations, _pooling, _shapes, _values)


def evaluate(network: KerasNetwork, inputs: Mapping[str, Array]) -> Array:
    """Outputs (N, values), one after the other, for samples {input: array (N, \\*shape)}.

    Raises
    ------
    InvalidModel
        If a layer is not known or its input does not fit.
    """
    samples = len(next(iter(inputs.values())))
    batches = [{name: np.asarray(x[i : i + BATCH], np.float32) for name, x in inputs.items()} for i in range(0, samples, BATCH)]
    return np.concatenate([_evaluate(network, batch) for batch in batches])


def _evaluate(network: KerasNetwork, inputs: Mapping[str, Array]) -> Array:
    results = dict(inputs)
    for layer in network.layers[len(inputs) :]:
        rule = RULES.of(layer.kind)
        if rule is None:
            raise InvalidModel(f"{layer.kind} cannot be evaluated", where=layer.name)
        try:
            result = rule(layer, *(results[name] for name in layer.inputs))
            results[layer.name] = np.asarray(activated(layer, result), np.float32)
        except LoihiconvError:
            raise
        except Exception as error:  # a damaged configuration breaks in many ways
            said = (str(error).splitlines() or [""])[0]
            raise InvalidModel(f"{layer.kind} cannot be evaluated: {type(error).__name__}: {said}", where=layer.name) from error
    outputs = [results[name] for name in network.outputs.values()]
    return np.concatenate([output.reshape(len(output), -1) for output in outputs], axis=1)
