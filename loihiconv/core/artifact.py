"""Read a network from a file: only one that every back end can run gets in."""

from __future__ import annotations

from os import PathLike

from loihiconv.core import lnet
from loihiconv.core.errors import ArtifactError, InvalidModel, LimitExceeded
from loihiconv.core.given import check_path
from loihiconv.core.network import Network
from loihiconv.core.validation import validate


def load(path: str | PathLike[str]) -> Network:
    """Read a network from a file.

    Raises
    ------
    ArtifactError
        If the file is missing, truncated, altered, foreign or of a newer version, or if the network breaks a rule of
        `loihiconv.core.validation`.
    InvalidSetting
        If the path is none.
    """
    check_path(path, "load")
    network = lnet.read(path, Network)
    try:
        validate(network)
    except (InvalidModel, LimitExceeded) as error:
        broken = f"holds no network that can run: {error.where}: {error.what}"
        raise ArtifactError(broken, where=str(path), limit=error.limit, remedy="convert again") from error
    return network
