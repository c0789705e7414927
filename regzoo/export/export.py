"""Export of a comparison's model to a folder: written, verified, and renamed to its final name only then."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

from regzoo.comparison.leaderboard import Leaderboard, Row
from regzoo.core import EnvironmentFailure, InputError, did_you_mean, parse
from regzoo.export.candidate import Candidate, load_candidate
from regzoo.export.card import CardContent, Verification, make_recipe_json, render_readme
from regzoo.export.checksums import compute_digests
from regzoo.export.convert import convert_saved_model
from regzoo.export.formats import RECIPE_FILE, Format, check_convertible, find_format
from regzoo.export.refit import RefitData, refit_recipe
from regzoo.export.saved_model import predict_live, write_saved_model
from regzoo.export.signature import split_inputs
from regzoo.export.verify import Parity, verify_parity
from regzoo.storage.ledger import Ledger
from regzoo.system.temporary_folder import private_tempdir
from regzoo.training.engine.trainer import load_finished_model
from regzoo.training.records import Record, derive_member_seed


@private_tempdir()  # TensorFlow's files
def export_model(
    ledger: Ledger,
    leaderboard: Leaderboard,
    to: Path,
    recipe: str | None = None,
    format: str = "saved_model",
    refit_data: RefitData | None = None,
) -> Path:
    """Write the model of ``recipe`` (by default the winner) to ``to``, with ``recipe.json`` and ``README.md``.

    The model is written to a temporary folder, reloaded with its own runtime in a process of its own, compared with the
    live model on held-out raw rows, and only then renamed.

    Args:
        ledger: the ledger of the comparison.
        leaderboard: the leaderboard of the comparison.
        to: a folder that does not exist yet, or holds an older export.
        recipe: as the leaderboard writes it, with or without numbers.
        format: one of `regzoo.export.formats.FORMATS`.
        refit_data: the data, to train the recipe on train plus validation; None to export its best replicate.

    Raises:
        InputError: if there is no such recipe, it has no finished replicate, ``to`` holds something else, or the model
            cannot be written in this format.
        ParityError: if the reloaded model answers differently.
    """
    row, target = _find_row(leaderboard, recipe), find_format(format)
    if to.exists() and not (to / RECIPE_FILE).is_file():
        raise InputError(
            f"{to} exists and is no model exported by regzoo: nothing was overwritten; choose another path"
        )
    candidate = load_candidate(ledger, row.name)
    check_convertible(target, candidate.preprocessor, candidate.record.run.recipe)
    folder = to.resolve()  # if ``to`` is a link, replace what it points to
    temporary = _make_temporary_folder(folder)  # before a refit, which may take long
    try:
        replicates = _list_replicates(ledger, row)
        if refit_data is not None:
            candidate = refit_recipe(candidate.record, replicates, candidate.setup, refit_data)
        parity = _write_model(candidate, target, temporary)
        content = _collect_content(candidate, row, leaderboard, replicates, ledger, Verification(target, parity))
        _write_card(content, temporary)
        _replace_folder(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return to


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


def _make_temporary_folder(folder: Path) -> Path:
    """Make the empty folder that is written to before it is renamed to ``folder``.

    Raises:
        EnvironmentFailure: if it cannot be made.
    """
    temporary = folder.with_name(f".{folder.name}.writing")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
    except OSError as error:
        raise EnvironmentFailure(f"{folder} cannot be written: {error.strerror}; choose another path") from None
    return temporary


def _replace_folder(temporary: Path, folder: Path) -> None:
    """Rename ``temporary`` to ``folder``; delete an older export only after that."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if not folder.exists():
        temporary.rename(folder)
        return
    folder.rename(old)
    try:
        temporary.rename(folder)
    except BaseException:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


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
    """Write ``recipe.json`` and ``README.md``; the former lists the digests of the files written before."""
    values = make_recipe_json(content) | {"files": compute_digests(folder)}
    (folder / RECIPE_FILE).write_text(json.dumps(values, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(render_readme(content), encoding="utf-8")
