"""Spawn: processes of our own, which import TensorFlow afresh (forked, it hangs) and know the user's classes."""

from __future__ import annotations

import importlib
import multiprocessing.context
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from regzoo.execution.tf_runtime import import_tensorflow, silence_tensorflow

SPARED = ("matplotlib", "pandas", "sklearn")
"""What Keras imports where it finds it, for plots and wrappers: a third of what its import costs."""


def spawn_context(modules: Sequence[str]) -> multiprocessing.context.SpawnContext:
    """How to spawn processes that need ``modules``, those of the user's own classes.

    The user's script is not run again unless it defines such classes itself, so it needs no main guard.
    """
    return multiprocessing.context.SpawnContext() if "__main__" in modules else _AloneContext()


def start_worker(modules: Sequence[str]) -> None:
    """Set up a spawned process: quiet, one thread (two processes beat one with two), the user's classes known."""
    silence_tensorflow()
    with _absent(SPARED):
        import_tensorflow(threads=1)
    for module in modules:
        if module != "__main__":  # spawn has imported the user's script already
            importlib.import_module(module)


@contextmanager
def _absent(packages: Sequence[str]) -> Iterator[None]:
    """Let those of the ``packages`` that are not imported yet look as if they were not installed."""
    hidden = [package for package in packages if package not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None, as the import system means it
    try:
        yield
    finally:
        for package in hidden:
            del sys.modules[package]


class _AloneProcess(multiprocessing.context.SpawnProcess):
    """A spawned process that does not import the user's script again."""

    @staticmethod
    def _Popen(process: Any) -> Any:  # multiprocessing's name
        with _main_hidden():
            return multiprocessing.context.SpawnProcess._Popen(process)


class _AloneContext(multiprocessing.context.SpawnContext):
    Process = _AloneProcess


@contextmanager
def _main_hidden() -> Iterator[None]:
    main = sys.modules["__main__"]
    hidden: dict[str, Any] = {n: vars(main).pop(n) for n in ("__spec__", "__file__") if n in vars(main)}
    main.__spec__ = None
    try:
        yield
    finally:
        vars(main).update(hidden)
