"""Export: a recipe's model in one folder with its card, verified before it gets its name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from regzoo.comparison.leaderboard import Leaderboard, Row
from regzoo.comparison.ledger import Ledger
from regzoo.comparison.plan import task_of
from regzoo.data.catalog import in_cut
from regzoo.data.prepare import Preparation
from regzoo.export import card, saved_model
from regzoo.export.chosen import Chosen
from regzoo.export.convert import convert
from regzoo.export.formats import Format, format_of, refuse
from regzoo.export.refit import Material, refit
from regzoo.export.verify import Parity, verify
from regzoo.language import InputError, did_you_mean, parse
from regzoo.training.members import member_seed
from regzoo.training.run import finished
from regzoo.training.study import Study

MARK = "recipe.json"
"""A folder with this file was written here, and may be replaced by a newer export."""


def export(
    ledger: Ledger,
    board: Leaderboard,
    to: Path,
    recipe: str | None = None,
    form: str = "saved_model",
    material: Material | None = None,
) -> Path:
    """Write the model of ``recipe`` (by default the winner) to ``to``, with ``recipe.json`` and ``README.md``.

    The model is written under a temporary name, reloaded with its own runtime in a process of its own, compared with
    the live model on held-out raw rows, and only then renamed.

    Args:
        ledger: of the comparison.
        board: what it came to.
        to: a folder that does not exist yet, or holds an older export.
        recipe: as the comparison writes it, with or without numbers.
        form: one of `regzoo.export.formats.FORMATS`.
        material: the data, to train the recipe on train plus validation; None for its best replicate as it is.

    Raises:
        InputError: if there is no such recipe, it has no finished replicate, ``to`` holds something else, or the model
            cannot be written in this format.
        ParityError: if the reloaded model answers differently.
    """
    row, wanted = _row(board, recipe), format_of(form)
    if to.exists() and not (to / MARK).is_file():
        raise InputError(
            f"{to} exists and is no model exported by regzoo: nothing was overwritten; choose another path"
        )
    record, weights = ledger.weights(row.name)
    fold = record.run.fold
    preparation = preparation_from(ledger, fold)
    refuse(wanted, preparation, parse(record.run.recipe))
    raw = preparation.raw(ledger.noted(in_cut("held_out", fold)))
    chosen = Chosen(record, weights, study_from(ledger, fold), preparation, raw)
    if material is not None:
        chosen = _refitted(chosen, ledger, row, material)
    temporary = to.with_name(f".{to.name}.writing")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        parity = _write(chosen, wanted, temporary)
        _describe(chosen, row, board, ledger, card.Proven(wanted, parity), temporary)
        if to.exists():
            shutil.rmtree(to)
        temporary.rename(to)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return to


def _refitted(chosen: Chosen, ledger: Ledger, row: Row, material: Material) -> Chosen:
    records = [record for record in ledger.records() if record.run.stage == "replicate" and record.run.name == row.name]
    return refit(chosen.record, records, chosen.study, material)


def _write(chosen: Chosen, form: Format, folder: Path) -> Parity:
    """Write the model to ``folder`` and prove it."""
    model = finished(chosen.study, parse(chosen.record.run.recipe), chosen.weights)
    saved = folder if form.plain else folder / "converted"
    saved.parent.mkdir(parents=True, exist_ok=True)
    saved_model.write(model, chosen.preparation, saved, form.numbered)
    if not form.plain:
        convert(saved, form, folder / form.file)
        shutil.rmtree(saved)
    given = saved_model.named_inputs(chosen.raw, chosen.preparation)
    return verify(folder, given, saved_model.live(model, chosen.preparation, chosen.raw, form.numbered), form)


def _describe(chosen: Chosen, row: Row, board: Leaderboard, ledger: Ledger, proven: card.Proven, folder: Path) -> None:
    report = ledger.noted("study")
    report["data"] = ledger.noted(in_cut("data", chosen.record.run.fold)) or report["data"]
    if chosen.refit is not None:
        report = {**report, "data": {**report["data"], "repairs": list(chosen.refit.repairs)}}
    record, preparation = chosen.record, chosen.preparation
    seeds = [member_seed(record.run.seed, member) for member in range(len(chosen.weights))]
    described = card.recipe_json(record, seeds, row, report, preparation, proven, chosen.refit)
    (folder / MARK).write_text(json.dumps(described, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    text = card.readme(record, row, board, report, preparation, proven, chosen.refit)
    (folder / "README.md").write_text(text, encoding="utf-8")


def preparation_from(ledger: Ledger, fold: int = 0) -> Preparation:
    """The rule that was fitted on the training rows of cut number ``fold``."""
    return Preparation.from_json(ledger.noted(in_cut("preparation", fold)))


def study_from(ledger: Ledger, fold: int = 0) -> Study:
    """The study that the ledger's runs in cut number ``fold`` share, without the other cuts."""
    fields = ledger.noted("shared") | {"cuts": ()}
    rule = preparation_from(ledger, fold)
    return Study(**{**fields, "task": task_of(rule), "input_shape": rule.input_shape})


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
