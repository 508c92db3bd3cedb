"""Every choice of a fine-tuning, checked, in one value; declared as settings of conversions are (`loihiconv.conversion.settings`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from inspect import cleandoc
from typing import Literal, TypeAlias, TypedDict

from loihiconv.conversion.declaration import declarations, described, numpydoc
from loihiconv.core.choices import SEED_LIMIT

Rates: TypeAlias = Literal["spikes", "rounded"]
Loss: TypeAlias = Literal["outputs", "labels", "both"]

MOST_STEPS = 63
"""Time steps from which on the rounding of rates is too fine to be read back as such; nothing is left to gain there."""


@dataclass(frozen=True)
class Tuning:
    """How a network is trained further.

    Raises
    ------
    InvalidSetting
        If a choice is out of its range.
    """

    timesteps: int = field(
        metadata=described(
            "T, the time steps that each sample gets when it is converted.",
            low=1,
            high=MOST_STEPS,
            short="-T",
            remedy="networks for more steps lose next to nothing without training",
        )
    )
    epochs: int = field(default=4, metadata=described("Passes over the samples.", low=1))
    rate: float = field(
        default=0.002,
        metadata=described(
            "Largest relative change per step: of a layer's weights, in units of their root mean square; of λ.",
            details="Adam (Kingma and Ba 2015), with a cosine down to 0.",
            above=0,
            high=1,
        ),
    )
    batch: int = field(default=64, metadata=described("Samples per step.", low=1))
    rates: Rates = field(
        default="spikes",
        metadata=described(
            "What training sees: spikes of neurons in time, or what they receive in all, rounded to T steps.",
            details='"rounded" are clip-floor-shift activations (QCFS, Bu et al. 2022). "spikes" also knows of spikes that come before the '
            "inhibition that belongs to them (tandem learning, Wu et al. 2021), and takes about T times as long.",
            title="rates",
        ),
    )
    loss: Loss = field(
        default="outputs",
        metadata=described(
            "What is wanted: the outputs of the float network, which needs no labels, the classes that samples have, or both.",
            details="Outputs are compared as what they stand for: distributions of classes by their divergence, numbers by their squared "
            'difference. "both" is the mean of the two losses.',
            title="loss",
        ),
    )
    approximate: int = field(
        default=0,
        metadata=described(
            "ReLUs in place of each curved activation, such as SiLU or tanh, which are trained with the rest; 0 refuses them.",
            details="As `loihiconv.convert` takes it; the outputs that are wanted are those with curves. What comes out has none.",
            low=0,
            high=16,
        ),
    )
    shift: int = field(
        default=0,
        metadata=described("Pixels by which images are moved at most, at random, each time that they are seen.", low=0),
    )
    flip: bool = field(default=False, metadata=described("Mirror images left to right every other time."))
    seed: int = field(default=0, metadata=described("Of the order of samples.", low=0, high=SEED_LIMIT - 1))

    def __post_init__(self) -> None:
        for name, declared in DECLARED.items():
            declared.check(getattr(self, name))


class TuningOptions(TypedDict, total=False):
    """Names and types of all choices but T, for type checkers; `Tuning` says what they mean."""

    epochs: int
    rate: float
    batch: int
    rates: Rates
    loss: Loss
    approximate: int
    shift: int
    flip: bool
    seed: int


DECLARED = declarations(Tuning)
"""All choices by name, in order."""
Tuning.__doc__ = f"{cleandoc(Tuning.__doc__ or '')}\n\n{numpydoc(DECLARED.values())}\n"
