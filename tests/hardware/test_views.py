"""Views along one axis, by hand."""

from __future__ import annotations

import numpy as np

from loihiconv.core.linear import Conv
from loihiconv.hardware.views import Axis, axes, look


def test_a_pixel_and_the_rows_that_see_it() -> None:
    """Five pixels, a kernel of 3, stride 2, padding 1: rows 0, 1, 2 look at pixels -1..1, 1..3, 3..5."""
    axis = Axis(size=5, kernel=3, stride=2, dilation=1, before=1)
    assert [[axis.pixel(row, tap) for tap in range(3)] for row in range(3)] == [[-1, 0, 1], [1, 2, 3], [3, 4, 5]]
    assert axis.reached_from((1, 2)) == (1, 2, 3)
    assert axis.targets(1, None) == ((0, 1), (2, 0))
    assert axis.targets(1, (1, 3)) == ((0, 1),)


def test_pixels_that_see_the_same_taps_share_a_view() -> None:
    """Kernel 3, stride 1, four rows in full: only pixels at a border see fewer taps, and each border in its own way."""
    axis = Axis(size=4, kernel=3, stride=1, dilation=1, before=1)
    views = look(axis, (0, 4), halo=False)
    assert views.base.tolist() == [0, 0, 1, 2]
    assert views.taps[views.view].tolist() == [2, 3, 3, 2]
    assert len(views.taps) == 3
    assert views.rows == (0, 4)


def test_a_halo_gives_pixels_at_the_slices_border_the_views_of_those_within() -> None:
    axis = Axis(size=12, kernel=3, stride=1, dilation=1, before=1)
    tight, halo = look(axis, (4, 8), halo=False), look(axis, (4, 8), halo=True)
    assert (tight.rows, halo.rows) == ((4, 8), (2, 10))
    assert (len(tight.taps), len(halo.taps)) == (5, 1)


def test_slices_that_differ_by_a_shift_have_the_same_signature() -> None:
    axis = Axis(size=12, kernel=3, stride=1, dilation=1, before=1)
    assert look(axis, (4, 7), halo=False).signature == look(axis, (5, 8), halo=False).signature
    assert look(axis, (4, 7), halo=False).signature != look(axis, (0, 3), halo=False).signature


def test_axes_of_a_convolution() -> None:
    conv = Conv(np.zeros((1, 1, 3, 2)), (1, 2), (4, 0, 6, 0), (1, 3))
    assert axes(conv, (1, 8, 9)) == (Axis(8, 3, 1, 1, 4), Axis(9, 2, 2, 3, 6))
