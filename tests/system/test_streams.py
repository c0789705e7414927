"""Closed, full and unread standard streams of the whole command."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

HELP = [sys.executable, "-m", "regzoo", "zoo"]
WRONG = [sys.executable, "-m", "regzoo", "check", "nowhere.yaml"]


def run(command: list[str], redirection: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a shell with ``redirection``."""
    line = ["bash", "-c", f'"$0" "$@" {redirection}; code=$?; exit $code', *command]
    return subprocess.run(line, capture_output=True, check=False, env={**os.environ, **environment})


FEW = [">&-", "<&- >&- 2>&-", "2>/dev/full"]
MORE = [pytest.param(one, marks=pytest.mark.slow) for one in ("2>&-", "<&-", ">&- 2>&-")]


@pytest.mark.parametrize("redirection", [*FEW, *MORE])
@pytest.mark.parametrize(
    ("command", "code"), [pytest.param(HELP, 0, id="zoo"), pytest.param(WRONG, 2, id="check", marks=pytest.mark.slow)]
)
def test_a_stream_that_takes_nothing_changes_no_exit_code(command: list[str], code: int, redirection: str) -> None:
    done = run(command, redirection)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr + done.stdout
    if "2>" not in redirection:
        assert (b"Error: " in done.stderr) == (code == 2)


@pytest.mark.slow  # tests/cli/test_output.py has the same without a process of its own
def test_a_full_stdout_is_an_error_of_the_machine() -> None:
    done = run(HELP, ">/dev/full")
    assert done.returncode == 3
    assert b"Failed: [Errno 28] No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


def test_who_stops_reading_has_read_enough() -> None:
    done = run(HELP, "| head -c 1; code=${PIPESTATUS[0]}; (exit $code)")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"R", b"")


@pytest.mark.slow
def test_an_encoding_without_a_character_gets_it_written_out() -> None:
    done = run([*WRONG[:-1], "\u2013"], "", PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stderr) == (2, rb"Error: \u2013: there is no such file" + b"\n")


def test_files_that_are_opened_later_are_not_stderr(tmp_path: Path) -> None:
    script = (
        "import os; from regzoo.system.streams import prepare_streams; prepare_streams()\n"
        f"file = open({str(tmp_path / 'ledger')!r}, 'wb'); assert file.fileno() > 2\n"
        "os.write(2, b'a message of TensorFlow'); os.write(1, b'another')"
    )
    done = run([sys.executable, "-c", script], "<&- >&- 2>&-")
    assert done.returncode == 0
    assert (tmp_path / "ledger").read_bytes() == b""


def test_a_pipe_that_does_not_block_is_waited_for() -> None:
    script = (
        "import os, sys; from regzoo.system.streams import prepare_streams; prepare_streams()\n"
        "os.set_blocking(1, False); sys.stdout.write('x' * 1_000_000); sys.stdout.flush()"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        time.sleep(0.5)  # the pipe is full
        assert len(process.stdout.read()) == 1_000_000
    assert process.returncode == 0
