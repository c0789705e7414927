"""A finished comparison that is to be repeated: its experiment, its data and its model, as they were."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from regzoo.comparison.own_model import Specs, read_with_model, require_same_model
from regzoo.comparison.plan import make_plan
from regzoo.comparison.remaining import is_finished
from regzoo.comparison.runner import make_checked_setup, prepare_dataset, read_data
from regzoo.comparison.sweep import Sweep
from regzoo.config import Experiment
from regzoo.core import InputError
from regzoo.data.catalog import ARRAYS
from regzoo.data.prepared import PreparedData
from regzoo.data.rows import Rows
from regzoo.data.sources import from_python
from regzoo.storage.config_file import has_older_ranges, read_trained_config
from regzoo.storage.folder import CONFIG
from regzoo.storage.info import ComparisonInfo
from regzoo.storage.ledger import Ledger
from regzoo.storage.placement import find_repeated
from regzoo.training.setup import TrainingSetup

PASS_AGAIN = "pass them again in Python: regzoo.Result(folder).check_claims(x=x, y=y)"


@dataclass(frozen=True)
class Original:
    """A comparison that can be repeated.

    Attributes:
        folder: its folder.
        experiment: its experiment; a user's own model is the copy in the folder.
        info: what the ledger keeps of it.
        data: its data, prepared as it was.
        setup: what all runs share.
        sweep: the strengths that it sweeps, if it is a sweep.
    """

    folder: Path
    experiment: Experiment
    info: ComparisonInfo
    data: PreparedData
    setup: TrainingSetup
    sweep: Sweep | None


def read_original(folder: Path, rows: Rows) -> Original:
    """Read the comparison in ``folder`` and its data again.

    Args:
        folder: folder of the comparison.
        rows: its data if it was passed in Python; empty to read what its config names.

    Raises:
        InputError: if it has only just begun, is unfinished, is itself a repetition, searches nothing, or its data or
            its model is missing or has changed.
    """
    repeated = find_repeated(folder.resolve())
    if repeated is not None:
        raise InputError(f"{folder} is itself a repetition: give the comparison that it repeats, {repeated}")
    with Ledger(folder) as ledger:
        info, trained = ledger.get_comparison_info(), ledger.get_trained_config()
        older = has_older_ranges(ledger)
    if info is None or trained is None:
        raise InputError(f"{folder} holds a comparison that has only just begun: {_finish(folder, info)}")
    experiment = read_trained_config(trained, str(folder / CONFIG)).with_older_ranges(older)
    data, model = read_with_model(experiment.backbone, lambda inputs: _read_data(experiment, rows, inputs))
    setup = make_checked_setup(experiment, data, model)
    with Ledger(folder) as ledger:
        _require_same_data(folder, ledger, setup, rows)
        require_same_model(ledger, setup)
    plan = make_plan(experiment, data, setup)
    if not any(recipe.space for recipe in plan.recipes):
        raise InputError(
            f"{folder}: every strength and the learning rate are fixed, so nothing is searched, and another search "
            "cannot change the result; the intervals cover all that varies"
        )
    if not is_finished(plan, folder):
        raise InputError(
            f"{folder} holds an unfinished comparison, whose claims may still change: {_finish(folder, info)}"
        )
    sweep = None if info.sweep is None else Sweep.from_dict(info.sweep)
    return Original(folder, experiment, info, data, setup, sweep)


def _read_data(experiment: Experiment, rows: Rows, inputs: Specs) -> PreparedData:
    if rows.x is not None:
        return prepare_dataset(experiment, from_python(rows, experiment.task, inputs, experiment.data.form), inputs)
    if experiment.data.source == ARRAYS:
        raise InputError(f"the data of this comparison was passed in Python, and is not kept: {PASS_AGAIN}")
    return read_data(experiment, inputs)


def _require_same_data(folder: Path, ledger: Ledger, setup: TrainingSetup, rows: Rows) -> None:
    earlier = ledger.get_setup_json()
    if earlier is None or earlier["data"].split()[0] != setup.data.split()[0]:
        where = "that was passed in" if rows.x is not None else "that the config names"
        raise InputError(f"the data {where} is not what {folder} was made with: give the data of then")


def _finish(folder: Path, info: ComparisonInfo | None) -> str:
    command = "" if info is None else info.command
    how = f": {command} --out {folder}" if command.startswith("regzoo ") else ", by the same call"
    return f"finish it first{how}"
