"""Integrate-and-fire over all steps of a block: one fused pass over memory.

Potentials are int32 in fixed point and float32 in float networks. Both are exact in fixed point: |v| stays within 2^23 - 1, biases
are checked to be no larger, and sums of weight x spike are below 2^24, that is 2^30 in units of v; so |v + u + bias| < 2^31.

Arrays are (samples, steps, neurons) with neurons in whatever order the caller keeps them.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch

from loihiconv.core.linear import Array
from loihiconv.core.network import V_MAX
from loihiconv.simulator.compiled import compiled
from loihiconv.simulator.vectors import bits, converted, fill, load, select, shifted, store

LANES = 64
"""Neurons that are carried through all steps together, in registers: four of AVX-512's for each of their quantities."""
_NOTHING_SENT = np.zeros((1, 0), np.int32)
"""For neurons whose spikes have no sign."""
ABOVE, BELOW = np.uint8(1), np.uint8(2)
"""How a neuron is marked whose potential reached the upper end of its register, and the lower."""
ALL = np.uint64(2**64 - 1)
"""A mask of 64 lanes that are true."""


@numba.njit(inline="always", nogil=True, error_model="numpy")
def integrated(v: Any, u: Any, bias: Any, highest: Any, lowest: Any) -> Any:
    """Potentials after what one step adds, before any spike; all arguments are `vectors`."""
    v = v + u + bias
    v = select(v > highest, highest, v)
    return select(lowest > v, lowest, v)


@numba.njit(inline="always", nogil=True, error_model="numpy")
def fired(v: Any, threshold: Any, to_zero: Any) -> Any:
    """Potentials after their spikes, and who fires."""
    fires = v > threshold
    return select(fires, v - v if to_zero else v - threshold, v), fires


@numba.njit(inline="always", nogil=True, error_model="numpy")
def _fired_graded(v: Any, threshold: Any, largest: Any, least: Any) -> Any:
    """Potentials after their spikes, and payloads; ``largest``, Γ, is of float32, and ``least``, at most 0, of the payloads' type.

    The quotient of two whole numbers below 2^24 lies so far from the next whole number, if it is none, that float32 does not round to it.
    """
    thresholds, lowest = converted(v, largest) / converted(threshold, largest), converted(least, largest)
    thresholds = select(thresholds > largest, largest, thresholds)
    thresholds = select(lowest > thresholds, lowest, thresholds)
    payload = converted(thresholds, least)  # towards 0: of negative ones one too many, unless they are whole
    payload = payload - converted(converted(payload, largest) > thresholds, payload)
    return v - converted(payload, v) * threshold, payload


@numba.njit(inline="always", nogil=True, error_model="numpy")
def mark(ends: Any, i: Any, peak: Any, trough: Any, highest: Any, lowest: Any, lanes: Any) -> None:
    """Mark neurons that reached an end of their register: 1 at the upper, 2 at the lower; most networks' never do."""
    below_highest, above_lowest = highest > peak, trough > lowest
    if bits(below_highest) & bits(above_lowest) != ALL >> np.uint64(64 - lanes):
        known = load(ends, i, lanes)
        none, above, below = fill(np.uint8(0), lanes), fill(ABOVE, lanes), fill(BELOW, lanes)
        store(ends, i, known | select(below_highest, none, above) | select(above_lowest, none, below))


@numba.njit(inline="always", nogil=True, error_model="numpy")
def _through_all_steps(
    currents: Any,
    row: Any,
    stride: Any,
    shift: Any,
    bias: Any,
    v: Any,
    limits: Any,
    spikes: Any,
    counts: Any,
    ends: Any,
    sent: Any,
    i: Any,
    lanes: Any,
    graded: Any,
) -> None:
    """Some neurons of a sample, whose first currents are in a row and the next ones a stride behind."""
    potential, b, count = load(v, i, lanes), load(bias, i, lanes), load(counts, i, lanes)
    threshold, highest, lowest = fill(limits[0], lanes), fill(limits[1], lanes), fill(limits[2], lanes)
    places, byte, largest = fill(shift, lanes), fill(np.uint8(0), lanes), fill(limits[4], lanes)
    peak, trough = lowest, highest
    none = count - count
    before = load(sent, i, lanes) if limits[6] else none
    most = converted(largest, none)
    for t in range(spikes.shape[0]):
        u = shifted(converted(load(currents[row + t * stride], i, lanes), potential), places)
        potential = integrated(potential, u, b, highest, lowest)
        if limits[5]:
            peak, trough = select(potential > peak, potential, peak), select(trough > potential, potential, trough)
        if graded:
            least = none - select(before > most, most, before)
            potential, payload = _fired_graded(potential, threshold, largest, least)
            count = count + payload
            if limits[6]:
                before = before + payload
            store(spikes[t], i, converted(payload, byte))
        else:
            potential, fires = fired(potential, threshold, limits[3])
            count = count + converted(fires, count)
            store(spikes[t], i, converted(fires, byte))
    store(v, i, potential)
    store(counts, i, count)
    if limits[6]:
        store(sent, i, before)
    if limits[5]:
        mark(ends, i, peak, trough, highest, lowest, lanes)


