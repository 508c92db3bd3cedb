"""A network in a folder that runs on the host of a board without torch and without loihiconv installed."""

from __future__ import annotations

from loihiconv.deployment.bundle import Deployed as Deployed
from loihiconv.deployment.bundle import deploy as deploy
