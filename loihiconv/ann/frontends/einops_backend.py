"""Stand-ins for tensors as einops takes them, so that its functions in a model's ``forward`` are recorded as the operations they are.

einops asks each of its backends whether a tensor is one of theirs. Its backend for PyTorch calls nothing but operations on the tensor, so
that one for stand-ins differs from it by this answer alone.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any

from loihiconv.ann.frontends.stands import Stand


def know_stands() -> None:
    """Let einops take stand-ins, if a model may use it: once it has been imported."""
    if "einops" in sys.modules:
        _add_backend()


@lru_cache(maxsize=1)
def _add_backend() -> type:
    from einops._backends import TorchBackend

    class StandBackend(TorchBackend):  # type: ignore[misc, no-any-unimported, unused-ignore]  # einops need not be there
        framework_name = __package__.partition(".")[0]  # that of an imported package, or einops does not look at it

        def is_appropriate_type(self, tensor: Any) -> bool:
            return isinstance(tensor, Stand)

    return StandBackend  # einops finds it as long as there is one
