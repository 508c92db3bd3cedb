"""What several rooms of tests share."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from loihiconv.errors import BackendUnavailable
from loihiconv.lava import client

# The same examples on every run of CI, new ones on every run by hand.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session")
def lava_python() -> str:
    """Interpreter with Lava; without one the test is skipped, with the reason."""
    try:
        return client.find_python()
    except BackendUnavailable as error:
        pytest.skip(str(error))
