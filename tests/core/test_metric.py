"""Which way is better, and how figures are said."""

from __future__ import annotations

import pytest

from loihiconv.core import numbers as n
from loihiconv.core.metric import ACCURACY, R2, RMSE, SIGN_ACCURACY


def test_a_loss_is_what_is_worse() -> None:
    assert ACCURACY.loss(0.9, 0.8) == pytest.approx(0.1)
    assert RMSE.loss(2.0, 2.5) == 0.5
    assert (SIGN_ACCURACY.key, SIGN_ACCURACY.counted, R2.rises) == ("accuracy", True, True)


def test_in_words() -> None:
    assert (n.figure(ACCURACY, 0.98765), n.amount(ACCURACY, -0.0123)) == ("98.77 %", "1.23 percentage points")
    assert (n.figure(RMSE, 1.23456), n.amount(RMSE, -0.0123)) == ("1.235", "0.0123 of RMSE")
