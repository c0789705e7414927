"""Repeat a comparison with other random numbers of its searches, everything else equal, inside its folder.

Each repetition is an ordinary comparison in ``claims/seed_1``, ``claims/seed_2``, ...: it has a ledger of its own, is
resumed after an interruption, and can be read by every command. One pool of workers makes them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from regzoo.comparison.check import check_models, require_results
from regzoo.comparison.elapsed import ElapsedTime
from regzoo.comparison.leaderboard import Leaderboard, read_leaderboard
from regzoo.comparison.original import Original, read_original
from regzoo.comparison.plan import Plan, make_plan
from regzoo.comparison.progress import LiveProgress, SilentProgress
from regzoo.comparison.remaining import is_finished
from regzoo.comparison.runner import LockedProgress, PreparedComparison, execute, make_executor
from regzoo.config import Experiment
from regzoo.core import InputError
from regzoo.core.formatting import format_count, format_duration
from regzoo.data.rows import Rows
from regzoo.execution.executor import Executor
from regzoo.execution.keras_settings import require_keras_settings
from regzoo.execution.tf_runtime import import_tensorflow
from regzoo.storage.config_file import is_extension, read_trained_config
from regzoo.storage.folder import CONFIG, lock_folder, require_unlocked
from regzoo.storage.ledger import Ledger
from regzoo.storage.outputs import write_outputs
from regzoo.storage.placement import (
    REPETITIONS,
    choose_repetition_folder,
    holds_comparison,
    require_own_repetitions,
    require_placeable,
)
from regzoo.system.lock import lock_path

ShownProgress = LiveProgress | SilentProgress


@dataclass(frozen=True)
class Repetition:
    """One repetition of a comparison.

    Attributes:
        experiment: the experiment of the comparison, with another ``search.seed``.
        folder: where it is made.
        plan: its runs.
    """

    experiment: Experiment
    folder: Path
    plan: Plan

    @property
    def seed(self) -> int:
        """Its ``search.seed``."""
        return self.experiment.search.seed


def repeat_comparison(
    folder: Path,
    rows: Rows,
    searches: int,
    *,
    workers: int | None,
    progress: ShownProgress,
    command: str,
    retry_failed: bool = False,
) -> dict[int, Leaderboard]:
    """Make every run that the repetitions of the comparison in ``folder`` lack; return their leaderboards.

    Args:
        folder: folder of a finished comparison.
        rows: its data if it was passed in Python; empty to read what its config names.
        searches: number of repetitions, with the ``search.seed`` s + 1, s + 2, ... for a comparison with s.
        workers: number of processes; None for one per core, 0 for this process.
        progress: shows each step.
        command: the command that the repetitions keep as theirs.
        retry_failed: make the runs of the repetitions again that failed.

    Returns:
        The leaderboard of each repetition, by its ``search.seed``.

    Raises:
        InputError: if the comparison is unfinished, searches nothing, or its data is missing or has changed.
        EnvironmentFailure: if a folder is in use, the disk is full, or workers cannot start.
    """
    if not isinstance(searches, int) or isinstance(searches, bool) or searches < 1:
        raise InputError(f"searches must be a whole number, 1 or more, received {searches!r}")
    require_keras_settings()
    require_unlocked(folder)
    require_own_repetitions(folder)
    with Ledger(folder):  # raises if there is no comparison, in which a lock could not be made
        pass
    with lock_path(folder / REPETITIONS):
        return _repeat(folder, rows, searches, workers, progress, command, retry_failed)


def _repeat(
    folder: Path,
    rows: Rows,
    searches: int,
    workers: int | None,
    progress: ShownProgress,
    command: str,
    retry_failed: bool,
) -> dict[int, Leaderboard]:
    progress.show_phase("reading the comparison and its data")
    import_tensorflow()  # quietly, before a search imports it
    original = read_original(folder, rows)
    repetitions = [_plan_repetition(original, number) for number in range(1, searches + 1)]
    for repetition in repetitions:
        _require_resumable(original, repetition)
    unfinished = [each for each in repetitions if not is_finished(each.plan, each.folder, retry_failed)]
    if unfinished:
        progress.print_line(_announce(original, repetitions, unfinished))
        progress.show_phase("starting workers, checking the recipes")
        with make_executor(workers, original.experiment.run_limit) as executor:
            executor.open(original.setup, original.data.arrays(original.experiment.training.class_weight))
            notes = check_models(original.experiment, original.setup).notes
            executor.wait_for_model()
            for repetition in unfinished:
                progress.label = f"repetition {repetitions.index(repetition) + 1} of {searches}"
                _make(original, repetition, notes, executor, progress, command, retry_failed)
    return {each.seed: _read(each.folder) for each in repetitions}


def _plan_repetition(original: Original, number: int) -> Repetition:
    search = original.experiment.search
    changed = search.model_copy(update={"seed": search.seed + number})
    experiment = original.experiment.model_copy(update={"search": changed})
    plan = make_plan(experiment, original.data, original.setup)
    return Repetition(experiment, choose_repetition_folder(original.folder, changed.seed), plan)


def _require_resumable(original: Original, repetition: Repetition) -> None:
    """Raise if the repetition's folder holds something else than this repetition."""
    require_placeable(repetition.folder, fresh=False)
    require_unlocked(repetition.folder)
    if not holds_comparison(repetition.folder):
        return
    with Ledger(repetition.folder) as ledger:
        trained, setup = ledger.get_trained_config(), ledger.get_setup_json()
    if trained is None or setup is None:
        return
    begun = read_trained_config(trained, str(repetition.folder / CONFIG))
    kept = repetition.experiment.with_kept_model(repetition.folder)
    if not is_extension(kept, begun) or setup["data"].split()[0] != original.setup.data.split()[0]:
        raise InputError(
            f"{repetition.folder} holds a comparison of another config or other data than {original.folder} does: "
            "move it away or delete it"
        )


