"""Write what follows from a comparison's ledger: leaderboard, report, figures, the winner's model, checked claims."""

from __future__ import annotations

import json
from pathlib import Path

from regzoo.comparison.claims import ClaimCheck, check_claims
from regzoo.comparison.leaderboard import Leaderboard, read_leaderboard
from regzoo.comparison.progress import make_progress
from regzoo.comparison.repeat import repeat_comparison
from regzoo.core.escaping import escape_json
from regzoo.core.random_state import keep_python_random
from regzoo.data.rows import Rows
from regzoo.report import render
from regzoo.report.findings.claims import make_markdown
from regzoo.report.findings.sweep import read_response
from regzoo.storage.info import ComparisonInfo
from regzoo.storage.ledger import Ledger
from regzoo.storage.outputs import write_outputs
from regzoo.storage.placement import choose_repetition_folder
from regzoo.training.records import Record

MODEL = "model"
"""Folder of the winner's model, inside the comparison's."""


def publish(folder: Path) -> None:
    """Write everything that follows from the ledger: leaderboard, report and the winner's SavedModel."""
    with Ledger(folder) as ledger:
        write_report(folder, ledger)
        leaderboard = read_leaderboard(ledger)
        if leaderboard.winner is not None:
            from regzoo.export.export import export_winner

            export_winner(ledger, leaderboard, folder / MODEL)


def read_comparison(ledger: Ledger) -> tuple[Leaderboard, list[Record], ComparisonInfo]:
    """Return what a report is made from, as far as the ledger reaches.

    Raises:
        InputError: if the comparison has only just begun.
    """
    records, comparison = ledger.records(), ledger.get_comparison_info()
    leaderboard = read_leaderboard(ledger, records)
    assert comparison is not None  # or there would be no leaderboard
    return leaderboard, records, comparison


def write_report(folder: Path, ledger: Ledger) -> None:
    """Write ``leaderboard.csv``, ``report.html``, ``report.md`` and the figures; of a sweep ``sweep.json`` too.

    Files of these names that regzoo did not write are moved aside, see `write_outputs`.
    """
    leaderboard, records, comparison = read_comparison(ledger)
    files: dict[str, str | None] = {"leaderboard.csv": leaderboard.to_csv()}
    response = read_response(records, comparison)
    if response is not None:
        text = json.dumps(response.to_dict(), indent=2, allow_nan=False, ensure_ascii=False)
        files["sweep.json"] = escape_json(text)
    write_outputs(folder, ledger, files | render.render_files(leaderboard, records, comparison))


def check_and_write_claims(
    folder: Path,
    rows: Rows,
    searches: int,
    command: str,
    *,
    workers: int | None,
    retry_failed: bool,
    verbose: bool,
) -> ClaimCheck:
    """Repeat the comparison in ``folder``; return which of its claims hold, and write ``claims.csv`` and ``claims.md``.

    Files of these names that regzoo did not write are moved aside. For arguments and errors see
    `regzoo.comparison.repeat.repeat_comparison`.
    """
    with keep_python_random(), make_progress(verbose) as progress:
        repetitions = repeat_comparison(
            folder, rows, searches, workers=workers, progress=progress, command=command, retry_failed=retry_failed
        )
    with Ledger(folder) as ledger:
        check = check_claims(read_leaderboard(ledger), repetitions)
        comparison = ledger.get_comparison_info()
        name = folder.name if comparison is None else comparison.name
        places = [choose_repetition_folder(folder, seed).relative_to(folder).as_posix() for seed in check.seeds]
        write_outputs(folder, ledger, {"claims.csv": check.to_csv(), "claims.md": make_markdown(check, name, places)})
    return check
