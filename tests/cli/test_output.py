"""Output that cannot fail at the end: any encoding, a full, closed or unread stdout, any terminal."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FORKING = """
import contextlib, io, json, os, pty, shutil, sys, termios, fcntl, struct
import regzoo.cli.app, regzoo.cli.tables.leaderboard, regzoo.result, regzoo.cli.zoo_cards
from regzoo.system.streams import prepare_streams

def command(arguments, encoding):
    if sys.stdout is not None and encoding:
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "wb", closefd=False), encoding=encoding)
    prepare_streams()
    sys.argv = ["regzoo", *arguments]
    code = 99
    try:
        regzoo.cli.app.main()
    except SystemExit as exited:
        code = exited.code or 0
    except BaseException as error:
        print(repr(error), file=sys.stderr)
    try:
        sys.stdout.flush()
    except OSError:
        code = 120
    sys.stderr.flush()
    os._exit(code)

def read_all(descriptor):
    data = b""
    with contextlib.suppress(OSError):  # the other end of a terminal is closed
        while piece := os.read(descriptor, 65536):
            data += piece
    return data

def run(case):
    arguments, out, variables = case["arguments"], case["out"], case.get("variables", {})
    err_read, err = os.pipe()
    rows, columns = case.get("size", [24, 80])
    out_read, out_write = pty.openpty() if out == "terminal" else os.pipe()
    if out == "terminal":
        fcntl.ioctl(out_write, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    if out == "unread":
        os.close(out_read)
    if (pid := os.fork()) == 0:
        for name, value in variables.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        os.dup2(out_write if out == "terminal" else err, 2)
        if out == "closed":
            os.close(1)
            sys.stdout = None
        else:
            os.dup2(os.open("/dev/full", os.O_WRONLY) if out == "full" else out_write, 1)
        command(arguments, case.get("encoding"))
    os.close(out_write)
    os.close(err)
    printed = b"" if out == "unread" else read_all(out_read)
    said = read_all(err_read)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return {"code": code, "out": printed.decode("latin-1"), "err": said.decode("latin-1")}

json.dump([run(case) for case in json.loads(sys.argv[1])], sys.stdout)
"""

Case = dict[str, Any]


def run_all(cases: list[Case], folder: Path) -> list[dict[str, Any]]:
    """Return exit code, stdout and stderr of each case, each in a process that is forked from one."""
    done = subprocess.run(
        [sys.executable, "-c", FORKING, json.dumps(cases)], cwd=folder, capture_output=True, check=True, timeout=300
    )
    return list(json.loads(done.stdout))


ENCODINGS = ["ascii", "latin-1", "cp1252", "utf-16", "cp037", "shift_jis"]
READING = ["zoo", "zoo dropout", "zoo --json", "leaderboard flowers --json", "leaderboard flowers --csv"]
READING += ["failures flowers", "compare-runs flowers flowers", "--help", "compare --help"]


def make_cases(commands: list[str], encodings: list[str]) -> list[Case]:
    """Return each command with each encoding, kind of stdout and terminal."""
    terminals: list[Case] = [
        {"out": "terminal", "variables": {"TERM": "dumb"}},
        {"out": "terminal", "variables": {"TERM": None}},
        {"out": "terminal", "size": [1, 1], "variables": {"TERM": "xterm", "COLUMNS": None}},
        {"out": "terminal", "size": [0, 0], "variables": {"TERM": "xterm", "COLUMNS": None}},
    ]
    kinds: list[Case] = [{"out": "pipe", "encoding": encoding} for encoding in encodings]
    kinds += [{"out": "closed"}, {"out": "unread"}, *terminals]
    return [{"arguments": command.split(), **kind} for command, kind in itertools.product(commands, kinds)]


def check_reading(case: Case, done: dict[str, Any]) -> None:
    """Check that a command which prints its product ends well, with what the stream could take."""
    assert (done["code"], done["err"]) == (0, ""), case
    assert "Traceback" not in done["out"], case
    printed = done["out"].encode("latin-1")
    assert bool(printed) == (case["out"] not in ("closed", "unread")), case
    if case.get("encoding"):
        assert printed.decode(case["encoding"]).strip(), case
    if "TERM" in case.get("variables", {}) and case["variables"]["TERM"] != "xterm":
        assert b"\x1b" not in printed, case


WRITTEN = "stdout could not be written (No space left on device); the command's files are complete\n"


@pytest.mark.slow
def test_a_command_ends_well_whatever_stdout_is(one_record: Path, tmp_path: Path) -> None:
    """A full stdout is an error where it is the product; a command that writes files says that stdout lacks some."""
    cases = make_cases(["leaderboard flowers"], ["ascii", "utf-16"])
    full = [{"arguments": command.split(), "out": "full"} for command in ("leaderboard flowers", "--help")]
    saved = {"arguments": ["recover", "flowers", "--to", str(tmp_path / "saved")], "out": "full"}
    wrong = {"arguments": ["recover", "nowhere", "--to", str(tmp_path / "other")], "out": "full"}
    *done, leaderboard, usage, recovered, refused = run_all([*cases, *full, saved, wrong], one_record)
    for case, each in zip(cases, done, strict=True):
        check_reading(case, each)
    assert "nll +/- sd" in done[0]["out"]
    for each in (leaderboard, usage):
        assert each["code"] == 3
        assert each["err"].startswith("Failed: [Errno 28] No space left on device")
    assert (recovered["code"], recovered["err"]) == (0, WRITTEN)
    assert (tmp_path / "saved" / "ledger.sqlite").exists()
    assert refused["code"] == 2
    assert refused["err"].startswith("Error: ")


@pytest.mark.slow
def test_every_reading_command_ends_well_whatever_stdout_is(one_record: Path, tmp_path: Path) -> None:
    shutil.copytree(one_record / "flowers", tmp_path / "flowers")
    cases = make_cases(READING, ENCODINGS)
    full = [{"arguments": command.split(), "out": "full"} for command in READING]
    report = {"arguments": ["report", "flowers"], "out": "full"}
    *done, reported = run_all([*cases, *full, report], tmp_path)
    for case, each in zip(cases, done, strict=False):
        check_reading(case, each)
    assert {each["code"] for each in done[len(cases) :]} == {3}
    assert (reported["code"], reported["err"]) == (0, WRITTEN)
    assert (tmp_path / "flowers" / "report.html").stat().st_size > 0


CONFIG = """
name: tiny
data: {source: iris}
backbone: mlp([4])
recipes: [none, dropout(0.1)]
replicates: 2
search: {trials: 1, repeats: 1, confirm: 0}
training: {epochs: 1}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("redirection", "variables"),
    [
        (">&- 2>&-", {}),
        (">/dev/full", {"PYTHONIOENCODING": "ascii:strict"}),
    ],
)
def test_a_comparison_ends_well_whatever_stdout_is(redirection: str, variables: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(CONFIG)
    command = f'"$0" -m regzoo compare tiny.yaml --workers 1 {redirection}; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(
        ["bash", "-c", command, sys.executable],
        cwd=tmp_path, capture_output=True, check=False, env={**os.environ, **variables},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name in ("leaderboard.csv", "report.html", "model/recipe.json"):
        assert (tmp_path / "reports" / "tiny" / name).stat().st_size > 0
