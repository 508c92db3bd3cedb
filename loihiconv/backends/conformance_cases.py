"""Conformance vectors of the neuron that resets by subtraction: inputs of edge cases, and what u, v and spikes have to be at every step.

They are for whoever writes this neuron for a chip, where nothing of this package runs; ``docs/native_neuron.md`` specifies it. Each case is
about one thing that an implementation can get wrong, and holds inputs that show it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from loihiconv.core.fixed_point import BIAS_EXPONENT_MAX, BIAS_MANTISSA_BITS
from loihiconv.core.linear import Array
from loihiconv.core.network import STATE_SHIFT, V_MAX
from loihiconv.core.neurons import current, fire, integrate

SUM_MAX = 2**17 - 1
"""Largest synaptic sum of a step: shifted by 6 it still fits the 24 bits of u. No network that loihiconv makes exceeds it."""
VTH_MAX = 2**17 - 1
MANTISSA_MIN, MANTISSA_MAX = -(2 ** (BIAS_MANTISSA_BITS - 1)), 2 ** (BIAS_MANTISSA_BITS - 1) - 1
GRADED_MAX = 255


@dataclass(frozen=True)
class Case:
    """Neurons of one population over some steps.

    Attributes
    ----------
    name, about : str
        What it is about, in a word and in a sentence.
    a_in : int32 array (T, n)
        Synaptic sums of each step.
    v_init : int32 array (n)
        Potentials before the first step.
    vth : int
        Threshold, not shifted.
    bias_mant, bias_exp : int32 array (n)
    payload_max : int
        1 for binary spikes; larger for the graded variant.
    first, last : int
        Of the variant with silent steps: the first step in which neurons may spike, and the first in which they no longer may. 0 and 0
        for all others.
    silent, timesteps : int
        Of the variant with two potentials: steps of each sample in which neurons only listen, at most T, and T; samples follow each other
        every T steps, and ``v_init`` is what each begins from. 0 and 0 for all others.
    signed : bool
        Of the variant with signed spikes; ``payload_max`` may be 1.
    """

    name: str
    about: str
    a_in: Array
    v_init: Array
    vth: int
    bias_mant: Array
    bias_exp: Array
    payload_max: int = 1
    first: int = 0
    last: int = 0
    silent: int = 0
    timesteps: int = 0
    signed: bool = False

    @property
    def optional(self) -> bool:
        """Whether it is of a variant, which not every network needs."""
        return self.payload_max > 1 or self.last > 0 or self.timesteps > 0 or self.signed

    @property
    def inputs(self) -> dict[str, Array]:
        """What an implementation is given."""
        values = {"a_in": self.a_in, "v_init": self.v_init, "vth": self.vth, "bias_mant": self.bias_mant, "bias_exp": self.bias_exp}
        values |= {"payload_max": self.payload_max, **({"first": self.first, "last": self.last} if self.last else {})}
        values |= {"silent": self.silent, "timesteps": self.timesteps} if self.timesteps else {}
        values |= {"signed": 1} if self.signed else {}
        return {name: np.asarray(value, np.int32) for name, value in values.items()}

    def expected(self) -> dict[str, Array]:
        """u, v and s after each step: int32 (T, n)."""
        bias, start = np.left_shift(self.bias_mant, self.bias_exp), self.v_init.astype(np.int64)
        v, w = np.zeros_like(start) if self.silent else start, start
        u, potentials, spikes = [], [], []
        sent = np.zeros_like(start) if self.signed else None
        for step, a_in in enumerate(self.a_in.astype(np.int64)):
            phase = step % (self.timesteps or len(self.a_in))
            if phase == 0:  # a sample begins, in w where neurons listen first
                v, w = (v, start) if self.silent else (start, w)
            if phase < self.silent:
                w = integrate(w, current(a_in, bias))
            else:
                v = integrate(v, current(a_in, bias))
            sends = self.first <= step < self.last if self.last else True
            fired = fire(v, self.vth << STATE_SHIFT, payload_max=self.payload_max, sent=sent) if sends else np.zeros(v.shape)
            spikes.append(fired.astype(np.int32))
            if phase + 1 == self.silent:
                v = w
            u.append(a_in << STATE_SHIFT)
            potentials.append(v.copy())
        return {"u": np.array(u, np.int32), "v": np.array(potentials, np.int32), "s": np.array(spikes, np.int32)}


def conformance_cases() -> tuple[Case, ...]:
    """All cases, those of the variants last: graded spikes, silent steps, two potentials, and signed spikes."""
    return (*_binary(), *_graded(), *_silent(), *_buffered(), *_signed())


def _binary() -> Iterator[Case]:
    threshold = 100 << STATE_SHIFT
    yield _case(
        "threshold",
        "a neuron spikes above its threshold, not at it, and the threshold is vth << 6",
        [[0] * 6, [0] * 6],
        v_init=[threshold - 1, threshold, threshold + 1, 100, 101, -threshold - 1],
    )
    yield _case(
        "subtract",
        "a spike takes one threshold away and leaves the rest, and a step has one spike at most",
        [[250, 101, 1000, 300], *[[0] * 4] * 12],
    )
    yield _case("sum", "the synaptic sum counts 64-fold, and can be negative", [[1, -1, 99, -99, 100, 3], [2, -2, 1, 101, 1, -3]])
    yield _case(
        "memory",
        "u is of this step alone, and v does not leak",
        [[50, -70, 1, 60], *[[0] * 4] * 40, [51, 170, 99, 41]],
        v_init=[0, 0, threshold // 2, 0],
    )
    exponents = list(range(BIAS_EXPONENT_MAX + 1))
    mantissas = [MANTISSA_MAX, MANTISSA_MIN, 1, -1, 63, 64]
    yield _case(
        "bias",
        "a bias is bias_mant << bias_exp in units of v, signed, and added at each step before the comparison",
        np.zeros((4, len(exponents) * len(mantissas))),
        vth=8000,
        bias_mant=[m for m in mantissas for _ in exponents],
        bias_exp=exponents * len(mantissas),
    )
    far = V_MAX - (5 << STATE_SHIFT)
    yield _case(
        "saturation at the top",
        "v stops at 2^23 - 1, before the comparison",
        [[SUM_MAX, 6, 5, 4, SUM_MAX], [0] * 5, [-6] * 5],
        v_init=[0, far, far, far, V_MAX],
        vth=VTH_MAX,
    )
    yield _case(
        "saturation at the bottom",
        "v stops at -(2^23 - 1), not at -2^23, and does not wrap",
        [[-SUM_MAX, -6, -5, -4, -SUM_MAX], [0] * 5, [SUM_MAX] * 5, [SUM_MAX] * 5],  # from the lower end two steps lead just above vth
        v_init=[0, -far, -far, -far, -V_MAX],
        vth=VTH_MAX - 1,
    )
    yield _case(
        "one sum",
        "v, u and bias are added first, and the sum saturates once",
        [[SUM_MAX, -SUM_MAX, 10, -10]] * 2,
        v_init=[V_MAX - 5, 5 - V_MAX, V_MAX - 5, 5 - V_MAX],
        vth=VTH_MAX,
        bias_mant=[MANTISSA_MIN, MANTISSA_MAX, MANTISSA_MIN, MANTISSA_MAX],
        bias_exp=[BIAS_EXPONENT_MAX, BIAS_EXPONENT_MAX, 0, 0],
    )
    for vth, about in (
        (1, "the smallest threshold"),
        (2**16 - 1, "a threshold of 16 bits"),
        (2**16, "one of 17"),
        (VTH_MAX, "the largest"),
    ):
        at = vth << STATE_SHIFT
        yield _case(f"threshold {vth}", about, [[0] * 5, [1] * 5], v_init=[at - 64, at - 1, at, at + 1, -at], vth=vth)
    yield _case(
        "start",
        "v begins where it is set, and above the threshold a neuron spikes without any input",
        np.zeros((5, 4)),
        v_init=[4 * threshold, -3 * threshold, V_MAX, -V_MAX],
    )
    yield _random("mixed", "everything at once", vth=777, payload_max=1)


def _graded() -> Iterator[Case]:
    at = 100 << STATE_SHIFT
    yield _case(
        "graded floor",
        "a graded spike carries floor(v / threshold), from the threshold itself on, and takes as many thresholds away",
        [[0] * 7, [100, 99, 1, 0, 0, 50, 0]],
        v_init=[at - 1, at, at + 1, 2 * at - 1, 2 * at, 7 * at + 5, 0],
        payload_max=GRADED_MAX,
    )
    yield _case(
        "graded below",
        "below the threshold, and for negative v, nothing is sent",
        [[0] * 4] * 2,
        v_init=[-1, -at, -5 * at, at - 1],
        payload_max=3,
    )
    yield _case(
        "graded limit",
        "a payload is at most payload_max, and what is beyond stays",
        [[0] * 4] * 3,
        v_init=[3 * at, 4 * at, 5 * at, 11 * at],
        payload_max=3,
    )
    yield _random("graded mixed", "everything at once", vth=333, payload_max=15)


def _silent() -> Iterator[Case]:
    at = 100 << STATE_SHIFT
    sums = [[150, 0, 60, 300], [0, 40, 60, 300], [0, 70, -90, -550], *[[0] * 4] * 2, [0, 0, 400, 0], *[[0] * 4] * 3]
    waits = _case("silent", "in its first steps a neuron integrates and sends nothing", sums, v_init=[at, 0, 0, 0])
    yield replace(waits, first=3, last=9)
    ends = _case(
        "silent again", "after its last step a neuron sends nothing, however far v is above the threshold", [[250, 350, 99, 101]] * 6
    )
    yield replace(ends, first=0, last=3)
    mixed = _random("silent mixed", "everything at once", vth=777, payload_max=1)
    yield replace(mixed, first=40, last=90)


def _buffered() -> Iterator[Case]:
    at = 100 << STATE_SHIFT
    sums = [[60, 0, 300, -50], [60, 0, 0, 50], [60, 0, 0, 90], [0, 99, 0, 0], [0, 99, -50, 0], [0, 99, -50, 250], *[[0] * 4] * 6]
    whole = _case("buffered", "a neuron sends what came in before, and listens to the next sample", sums, v_init=[0, at, 0, 0])
    yield replace(whole, silent=3, timesteps=3)
    part = _case("buffered in part", "what comes in after the silent steps of a sample belongs to the one that is sent", sums)
    yield replace(part, silent=2, timesteps=3)
    mixed = _random("buffered mixed", "everything at once", vth=777, payload_max=1)
    quiet = np.zeros_like(mixed.bias_mant)
    yield replace(mixed, silent=8, timesteps=10, v_init=mixed.v_init >> 8, bias_mant=quiet, bias_exp=quiet)


def _signed() -> Iterator[Case]:
    at = 100 << STATE_SHIFT
    yield replace(
        _case(
            "signed",
            "a neuron whose potential is below 0 takes one spike back, one at each step, and gets the threshold back",
            [[0] * 5, [-1, -100, -101, -250, 100], [0] * 5, [0, 0, 0, 50, -350], *[[0] * 5] * 3],
            v_init=[at, at, 2 * at - 1, 3 * at, at - 1],
        ),
        signed=True,
    )
    yield replace(
        _case(
            "signed memory",
            "no more is taken back than was sent: the sum of all spikes is never below 0, and what is missing stays in the potential",
            [[-150, -300, 0, 0], [200, 300, -150, -500], [-300, 250, -300, 700], *[[0] * 4] * 4],
            v_init=[0, at, 2 * at, 5 * at],
        ),
        signed=True,
    )
    yield replace(
        _case(
            "signed payloads",
            "as many thresholds as are missing are taken back at once, at most payload_max",
            [[0] * 4, [-250, 0, -401, 300], [0, -1000, 0, -1000], *[[0] * 4] * 4],
            v_init=[3 * at, 9 * at, 4 * at, at],
            payload_max=5,
        ),
        signed=True,
    )
    yield replace(_random("signed mixed", "everything at once", vth=777, payload_max=1), signed=True)
    yield replace(_random("signed payloads mixed", "everything at once", vth=333, payload_max=15), signed=True)


def _case(
    name: str,
    about: str,
    a_in: Sequence[Sequence[int]] | Array,
    *,
    v_init: Sequence[int] | None = None,
    vth: int = 100,
    bias_mant: Sequence[int] | None = None,
    bias_exp: Sequence[int] | None = None,
    payload_max: int = 1,
) -> Case:
    sums = np.asarray(a_in, np.int32)
    given = (np.asarray([0] * sums.shape[1] if values is None else values, np.int32) for values in (v_init, bias_mant, bias_exp))
    v, mantissa, exponent = given
    return Case(name, about, sums, v, vth, mantissa, exponent, payload_max)


def _random(name: str, about: str, *, vth: int, payload_max: int) -> Case:
    """64 neurons over 100 steps: small biases, most sums near the threshold, some as large as they can be."""
    draw = np.random.Generator(np.random.PCG64(20260101))
    sums = draw.integers(-vth, 2 * vth, (100, 64))
    sums = np.where(draw.random(sums.shape) < 0.02, draw.integers(-SUM_MAX, SUM_MAX + 1, sums.shape), sums)
    mantissa, exponent = draw.integers(MANTISSA_MIN, MANTISSA_MAX + 1, 64), draw.integers(0, 4, 64)  # larger ones end in saturation at once
    return _case(
        name,
        about,
        sums,
        v_init=draw.integers(-V_MAX, V_MAX + 1, 64).tolist(),
        vth=vth,
        bias_mant=mantissa.tolist(),
        bias_exp=exponent.tolist(),
        payload_max=payload_max,
    )
