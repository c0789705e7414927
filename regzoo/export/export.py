"""Export: a recipe's model in one folder with its card, verified before it gets its name."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

from regzoo.comparison.leaderboard import Leaderboard, Row
from regzoo.comparison.plan import make_task
from regzoo.core import EnvironmentFailure, InputError, did_you_mean, parse
from regzoo.data.catalog import fold_key
from regzoo.data.preprocessor import Preprocessor
from regzoo.export import card, saved_model
from regzoo.export.candidate import Candidate
from regzoo.export.checksums import compute_digests
from regzoo.export.convert import convert_saved_model
from regzoo.export.formats import Format, check_convertible, find_format
from regzoo.export.refit import RefitData, refit_recipe
from regzoo.export.verify import Parity, verify_parity
from regzoo.storage.ledger import Ledger
from regzoo.training.engine.trainer import load_finished_model
from regzoo.training.records import Record, member_seed
from regzoo.training.setup import TrainingSetup

MARK = "recipe.json"
"""A folder with this file was written here, and may be replaced by a newer export."""


def export_model(
    ledger: Ledger,
    board: Leaderboard,
    to: Path,
    recipe: str | None = None,
    form: str = "saved_model",
    material: RefitData | None = None,
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
    row, wanted = _row(board, recipe), find_format(form)
    if to.exists() and not (to / MARK).is_file():
        raise InputError(
            f"{to} exists and is no model exported by regzoo: nothing was overwritten; choose another path"
        )
    record, weights = ledger.weights(row.name)
    fold = record.run.fold
    preprocessor = load_preprocessor(ledger, fold)
    check_convertible(wanted, preprocessor, record.run.recipe)
    raw = preprocessor.inputs_from_json(ledger.get_info(fold_key("held_out", fold)))
    chosen = Candidate(record, weights, load_setup(ledger, fold), preprocessor, raw)
    place = to.resolve()  # of a link, what it leads to
    temporary = _room(place)
    try:
        if material is not None:
            chosen = _refitted(chosen, ledger, row, material)
        parity = _write(chosen, wanted, temporary)
        _describe(chosen, row, board, ledger, card.Verification(wanted, parity), temporary)
        _put(temporary, place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return to


def _room(to: Path) -> Path:
    """Make the folder that the model is written to before it gets the name ``to``, which may have to wait for a refit.

    Raises:
        EnvironmentFailure: if it cannot be made.
    """
    temporary = to.with_name(f".{to.name}.writing")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
    except OSError as error:
        raise EnvironmentFailure(f"{to} cannot be written: {error.strerror}; choose another path") from None
    return temporary


def _put(temporary: Path, to: Path) -> None:
    """Give ``temporary`` the name ``to``; an older export is deleted when that is done, not before."""
    old = to.with_name(f".{to.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if not to.exists():
        temporary.rename(to)
        return
    to.rename(old)
    try:
        temporary.rename(to)
    except BaseException:
        old.rename(to)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _refitted(chosen: Candidate, ledger: Ledger, row: Row, material: RefitData) -> Candidate:
    return refit_recipe(chosen.record, _replicates(ledger, row), chosen.setup, material)


def _write(chosen: Candidate, form: Format, folder: Path) -> Parity:
    """Write the model to ``folder`` and prove it."""
    model = load_finished_model(chosen.setup, chosen.record.run.recipe, chosen.weights)
    saved = folder if form.plain else folder / "converted"
    saved_model.write(model, chosen.preprocessor, saved, form.numbered)
    if not form.plain:
        convert_saved_model(saved, form, folder / form.file)
        shutil.rmtree(saved)
    given = saved_model.named_inputs(chosen.raw, chosen.preprocessor)
    return verify_parity(folder, given, saved_model.live(model, chosen.preprocessor, chosen.raw, form.numbered), form)


def _describe(
    chosen: Candidate, row: Row, board: Leaderboard, ledger: Ledger, proven: card.Verification, folder: Path
) -> None:
    facts = ledger.get_info("study")
    facts["data"] = ledger.get_info(fold_key("data", chosen.record.run.fold)) or facts["data"]
    if chosen.refit is not None:
        facts = {**facts, "data": {**facts["data"], "repairs": list(chosen.refit.repairs)}}
    record = chosen.record
    replicates = tuple(each for each in _replicates(ledger, row) if each.status == "ok")
    subject = card.CardContent(
        record, row, board, replicates, facts, chosen.setup, chosen.preprocessor, proven, chosen.refit
    )
    seeds = [member_seed(record.run.seed, member) for member in range(len(chosen.weights))]
    described = card.recipe_json(subject, seeds) | {"files": compute_digests(folder)}
    (folder / MARK).write_text(json.dumps(described, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(card.readme(subject), encoding="utf-8")


def _replicates(ledger: Ledger, row: Row) -> list[Record]:
    return [record for record in ledger.records() if record.run.stage == "replicate" and record.run.name == row.name]


def load_preprocessor(ledger: Ledger, fold: int = 0) -> Preprocessor:
    """The rule that was fitted on the training rows of cut number ``fold``."""
    return Preprocessor.from_json(ledger.get_info(fold_key("preparation", fold)))


def load_setup(ledger: Ledger, fold: int = 0) -> TrainingSetup:
    """Return the setup that the ledger's runs in fold number ``fold`` share, without the other folds."""
    setup = TrainingSetup.from_json(ledger.get_info("shared"))
    preprocessor = load_preprocessor(ledger, fold)
    task = make_task(preprocessor)
    return dataclasses.replace(setup, task=task, input_shape=preprocessor.input_shape, folds=())


def _row(board: Leaderboard, recipe: str | None) -> Row:
    if recipe is None:
        if board.winner is None:
            raise InputError("no recipe has a finished replicate yet, so there is no winner to export")
        return board.recipes[0]
    for row in board.recipes:
        if {recipe, _spelled(recipe)} & {row.name, row.recipe}:
            return row
    names = [row.name for row in board.recipes]
    raise InputError(f"there is no recipe {recipe!r} in this comparison.{did_you_mean(recipe, names)}")


def _spelled(recipe: str) -> str:
    """``recipe`` as the leaderboard writes it, such as with blanks around the plus; as it is, if it is none."""
    try:
        return str(parse(recipe))
    except InputError:
        return recipe
