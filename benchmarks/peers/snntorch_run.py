"""snnTorch: step by step through all layers, as its tutorials do."""

from __future__ import annotations

from collections.abc import Callable

import snntorch
import torch
from common import Layer, serve


def build(layers: list[Layer], steps: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """The network as snnTorch runs it; the first layer's constant currents are computed once."""
    nodes = [snntorch.Leaky(beta=1.0, threshold=layer.vth, reset_mechanism="subtract").eval() for layer in layers if layer.fires]

    def run(x: torch.Tensor) -> torch.Tensor:
        first = layers[0](x)
        potentials: list[torch.Tensor] = [torch.full((len(x), *layer.spec["shape"]), layer.start) for layer in layers]
        for _ in range(steps):
            current = first
            for i, (node, following) in enumerate(zip(nodes, layers[1:], strict=True)):
                spikes, potentials[i] = node(current, potentials[i])
                current = following(spikes)
            potentials[-1] = potentials[-1] + current
        return potentials[-1]

    return run


serve(build)
