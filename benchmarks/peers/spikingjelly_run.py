"""SpikingJelly, multi-step mode, torch on the CPU: all T steps of a layer before the next, products over T x N at once."""

from __future__ import annotations

from collections.abc import Callable

import torch
from common import Layer, serve
from spikingjelly.activation_based import functional, neuron


def build(layers: list[Layer], steps: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """The network as SpikingJelly runs it; the first layer's constant currents are computed once."""
    nodes = [neuron.IFNode(v_threshold=layer.vth, v_reset=None, step_mode="m").eval() for layer in layers if layer.fires]

    def run(x: torch.Tensor) -> torch.Tensor:
        functional.reset_net(torch.nn.ModuleList(nodes))
        current = layers[0](x)
        sequence = current.unsqueeze(0).expand(steps, *current.shape)
        for layer, node, following in zip(layers[:-1], nodes, layers[1:], strict=True):
            node.v = layer.start
            spikes = node(sequence)
            flat = following(spikes.flatten(0, 1))
            sequence = flat.view(steps, len(x), *flat.shape[1:])
        return sequence.sum(0)

    return run


serve(build)
