"""Run a script in a Python process of its own that knows no regzoo and does not outlive this process.

Its temporary files lie in a folder that is removed even if this process is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_EXIT_WITH_PARENT = """
def exit_with_parent():
    import os, sys, threading
    def wait():
        os.read(0, 1)  # nothing is written: it returns once the other end is closed, which a kill does too
        os._exit(1)
    threading.Thread(target=wait, daemon=True).start()
exit_with_parent()
del exit_with_parent
"""


def run_isolated(
    script: str, arguments: Sequence[str], temporary: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run Python code, isolated from the user's packages and path; return its exit code and what it wrote.

    Args:
        script: the code.
        arguments: for ``sys.argv``.
        temporary: folder for its temporary files.
        **environment: further variables of its environment.
    """
    command = [sys.executable, "-I", "-c", _EXIT_WITH_PARENT + script, *arguments]
    variables = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TMPDIR": str(temporary), **environment}
    reader, writer = os.pipe()
    try:
        with os.fdopen(reader) as stdin:
            return subprocess.run(command, stdin=stdin, capture_output=True, text=True, errors="replace", env=variables)
    finally:
        os.close(writer)


def describe_failure(finished: subprocess.CompletedProcess[str]) -> str:
    """Return why a script failed: the last line that it wrote to stderr, or the signal that ended it."""
    if finished.returncode < 0:
        name = signal.Signals(-finished.returncode).name
        return f"its process was ended by {name}" + (", perhaps for lack of memory" if name == "SIGKILL" else "")
    lines = finished.stderr.strip().splitlines()
    return lines[-1] if lines else f"its process ended with exit code {finished.returncode}"
