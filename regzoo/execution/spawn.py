"""Spawned processes: they import TensorFlow themselves, which hangs after a fork, and know the user's classes."""

from __future__ import annotations

import gc
import importlib
import multiprocessing.context
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from regzoo.execution.tf_runtime import import_tensorflow, silence_stderr

OPTIONAL_PACKAGES = ("matplotlib", "pandas", "sklearn")
"""Packages that Keras imports if it finds them, for plots and wrappers; they are a third of its import time."""


def make_spawn_context(modules: Sequence[str]) -> multiprocessing.context.SpawnContext:
    """Return the context for processes that need ``modules``, which define the user's own classes.

    The user's script is run again only if it defines such classes itself; otherwise it needs no main guard.
    """
    return multiprocessing.context.SpawnContext() if "__main__" in modules else _ContextWithoutScript()


def set_up_worker(modules: Sequence[str]) -> None:
    """Set up a spawned process: stderr closed, TensorFlow imported, the user's ``modules`` imported.

    TensorFlow gets one thread: two processes with one thread each are faster than one process with two.
    """
    silence_stderr()
    with _hide_packages(OPTIONAL_PACKAGES):
        import_tensorflow(threads=1)
    gc.freeze()  # TensorFlow's objects stay as long as the process: no collection needs to look through them
    for module in modules:
        if module != "__main__":  # spawn has imported the user's script already
            importlib.import_module(module)


@contextmanager
def _hide_packages(packages: Sequence[str]) -> Iterator[None]:
    """Make those of the ``packages`` that are not imported yet look as if they were not installed."""
    hidden = [package for package in packages if package not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None makes an import fail
    try:
        yield
    finally:
        for package in hidden:
            del sys.modules[package]


class _ProcessWithoutScript(multiprocessing.context.SpawnProcess):
    """A spawned process that does not import the user's script again."""

    @staticmethod
    def _Popen(process: Any) -> Any:  # multiprocessing's name
        with _hide_script():
            return multiprocessing.context.SpawnProcess._Popen(process)


class _ContextWithoutScript(multiprocessing.context.SpawnContext):
    Process = _ProcessWithoutScript


@contextmanager
def _hide_script() -> Iterator[None]:
    """Make ``__main__`` look as if it had no file, so that spawn does not import it."""
    main = sys.modules["__main__"]
    hidden: dict[str, Any] = {n: vars(main).pop(n) for n in ("__spec__", "__file__") if n in vars(main)}
    main.__spec__ = None
    try:
        yield
    finally:
        vars(main).update(hidden)
