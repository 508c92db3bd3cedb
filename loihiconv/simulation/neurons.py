"""Integrate-and-fire over all steps of a block: one fused pass over memory.

The same kernel serves both number systems: potentials are int32 in fixed point and float32 in float networks.
Arrays are (samples, steps, neurons) with neurons in whatever order the caller keeps them.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from loihiconv.linear import Array
from loihiconv.network import V_MAX

NEURONS_AT_ONCE = 4096
"""Neurons that are carried through all steps together; their potentials then stay in the first-level cache."""


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _fire_once(currents: Any, factor: Any, bias: Any, v: Any, threshold: Any, v_max: Any, to_zero: bool, spikes: Any, counts: Any) -> None:
    """One step of some neurons; on one-dimensional arrays, or the compiler does not vectorise it (12 times slower)."""
    number = v.dtype.type
    for i in range(v.size):
        potential = number(min(max(number(v[i] + number(currents[i]) * factor + bias[i]), -v_max), v_max))
        fires = potential > threshold
        v[i] = (number(0) if to_zero else number(potential - threshold)) if fires else potential
        spikes[i] = np.uint8(fires)
        counts[i] += np.int32(fires)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _integrate_fire(
    currents: Any, constant: bool, bias: Any, v: Any, threshold: Any, factor: Any, v_max: Any, to_zero: bool, spikes: Any, counts: Any
) -> None:
    samples, steps, neurons = spikes.shape
    for n in range(samples):
        for begin in range(0, neurons, NEURONS_AT_ONCE):
            end = min(begin + NEURONS_AT_ONCE, neurons)
            b, potentials, total = bias[n % bias.shape[0], begin:end], v[n, begin:end], counts[n, begin:end]
            for t in range(steps):
                u, s = currents[n, 0 if constant else t, begin:end], spikes[n, t, begin:end]
                _fire_once(u, factor, b, potentials, threshold, v_max, to_zero, s, total)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _integrate(currents: Any, constant: bool, bias: Any, v: Any, factor: Any, v_max: Any, trace: Any) -> None:
    number = v.dtype.type
    for n in range(v.shape[0]):
        for t in range(trace.shape[1]):
            for i in range(v.shape[1]):
                u = number(currents[n, 0 if constant else t, i]) * factor
                v[n, i] = min(max(number(v[n, i] + u + bias[n % bias.shape[0], i]), -v_max), v_max)
                trace[n, t, i] = v[n, i]


def integrate_fire(
    currents: Array, bias: Array, v: Array, *, threshold: float, shift: int, to_zero: bool, steps: int, counts: Array
) -> Array:
    """Advance integrate-and-fire neurons by ``steps`` steps.

    Parameters
    ----------
    currents : array (N, steps or 1, neurons)
        Sums of weight x spike per step, not shifted; one step stands for a constant current.
    bias : array (N or 1, neurons)
        In units of v.
    v : int32 or float32 array (N, neurons)
        Membrane potentials; changed in place.
    threshold : number
        In units of v, that is vth * 2^shift.
    shift : int
        Left shift of currents.
    to_zero : bool
        Reset to zero instead of by subtraction.
    counts : int32 array (N, neurons)
        Spikes are added here.

    Returns
    -------
    spikes : uint8 array (N, steps, neurons)
    """
    spikes = np.empty((len(v), steps, v.shape[1]), np.uint8)
    number, constant = v.dtype.type, currents.shape[1] == 1
    b = bias.astype(v.dtype, copy=False)
    _integrate_fire(currents, constant, b, v, number(threshold), number(1 << shift), _v_max(v), to_zero, spikes, counts)
    return spikes


def integrate(currents: Array, bias: Array, v: Array, *, shift: int, steps: int) -> Array:
    """Advance neurons that never spike; arguments as in `integrate_fire`.

    Returns
    -------
    trace : array (N, steps, neurons)
        Potentials after each step; ``v`` holds the last.
    """
    trace = np.empty((len(v), steps, v.shape[1]), v.dtype)
    b = bias.astype(v.dtype, copy=False)
    _integrate(currents, currents.shape[1] == 1, b, v, v.dtype.type(1 << shift), _v_max(v), trace)
    return trace


def _v_max(v: Array) -> Any:
    """Where potentials saturate: the chip's registers in fixed point, nowhere in float."""
    return v.dtype.type(V_MAX) if v.dtype == np.int32 else v.dtype.type(np.inf)
