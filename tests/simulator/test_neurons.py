"""Compiled integrate-and-fire against torch's operations, up to the largest numbers there may be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from loihiconv.core.network import V_MAX
from loihiconv.simulator.neurons import ABOVE, BELOW, Firing, integrate, saturation

LARGEST_SUM = (2**24 - 1) * 64
"""In units of v."""


def both(
    seed: int, n: int, steps: int, size: int, *, fixed_point: bool, still: bool, shift: int, to_zero: bool, extreme: bool, payload_max: int
) -> None:
    """The same block in two pieces, with and without torch; everything that is written must be equal."""
    rng = np.random.default_rng(seed)
    number = np.int32 if fixed_point else np.float32
    scale = 1 if extreme else 2**10
    top = LARGEST_SUM >> shift
    currents = rng.integers(-top, top + 1, (n, 1 if still else steps, size)) // scale
    currents = np.where(rng.random(currents.shape) < 0.1, np.sign(currents) * top, currents) if extreme else currents
    kind = np.int32 if shift else np.float32
    currents = (currents // 64 * 64 if kind is np.float32 else currents).astype(kind)
    v, bias = (rng.integers(-V_MAX, V_MAX + 1, (rows, size)).astype(number) // scale for rows in (n, rng.choice([1, n])))
    counted, threshold = rng.choice([1, n]), float(rng.choice([131071 * 64 // scale, 40 * 64, 64]))
    found = []
    for portable in (False, True):
        out, counts = torch.full((n, steps, size), 7, dtype=torch.uint8), torch.zeros((counted, size), dtype=torch.int32)
        state, ends = torch.from_numpy(v.copy()), torch.zeros((n, size), dtype=torch.uint8)
        firing = Firing(
            torch.from_numpy(bias),
            state,
            threshold=threshold,
            v_max=saturation(fixed_point),
            to_zero=to_zero,
            spikes=out,
            counts=counts,
            ends=ends,
            payload_max=payload_max,
            portable=portable,
        )
        cut = n // 2 if still else n
        for samples in (slice(0, cut), slice(cut, n)):
            for window in (
                (slice(0, steps),) if still or samples.stop - samples.start > 1 else (slice(0, steps // 2), slice(steps // 2, steps))
            ):
                piece = currents[samples] if still else currents[samples, window]
                if piece.size:
                    firing.advance(torch.from_numpy(np.ascontiguousarray(piece).reshape(-1, size)), samples, window, shift)
        found.append((out, counts, state, ends))
    for compiled, portable in zip(*found, strict=True):
        assert torch.equal(compiled, portable)
    assert int(found[0][0].max()) <= payload_max
    assert torch.equal(found[0][0].sum(dim=1, dtype=torch.int32).sum(dim=0), found[0][1].sum(dim=0))


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 4),
    steps=st.integers(1, 9),
    size=st.sampled_from([1, 5, 63, 64, 65, 128, 200]),
    fixed_point=st.booleans(),
    still=st.booleans(),
    shift=st.sampled_from([0, 0, 6, 7]),
    to_zero=st.booleans(),
    extreme=st.booleans(),
    payload_max=st.sampled_from([1, 1, 3, 255]),
)
def test_kernel_equals_torch(**case: bool | int) -> None:
    if not case["fixed_point"]:
        case["shift"] = 0
    both(**case)  # type: ignore[arg-type]


@pytest.mark.parametrize("sign", [1, -1])
def test_largest_numbers_saturate_and_do_not_wrap(sign: int) -> None:
    """|v| = |bias| = 2^23 - 1 and |sum| = 2^24 - 1, all of one sign: their sum is just below 2^31."""
    size = 65
    full = torch.full((1, size), sign * V_MAX, dtype=torch.int32)
    assert LARGEST_SUM + 2 * V_MAX < 2**31
    for currents, shift in (
        (torch.full((1, size), sign * (2**24 - 1), dtype=torch.int32), 6),
        (torch.full((1, size), sign * float(LARGEST_SUM)), 0),
    ):
        v, out, counts = full.clone(), torch.zeros((1, 1, size), dtype=torch.uint8), torch.zeros((1, size), dtype=torch.int32)
        ends = torch.zeros((1, size), dtype=torch.uint8)
        firing = Firing(full, v, threshold=64.0, v_max=V_MAX, to_zero=False, spikes=out, counts=counts, ends=ends)
        firing.advance(currents, slice(0, 1), slice(0, 1), shift)
        assert (v == (V_MAX - 64 if sign > 0 else -V_MAX)).all()
        assert (out == (sign > 0)).all()
        assert (ends == (ABOVE if sign > 0 else BELOW).item()).all()


@pytest.mark.parametrize("portable", [False, True])
def test_what_never_spikes_saturates_at_both_ends(portable: bool) -> None:
    """One step to the end, one beyond it, and one back, which counts from the end."""
    for sign in (1, -1):
        v, trace = torch.full((1, 2), sign * (V_MAX - 1), dtype=torch.int32), torch.zeros((1, 3, 2), dtype=torch.int32)
        currents = torch.tensor([1.0, 2.0, -1.0]).reshape(1, 3, 1).expand(1, 3, 2).contiguous() * sign
        integrate(currents, torch.zeros((1, 2), dtype=torch.int32), v, v_max=saturation(True), trace=trace, portable=portable)
        assert trace[0, :, 0].tolist() == [sign * V_MAX, sign * V_MAX, sign * (V_MAX - 1)]
        assert v.tolist() == [[sign * (V_MAX - 1)] * 2]


@pytest.mark.parametrize("portable", [False, True])
def test_threshold_is_strict(portable: bool) -> None:
    for number in (torch.int32, torch.float32):
        v, out = torch.zeros((1, 66), dtype=number), torch.zeros((1, 2, 66), dtype=torch.uint8)
        counts = torch.zeros((1, 66), dtype=torch.int32)
        limits = {"threshold": 64.0, "v_max": V_MAX, "to_zero": False}
        ends = torch.zeros((1, 66), dtype=torch.uint8)
        firing = Firing(torch.zeros((1, 66), dtype=number), v, **limits, spikes=out, counts=counts, ends=ends, portable=portable)
        firing.advance(torch.tensor([[64.0], [1.0]]).expand(-1, 66).contiguous(), slice(0, 1), slice(0, 2))
        assert (out[0, 0] == 0).all()
        assert (out[0, 1] == 1).all()
        assert (v == 1).all()
        assert (counts == 1).all()


@pytest.mark.parametrize("portable", [False, True])
@pytest.mark.parametrize("size", [1, 64, 131])
def test_neurons_at_the_ends_of_their_registers_are_marked(portable: bool, size: int) -> None:
    """One step before an end no mark, at it one; a later block keeps it, and a neuron that was at both ends has both."""
    v, out = torch.zeros((2, size), dtype=torch.int32), torch.zeros((2, 3, size), dtype=torch.uint8)
    counts, ends = torch.zeros((2, size), dtype=torch.int32), torch.zeros((2, size), dtype=torch.uint8)
    bias, limits = torch.zeros((1, size), dtype=torch.int32), {"threshold": 64.0 * 131071, "v_max": V_MAX, "to_zero": False}
    firing = Firing(bias, v, **limits, spikes=out, counts=counts, ends=ends, portable=portable)

    def advance(steps: slice, *of_the_last: int) -> list[list[int]]:
        currents = torch.zeros((2, len(of_the_last), size), dtype=torch.int32)
        currents[1, :, -1] = torch.tensor(of_the_last, dtype=torch.int32)
        firing.advance(currents.reshape(-1, size), slice(0, 2), steps)
        assert ends[0].tolist() == [0] * size
        assert ends[1, :-1].tolist() == [0] * (size - 1)
        return ends[1, -1].item()

    assert advance(slice(0, 1), 2 - V_MAX - 1) == 0
    assert advance(slice(1, 3), -1, V_MAX) == BELOW  # and comes back to 0
    assert advance(slice(0, 1), V_MAX - 1) == BELOW  # fires, as the threshold is 2^23 - 64
    assert advance(slice(0, 2), V_MAX - 62, -1) == ABOVE + BELOW
