"""Layout, windows and records without Lava."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
from hypothesis import given, settings

from loihiconv.core.linear import Array
from loihiconv.lava.job import Job, Settings, finished_samples, read_records
from loihiconv.lava.layout import LavaConv, LavaDense, lava_map, lava_views
from loihiconv.lava.window import Window
from tests.lava.small import chain
from tests.strategies import Case, cases


def true_convolution(conv: LavaConv, x: Array) -> Array:
    """Lava's definition on an input (W, H, C): padded, kernel flipped, every stride-th window."""
    (pw, ph), (sw, sh), (dw, dh) = conv.padding, conv.stride, conv.dilation
    x = np.pad(x, ((pw, pw), (ph, ph), (0, 0)))
    c_out, kw, kh, per_group = conv.weight.shape
    w_out, h_out = (x.shape[0] - (kw - 1) * dw - 1) // sw + 1, (x.shape[1] - (kh - 1) * dh - 1) // sh + 1
    y = np.zeros((w_out, h_out, c_out), np.int64)
    for a, b, o, i, j in product(*map(range, (w_out, h_out, c_out, kw, kh))):
        first = o // (c_out // conv.groups) * per_group
        pixel = x[a * sw + (kw - 1 - i) * dw, b * sh + (kh - 1 - j) * dh, first : first + per_group]
        y[a, b, o] += pixel @ conv.weight[o, i, j]
    return y


@settings(max_examples=100, deadline=None)
@given(case=cases(max_timesteps=1, max_samples=1))
def test_lavas_maps_compute_the_same_sums(case: Case) -> None:
    network, rng = case.network, np.random.default_rng(0)
    views = lava_views(network)
    for connection in network.connections:
        source = network[connection.source].shape
        x = rng.integers(-5, 6, (1, *source))
        expected = connection.map.apply(x)[0].reshape(views[connection.target]).T
        inside = x[0].reshape(views[connection.source]).T
        mapped = lava_map(network, connection, views)
        if isinstance(mapped, LavaDense):
            assert np.array_equal((mapped.weight @ inside.ravel()).reshape(expected.shape), expected)
        else:
            assert np.array_equal(true_convolution(mapped, inside), expected)


def test_windows_follow_each_other_one_step_later_per_connection() -> None:
    window = Window(timesteps=3, depth=2, samples=2)
    places = [window.locate(step) for step in range(1, 11)]
    assert places == [None, None, (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), None, None]
    assert [window.is_last(step) for step in range(3)] == [False, False, True]


def test_half_written_samples_are_not_read(tmp_path: Path) -> None:
    network, job = chain(timesteps=2), Job(tmp_path)
    assert finished_samples(job, network) == 0
    job.counts(1).write_bytes(np.array([[1, 2, 0], [2, 2, 1]], "<i4").tobytes())
    job.spikes(1).write_bytes(bytes([0b11000000, 0b01000000, 0b11100000, 0b11000000]))
    job.potentials.write_bytes(np.array([5, 6, 7], "<i4").tobytes())  # the second sample is half written
    records = read_records(job, network, Settings(samples=3, record_spikes=True))
    assert records.potentials.tolist() == [[5, 6]]
    assert records.spike_counts["hidden"].tolist() == [[1, 2, 0]]
    assert records.spikes["hidden"].astype(int).tolist() == [[[1, 1, 0], [0, 1, 0]]]
