"""A stand-in for Intel's lava-loihi, made only for tests: Python models that Lava takes for those of a chip, and a diary.

Every event is a line of JSON in the file that STANDIN_LOG names.
"""

from __future__ import annotations

import json
import os
from typing import Any

VARIABLES = ("SLURM", "NOSLURM", "PARTITION", "BOARD", "NXSDKHOST", "LOIHI_GEN")


def note(event: str, **details: Any) -> None:
    environment = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    with open(os.environ["STANDIN_LOG"], "a") as file:
        file.write(json.dumps({"event": event, "environment": environment, **details}) + "\n")
