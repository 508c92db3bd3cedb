"""Spiking max-pooling over all steps of a block, in one pass over the spikes; see `loihiconv.core.network.MaxPool`.

Spikes in, spikes out, and integers between: the same kernel serves float networks and fixed point.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numba
import numpy as np
import torch
import torch.nn.functional as F

from loihiconv.core.linear import Conv, Shape
from loihiconv.core.network import ESTIMATE_SHIFT, MaxPool
from loihiconv.simulator.compiled import compiled
from loihiconv.simulator.depthwise import windows as windows_of
from loihiconv.simulator.vectors import converted, fill, load, select, store


class Gates:
    """A population of gates while a chunk of samples runs; neurons in (H, W, C) order.

    Parameters
    ----------
    population : MaxPool
    windows : Conv
        The map of the connection into it.
    source : (C, H, W)
    samples : int
    device : torch.device
    portable : bool
        Use torch's own operations, on whatever device.
    """

    def __init__(
        self, population: MaxPool, windows: Conv, source: Shape, samples: int, device: torch.device, *, portable: bool = False
    ) -> None:
        self.population, self.portable = population, portable
        (c, h, w), (_, h_out, w_out), (kh, kw) = source, population.shape, windows.weight.shape[2:]
        (sh, sw), (dh, dw), (top, bottom, left, right) = windows.stride, windows.dilation, windows.padding
        self.geometry = (c, h, w, h_out, w_out, kh, kw, sh, sw, dh, dw, top, left)
        self.around = (0, 0, left, right, top, bottom)
        self.apart = windows.extent[0] <= sh and windows.extent[1] <= sw
        self.units, _, self.starts = windows_of((kh, kw), windows.stride, windows.padding, windows.dilation, source, population.shape)
        self.estimates = torch.zeros((samples, prod(source)), dtype=torch.int32, device=device)
        self.counts = torch.zeros((samples, prod(population.shape)), dtype=torch.int32, device=device)

    def advance(self, spikes: torch.Tensor, out: torch.Tensor) -> None:
        """Let spikes of a block pass.

        Parameters
        ----------
        spikes : uint8 tensor (N, steps, neurons of the source)
        out : uint8 tensor (N, steps, neurons)
            Written; ``counts`` goes on counting.
        """
        average, decay = self.population.estimate == "average", self.population.decay
        if not self.portable and self.apart and not average:
            _count_apart(spikes.numpy(), self.units, self.starts, self.estimates.numpy(), self.counts.numpy(), out.numpy())
            return
        if not self.portable:
            _gate(spikes.numpy(), self.geometry, average, decay, self.estimates.numpy(), self.counts.numpy(), out.numpy())
            return
        for t in range(spikes.shape[1]):
            s, e = spikes[:, t], self.estimates
            if average:
                e -= e >> decay
                e += s.to(torch.int32) << ESTIMATE_SHIFT
                out[:, t] = self._winners(s)
            else:
                e += s
                out[:, t] = (self._windows(e).amax(dim=0).flatten(1) - self.counts).clamp_(min=0)
            self.counts += out[:, t]

    def _winners(self, s: torch.Tensor) -> torch.Tensor:
        """Spikes of the first among the largest units of each window."""
        e = self._windows(self.estimates)
        first = (e == e.amax(dim=0)).to(torch.uint8).argmax(dim=0, keepdim=True)
        return self._windows(s.to(torch.int32)).gather(0, first).squeeze(0).clamp_(min=0).flatten(1)

    def _windows(self, x: torch.Tensor) -> torch.Tensor:
        """The units of all windows, in row-major order, with -1 for padding: (kH kW, N, H_out, W_out, C)."""
        c, h, w, h_out, w_out, kh, kw, sh, sw, dh, dw, *_ = self.geometry
        padded = F.pad(x.view(len(x), h, w, c), self.around, value=-1)
        rows, columns = (h_out - 1) * sh + 1, (w_out - 1) * sw + 1
        places = [(i * dh, j * dw) for i in range(kh) for j in range(kw)]
        return torch.stack([padded[:, i : i + rows : sh, j : j + columns : sw] for i, j in places])


@compiled
def _count_apart(spikes: Any, units: Any, starts: Any, estimates: Any, passed: Any, out: Any) -> None:
    """Windows that share no unit, by counts: some channels of a window are carried through all steps."""
    pixels = starts.size - 1
    channels = passed.shape[1] // pixels
    for n in range(spikes.shape[0]):
        for pixel in range(pixels):
            here, first, c = units[starts[pixel] : starts[pixel + 1]], pixel * channels, 0
            while c + 32 <= channels:
                _pass_records(spikes[n], here, channels, c, estimates[n], passed[n], out[n], first + c, 32)
                c += 32
            while c + 8 <= channels:
                _pass_records(spikes[n], here, channels, c, estimates[n], passed[n], out[n], first + c, 8)
                c += 8
            while c < channels:
                _pass_records(spikes[n], here, channels, c, estimates[n], passed[n], out[n], first + c, 1)
                c += 1


@numba.njit(inline="always", nogil=True, error_model="numpy")
def _pass_records(spikes: Any, units: Any, channels: Any, c: Any, estimates: Any, passed: Any, out: Any, first: Any, lanes: Any) -> None:
    """A gate has passed as much as the most that one of its units has sent: it passes by how much that has grown."""
    record, byte = load(passed, first, lanes), fill(np.uint8(0), lanes)
    for t in range(out.shape[0]):
        best = record
        for unit in units:
            e = load(estimates, unit * channels + c, lanes)
            e = e + converted(load(spikes[t], unit * channels + c, lanes), e)
            store(estimates, unit * channels + c, e)
            best = select(e > best, e, best)
        store(out[t], first, converted(best - record, byte))
        record = best
    store(passed, first, record)


@compiled
def _gate(spikes: Any, geometry: Any, average: bool, decay: int, estimates: Any, passed: Any, out: Any) -> None:
    c, h_out, w_out = geometry[0], geometry[3], geometry[4]
    best, wins = np.empty(c, np.int32), np.empty(c, np.uint8)
    for n in range(spikes.shape[0]):
        e = estimates[n]
        for t in range(spikes.shape[1]):
            s = spikes[n, t]
            if average:
                _average(e, s, np.int32(decay))
            else:
                _count(e, s)
            for y in range(h_out):
                for x in range(w_out):
                    begin = (y * w_out + x) * c
                    total, o = passed[n, begin : begin + c], out[n, t, begin : begin + c]
                    _look_over(e, s, geometry, average, y, x, best, wins)
                    if average:
                        _pass_winner(wins, total, o)
                    else:
                        _pass_record(best, total, o)


@compiled
def _look_over(e: Any, s: Any, geometry: Any, average: bool, y: int, x: int, best: Any, wins: Any) -> None:
    """The largest estimates among the units of the windows at one place, and whether those that hold them spike."""
    c, h, w, _, _, kh, kw, sh, sw, dh, dw, top, left = geometry
    best[:] = -1
    wins[:] = 0
    for i in range(kh):
        row = y * sh - top + i * dh
        if row < 0 or row >= h:
            continue
        for j in range(kw):
            column = x * sw - left + j * dw
            if column < 0 or column >= w:
                continue
            unit = (row * w + column) * c
            if average:
                _compete(e[unit : unit + c], s[unit : unit + c], best, wins)
            else:
                _largest(e[unit : unit + c], best)


# On one-dimensional arrays, or the compiler does not vectorise them.


@compiled
def _count(e: Any, s: Any) -> None:
    for i in range(e.size):
        e[i] += np.int32(s[i])


@compiled
def _average(e: Any, s: Any, decay: Any) -> None:
    for i in range(e.size):
        e[i] = np.int32(e[i] - (e[i] >> decay)) + np.int32(np.int32(s[i]) << np.int32(ESTIMATE_SHIFT))


@compiled
def _largest(e: Any, best: Any) -> None:
    for i in range(e.size):
        best[i] = max(best[i], e[i])


@compiled
def _compete(e: Any, s: Any, best: Any, wins: Any) -> None:
    for i in range(e.size):
        larger = e[i] > best[i]
        wins[i] = s[i] if larger else wins[i]
        best[i] = e[i] if larger else best[i]


@compiled
def _pass_record(best: Any, passed: Any, out: Any) -> None:
    """A gate whose unit keeps the maximum in a tie has passed as much as the maximum: it passes by how much that has grown."""
    for i in range(best.size):
        more = max(best[i], passed[i]) - passed[i]
        out[i] = np.uint8(more)
        passed[i] += np.int32(more)


@compiled
def _pass_winner(wins: Any, passed: Any, out: Any) -> None:
    for i in range(wins.size):
        out[i] = wins[i]
        passed[i] += np.int32(wins[i])