def _announce(original: Original, repetitions: list[Repetition], unfinished: list[Repetition]) -> str:
    """Say what is made, where, and how long it takes if each repetition takes as long as the comparison."""
    place = unfinished[0].folder.parent
    done = len(repetitions) - len(unfinished)
    what = f"{format_count(len(unfinished), 'repetition')} to make" + (f" ({done} made before)" if done else "")
    seconds = original.info.seconds
    if not seconds:
        return f"{what}, in {place}"
    spent = sum(min(_read_seconds(each.folder), seconds) for each in unfinished)
    total = format_duration(max(len(unfinished) * seconds - spent, 0.0))
    return f"{what}, in {place}: about {total}; the comparison took {format_duration(seconds)}"


def _read_seconds(folder: Path) -> float:
    if not holds_comparison(folder):
        return 0.0
    with Ledger(folder) as ledger:
        info = ledger.get_comparison_info()
    return (info and info.seconds) or 0.0


def _make(
    original: Original,
    repetition: Repetition,
    notes: tuple[str, ...],
    executor: Executor,
    progress: ShownProgress,
    command: str,
    retry_failed: bool,
) -> None:
    """Make the runs of one repetition, and write its leaderboard; ``executor`` is open."""
    folder = repetition.folder
    experiment = repetition.experiment.with_kept_model(folder)
    comparison = PreparedComparison(experiment, original.data, original.setup, repetition.plan, notes)
    with ElapsedTime() as elapsed, lock_folder(folder) as held:
        checked = LockedProgress(progress, held)
        execute(comparison, folder, executor, checked, command, original.sweep, elapsed, retry_failed)
        held.require_held()
        with Ledger(folder) as ledger:
            write_outputs(folder, ledger, {"leaderboard.csv": read_leaderboard(ledger).to_csv()})
            require_results(ledger.records())


def _read(folder: Path) -> Leaderboard:
    with Ledger(folder) as ledger:
        return read_leaderboard(ledger)
