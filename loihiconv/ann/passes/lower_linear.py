"""Write average pooling and padding as convolutions."""

from __future__ import annotations

import numpy as np

from loihiconv.ann.graph import Ann, AvgPool, Linear, Node, Pad
from loihiconv.ann.passes.rewrite import Rewrite, splice
from loihiconv.core.linear import Conv, Pair


def average(channels: int, kernel: Pair, stride: Pair, padding: Pair) -> Conv:
    """The mean over windows as a depthwise convolution; zeros of the padding count."""
    (kh, kw), (vertical, horizontal) = kernel, padding
    return Conv(np.full((channels, 1, kh, kw), 1 / (kh * kw)), stride, (vertical, vertical, horizontal, horizontal), groups=channels)


class AvgPoolToLinear(Rewrite):
    """The mean over kH x kW values is a depthwise convolution with weights 1 / (kH kW) (Rueckauer et al. 2016, section 3)."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, AvgPool)

    def transform(self, ann: Ann, node: Node) -> Ann:
        assert isinstance(node, AvgPool)
        conv = average(ann.shapes[node.name][0], node.kernel, node.stride, node.padding)
        return splice(ann, node.name, [Linear(node.name, node.inputs, conv)])


class PadToLinear(Rewrite):
    """Padding is a depthwise convolution with one weight of 1 per channel that pads."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Pad)

    def transform(self, ann: Ann, node: Node) -> Ann:
        assert isinstance(node, Pad)
        channels = ann.shapes[node.name][0]
        conv = Conv(np.ones((channels, 1, 1, 1)), padding=node.padding, groups=channels)
        return splice(ann, node.name, [Linear(node.name, node.inputs, conv)])
