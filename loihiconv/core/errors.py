"""One class per mistake a user can make.

Every message is a single line that says where, what, the limit, and the remedy. The command line prints it and
leaves with ``exit_code``; nothing here is ever shown as a traceback.
"""

from __future__ import annotations


class LoihiconvError(Exception):
    """Base of all errors that a user can cause.

    Parameters
    ----------
    what : str
        What is wrong.
    where : str
        The layer, file or option it was found in.
    limit : str
        The limit that was broken, or what was expected instead.
    remedy : str
        What the user can do about it.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", limit: str = "", remedy: str = "") -> None:
        self.what, self.where, self.limit, self.remedy = what, where, limit, remedy
        body = "; ".join(part.rstrip(".") for part in (what, limit, remedy) if part)
        super().__init__(" ".join(f"{where}: {body}".split()) if where else " ".join(body.split()))


class UnsupportedLayer(LoihiconvError):
    """The network holds an operation that cannot be converted."""


class InvalidModel(LoihiconvError):
    """The network cannot be read or its parameters are unusable (NaN, wrong shapes)."""


class InvalidData(LoihiconvError):
    """Calibration or test data is missing, empty, not finite or of the wrong shape."""


class InvalidSetting(LoihiconvError):
    """An option has a value outside its range."""


class InvalidBoard(LoihiconvError):
    """A board is unknown or its YAML file is broken."""


class LimitExceeded(LoihiconvError):
    """The network cannot be expressed within the chip's ranges."""


class ArtifactError(LoihiconvError):
    """A saved network is truncated, altered, foreign or from a newer version."""


class BackendUnavailable(LoihiconvError):
    """A back end cannot run here because something is not installed or not connected. The command line leaves with code 3."""

    exit_code = 3


class BackendFailed(LoihiconvError):
    """A back end was started and broke, or ran past its deadline."""
