"""The front end for lava-dl's sigma-delta networks: float networks of ReLUs that send changes of their activations.

A layer of sigma-delta neurons sums the changes that it gets, and sends those of act = relu(sum + bias) that reach its threshold. In the
long run that is act itself, so the network is converted as the ReLU network that it is, and thresholds are left out. lava-dl's weights
stand for w / 64 (six fractional bits), its biases for themselves.
"""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from loihiconv.ann.frontends.model import FloatModel
from loihiconv.ann.frontends.netx_file import read_netx
from loihiconv.ann.frontends.netx_layers import SIGMA_DELTA, Layer, Netx
from loihiconv.ann.graph import Ann, Input, Linear, Node, Relu
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from loihiconv.core.linear import Array, Conv, Shape

WEIGHT_UNIT = 64
"""What a weight of 1 is in the file."""
BATCH = 256
"""Samples that are evaluated at a time."""


class NetxModel(FloatModel):
    """A sigma-delta network of lava-dl.

    Parameters
    ----------
    source : path, or Netx

    Raises
    ------
    InvalidModel
        If the file cannot be read.
    UnsupportedLayer
        If its neurons are spiking ones, or compute no ReLU.
    """

    def __init__(self, source: str | Path | Netx) -> None:
        self.netx = source if isinstance(source, Netx) else read_netx(source)
        self.name, self.sample_shape = Path(self.netx.path).name, self.netx.shape
        for layer in self.netx.layers:
            neuron = layer.neuron
            if neuron is None or neuron.kind != SIGMA_DELTA:
                kind = "no" if neuron is None else neuron.kind
                raise UnsupportedLayer(f"{kind} neurons", where=layer.name, limit="a network of SDNN neurons alone expected")
            if neuron.activation != "relu":
                raise UnsupportedLayer(f"activation {neuron.activation}", where=layer.name, limit="relu expected")

    def ann(self, shape: Shape) -> Ann:
        if tuple(shape) != self.netx.shape:
            raise InvalidModel(f"samples of shape {tuple(shape)}", where=self.name, limit=f"{self.netx.shape} expected")
        nodes: list[Node] = [Input("input", self.netx.shape)]
        for layer in self.netx.layers:
            scaled = layer.map.with_weight(layer.map.weight / WEIGHT_UNIT)
            nodes.append(Linear(layer.name, (nodes[-1].name,), scaled, layer.bias))
            if _rectifies(layer):
                nodes.append(Relu(f"{layer.name}.relu", (layer.name,)))
        return Ann(tuple(nodes))

    def outputs(self, x: Array) -> Array:
        with torch.inference_mode():
            parts = [self._outputs(torch.from_numpy(np.array(x[i : i + BATCH], np.float32))) for i in range(0, len(x), BATCH)]
        return np.concatenate([part.flatten(1).numpy() for part in parts])

    def _outputs(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.netx.layers:
            weight = torch.from_numpy(np.asarray(layer.map.weight, np.float32))
            if isinstance(layer.map, Conv):
                top, _, left, _ = layer.map.padding
                x = F.conv2d(x, weight, None, layer.map.stride, (top, left), layer.map.dilation, layer.map.groups)
            else:
                x = x.reshape(len(x), prod(x.shape[1:])) @ weight.T
            bias = 0.0 if layer.bias is None else torch.from_numpy(np.asarray(layer.bias, np.float32))
            x = x / WEIGHT_UNIT + bias
            x = x.relu() if _rectifies(layer) else x
        return x


def _rectifies(layer: Layer) -> bool:
    return layer.neuron is not None and not layer.neuron.sigma_output
