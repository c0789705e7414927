"""Export: the best replicate of a recipe as a SavedModel with its card, verified before it gets its name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from regzoo.comparison.leaderboard import Leaderboard, Row
from regzoo.comparison.ledger import Ledger
from regzoo.data.prepare import Preparation
from regzoo.export import card, saved_model
from regzoo.export.verify import verify
from regzoo.language import InputError, did_you_mean, parse
from regzoo.training.members import member_seed
from regzoo.training.run import finished
from regzoo.training.study import Study
from regzoo.training.task import Task

MARK = "recipe.json"
"""A folder with this file was written here, and may be replaced by a newer export."""


def export(ledger: Ledger, board: Leaderboard, to: Path, recipe: str | None = None) -> Path:
    """Write the SavedModel of ``recipe`` (by default the winner) to ``to``, with ``recipe.json`` and ``README.md``.

    The model is written under a temporary name, reloaded with plain TensorFlow in a process of its own, compared
    with the live model on held-out raw rows, and only then renamed.

    Raises:
        InputError: if there is no such recipe, it has no finished replicate, or ``to`` holds something else.
        ParityError: if the reloaded model answers differently.
    """
    row = _row(board, recipe)
    if to.exists() and not (to / MARK).is_file():
        raise InputError(
            f"{to} exists and is no model exported by regzoo: nothing was overwritten; choose another path"
        )
    record, weights = ledger.weights(row.name)
    preparation = Preparation.from_json(ledger.noted("preparation"))
    model = finished(study_from(ledger), parse(record.run.recipe), weights)
    raw = preparation.raw(ledger.noted("held_out"))
    temporary = to.with_name(f".{to.name}.writing")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        saved_model.write(model, preparation, temporary)
        parity = verify(
            temporary, saved_model.named_inputs(raw, preparation), saved_model.live(model, preparation, raw)
        )
        report = ledger.noted("study")
        seeds = [member_seed(record.run.seed, member) for member in range(len(weights))]
        described = card.recipe_json(record, seeds, row, report, preparation, parity)
        (temporary / MARK).write_text(json.dumps(described, indent=2, allow_nan=False) + "\n", encoding="utf-8")
        text = card.readme(record, row, board, report, preparation, parity)
        (temporary / "README.md").write_text(text, encoding="utf-8")
        if to.exists():
            shutil.rmtree(to)
        temporary.rename(to)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return to


def study_from(ledger: Ledger) -> Study:
    """The study that the ledger's runs share."""
    fields = ledger.noted("shared")
    task = Task(**fields.pop("task"))
    return Study(**{**fields, "task": task, "input_shape": tuple(fields["input_shape"])})


def _row(board: Leaderboard, recipe: str | None) -> Row:
    if recipe is None:
        if board.winner is None:
            raise InputError("no recipe has a finished replicate yet, so there is no winner to export")
        return board.recipes[0]
    for row in board.recipes:
        if recipe in (row.name, row.recipe):
            return row
    names = [row.name for row in board.recipes]
    raise InputError(f"there is no recipe {recipe!r} in this comparison.{did_you_mean(recipe, names)}")
