"""Content in 64 hexadecimal digits: whatever agrees in them is the same. Needs numpy and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from loihiconv.core.network import Network


def fingerprints(network: Network) -> dict[str, str]:
    """SHA-256 per population, of its parameters and of the maps and weights that feed it.

    Parameters
    ----------
    network : Network

    Returns
    -------
    {population: hexadecimal digest}
        Other than a file's checksum it does not depend on its record, origin or versions.
    """
    return {population.name: fingerprint(population, network.incoming(population.name)) for population in network.populations}


def fingerprint(*values: Any) -> str:
    """SHA-256 of dataclasses, arrays, mappings, sequences and plain values, by content and type; in hexadecimal."""
    digest = hashlib.sha256()
    for value in values:
        _add(value, digest)
    return digest.hexdigest()


def _add(value: Any, digest: Any) -> None:
    digest.update(f"<{type(value).__name__}".encode())
    if is_dataclass(value):
        for field in fields(value):
            _add(field.name, digest)
            _add(getattr(value, field.name), digest)
    elif isinstance(value, np.ndarray):
        digest.update(f"{value.dtype.str}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)
    elif isinstance(value, Mapping):
        for name in sorted(value):
            _add(name, digest)
            _add(value[name], digest)
    elif isinstance(value, (tuple, list)):
        for item in value:
            _add(item, digest)
    else:
        digest.update(value if isinstance(value, bytes) else repr(value).encode())
    digest.update(b">")
