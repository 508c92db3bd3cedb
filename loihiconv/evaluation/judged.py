"""How every sample was judged, in few bytes: so that two comparisons that were saved can be paired long after their networks are gone."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from loihiconv.core.fingerprints import fingerprint
from loihiconv.core.linear import Array
from loihiconv.core.metric import Metric
from loihiconv.core.packing import count, rows
from loihiconv.evaluation.pairing import PairedLoss, paired_loss
from loihiconv.evaluation.tasks.bootstrap import SEED, interval, replicates
from loihiconv.evaluation.tasks.scores import Scores

LOOKED_AT = 256
"""Samples, spread over all, whose content stands for that of all of them; labels are looked at all."""


def samples_seen(x: Any, y: Array) -> str:
    """What tells samples (N, \\*shape), or {input: samples}, and their labels (N, ...) from others: 16 hexadecimal digits."""
    n = count(x)
    some = rows(x, np.unique(np.linspace(0, n - 1, min(n, LOOKED_AT)).astype(np.int64)))
    values = {name: np.asarray(v, np.float32) for name, v in (some.items() if isinstance(some, Mapping) else [("", some)])}
    return fingerprint(n, values, np.asarray(y), SEED)[:16]


@dataclass(frozen=True, eq=False)
class Judged:
    """How a network did on each of N samples, or on all of them drawn again and again.

    Attributes
    ----------
    samples : str
        What tells them from others; see `samples_seen`.
    right : bool array (N,) or None
        Which are right, where they are counted.
    drawn : float32 array (B,) or None
        Else the metric of samples drawn again, the same draws for all networks.
    """

    samples: str
    right: Array | None = None
    drawn: Array | None = None

    @classmethod
    def of(cls, scores: Scores, samples: str) -> Judged:
        """Of what was measured."""
        if scores.metric.counted:
            return cls(samples, right=scores.rows[:, 0])
        return cls(samples, drawn=np.asarray(replicates(scores.rows, scores.of), np.float32))

    def to_json(self) -> dict[str, Any]:
        """As JSON values: bits, the first sample's at the top of the first byte, or little-endian float32, each in Base64."""
        if self.right is not None:
            return {"samples": self.samples, "n": len(self.right), "right": _text(np.packbits(self.right))}
        return {"samples": self.samples, "drawn": _text(np.asarray(self.drawn, "<f4"))}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Judged:
        """From what `to_json` gave.

        Raises
        ------
        ValueError
            If that is not it.
        """
        try:
            if "right" in given:
                bits, n = np.unpackbits(np.frombuffer(_bytes(given["right"]), np.uint8)), int(given["n"])
                if not 0 < n <= bits.size < n + 8:
                    raise ValueError(f"{bits.size} bits for {n} samples")
                return cls(str(given["samples"]), right=bits[:n].astype(bool))
            return cls(str(given["samples"]), drawn=np.frombuffer(_bytes(given["drawn"]), "<f4"))
        except (KeyError, TypeError, binascii.Error) as error:
            raise ValueError(f"not how samples were judged: {error}") from error

    def loss_to(self, after: Judged, metric: Metric, values: tuple[float, float]) -> PairedLoss | None:
        """What is lost from this one to another one on the same samples; None where they are not known to be the same.

        Parameters
        ----------
        metric : Metric
        values : (before, after)
            The metric of both.
        """
        if self.samples != after.samples:
            return None
        if self.right is not None and after.right is not None and self.right.shape == after.right.shape:
            return paired_loss(self.right, after.right)
        if self.drawn is None or after.drawn is None or self.drawn.shape != after.drawn.shape:
            return None
        n, changed = len(self.drawn), bool((self.drawn != after.drawn).any())
        difference = self.drawn.astype(np.float64) - after.drawn
        between = interval(difference if metric.rises else -difference) if changed else (0.0, 0.0)
        return PairedLoss(n, metric.loss(*values), between, changed)


def _text(values: Array) -> str:
    return b64encode(values.tobytes()).decode("ascii")


def _bytes(text: Any) -> bytes:
    return b64decode(text, validate=True)
