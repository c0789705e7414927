"""Run a comparison from data to report, or resume one that was interrupted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from regzoo.comparison.check import check_copies, check_models, require_results
from regzoo.comparison.data_keys import apply_data_keys
from regzoo.comparison.elapsed import ElapsedTime
from regzoo.comparison.metadata import write_metadata
from regzoo.comparison.own_model import (
    ReadData,
    check_own_model,
    keep_own_model,
    read_with_model,
    require_same_model,
)
from regzoo.comparison.plan import Plan, list_interim_analyses, make_plan
from regzoo.comparison.procedure import make_runs
from regzoo.comparison.progress import Progress
from regzoo.comparison.setup import make_setup
from regzoo.comparison.sweep import Sweep
from regzoo.config import Experiment
from regzoo.core import InputError
from regzoo.core.formatting import format_count
from regzoo.data.catalog import READ_BY_KERAS
from regzoo.data.dataset import Dataset
from regzoo.data.inputs import InputSpec
from regzoo.data.prepared import PreparedData
from regzoo.data.preprocess import prepare_folds
from regzoo.data.sources import load_dataset
from regzoo.execution.executor import Executor
from regzoo.execution.keras_settings import require_keras_settings
from regzoo.execution.process_pool import ProcessPool
from regzoo.execution.serial import SerialExecutor
from regzoo.execution.tf_runtime import import_tensorflow
from regzoo.storage.config_file import adopt_older_defaults, write_config
from regzoo.storage.folder import HeldFolder, lock_folder, require_unlocked
from regzoo.storage.ledger import Ledger
from regzoo.storage.placement import require_placeable
from regzoo.training.own_model.own_model import OwnModel
from regzoo.training.records import Record
from regzoo.training.setup import TrainingSetup


@dataclass(frozen=True)
class PreparedComparison:
    """A comparison that is ready to start: data prepared, recipes checked, runs planned; nothing is written yet.

    Attributes:
        experiment: the experiment.
        data: the prepared data, with every fold.
        setup: what all runs share.
        plan: the runs to make.
        notes: sentences on the user's own model, for the report.
    """

    experiment: Experiment
    data: PreparedData
    setup: TrainingSetup
    plan: Plan
    notes: tuple[str, ...] = ()


def run_comparison(
    experiment: Experiment,
    read: ReadData,
    folder: Path,
    *,
    workers: int | None,
    fresh: bool,
    progress: Progress,
    command: str,
    sweep: Sweep | None = None,
    publish: Callable[[Path], None] | None = None,
    retry_failed: bool = False,
) -> None:
    """Make every run that ``folder`` does not hold yet, then write what follows from them.

    Args:
        experiment: what to compare.
        read: returns the data; called once the workers are starting, with the inputs of the user's own model.
        folder: folder of the comparison.
        workers: number of processes; None for one per core, 0 for this process.
        fresh: move an existing comparison aside.
        progress: shows each step.
        command: the command that the report names.
        sweep: the strengths that ``experiment`` sweeps; the report then shows the response to them.
        publish: writes leaderboard, report and model to ``folder``, which stays locked meanwhile; None to write
            none of them.
        retry_failed: make the runs again that failed; those that were killed from outside always are.

    Raises:
        InputError: if config, data or folder cannot be used; nothing is written then.
        EnvironmentFailure: if the folder is in use, the disk is full, workers cannot start, or no run gave a result.
    """
    if fresh and retry_failed:
        raise InputError("fresh starts over, so there is no failed run to make again: leave out fresh or retry_failed")
    require_placeable(folder, fresh)
    require_unlocked(folder)
    if not fresh:
        experiment = adopt_older_defaults(experiment, folder)
    with ElapsedTime() as elapsed, make_executor(workers, experiment.run_limit) as executor:
        comparison = prepare(experiment, read, executor, folder)
        with lock_folder(folder, fresh) as held:
            checked = LockedProgress(progress, held)
            execute(comparison, folder, executor, checked, command, sweep, elapsed, retry_failed)
            held.require_held()
            if publish is not None:
                progress.show_phase("writing the report, verifying the winner's model")
                publish(folder)
                with Ledger(folder) as ledger:
                    require_results(ledger.records())


@dataclass(frozen=True)
class LockedProgress:
    """Progress that stops the comparison when its folder was taken away, as soon as the next record is written."""

    progress: Progress
    held: HeldFolder

    def start(self, plan: Plan) -> None:
        """Begin with the runs of ``plan``."""
        self.held.require_held()
        self.progress.start(plan)

    def update(self, record: Record, repeated: bool) -> None:
        """Count ``record``."""
        self.held.require_held()
        self.progress.update(record, repeated)

    def show_phase(self, text: str) -> None:
        """Show what the comparison does now."""
        self.progress.show_phase(text)


def prepare(experiment: Experiment, read: ReadData, executor: Executor, folder: Path) -> PreparedComparison:
    """Read the data, open ``executor``, check every recipe and plan the runs; write nothing.

    The user's own model is kept in ``folder``, so the experiment that is returned is about the copy there.

    Raises:
        InputError: if data, backbone or a recipe cannot be used.
        EnvironmentFailure: if workers cannot start.
    """
    require_keras_settings()
    data, model = read_with_model(experiment.backbone, read)
    setup = make_checked_setup(experiment, data, model)
    experiment = experiment.with_kept_model(folder)
    executor.open(setup, data.arrays(experiment.training.class_weight))  # workers start during the check
    check_copies(experiment, data, executor.memory)
    notes = check_models(experiment, setup).notes
    executor.wait_for_model()
    return PreparedComparison(experiment, data, setup, make_plan(experiment, data, setup), notes)


def read_setup(experiment: Experiment) -> tuple[PreparedData, TrainingSetup]:
    """Read the data and the model that ``experiment`` names; return the data and what all runs share.

    Raises:
        InputError: if they cannot be read, or do not fit each other.
    """
    data, model = read_with_model(experiment.backbone, lambda inputs: read_data(experiment, inputs))
    return data, make_checked_setup(experiment, data, model)


def make_checked_setup(experiment: Experiment, data: PreparedData, model: OwnModel | None) -> TrainingSetup:
    """Return what all runs of ``experiment`` share.

    Raises:
        InputError: if the metric does not fit the task, or the user's own model does not fit the data.
    """
    setup = make_setup(experiment, data, model)
    if model is not None:
        check_own_model(model, data, setup.task, experiment.data.scale)
    return setup


def execute(
    comparison: PreparedComparison,
    folder: Path,
    executor: Executor,
    progress: Progress,
    command: str,
    sweep: Sweep | None = None,
    elapsed: ElapsedTime | None = None,
    retry_failed: bool = False,
) -> None:
    """Make every planned run that the ledger in ``folder`` does not hold yet; the folder is locked meanwhile.

    Raises:
        InputError: if the folder holds a comparison of another config or other data.
        EnvironmentFailure: if every run fails with the same error, or the disk is full.
    """
    experiment, setup = comparison.experiment, comparison.setup
    with Ledger(folder, create=True) as ledger:
        _require_same_data(ledger, setup)
        require_same_model(ledger, setup)
        require_same_searches(ledger, comparison.plan)
        write_config(folder, experiment, ledger)
        keep_own_model(folder, ledger, setup)
        write_metadata(ledger, experiment, comparison.data, setup, command, sweep, comparison.notes)
        progress.start(comparison.plan)
        elapsed = elapsed or ElapsedTime()
        with elapsed.keep(ledger):
            make_runs(comparison.plan, executor, ledger, progress, elapsed, retry_failed)


def read_data(experiment: Experiment, inputs: tuple[InputSpec, ...] | None = None) -> PreparedData:
    """Load, split and prepare the data that ``experiment`` names; for ``inputs`` see `prepare_dataset`."""
    if experiment.data.keras in READ_BY_KERAS:
        import_tensorflow()
    return prepare_dataset(experiment, load_dataset(experiment.data, experiment.task, inputs), inputs)


def prepare_dataset(
    experiment: Experiment, dataset: Dataset, inputs: tuple[InputSpec, ...] | None = None
) -> PreparedData:
    """Split and prepare ``dataset`` as ``experiment`` asks; with folds, or the split in vary, once for each replicate.

    Args:
        experiment: the experiment.
        dataset: the raw data, read for the same ``inputs``.
        inputs: the inputs of a user's own model, empty if they are not known yet; None for a backbone of regzoo.
    """
    count, scale = list_interim_analyses(experiment)[0], experiment.data.scale
    settings, redraw = experiment.split, "split" in experiment.vary
    dataset = apply_data_keys(dataset, experiment)
    prepared = prepare_folds(
        dataset, settings, experiment.seed, experiment.task, count, redraw=redraw, inputs=inputs, scale=scale
    )
    prepared.arrays(experiment.training.class_weight)  # raises if class weights have no classes
    return prepared


def make_executor(workers: int | None, limit: float) -> Executor:
    """Return an executor with ``workers`` processes, or in this process for 0; a run may take ``limit`` seconds.

    Raises:
        InputError: if ``workers`` is negative.
    """
    if workers is not None and workers < 0:
        raise InputError(f"workers must be 0 or more, received {workers}")
    return SerialExecutor() if workers == 0 else ProcessPool(workers, limit)


def _require_same_data(ledger: Ledger, setup: TrainingSetup) -> None:
    earlier = ledger.get_setup_json()
    if earlier is not None and earlier.get("data", "?").split()[0] != setup.data.split()[0]:
        raise InputError("the data has changed since this comparison began: choose another --out, or use --fresh")


def require_same_searches(ledger: Ledger, plan: Plan) -> None:
    """Raise InputError if replicates that are already made would belong to other searches in ``plan``.

    Replicate i belongs to search i mod K. K grows from 1 if a recipe to search joins recipes of which nothing is.
    """
    earlier = ledger.get_comparison_info()
    if earlier is None or earlier.searches == plan.searches:
        return
    replicates = [record.run for record in ledger.records() if record.run.stage == "replicate"]
    if any(run.number % plan.searches != run.search for run in replicates):
        before = format_count(earlier.searches, "search", "searches")
        now = format_count(plan.searches, "search", "searches")
        added = ", ".join(recipe.name for recipe in plan.recipes if recipe.name not in ledger.get_recipe_names())
        raise InputError(
            f"the replicates of this comparison are shared out among {before} of each recipe, and would be among {now}"
            f"{' with ' * bool(added)}{added}: choose another --out, or use --fresh"
        )
