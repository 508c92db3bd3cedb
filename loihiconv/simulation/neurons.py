"""Integrate-and-fire over all steps of a block: one fused pass over memory.

Potentials are float32 in both number systems. In fixed point that is exact: every number is an integer, |v| stays within 2^23 - 1,
and biases are checked to be no larger. Sums up to 2^24 are float32 numbers; where |v + u| or |v + u + bias| passes 2^24, rounding is
monotonic, so that the result is at least 2^24 - 2^23 and saturates at 2^23 - 1 just as the exact one does.

Arrays are (samples, steps, neurons) with neurons in whatever order the caller keeps them.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch

from loihiconv.network import V_MAX

NEURONS_AT_ONCE = 2048
"""Neurons that are carried through all steps together; their potentials, biases and counts then stay in the first-level cache."""
STEPS_AT_ONCE = 255
"""Spikes are counted in bytes for so many steps."""


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _fire_once(currents: Any, bias: Any, v: Any, threshold: Any, v_max: Any, to_zero: bool, spikes: Any, counts: Any) -> None:
    """One step of some neurons; on one-dimensional arrays, or the compiler does not vectorise it (12 times slower)."""
    for i in range(v.size):
        potential = min(max(v[i] + currents[i] + bias[i], -v_max), v_max)
        fires = potential > threshold
        v[i] = (np.float32(0) if to_zero else potential - threshold) if fires else potential
        spikes[i] = np.uint8(fires)
        counts[i] += np.uint8(fires)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _add(counts: Any, total: Any) -> None:
    for i in range(counts.size):
        total[i] += np.int32(counts[i])
        counts[i] = np.uint8(0)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _integrate_fire(
    currents: Any, constant: bool, bias: Any, v: Any, threshold: Any, v_max: Any, to_zero: bool, spikes: Any, counts: Any
) -> None:
    samples, steps, neurons = spikes.shape
    seen = np.zeros(NEURONS_AT_ONCE, np.uint8)
    for n in range(samples):
        for begin in range(0, neurons, NEURONS_AT_ONCE):
            end = min(begin + NEURONS_AT_ONCE, neurons)
            b, potentials, total = bias[n % bias.shape[0], begin:end], v[n, begin:end], counts[n % counts.shape[0], begin:end]
            c = seen[: end - begin]
            for t in range(steps):
                u, s = currents[n, 0 if constant else t, begin:end], spikes[n, t, begin:end]
                _fire_once(u, b, potentials, threshold, v_max, to_zero, s, c)
                if t % STEPS_AT_ONCE == STEPS_AT_ONCE - 1:
                    _add(c, total)
            _add(c, total)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _integrate(currents: Any, constant: bool, bias: Any, v: Any, v_max: Any, trace: Any) -> None:
    for n in range(v.shape[0]):
        for t in range(trace.shape[1]):
            for i in range(v.shape[1]):
                u = currents[n, 0 if constant else t, i]
                v[n, i] = min(max(v[n, i] + u + bias[n % bias.shape[0], i], -v_max), v_max)
                trace[n, t, i] = v[n, i]


def integrate_fire(
    currents: torch.Tensor,
    bias: torch.Tensor,
    v: torch.Tensor,
    *,
    threshold: float,
    v_max: float,
    to_zero: bool,
    spikes: torch.Tensor,
    counts: torch.Tensor,
    portable: bool,
) -> None:
    """Advance integrate-and-fire neurons by the steps of a block.

    Parameters
    ----------
    currents : float32 tensor (N, steps or 1, neurons)
        Sums of weight x spike per step, in units of v; one step stands for a constant current.
    bias : float32 tensor (N or 1, neurons)
        In units of v.
    v : float32 tensor (N, neurons)
        Membrane potentials; changed in place.
    threshold : float
        In units of v, that is vth * 2^shift.
    v_max : float
        Where potentials saturate, see `saturation`.
    to_zero : bool
        Reset to zero instead of by subtraction.
    spikes : uint8 tensor (N, steps, neurons)
        Written.
    counts : int32 tensor (N or 1, neurons)
        Spikes are added here; with one row, of all samples.
    portable : bool
        Use torch's own operations, on whatever device the tensors are.
    """
    constant = currents.shape[1] == 1
    if not portable:
        arrays = (currents.numpy(), constant, bias.numpy(), v.numpy())
        _integrate_fire(*arrays, np.float32(threshold), np.float32(v_max), to_zero, spikes.numpy(), counts.numpy())
        return
    for t in range(spikes.shape[1]):
        v.add_(currents[:, 0 if constant else t]).add_(bias).clamp_(-v_max, v_max)
        fired = v > threshold
        v.masked_fill_(fired, 0.0) if to_zero else v.sub_(fired * threshold)
        spikes[:, t] = fired
    counts += spikes.sum(dim=1, dtype=torch.int32) if len(counts) == len(spikes) else spikes.sum(dim=(0, 1), dtype=torch.int32)


def integrate(currents: torch.Tensor, bias: torch.Tensor, v: torch.Tensor, *, v_max: float, trace: torch.Tensor, portable: bool) -> None:
    """Advance neurons that never spike; arguments as in `integrate_fire`.

    Parameters
    ----------
    trace : float32 tensor (N, steps, neurons)
        Potentials after each step are written here; ``v`` holds the last.
    """
    constant = currents.shape[1] == 1
    if not portable:
        _integrate(currents.numpy(), constant, bias.numpy(), v.numpy(), np.float32(v_max), trace.numpy())
        return
    for t in range(trace.shape[1]):
        v.add_(currents[:, 0 if constant else t]).add_(bias).clamp_(-v_max, v_max)
        trace[:, t] = v


def saturation(fixed_point: bool) -> float:
    """Where potentials saturate: the chip's registers in fixed point, nowhere in float."""
    return float(V_MAX) if fixed_point else float("inf")
