"""A container whose caller was killed ends, and one whose caller lives does not."""

import fcntl
import pathlib
import signal
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[3]
PROGRAM = "import signal, sys; from cli import caller; caller.end_with(sys.argv[1]); print('watching', flush=True); signal.pause()"


def test_it_ends_when_its_caller_holds_the_lock_no_more(tmp_path):
    with open(tmp_path / "list", "w+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        running = subprocess.Popen([sys.executable, "-c", PROGRAM, file.name], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert running.stdout.readline() == "watching\n"
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(0.3)
    assert running.wait(10) == -signal.SIGTERM
    running.stdout.close()
