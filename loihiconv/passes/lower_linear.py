"""Write average pooling and padding as convolutions."""

from __future__ import annotations

import numpy as np

from loihiconv.ann import Ann, AvgPool, Linear, Node, Pad
from loihiconv.linear import Conv
from loihiconv.passes.rewrite import Rewrite, splice


class AvgPoolToLinear(Rewrite):
    """The mean over kH x kW values is a depthwise convolution with weights 1 / (kH kW) (Rueckauer et al. 2016, section 3)."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, AvgPool)

    def transform(self, ann: Ann, node: Node) -> Ann:
        assert isinstance(node, AvgPool)
        channels, (kh, kw), (vertical, horizontal) = ann.shapes[node.name][0], node.kernel, node.padding
        weight = np.full((channels, 1, kh, kw), 1 / (kh * kw))
        conv = Conv(weight, node.stride, (vertical, vertical, horizontal, horizontal), groups=channels)
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
