"""All settings are axes."""

from __future__ import annotations

import numpy as np

from loihiconv.evaluation.sweep.axes import AXES, points


def test_all_settings_are_axes_and_values_are_run_once() -> None:
    assert {"optimize", "weight_bits", "percentile", "hold_back", "input_coding", "maxpool"} <= set(AXES)
    assert [p.settings.percentile for p in points({"percentile": [99, 99, None]}, {"timesteps": 4}, None)] == [99, None]
    assert [p.settings.timesteps for p in points({"timesteps": np.array([4, 8])}, {}, None)] == [4, 8]
    (single,) = points({"reset": "zero", "timesteps": 4}, {}, None)
    assert single.settings.reset == "zero"
