"""Stages between the float network and the integers."""

from __future__ import annotations

import numpy as np

from loihiconv.conversion.exponents import mean_loss
from loihiconv.core.network import IF
from loihiconv.demo import digits_cnn
from loihiconv.evaluation.explain.reference import read_reference
from loihiconv.evaluation.explain.stages import chain
from tests.evaluation.good import converted


def test_weights_quantized_leaves_biases_alone() -> None:
    net = converted(input_coding="rate")
    assert net.origin is not None
    stages = {stage.key: stage.network for stage in chain(net, read_reference(digits_cnn(), net.origin))}
    wide, rounded = stages["weights"], stages["biases"]
    assert wide is not None
    assert rounded is not None
    for p in net.populations:
        if isinstance(p, IF):
            exact = net.origin[p.name].bias.astype(float) * p.vth * 64  # type: ignore[union-attr]
            exact += 64 * sum(map(mean_loss, net.incoming(p.name)))  # what shifts cut off
            assert np.abs(wide[p.name].bias - exact).max() <= 0.5  # type: ignore[union-attr]
            assert np.abs(rounded[p.name].bias - exact).max() <= np.abs(exact).max() / 4095 + 0.5  # type: ignore[union-attr]