@compiled
def _integrate_fire(
    currents: Any,
    still: bool,
    shift: Any,
    bias: Any,
    v: Any,
    limits: Any,
    spikes: Any,
    counts: Any,
    ends: Any,
    sent: Any,
    first: int,
    last: int,
    begin: int,
    end: int,
) -> None:
    neurons = spikes.shape[2]
    even, stride, rows = neurons - neurons % LANES, 0 if still else 1, 1 if still else end - begin
    for n in range(first, last):
        s, b, c, row = spikes[n, begin:end], bias[n % bias.shape[0]], counts[n % counts.shape[0]], (n - first) * rows
        e, m = ends[n], sent[n % sent.shape[0]]
        if limits[4] > 1 or limits[6]:
            for i in range(0, even, LANES):
                _through_all_steps(currents, row, stride, shift, b, v[n], limits, s, c, e, m, i, LANES, True)
            for i in range(even, neurons):
                _through_all_steps(currents, row, stride, shift, b, v[n], limits, s, c, e, m, i, 1, True)
        else:
            for i in range(0, even, LANES):
                _through_all_steps(currents, row, stride, shift, b, v[n], limits, s, c, e, m, i, LANES, False)
            for i in range(even, neurons):
                _through_all_steps(currents, row, stride, shift, b, v[n], limits, s, c, e, m, i, 1, False)


@compiled
def _integrate(currents: Any, bias: Any, v: Any, v_max: Any, trace: Any) -> None:
    still = currents.shape[1] == 1
    for n in range(v.shape[0]):
        for t in range(trace.shape[1]):
            for i in range(v.shape[1]):
                u = currents[n, 0 if still else t, i]
                v[n, i] = min(max(v[n, i] + u + bias[n % bias.shape[0], i], -v_max), v_max)
                trace[n, t, i] = v[n, i]


