"""What arrays of a file are called, and which of them are samples and labels of which part."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, TypeAlias

from loihiconv.core.samples import X_KEYS, Y_KEYS

Part: TypeAlias = Literal["train", "test"]
PAIRS: dict[Part, tuple[str, str]] = {"train": ("x_train", "y_train"), "test": ("x_test", "y_test")}
PLAIN = ("x", "y")
WORDS: dict[str, Part] = {"train": "train", "training": "train", "test": "test", "testing": "test"}
"""What a name may say of its part."""


def names_of(names: Iterable[str], part: Part, *, marked: bool = False) -> tuple[str, str] | None:
    """Names of the arrays that are samples and labels, or None.

    Parameters
    ----------
    names : iterable of str
        Of all arrays; what follows a "/" is an input's.
    part : "train" or "test"
    marked : bool
        Whether they have to be marked as this part; else those of no part will do.

    Returns
    -------
    samples, labels : str
        ``x_train`` and ``y_train``, ``x`` and ``y``, or as others call them: ``X_train``, ``train_images``, ``images``, ``labels``, ...
        There may be no labels, and not several arrays for either.
    """
    roots = dict.fromkeys(name.split("/")[0] for name in names)
    for pair in (PAIRS[part],) if marked else (PAIRS[part], PLAIN):
        if pair[0] in roots:
            return pair
    for wanted in (part,) if marked else (part, None):
        x, y = ([name for name in roots if _role(name) == (wanted, role)] for role in PLAIN)
        if len(x) == 1 and len(y) <= 1:
            return x[0], y[0] if y else ""
    return None


def _role(name: str) -> tuple[Part | None, str | None]:
    words = re.split(r"[^a-z0-9]+", name.lower())
    parts = [WORDS[word] for word in words if word in WORDS]
    rest = "_".join(word for word in words if word not in WORDS)
    role = PLAIN[0] if rest in X_KEYS else PLAIN[1] if rest in Y_KEYS else None
    return parts[0] if len(parts) == 1 else None, role if len(parts) < 2 else None
