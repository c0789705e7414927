"""The config in a comparison's folder: written once, extended later, and never replaced by a different one."""

from __future__ import annotations

import contextlib
import difflib
import re
from dataclasses import replace
from pathlib import Path

import yaml

from regzoo.config import ConfigError, Experiment, load_config, read_config
from regzoo.config.values import NO_AUTO
from regzoo.core import EnvironmentFailure, InputError
from regzoo.storage.folder import CONFIG
from regzoo.storage.ledger import FILE as LEDGER
from regzoo.storage.ledger import Ledger
from regzoo.storage.outputs import is_output, write_outputs

MAY_GROW = ("recipes", "replicates", "placebo")
"""Keys that may be extended when a comparison is resumed."""

MAY_CHANGE = ("budget", "run_limit", "rope")
"""Keys that may have any other value when a comparison is resumed: no record depends on them."""

_NAME = re.compile(r"(?m)^name:\s*['\"]?([\w.-]+)")


def load_experiment(config: Path, out: Path | None = None) -> Experiment:
    """Read the file ``config``.

    Args:
        config: the file; it may lie in a comparison's own folder.
        out: the comparison's folder; by default ``reports/<name>``.

    Raises:
        ConfigError: with every problem; for ``jit_compile: auto``, which was removed, it names the value that an
            existing comparison was trained with.
    """
    try:
        return load_config(config)
    except ConfigError as error:
        if not any(NO_AUTO in problem.message for problem in error.problems):
            raise
        name = _NAME.search(config.read_text(encoding="utf-8-sig"))
        folders = (out or Path("reports") / (name[1] if name else ""), config.parent)
        hint = next((hint for folder in folders if (hint := _describe_jit_compile(folder)) is not None), None)
        if hint is None:
            raise
        problems = [replace(each, message=each.message.replace(NO_AUTO, NO_AUTO + hint)) for each in error.problems]
        raise ConfigError(error.file, problems) from None


def _describe_jit_compile(folder: Path) -> str | None:
    """Return the value that the comparison in ``folder`` was trained with, in words; None if there is none."""
    if not (folder / LEDGER).is_file():
        return None
    with contextlib.suppress(InputError, EnvironmentFailure), Ledger(folder) as ledger:
        setup = ledger.get_setup_json()
        if setup is not None:
            return f" ({folder} was trained with jit_compile: {'true' if setup['jit_compile'] else 'false'})"
    return None


def write_config(folder: Path, experiment: Experiment, ledger: Ledger) -> None:
    """Write the resolved config to ``folder``, or extend the one that is there.

    Recipes, placebos and replicates may be added to a comparison, and its time limits may change. Any other change
    would make its records incomparable. The config that the records were made with is that in the ledger; a file that
    someone edited or put there is moved aside.

    Args:
        folder: the comparison's own.
        experiment: the experiment to write.
        ledger: of the comparison.

    Raises:
        InputError: with the difference, if anything else has changed.
    """
    path, trained = folder / CONFIG, ledger.get_trained_config()
    if trained is None and is_output(folder, ledger, CONFIG):
        trained = path.read_text(encoding="utf-8")
    if trained is not None:
        old = read_trained_config(trained, str(path))
        if not is_extension(experiment, old):
            raise InputError(
                f"{folder} holds a comparison of another config:\n{_format_difference(old, experiment)}\n"
                "Choose another folder with --out, or start over with --fresh (the old comparison is moved aside)."
            )
    write_outputs(folder, ledger, {CONFIG: experiment.to_yaml()})


def read_trained_config(text: str, file: str) -> Experiment:
    """Read the resolved config of a comparison, of this version or an older one, which varied the seed alone."""
    return read_config(text, file).as_of_older_version()


def adopt_older_defaults(experiment: Experiment, folder: Path) -> Experiment:
    """Return ``experiment`` with the seed alone varied, if it does not say what varies and ``folder`` began like that.

    Versions before ``vary`` drew nothing else again, and what they began goes on as it was; so do the ranges that
    earlier versions searched where a recipe gives none.
    """
    if not (folder / LEDGER).is_file():
        return experiment
    with contextlib.suppress(InputError, EnvironmentFailure), Ledger(folder) as ledger:
        trained = ledger.get_trained_config()
        experiment = experiment.with_older_ranges(experiment.older_ranges or has_older_ranges(ledger))
        if trained is not None and read_trained_config(trained, str(folder / CONFIG)).vary == ("seed",):
            return experiment.as_of_older_version()
    return experiment


def has_older_ranges(ledger: Ledger) -> bool:
    """Return True if a version that searched other ranges began the comparison; see `Experiment.older_ranges`."""
    info = ledger.get_comparison_info()
    return info is not None and info.steps is None


def is_extension(new: Experiment, old: Experiment) -> bool:
    """Return whether a comparison that was begun as ``old`` may go on as ``new``."""
    old = old.with_older_ranges(new.older_ranges)
    same = new.model_copy(update={key: getattr(old, key) for key in MAY_GROW + MAY_CHANGE})
    grown = set(new.recipes) >= set(old.recipes) and new.placebo >= old.placebo
    return same == old and grown and _is_at_least(new.replicates, old.replicates)


def _is_at_least(new: int | str, old: int | str) -> bool:
    return new == old or (isinstance(new, int) and isinstance(old, int) and new > old)


def _format_difference(old: Experiment, new: Experiment) -> str:
    lines = difflib.unified_diff(_to_lines(old), _to_lines(new), "there", "asked for", n=0, lineterm="")
    return "\n".join(f"  {line}" for line in lines if not line.startswith("@@"))


def _to_lines(experiment: Experiment) -> list[str]:
    return yaml.safe_dump(yaml.safe_load(experiment.to_yaml()), sort_keys=False).splitlines()
