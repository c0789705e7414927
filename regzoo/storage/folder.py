"""Folder: a comparison's own folder. One process at a time writes to it, and nothing foreign is touched."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import filelock
import yaml

from regzoo.config import ConfigError, Experiment, load_config, read_config
from regzoo.config.values import NO_AUTO
from regzoo.core import EnvironmentFailure, InputError
from regzoo.core.errors import BusyError
from regzoo.storage.ledger import FILE as LEDGER
from regzoo.storage.ledger import Ledger

CONFIG = "config.yaml"
LOCK = ".lock"

_NAME = re.compile(r"(?m)^name:\s*['\"]?([\w.-]+)")

MAY_GROW = ("recipes", "replicates", "placebo")
MAY_CHANGE = ("budget", "run_limit", "rope")


@contextlib.contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold ``folder`` for this process while the block runs.

    Raises:
        InputError: if it is a file, or holds something that is no comparison.
        BusyError: if another process holds it, naming that process.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; choose another folder with --out")
    foreign = _foreign(folder)
    if foreign:
        raise InputError(
            f"{folder} holds {foreign!r} and no comparison ({LEDGER} is missing): nothing is written there; "
            "choose another folder with --out"
        )
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise BusyError(f"{folder} is in use by {_holder(folder)}; wait for it, or choose another folder") from None
    try:
        (folder / LOCK).write_text(f"{os.getpid()}\n")
        yield
    finally:
        (folder / LOCK).write_text("")
        lock.release()


def require_unlocked(folder: Path) -> None:
    """Say early that another process holds ``folder``; `lock_folder` makes sure.

    Raises:
        BusyError: naming that process.
    """
    if (folder / LOCK).is_file():
        with lock_folder(folder):
            pass


def _foreign(folder: Path) -> str | None:
    if not folder.is_dir() or (folder / LEDGER).is_file():
        return None
    names = sorted(entry.name for entry in folder.iterdir() if entry.name not in (LOCK, CONFIG))
    return names[0] if names else None


def _holder(folder: Path) -> str:
    process = (folder / LOCK).read_text().strip()
    return f"process {process}" if process else "another process"


def archive_existing(folder: Path) -> Path | None:
    """Move a comparison that stands in ``folder`` to a free name beside it; return that name, None if there is none.

    Raises:
        BusyError: if another process is writing to it.
    """
    if not (folder / LEDGER).is_file():
        return None
    require_unlocked(folder)
    number = 1
    while (aside := folder.with_name(f"{folder.name}.{number}")).exists():
        number += 1
    folder.rename(aside)
    return aside


def load_experiment(config: Path, out: Path | None = None) -> Experiment:
    """Read the file ``config``.

    Args:
        config: the file; it may lie in a comparison's own folder.
        out: the comparison's folder; by default ``reports/<name>``.

    Raises:
        ConfigError: with every problem; of ``jit_compile: auto`` it names the value that an existing comparison was
            trained with.
    """
    try:
        return load_config(config)
    except ConfigError as error:
        if not any(NO_AUTO in problem.message for problem in error.problems):
            raise
        name = _NAME.search(config.read_text(encoding="utf-8-sig"))
        folders = (out or Path("reports") / (name[1] if name else ""), config.parent)
        known = next((choice for folder in folders if (choice := _jit_compile(folder)) is not None), None)
        if known is None:
            raise
        problems = [replace(each, message=each.message.replace(NO_AUTO, NO_AUTO + known)) for each in error.problems]
        raise ConfigError(error.file, problems) from None


def _jit_compile(folder: Path) -> str | None:
    """Say what the comparison in ``folder`` was trained with; None if there is none."""
    if not (folder / LEDGER).is_file():
        return None
    with contextlib.suppress(InputError, EnvironmentFailure), Ledger(folder) as ledger:
        setup = ledger.setup_json()
        if setup is not None:
            return f" ({folder} was trained with jit_compile: {'true' if setup['jit_compile'] else 'false'})"
    return None


def write_config(folder: Path, experiment: Experiment, began: str | None = None) -> None:
    """Write the resolved config, or extend the one that is there.

    Recipes, placebos and replicates may be added to a comparison, its time limits may change. Anything else would
    make its records incomparable.

    Args:
        folder: the comparison's own.
        experiment: what is asked for.
        began: the config that the records were made with, as the ledger tells; it counts, whoever edited the file.

    Raises:
        InputError: with the difference, if something else changed.
    """
    path = folder / CONFIG
    if began is None and path.is_file():
        began = path.read_text(encoding="utf-8")
    if began is not None:
        old = read_config(began, str(path))
        if not _extends(experiment, old):
            raise InputError(
                f"{folder} holds a comparison of another config:\n{_difference(old, experiment)}\n"
                "Choose another folder with --out, or begin anew with --fresh (the old one is moved aside)."
            )
    write_text_atomic(path, experiment.to_yaml())


def write_text_atomic(path: Path, text: str) -> None:
    """Write ``text`` to ``path``, which has all of it or is left as it was."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _extends(new: Experiment, old: Experiment) -> bool:
    same = new.model_copy(update={key: getattr(old, key) for key in MAY_GROW + MAY_CHANGE})
    grown = set(new.recipes) >= set(old.recipes) and new.placebo >= old.placebo
    return same == old and grown and _as_many(new.replicates, old.replicates)


def _as_many(new: int | str, old: int | str) -> bool:
    return new == old or (isinstance(new, int) and isinstance(old, int) and new > old)


def _difference(old: Experiment, new: Experiment) -> str:
    lines = difflib.unified_diff(_lines(old), _lines(new), "there", "asked for", n=0, lineterm="")
    return "\n".join(f"  {line}" for line in lines if not line.startswith("@@"))


def _lines(experiment: Experiment) -> list[str]:
    return yaml.safe_dump(yaml.safe_load(experiment.to_yaml()), sort_keys=False).splitlines()
