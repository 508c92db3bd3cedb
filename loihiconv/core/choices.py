"""What the parts of a network and of its conversion choose between, and how large their numbers may be.

Nothing is imported here, so that whoever only offers these choices, as the command line's help does, loads nothing else.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

Coding: TypeAlias = Literal["analog", "rate", "poisson"]
Reset: TypeAlias = Literal["subtract", "zero"]
MaxPooling: TypeAlias = Literal["auto", "gate", "relu-tree", "average"]
PoolingWay: TypeAlias = Literal["gate", "relu-tree", "average"]
Estimate: TypeAlias = Literal["count", "average"]
Decision: TypeAlias = Literal["potential", "softmax"]
EnergyEngine: TypeAlias = Literal["counts", "sanafe"]
Task: TypeAlias = Literal["classification", "binary", "multilabel", "regression", "dense"]

PAYLOAD_LIMIT = 255
"""Graded spikes carry one byte at most: with 8-bit weights more would leave no room in a sum of 17 bits."""
SIGNED_PAYLOAD_LIMIT = 127
"""The same of spikes that have a sign: a byte holds both."""
COPIES_LIMIT = 16
"""Neurons that stand for one activation: synapses between two layers are the square of it."""
SEED_LIMIT = 2**64
"""Seeds of random streams are below this: they are one 64-bit word of Philox's key."""
