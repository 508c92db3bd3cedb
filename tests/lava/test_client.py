"""What a caller sees: results by hand, errors by name, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from loihiconv.core.errors import BackendUnavailable, InvalidSetting, LoihiconvError
from loihiconv.lava import client
from loihiconv.lava.chip.settings import ChipSettings
from loihiconv.lava.client import LavaFailed, LavaInterrupted, run_lava
from loihiconv.lava.job import Job
from tests import naive
from tests.lava.small import chain
from tests.lava.workers import nothing_left

REPOSITORY = Path(__file__).parents[2]
lava = pytest.mark.lava


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch, lava_python: str) -> list[subprocess.Popen[bytes]]:
    """All workers that the test starts."""
    started: list[subprocess.Popen[bytes]] = []
    start = client._start

    def remembered(job, interpreter):  # type: ignore[no-untyped-def]
        started.append(start(job, interpreter))
        return started[-1]

    monkeypatch.setattr(client, "_start", remembered)
    return started


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


@lava
def test_a_run_by_hand(workers, tmp_path):
    """4 payloads of 1 x weight 100 = 400 per step against 500: spikes after steps 2, 3, 4, 6 and so on."""
    seen = []
    recording = run_lava(chain(), np.ones((3, 4)), record=["spikes", "potentials"], progress=lambda done, total: seen.append((done, total)))
    # v = 400, 800 -> 300, 700 -> 200, 600 -> 100, 500 (not above), 900 -> 400, 800 -> 300, 700 -> 200
    assert recording.spikes["hidden"][0, :, 0].astype(int).tolist() == [0, 1, 1, 1, 0, 1, 1, 1]
    assert recording.spike_counts["hidden"].tolist() == [[6, 6, 6]] * 3
    assert recording.potentials.tolist() == [[6 * 12 * 64, 6 * 10 * 64]] * 3
    assert recording.potentials_over_time.shape == (3, 8, 2)
    assert recording.predictions.tolist() == [0, 0, 0]
    assert recording.synaptic_operations == 8 * 4 * 3 + 6 * 3 * 2
    assert recording.backend == "lava"
    assert seen[-1] == (3, 3)
    assert nothing_left(workers, tmp_path)


@lava
def test_reset_to_zero_is_lavas_own_lif(lava_python):
    weight = [[100, -20, 54, 2], [2, 14, 6, 60], [-2, 4, 8, -6]]
    given = {"payload": [3, 250, 17, 90], "weight": weight, "vth": 500, "bias": -713, "v_init": 15_000, "timesteps": 60}
    command = [lava_python, str(Path(__file__).with_name("stock_lif.py")), json.dumps(given)]
    output = subprocess.run(command, capture_output=True, text=True, check=True)
    network = chain(timesteps=60, reset="zero", bias=-713, v_init=15_000)
    first = replace(network.connections[0], map=network.connections[0].map.with_weight(np.array(given["weight"], np.int32)))
    network = replace(network, connections=(first, network.connections[1]))
    recording = run_lava(network, np.array([given["payload"]]), record=["spikes"], python=lava_python)
    stock = np.array(json.loads(output.stdout.splitlines()[-1]), bool)
    assert 0 < stock.sum() < stock.size
    np.testing.assert_array_equal(recording.spikes["hidden"][0], stock)
    np.testing.assert_array_equal(naive.simulate(network, np.array([given["payload"]])).spikes["hidden"][0], stock)


@lava
def test_an_overflow_names_population_and_limit(workers, tmp_path):
    with pytest.raises(LavaFailed, match=r"hidden: a synaptic sum of magnitude 204000 .* below 2\^17") as caught:
        run_lava(chain(weight=200), np.full((2, 4), 255))
    assert "Traceback" in str(caught.value.__cause__)
    assert "models.py" in str(caught.value.__cause__)
    assert nothing_left(workers, tmp_path)


@lava
def test_integers_that_lava_would_change_are_refused(workers):
    odd = chain()
    connection = replace(odd.connections[1], map=odd.connections[1].map.with_weight(np.array([[3, 4, 6], [-2, 4, 8]], np.int32)))
    with pytest.raises(LavaFailed, match="hidden->readout: a weight of 3; even numbers"):
        run_lava(replace(odd, connections=(odd.connections[0], connection)), np.ones((1, 4)))
    with pytest.raises(LavaFailed, match="hidden: a bias of 4097; mantissa"):
        run_lava(chain(bias=4097), np.ones((1, 4)))


@lava
def test_deadline_ends_the_whole_group_and_keeps_what_is_finished(workers, tmp_path):
    allowed = 12.0
    with pytest.raises(LavaFailed, match=r"did not finish within 12 s; \d+ of 100000 samples") as caught:
        run_lava(chain(), np.ones((100_000, 4)), deadline=allowed)
    assert nothing_left(workers, tmp_path)
    partial = caught.value.partial
    assert partial is not None
    assert set(partial.spike_counts["hidden"].ravel().tolist()) == {6}
    assert len(partial) == len(partial.potentials)


@lava
def test_ctrl_c_ends_the_whole_group_and_keeps_what_is_finished(workers, tmp_path):
    def interrupt(done: int, total: int) -> None:
        if done >= 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as caught:
        run_lava(chain(), np.ones((100_000, 4)), progress=interrupt)
    assert isinstance(caught.value, LavaInterrupted)
    assert caught.value.partial is not None
    assert 2 <= len(caught.value.partial) < 100_000
    assert nothing_left(workers, tmp_path)


@lava
def test_an_error_of_the_caller_ends_the_whole_group(workers, tmp_path):
    def broken(done: int, total: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_lava(chain(), np.ones((1000, 4)), progress=broken)
    assert nothing_left(workers, tmp_path)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@lava
def test_a_killed_worker_is_an_error_and_leaves_no_children(workers, tmp_path):
    def kill_worker(done: int, total: int) -> None:
        if not killed:
            killed.append(workers[0].pid)
            os.kill(workers[0].pid, signal.SIGKILL)

    killed: list[int] = []
    with pytest.raises(LavaFailed, match="the worker ended with status -9"):
        run_lava(chain(), np.ones((100_000, 4)), progress=kill_worker)
    assert nothing_left(workers, tmp_path)


@lava
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the worker's children in /proc")
def test_a_killed_lava_process_is_an_error_not_a_hang(workers, tmp_path):
    def kill_one(done: int, total: int) -> None:
        if not killed:
            killed.append(children(workers[0].pid)[-2])
            os.kill(killed[0], signal.SIGKILL)

    killed: list[int] = []
    with pytest.raises(LavaFailed, match="a Lava process was ended by signal 9"):
        run_lava(chain(), np.ones((100_000, 4)), progress=kill_one, deadline=60)
    assert nothing_left(workers, tmp_path)


@lava
def test_kill_9_of_the_caller_leaves_no_orphan_and_no_folder(lava_python, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-m", "tests.lava.endless", lava_python]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=REPOSITORY) as caller:
        assert caller.stdout is not None
        group, folder = caller.stdout.readline().split()
        assert int(caller.stdout.readline()) > 0  # the run is under way
        assert client._group_runs(int(group))
        caller.kill()
    end = time.monotonic() + 60  # it takes a moment; a busy machine may take many
    left = lambda: list(Path(folder).parent.glob(f"{Path(folder).name}*"))  # noqa: E731
    while (client._group_runs(int(group)) or left()) and time.monotonic() < end:
        time.sleep(0.05)
    assert not client._group_runs(int(group))
    assert not left()


@lava
def test_runs_in_threads_at_once(workers, tmp_path):
    results = {}
    threads = [threading.Thread(target=lambda t=t: results.update({t: run_lava(chain(timesteps=t), np.ones((2, 4)))})) for t in (4, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results[4].spike_counts["hidden"].tolist() == [[3, 3, 3]] * 2
    assert results[8].spike_counts["hidden"].tolist() == [[6, 6, 6]] * 2


def test_only_fixed_point_networks():
    with pytest.raises(InvalidSetting, match="fixed-point networks only"):
        run_lava(replace(chain(), fixed_point=False), np.ones((1, 4)))


def test_unknown_records():
    with pytest.raises(InvalidSetting, match="cannot record \\['weights'\\]"):
        run_lava(chain(), np.ones((1, 4)), record=["weights"])


def test_an_interpreter_without_lava(tmp_path):
    bare = tmp_path / "bare-python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    bare.chmod(0o755)
    with pytest.raises(BackendUnavailable, match=r"bare-python: .*cannot be used .*No module named 'numpy'.*lava install") as caught:
        run_lava(chain(), np.ones((1, 4)), python=str(bare))
    assert isinstance(caught.value, LoihiconvError)


class Waiting:
    """A worker of which SLURM's queue takes three polls, and the run for ever."""

    returncode = None

    def __init__(self, job: Job) -> None:
        self.job, self.polls = job, 0

    def poll(self) -> None:
        self.polls += 1
        if self.polls == 3:
            self.job.write_status("running")


@pytest.mark.parametrize(("place", "polls"), [("cpu", 1), ("loihi", 4)])
def test_the_deadline_of_a_board_begins_with_its_first_step(tmp_path: Path, place: Literal["cpu", "loihi"], polls: int) -> None:
    job = Job(tmp_path)
    ChipSettings("lif", place).write(job.chip)
    worker = Waiting(job)
    with pytest.raises(LavaFailed, match="did not finish within -1 s; 0 of 1 samples were done"):
        client._watch(worker, "python", job, chain(), 1, -1.0, None)  # type: ignore[arg-type]
    assert worker.polls == polls


def test_another_lava_is_said(tmp_path: Path) -> None:
    job = Job(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client._check_version(job)  # nobody knows
        for fine in ("0.10.0", "0.10.1"):
            job.version.write_text(fine)
            client._check_version(job)
    job.version.write_text("0.9.0")
    with pytest.warns(UserWarning, match=r"^lava-nc 0\.9\.0 ran this; loihiconv is tested with 0\.10 alone$"):
        client._check_version(job)
