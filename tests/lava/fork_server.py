"""A process that has Lava imported and forks a worker per job: the import alone takes longer than a small run.

Reads one folder per line; answers with the worker's process id and, when it has ended, its return code.
"""

from __future__ import annotations

import os
import sys

import lava.magma.core.run_configs
import lava.magma.runtime.runtime
import lava.proc.conv.process
import lava.proc.dense.process  # noqa: F401

from loihiconv.lava import worker


def main() -> None:
    for line in sys.stdin:
        folder = line.strip()
        child = os.fork()
        if child == 0:
            os.setsid()
            log = os.open(f"{folder}/worker.log", os.O_WRONLY)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.close(0)
            os.chdir(folder)
            os._exit(worker.main([folder]))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
