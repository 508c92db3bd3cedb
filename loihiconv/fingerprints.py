"""What a population computes, in 64 hexadecimal digits: two networks that agree in them run alike."""

from __future__ import annotations

import hashlib
from dataclasses import fields

import numpy as np

from loihiconv.linear import Array
from loihiconv.network import Network


def fingerprints(network: Network) -> dict[str, str]:
    """SHA-256 per population, of its parameters and of the maps and weights that feed it.

    Parameters
    ----------
    network : Network

    Returns
    -------
    {population: hexadecimal digest}
        Other than a file's checksum it does not depend on metadata, origin or versions.
    """
    found = {}
    for population in network.populations:
        digest = hashlib.sha256(type(population).__name__.encode())
        parts = [population, *(part for c in network.incoming(population.name) for part in (c, c.map))]
        for part in parts:
            for field in fields(part):
                value = getattr(part, field.name)
                if field.name == "map":
                    continue
                digest.update(f"{field.name}:".encode())
                digest.update(_bytes(value) if isinstance(value, np.ndarray) else repr(value).encode())
        found[population.name] = digest.hexdigest()
    return found


def _bytes(array: Array) -> bytes:
    return f"{array.dtype.str}{array.shape}".encode() + np.ascontiguousarray(array).tobytes()
