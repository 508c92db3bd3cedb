"""Whether lava-dl's file in a deployed folder is still the one that was written. Imports no Lava."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from loihiconv.core.errors import ArtifactError

NETX_FILE, NETX_DIGESTS = "network.net", "netx-digests"
"""The file in a deployed folder, and the array of its self-test that holds what `layer_digests` gave."""


def layer_digests(path: str | Path) -> list[str]:
    """SHA-256 of each layer in a file but its input, over all that it holds, in hexadecimal.

    Raises
    ------
    ArtifactError
        If the file cannot be read.
    """
    import h5py

    found: list[str] = []
    try:
        with h5py.File(path, "r") as file:
            for number in sorted(file["layer"], key=int):
                digest, layer = hashlib.sha256(), file["layer"][number]
                members: dict[str, Any] = {}
                layer.visititems(lambda name, member, members=members: members.update({name: member}))
                for name in sorted(members):
                    if isinstance(members[name], h5py.Dataset):
                        values = np.asarray(members[name][()])
                        digest.update(f"{name} {values.dtype.str} {values.shape}".encode() + values.tobytes())
                if layer["type"][0] not in (b"input", b"flatten"):
                    found.append(digest.hexdigest())
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise ArtifactError(f"cannot be read: {error}", where=str(path), remedy="export it again") from error
    return found
