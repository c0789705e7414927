"""Export of a comparison's model to a folder: written, verified, and renamed to its final name only then."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

from regzoo.comparison.leaderboard import Leaderboard, Row
from regzoo.core import InputError, did_you_mean, parse
from regzoo.core.json_values import replace_nonfinite
from regzoo.export.candidate import Candidate, load_candidate
from regzoo.export.card import CardContent, Verification, make_recipe_json, render_readme
from regzoo.export.convert import convert_saved_model
from regzoo.export.formats import SAVED_MODEL, Format, check_convertible, find_format
from regzoo.export.manifest import README_FILE, compute_digests
from regzoo.export.recipe_file import RECIPE_FILE, read_recipe_json, seal_recipe_json
from regzoo.export.refit import RefitData, refit_recipe
from regzoo.export.saved_model import predict_live, write_saved_model
from regzoo.export.signature import split_inputs
from regzoo.export.target import open_own_model, open_target
from regzoo.export.verify import Parity, verify_parity
from regzoo.storage.ledger import Ledger
from regzoo.system.temporary_folder import private_tempdir
from regzoo.training.engine.make_model import load_finished_model
from regzoo.training.records import Record, derive_member_seed


def export_model(
    ledger: Ledger,
    leaderboard: Leaderboard,
    to: Path,
    recipe: str | None = None,
    format: str = "saved_model",
    refit_data: RefitData | None = None,
) -> Path:
    """Write the model of ``recipe`` (by default the winner) to ``to``, with ``recipe.json`` and ``README.md``.

    Return where it is: ``to``, unless something appeared there while it was made.

    The model is written to a temporary folder, reloaded with its own runtime in a process of its own, compared with the
    live model on held-out raw rows, and only then renamed.

    Args:
        ledger: the ledger of the comparison.
        leaderboard: the leaderboard of the comparison.
        to: a folder that does not exist yet; or an unchanged older export, which is moved aside.
        recipe: as the leaderboard writes it, with or without numbers.
        format: one of `regzoo.export.formats.FORMATS`.
        refit_data: the data, to train the recipe on train plus validation; None to export its best replicate.

    Raises:
        InputError: if there is no such recipe, it has no finished replicate, ``to`` holds something else, or the model
            cannot be written in this format.
        BusyError: if another process is exporting to ``to``.
        ParityError: if the reloaded model answers differently.
    """
    row, kind = _find_row(leaderboard, recipe), find_format(format)
    with open_target(to, ledger.folder) as target:  # before a refit, which may take long
        _write_export(ledger, leaderboard, row, kind, target.temporary, refit_data)
    return target.path


def export_winner(ledger: Ledger, leaderboard: Leaderboard, to: Path) -> None:
    """Write the winner's SavedModel to ``to``, inside the comparison's own folder; see `export_model`.

    An unchanged older model of this comparison is replaced; anything else is moved aside.
    """
    with open_own_model(to, lambda folder: _is_own_model(ledger, folder)) as folder:
        _write_export(ledger, leaderboard, _find_row(leaderboard, None), SAVED_MODEL, folder)


def _is_own_model(ledger: Ledger, folder: Path) -> bool:
    """Return True if the export in ``folder`` is the SavedModel of one of the replicates in ``ledger``."""
    values, _ = read_recipe_json(folder)
    if values.get("format") != SAVED_MODEL.name or values.get("refit") is not None:
        return False
    model = tuple(values.get(key) for key in ("written", "recipe", "seed", "learning_rate", "metrics"))
    return any(
        model == (run.name, run.recipe_text, run.seed, run.learning_rate, replace_nonfinite(record.metrics))
        for record in ledger.records()
        if (run := record.run).stage == "replicate"
    )


@private_tempdir()  # TensorFlow's files
def _write_export(
    ledger: Ledger,
    leaderboard: Leaderboard,
    row: Row,
    format: Format,
    folder: Path,
    refit_data: RefitData | None = None,
) -> None:
    """Write the verified model of ``row`` and its card into ``folder``, which is empty."""
    candidate = load_candidate(ledger, row.name)
    check_convertible(format, candidate.preprocessor, candidate.record.run.recipe)
    replicates = _list_replicates(ledger, row)
    if refit_data is not None:
        candidate = refit_recipe(candidate.record, replicates, candidate.setup, refit_data)
    parity = _write_model(candidate, format, folder)
    _write_card(_collect_content(candidate, row, leaderboard, replicates, ledger, Verification(format, parity)), folder)


def _find_row(leaderboard: Leaderboard, recipe: str | None) -> Row:
    """Return the row of ``recipe``, or of the winner for None."""
    if recipe is None:
        if leaderboard.winner is None:
            raise InputError("no recipe has a finished replicate yet, so there is no winner to export")
        return leaderboard.recipes[0]
    for row in leaderboard.recipes:
        if {recipe, _normalize_recipe(recipe)} & {row.name, row.recipe}:
            return row
    names = [row.name for row in leaderboard.recipes]
    raise InputError(f"there is no recipe {recipe!r} in this comparison.{did_you_mean(recipe, names)}")


def _normalize_recipe(recipe: str) -> str:
    """Return ``recipe`` as the leaderboard writes it, such as with spaces around the plus; unchanged if unreadable."""
    try:
        return str(parse(recipe))
    except InputError:
        return recipe


def _write_model(candidate: Candidate, format: Format, folder: Path) -> Parity:
    """Write the model to ``folder`` and verify it."""
    preprocessor, raw = candidate.preprocessor, candidate.raw
    model = load_finished_model(candidate.setup, candidate.record.run.recipe, candidate.weights)
    saved_model = folder if format.is_saved_model else folder / "converted"
    write_saved_model(model, preprocessor, saved_model, format.numeric_labels)
    if not format.is_saved_model:
        convert_saved_model(saved_model, format, folder / format.file)
        shutil.rmtree(saved_model)
    expected = predict_live(model, preprocessor, raw, format.numeric_labels)
    return verify_parity(folder, split_inputs(raw, preprocessor), expected, format)


def _list_replicates(ledger: Ledger, row: Row) -> list[Record]:
    return [record for record in ledger.records() if record.run.stage == "replicate" and record.run.name == row.name]


def _collect_content(
    candidate: Candidate,
    row: Row,
    leaderboard: Leaderboard,
    replicates: list[Record],
    ledger: Ledger,
    verification: Verification,
) -> CardContent:
    """Gather the content of the model card."""
    comparison = ledger.get_comparison_info()
    assert comparison is not None  # a leaderboard was made of it
    run = candidate.record.run
    data = ledger.get_fold_info(run.fold).data
    if candidate.refit is not None:
        data = dataclasses.replace(data, repairs=candidate.refit.repairs)
    return CardContent(
        candidate=candidate,
        seeds=tuple(derive_member_seed(run.seed, member) for member in range(len(candidate.weights))),
        data=data,
        row=row,
        leaderboard=leaderboard,
        replicates=tuple(record for record in replicates if record.status == "ok"),
        comparison=comparison,
        verification=verification,
    )


def _write_card(content: CardContent, folder: Path) -> None:
    """Write ``README.md`` and ``recipe.json``; the latter lists the digests of all files and has one of its own."""
    (folder / README_FILE).write_text(render_readme(content), encoding="utf-8")
    values = make_recipe_json(content) | {"files": compute_digests(folder)}
    (folder / RECIPE_FILE).write_text(seal_recipe_json(values), encoding="utf-8")
