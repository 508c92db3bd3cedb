"""Write average pooling as a convolution."""

from __future__ import annotations

import numpy as np

from loihiconv.ann.graph import Ann, AvgPool, Linear, Node
from loihiconv.ann.passes.rewrite import Replacement
from loihiconv.core.linear import Conv, Pair


def average(channels: int, kernel: Pair, stride: Pair, padding: tuple[int, int, int, int]) -> Conv:
    """The mean over windows as a depthwise convolution; zeros of the padding (top, bottom, left, right) count."""
    return Conv(np.full((channels, 1, *kernel), 1 / (kernel[0] * kernel[1])), stride, padding, groups=channels)


class AvgPoolToLinear(Replacement):
    """The mean over kH x kW values is a depthwise convolution with weights 1 / (kH kW) (Rueckauer et al. 2016, section 3)."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, AvgPool)

    def new(self, ann: Ann, node: Node) -> list[Node]:
        assert isinstance(node, AvgPool)
        vertical, horizontal = node.padding
        conv = average(ann.shapes[node.name][0], node.kernel, node.stride, (vertical, vertical, horizontal, horizontal))
        return [Linear(node.name, node.inputs, conv)]
