"""The worker: runs one job on Lava, in the interpreter that has it.

``python -m loihiconv.lava.worker FOLDER [--parent PID]`` reads the folder (see `job`), makes one continuous run over all
samples and leaves records, ``status.json`` and, if something broke, the traceback in ``error.txt``.

Lava starts one operating system process per Lava process and, when one of them fails, may wait for ever for the
others. So the worker leads a process group of its own, and a guard thread ends the whole group as soon as a process
has failed or was killed, or the caller, given as ``--parent``, is gone.
"""

from __future__ import annotations

import argparse
import ctypes
import multiprocessing.util
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NoReturn

from loihiconv.core.temporary import name_shared_memory
from loihiconv.lava.faults import reached
from loihiconv.lava.job import Job

POLL_SECONDS = 0.1
PR_SET_PDEATHSIG = 1  # from <linux/prctl.h>


def main(arguments: list[str] | None = None) -> int:
    """Run a job; the exit status is 0 if it is complete."""
    parser = argparse.ArgumentParser(prog="python -m loihiconv.lava.worker", description="run one job on Lava")
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--parent", type=int, help="process id of the caller, who ends this one: when it is gone, end and remove the folder"
    )
    options = parser.parse_args(arguments)
    job = Job(options.folder.resolve())
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    threading.Thread(target=_guard, args=(job, options.parent), daemon=True).start()
    job.write_status("starting")
    try:
        _run(job)
    except BaseException as error:
        with suppress(OSError):
            _report(job, error)
        _fail(job)
    reached("end")
    job.write_status("done")
    if options.parent is not None:
        threading.Event().wait()  # until the caller has what it wants and ends the group, or is gone: then the guard removes the folder
    return 0


def _run(job: Job) -> None:
    reached("start")
    try:
        import lava.magma.runtime.runtime as runtime
        from lava.magma.core.run_conditions import RunSteps
        from lava.magma.core.run_configs import Loihi2SimCfg
    except Exception:
        job.write_status("unavailable")
        raise
    from loihiconv.core import lnet
    from loihiconv.core.network import Network
    from loihiconv.lava.builder import build, total_steps
    from loihiconv.lava.processes.models import FAST

    os.register_at_fork(after_in_child=_die_with_parent)
    with suppress(PackageNotFoundError):  # of a source tree nobody knows
        job.version.write_text(version("lava-nc"))
    name_shared_memory(job.folder)
    job.scratch.symlink_to(multiprocessing.util.get_temp_dir())  # of this process and all that it starts
    runtime.target_fn = _reporting(job, runtime.target_fn)
    network, settings = lnet.read(job.network, Network), job.read_settings()
    if job.chip.exists():
        from loihiconv.lava.chip import runner
        from loihiconv.lava.chip.settings import ChipSettings

        runner.run(network, job, settings, ChipSettings.read(job.chip))
        return
    processes = build(network, job, settings)
    reached("built")
    configuration = Loihi2SimCfg(select_tag="fixed_pt", exception_proc_model_map={} if settings.stock_models else FAST)
    job.write_status("running")
    # All populations answer before a step ends, so little is ever under way; the default of 64 slots per channel costs
    # 64 times the largest image in shared memory.
    try:
        processes[-1].run(RunSteps(total_steps(network, settings.samples)), configuration, {"pypy_channel_size": 4})
    finally:
        processes[-1].stop()


def _reporting(job: Job, target: Callable[..., None]) -> Callable[..., None]:
    """Lava's entry point of child processes, with failures written down: Lava itself hides a child's traceback."""

    def run(*args: Any, **kwargs: Any) -> None:
        try:
            target(*args, **kwargs)
        except BaseException as error:
            try:
                _report(job, error)
            except OSError:  # the disk is full, and the guard sees that this process was killed
                os.kill(os.getpid(), signal.SIGKILL)
            raise

    return run


def _report(job: Job, error: BaseException) -> None:
    """Write ``error.txt`` unless there is one: what failed first is the cause of the rest."""
    job.reserve.unlink(missing_ok=True)
    temporary = job.folder / f"error-{os.getpid()}.tmp"
    temporary.write_text("".join(traceback.format_exception(type(error), error, error.__traceback__)))
    with suppress(FileExistsError):
        os.link(temporary, job.error)
    temporary.unlink()


def _guard(job: Job, parent: int | None) -> None:
    """Thread: end the group when a process has failed or the caller is gone."""
    wait = threading.Event()
    while not wait.wait(POLL_SECONDS):
        if parent is not None and os.getppid() != parent:
            job.remove()
            _end_group()
        if killed := _killed_child():
            with suppress(OSError):
                _report(job, ChildProcessError(f"a Lava process was ended by signal {killed}; perhaps memory or the disk is full"))
            _fail(job)
        if job.error.exists():
            _fail(job)


def _killed_child() -> int:
    """Signal that ended a child, or 0. Lava would wait for that child for ever."""
    if not hasattr(os, "waitid"):  # macOS
        return 0
    try:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)  # WNOWAIT: Lava wants to reap it
    except ChildProcessError:
        return 0
    return ended.si_status if ended is not None and ended.si_code != os.CLD_EXITED else 0


def _fail(job: Job) -> NoReturn:
    try:
        if job.read_status().get("state") != "unavailable":
            job.write_status("failed", message=job.error.read_text().strip().splitlines()[-1])
    finally:  # also where the disk is full
        _end_group()


def _end_group() -> NoReturn:
    # SIGTERM and not SIGKILL: Python's resource tracker ignores it, and removes the shared memory once all others are gone.
    os.killpg(os.getpgrp(), signal.SIGTERM)
    os._exit(1)


def _die_with_parent() -> None:
    """In a child: be ended when the worker is, however that happens (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
