"""Which way is better, and how figures are said."""

from __future__ import annotations

import pytest

from loihiconv.core.metric import ACCURACY, R2, RMSE, SIGN_ACCURACY


def test_a_loss_is_what_is_worse() -> None:
    assert ACCURACY.loss(0.9, 0.8) == pytest.approx(0.1)
    assert RMSE.loss(2.0, 2.5) == 0.5
    assert (SIGN_ACCURACY.key, SIGN_ACCURACY.counted, R2.rises) == ("accuracy", True, True)


def test_in_words() -> None:
    assert (ACCURACY.shown(0.98765), ACCURACY.amount(-0.0123)) == ("98.77 %", "1.23 percentage points")
    assert (RMSE.shown(1.23456), RMSE.amount(-0.0123)) == ("1.235", "0.0123 of RMSE")
