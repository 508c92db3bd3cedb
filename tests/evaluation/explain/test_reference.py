"""The float network that a conversion is held against."""

from __future__ import annotations

import numpy as np
import pytest

from loihiconv.core.network import IF
from loihiconv.demo import digits_cnn
from loihiconv.evaluation.explain.analog import RateModel
from loihiconv.evaluation.explain.reference import read_reference
from tests.evaluation.good import converted, data


@pytest.mark.parametrize(("hold_back", "copies"), [(0.0, 1), (0.5, 1), (0.5, 2)])
def test_the_reference_takes_corrections_and_held_back_charge_away(hold_back: float, copies: int) -> None:
    origin = converted(hold_back=hold_back, copies=copies).origin
    assert origin is not None
    reference = read_reference(digits_cnn(), origin)
    names = {p.name for p in origin.populations[1:]}
    x = data()[2][:8]
    wanted = reference.activations(x, names)
    assert set(wanted) == names
    found = RateModel(reference.plain)(x, "relu", keep=names)[1]
    for name in names:
        np.testing.assert_allclose(found[name].numpy(), wanted[name], rtol=0, atol=2e-5, err_msg=name)
    for p in reference.plain.populations:
        if isinstance(p, IF):
            np.testing.assert_array_equal(p.v_init, p.charge(0.5))
            assert p.v_init.mean() == 0.5
