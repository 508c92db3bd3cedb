"""What several rooms of tests share."""

from __future__ import annotations

import pytest

from loihiconv.errors import BackendUnavailable
from loihiconv.lava import client


@pytest.fixture(scope="session")
def lava_python() -> str:
    """Interpreter with Lava; without one the test is skipped, with the reason."""
    try:
        return client.find_python()
    except BackendUnavailable as error:
        pytest.skip(str(error))
