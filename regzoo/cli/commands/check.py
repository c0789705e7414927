"""``regzoo check``: validate a config and its data without training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regzoo.cli.options import Config
from regzoo.cli.terminal import print_text
from regzoo.core.formatting import format_list


def check(config: Config) -> None:
    """Check a config and its data; list every problem at once, train nothing."""
    from regzoo.comparison.check import check_copies, check_models, list_cell_notes
    from regzoo.comparison.plan import make_plan
    from regzoo.comparison.runner import read_setup
    from regzoo.execution.resources import divide_memory
    from regzoo.report.descriptions import describe_task
    from regzoo.storage.config_file import load_experiment

    experiment = load_experiment(config)
    prepared, setup = read_setup(experiment)
    check_copies(experiment, prepared, divide_memory(1))  # one worker may hold the most
    checked = check_models(experiment, setup)
    make_plan(experiment, prepared, setup)  # raises if the search cannot be made
    facts = prepared.facts
    task = describe_task(facts["task"], facts["labels"])
    redraw = facts["split"]["folds"] == 1 and "split" in experiment.vary
    split = describe_split(facts) + (", drawn again for each replicate" if redraw else "")
    print_text(
        f"{config}: fine. {facts['source']}: {facts['rows']} rows of {facts['inputs']}, {task}; "
        f"{facts['train']} train, {facts['validation']} validation, {facts['test']} test, {split}; "
        f"{len(experiment.recipes)} recipes."
    )
    for kind, sentences in (
        ("repair", facts["repairs"]),
        ("cells", list_cell_notes(experiment, prepared.preprocessor)),
        ("warning", facts["warnings"]),
        ("note", checked.notes),
    ):
        for sentence in sentences:
            print_text(f"{kind}: {sentence}")


def describe_split(facts: Mapping[str, Any]) -> str:
    """Return in words how the rows were split.

    >>> describe_split({"split": {"kind": "stratified", "marked": ["test"], "folds": 5}})
    'a stratified split (test as the data marks it) into 5 folds'
    """
    split = facts["split"]
    marked = f" ({format_list(split['marked'])} as the data marks it)" if split["marked"] else ""
    return f"a {split['kind']} split{marked}" + (f" into {split['folds']} folds" if split["folds"] > 1 else "")
