"""Lava's ``ATRLIF`` as an integrate-and-fire neuron that resets by subtraction, and how long it can be one.

``ATRLIF`` (lava-nc 0.10, ``lava/proc/atrlif``) computes at each step, with decay constants delta::

    i = (1 - delta_i) i + (a_in << 6)          v = (1 - delta_v) v + i + bias        clipped to 24 bits
    theta = (1 - delta_theta) (theta - theta_0) + theta_0                            r = (1 - delta_r) r
    spike if v - r >= theta;  then r = r + 2 theta  and  theta = theta + theta_step

With delta_v = delta_r = delta_theta = theta_step = 0 nothing but spikes changes theta and r, and with delta_i = 4095/4096, to
which its fixed-point model adds 1/4096, no current is kept. Then v sums up all input, r sums up 2 theta per spike, and u = v - r
is the membrane potential of a neuron that resets by subtracting 2 theta. It would fire at u >= theta, so r starts at
theta + 1 instead of 0::

    v - r >= theta   <=>   u >= 2 theta + 1   <=>   u > vth << 6      with theta = vth << 5

which is the emulator's rule, strictness included. Three things limit it: vth = 2 theta_0 is even; theta_0 has 12 bits; and v and
r never come down, so that after ::

    (2^23 - 1 - r_0) / (vth << 6)     spikes of one neuron, with r_0 = (vth << 5) + 1

r no longer fits into 24 bits. Each sample starts anew, so this is a budget per sample. See `loihiconv.backends.registers` for v.
"""

from __future__ import annotations

from loihiconv.core.network import STATE_SHIFT, V_MAX

DELTA_I = 4095 / 4096
"""Decay of the current; the fixed-point model adds 1/4096 and nothing is left."""
THETA_MAX = 2**12 - 1
"""``theta_0`` is declared with 12 bits, unsigned."""


def first_refractory(vth: int) -> int:
    """R at the start of a sample: (vth << 5) + 1, half a threshold and what makes ``>=`` a ``>``."""
    return (vth << STATE_SHIFT - 1) + 1


def spike_budget(vth: int) -> int:
    """Spikes that one neuron can send in a sample before r leaves 24 bits."""
    return (V_MAX - first_refractory(vth)) // (vth << STATE_SHIFT)


def largest_threshold(timesteps: int) -> int:
    """Largest threshold that lets a neuron fire at each of T steps: even, at most 2 * 4095, and with a budget of T spikes.

    r_0 + T (vth << 6) <= 2^23 - 1 gives vth <= (2^23 - 2) / (64 T + 32). 0 where T is too large for any.
    """
    most = (V_MAX - 1) // ((timesteps << STATE_SHIFT) + (1 << STATE_SHIFT - 1))
    return min(most, 2 * THETA_MAX) // 2 * 2
