"""The command line as a whole: exit codes, usage, help, and what it imports."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]

QUICK = """
import sys
from regzoo.cli.app import main
for arguments in sys.argv[1:]:
    sys.argv = ["regzoo", *arguments.split("|")]
    try:
        main()
    except SystemExit as done:
        assert not done.code, done.code
slow = {"tensorflow", "keras", "keras_tuner"} & set(sys.modules)
assert not slow, slow
"""
"""Each argument is a command line, its words joined by ``|``."""


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MemoryError("too large")])
def test_a_failing_machine_ends_with_3(
    error: Exception, run: Run, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("regzoo.result.write_report", fail)
    code, _, err = run("report", copied)
    assert code == 3
    assert f"Failed: {error}" in err
    assert ("make room and run the same command again" in err) == isinstance(error, OSError)
    assert "Traceback" not in err


INTERRUPTED = """
import runpy, sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupt())
runpy.run_module("regzoo", run_name="__main__")
"""


def test_ctrl_c_while_the_command_line_is_imported_shows_no_traceback() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_ctrl_c_while_a_string_is_executed_has_the_same_exit_code(tmp_path: Path) -> None:
    """Classes of dataclasses and named tuples are such strings."""
    (tmp_path / "typer.py").write_text("exec('raise KeyboardInterrupt')")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    command, environment = [sys.executable, "-m", "regzoo"], {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize(
    "error",
    [ZeroDivisionError("a defect"), RecursionError("deep"), BrokenPipeError(32, "Broken pipe"), EOFError("early")],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("shown", [False, True])
def test_a_defect_of_regzoo_is_a_sentence_and_its_traceback_is_shown_on_request(
    error: Exception, shown: bool, run: Run, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("regzoo.result.write_report", fail)
    if shown:
        monkeypatch.setenv("REGZOO_TRACEBACK", "1")
    code, _, err = run("report", copied)
    assert code == 3
    assert ("Traceback (most recent call last)" in err) == shown
    assert str(error) in err.splitlines()[-1]
    if not isinstance(error, OSError):
        assert f"Failed: {type(error).__name__}: {error} (test_app.py, line " in err
        assert "REGZOO_TRACEBACK=1" in err


@pytest.mark.parametrize("word", ["\x1b[31mred", "a\u202eb", "\x07", "\x9b31m", "\udcff", "x" * 10**6])
@pytest.mark.parametrize("place", ["command", "option", "more", "value"])
def test_wrong_usage_shows_arguments_as_text(place: str, word: str, run: Run) -> None:
    arguments = {
        "command": [word],
        "option": ["check", "c.yaml", f"--{word}"],
        "more": ["check", "c.yaml", word],
        "value": ["compare", "c.yaml", "--workers", word],
    }
    code, out, err = run(*arguments[place])
    assert (code, out) == (2, "")
    assert re.search(r"[^\n -~…]", err) is None
    assert len(err) < 10_000


@pytest.mark.parametrize(
    "arguments", [["compare"], ["copmare"], ["compare", "c.yaml", "--workers", "0"], ["leaderboard", "d", "--jsn"]]
)
def test_wrong_usage_ends_with_2(arguments: list[str], run: Run) -> None:
    code, _, err = run(*arguments)
    assert code == 2
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["leaderboard", "failures", "report", "export"])
def test_a_folder_without_a_comparison_ends_with_2(command: str, run: Run, tmp_path: Path) -> None:
    more = ["--to", tmp_path / "model"] if command == "export" else []
    code, out, err = run(command, tmp_path / "nowhere", *more)
    assert (code, out) == (2, "")
    assert "holds no comparison" in err
    assert list(tmp_path.iterdir()) == []


def test_help_imports_nothing_that_takes_time() -> None:
    """Half a second is the limit; help stays below it because of what it does not import."""
    script = f"{QUICK}slow = {{'numpy', 'pandas', 'pydantic', 'yaml', 'keras', 'matplotlib'}} & set(sys.modules)\n"
    script += "assert not slow, slow\n"
    done = subprocess.run([sys.executable, "-c", script, "--help"], capture_output=True, text=True, check=True)
    for command in ("zoo", "check", "plan", "compare", "leaderboard", "failures", "report", "export"):
        assert command in done.stdout


@pytest.mark.slow
def test_reading_a_comparison_imports_no_tensorflow(copied: Path) -> None:
    commands = [f"leaderboard|{copied}", f"failures|{copied}", f"report|{copied}", "zoo|dropout"]
    subprocess.run([sys.executable, "-c", QUICK, *commands], capture_output=True, check=True)


@pytest.mark.slow
def test_a_file_that_is_moved_aside_is_said_in_a_sentence_on_stderr(run: Run, copied: Path) -> None:
    (copied / "report.md").write_text("mine")
    code, _, err = run("report", copied)
    assert code == 0
    assert re.fullmatch(r".*: not written by regzoo, or changed since, .*: report\.md is now report\.1\.md\n", err)
    assert (copied / "report.1.md").read_text() == "mine"
    assert run("report", copied)[2] == ""


def test_every_command_removes_what_killed_processes_left(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "regzoo-tmp-1").mkdir()
    (tmp_path / "regzoo-tmp-1" / "siblings").write_bytes(bytes(tmp_path / ".a.regzoo-0123abcd") + b"\0")
    (tmp_path / ".a.regzoo-0123abcd").write_text("half")
    run("zoo", "dropout")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_ends_a_command_with_its_exit_code(number: signal.Signals, expected: int) -> None:
    script = (
        "import signal, sys; from regzoo.cli import app\n"
        "for number in (1, 15): signal.signal(number, signal.SIG_DFL)\n"
        "signal.signal(2, signal.default_int_handler)\n"
        f"app.run_command = lambda _: signal.raise_signal({int(number)})\n"
        "app.main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == expected
    assert done.stderr == "\nInterrupted. Nothing is lost: run the same command again to resume.\n"
