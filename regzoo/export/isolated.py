"""Run a script in a Python process of its own that knows no regzoo and does not outlive this process.

Its temporary files lie in a folder that is removed even if this process is killed.
"""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from regzoo.execution.spawn import OPTIONAL_PACKAGES
from regzoo.system import parent


def run_isolated(
    script: str, arguments: Sequence[str], temporary: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run Python code, isolated from the user's packages and path; return its exit code and what it wrote.

    To the code, packages that Keras imports only if it finds them look as if they were not installed, and no garbage is
    collected until it calls ``gc.enable()``: both are half of the time that importing TensorFlow takes.

    Args:
        script: the code.
        arguments: for ``sys.argv``.
        temporary: folder for its temporary files.
        **environment: further variables of its environment.
    """
    first = f"{inspect.getsource(parent)}\ndie_with_parent({os.getpid()})\n"  # the script cannot import regzoo
    first += "import gc, sys\ngc.disable()\n"
    first += f"sys.modules.update(dict.fromkeys({OPTIONAL_PACKAGES}))\n"  # None makes an import fail
    command = [sys.executable, "-I", "-c", first + script, *arguments]
    variables = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TMPDIR": str(temporary), **environment}
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", env=variables, check=False
    )


def describe_failure(finished: subprocess.CompletedProcess[str]) -> str:
    """Return why a script failed: the last line that it wrote to stderr, or the signal that ended it."""
    if finished.returncode < 0:
        name = signal.Signals(-finished.returncode).name
        return f"its process was ended by {name}" + (", perhaps for lack of memory" if name == "SIGKILL" else "")
    lines = finished.stderr.strip().splitlines()
    return lines[-1] if lines else f"its process ended with exit code {finished.returncode}"
