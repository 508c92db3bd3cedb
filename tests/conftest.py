"""What several rooms of tests share."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from loihiconv.core.errors import BackendUnavailable
from loihiconv.lava import client

# The same examples on every run of CI, new ones on every run by hand; on no machine does a clock decide.
settings.register_profile("by hand", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "by hand")


@pytest.fixture(scope="session")
def lava_python() -> str:
    """Interpreter with Lava; without one the test is skipped, with the reason."""
    try:
        return client.find_python()
    except BackendUnavailable as error:
        pytest.skip(str(error))