class Firing:
    """Integrate-and-fire neurons while a block of steps runs.

    Parameters
    ----------
    bias : tensor (N or 1, neurons)
        In units of v, and of its type.
    v : int32 or float32 tensor (N, neurons)
        Membrane potentials; changed in place. Currents of int32 ones are whole numbers.
    threshold : float
        In units of v, that is vth * 2^shift.
    v_max : float
        Where potentials saturate, see `saturation`.
    to_zero : bool
        Reset to zero instead of by subtraction.
    spikes : uint8 tensor (N, steps, neurons)
        Written.
    counts : int32 tensor (N or 1, neurons)
        Spikes, or their payloads, are added here; with one row, of all samples.
    ends : uint8 tensor (N, neurons)
        Neurons are marked here whose potentials reach +-``v_max`` after what a step adds, before any spike: with `ABOVE`, `BELOW` or the
        sum of both.
    payload_max : int
        Largest payload of a spike; 1 makes them binary.
    watched : bool
        Whether neurons are marked at all: not where it is proved that none can get there.
    sent : int32 tensor (N, neurons), optional
        Of neurons with signed spikes, whose ``spikes`` are int8: the sum of what they have sent, which goes on.
    portable : bool
        Use torch's own operations, on whatever device the tensors are.
    """

    def __init__(
        self,
        bias: torch.Tensor,
        v: torch.Tensor,
        *,
        threshold: float,
        v_max: float,
        to_zero: bool,
        spikes: torch.Tensor,
        counts: torch.Tensor,
        ends: torch.Tensor,
        payload_max: int = 1,
        watched: bool = True,
        sent: torch.Tensor | None = None,
        portable: bool = False,
    ) -> None:
        self.bias, self.v, self.spikes, self.counts, self.ends = bias, v, spikes, counts, ends
        self.sent = sent
        ends_of_v = (_number(v, v_max), _number(v, -v_max))
        self.limits = (_number(v, threshold), *ends_of_v, to_zero, np.float32(payload_max), watched, sent is not None)
        self.portable = portable
        if not portable:
            self.before = (bias.numpy(), v.numpy(), self.limits)
            self.after = (spikes.numpy(), counts.numpy(), ends.numpy())
            self.memory = _NOTHING_SENT if sent is None else sent.numpy()

    def advance(self, currents: torch.Tensor | Array, samples: slice, steps: slice, shift: int = 0) -> None:
        """Integrate the currents of some samples and steps, and fire.

        Parameters
        ----------
        currents : float32 or int32 tensor or array (rows, neurons)
            Sums of weight x spike, in units of v / 2^shift: a row per step, sample after sample, or one row per sample where they are
            the same at each step. Rows beyond the last are left alone.
        samples, steps : slice
        shift : int
            0 in float networks.
        """
        n, duration = samples.stop - samples.start, steps.stop - steps.start
        still = len(currents) == n and duration > 1
        if not self.portable:
            u = currents.numpy() if isinstance(currents, torch.Tensor) else currents
            window = (samples.start, samples.stop, steps.start, steps.stop)
            _integrate_fire(u, still, np.int32(shift), *self.before, *self.after, self.memory, *window)
            return
        assert isinstance(currents, torch.Tensor)  # arrays are the kernels'
        per_step = currents[: n if still else n * duration].view(n, 1 if still else duration, -1)
        self._advance_portably(per_step, samples, steps, shift)

    def _advance_portably(self, currents: torch.Tensor, samples: slice, steps: slice, shift: int) -> None:
        threshold, highest, lowest, to_zero, largest, watched, signed = (x if isinstance(x, bool) else x.item() for x in self.limits)
        v, spikes, bias = self.v[samples], self.spikes[samples, steps], self.bias[samples] if len(self.bias) > 1 else self.bias
        ends = self.ends[samples]
        for t in range(spikes.shape[1]):
            v.add_(currents[:, 0 if currents.shape[1] == 1 else t].to(v.dtype) * 2**shift).add_(bias).clamp_(lowest, highest)
            if watched:
                ends.bitwise_or_(marks(v >= highest, v <= lowest))
            if largest > 1 or signed:
                least: Any = 0
                if self.sent is not None:
                    least = -self.sent[samples].clamp(max=int(largest)).to(torch.float32)
                # by a tensor: dividing by a number may be a product with its rounded inverse
                payload = v.to(torch.float32) / v.new_full((), threshold, dtype=torch.float32)
                payload = payload.clamp_(max=largest).clamp_(min=least).floor_().to(spikes.dtype)
                v.sub_(payload.to(v.dtype) * threshold)
                if self.sent is not None:
                    self.sent[samples] += payload
                spikes[:, t] = payload
                continue
            fired = v > threshold
            v.masked_fill_(fired, 0) if to_zero else v.sub_(fired * threshold)
            spikes[:, t] = fired
        if len(self.counts) == len(self.v):
            self.counts[samples] += spikes.sum(dim=1, dtype=torch.int32)
        else:
            self.counts += spikes.sum(dim=(0, 1), dtype=torch.int32)


def integrate(currents: torch.Tensor, bias: torch.Tensor, v: torch.Tensor, *, v_max: float, trace: torch.Tensor, portable: bool) -> None:
    """Advance neurons that never spike.

    Parameters
    ----------
    currents : float32 tensor (N, steps or 1, neurons)
        In units of v; one step stands for a constant current.
    bias, v, v_max, portable
        As in `Firing`.
    trace : tensor (N, steps, neurons)
        Potentials after each step are written here, in their type; ``v`` holds the last.
    """
    if not portable:
        _integrate(currents.numpy(), bias.numpy(), v.numpy(), _number(v, v_max), trace.numpy())
        return
    v_max = _number(v, v_max).item()
    for t in range(trace.shape[1]):
        u = currents[:, 0 if currents.shape[1] == 1 else t].to(v.dtype)
        v.add_(u).add_(bias).clamp_(-v_max, v_max)
        trace[:, t] = v


def marks(above: torch.Tensor, below: torch.Tensor) -> torch.Tensor:
    """Marks, uint8, of neurons that reached the upper end of their register, and of those that reached the lower."""
    return above * ABOVE.item() | below * BELOW.item()


def saturation(fixed_point: bool) -> float:
    """Where potentials saturate: the chip's registers in fixed point, nowhere in float."""
    return V_MAX if fixed_point else float("inf")


def _number(v: torch.Tensor, value: float) -> Any:
    return np.int32(value) if v.dtype == torch.int32 else np.float32(value)
