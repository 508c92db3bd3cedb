"""Ctrl-C and SIGTERM end a command in order, and the second one at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from loihiconv.commands.interruption import orderly

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("number", "code", "said"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "ended by SIGTERM")])
@pytest.mark.parametrize("swallowed", [False, True])
def test_the_first_is_an_interrupt(number: int, code: int, said: str, swallowed: bool, capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(number)

    def stopped() -> None:
        try:
            os.kill(os.getpid(), number)
        except KeyboardInterrupt:
            if swallowed:  # as typer does
                sys.exit(130)
            raise

    with pytest.raises(SystemExit) as caught, orderly():
        stopped()
    assert caught.value.code == code
    assert said in capsys.readouterr().err
    assert signal.getsignal(number) is before


def test_other_ends_stay_as_they_are() -> None:
    for code in (0, 2, 3):
        with pytest.raises(SystemExit) as caught, orderly():
            sys.exit(code)
        assert caught.value.code == code


def test_the_second_ends_at_once() -> None:
    program = (
        "import os, signal, time\nfrom loihiconv.commands.interruption import orderly\n"
        "with orderly():\n    try:\n        os.kill(os.getpid(), signal.SIGINT)\n"
        "    finally:\n        os.kill(os.getpid(), signal.SIGTERM)\n        print('the same')\n"
        "        time.sleep(0.6)\n        os.kill(os.getpid(), signal.SIGTERM)\n        print('never')\n"
    )
    done = subprocess.run([sys.executable, "-u", "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stdout) == (143, "the same\n")
