"""What workers must not leave behind."""

from __future__ import annotations

import subprocess
from pathlib import Path

from loihiconv.lava import client


def nothing_left(workers: list[subprocess.Popen[bytes]], tmp_path: Path) -> bool:
    return not any(client._group_runs(w.pid) for w in workers) and not list(tmp_path.glob("loihiconv-lava-*"))
