"""Write what follows from a comparison's ledger: leaderboard, report, figures and the winner's model."""

from __future__ import annotations

import json
from pathlib import Path

from regzoo.comparison.leaderboard import read_leaderboard
from regzoo.report import render
from regzoo.report.findings.sweep import response_of
from regzoo.storage.folder import write_text_atomic
from regzoo.storage.ledger import Ledger

MODEL = "model"
"""Folder of the winner's model, inside the comparison's."""


def publish(folder: Path) -> None:
    """Write everything that follows from the ledger: leaderboard, report and the winner's SavedModel."""
    with Ledger(folder) as ledger:
        write_report(folder, ledger)
        leaderboard = read_leaderboard(ledger)
        if leaderboard.winner is not None:
            from regzoo.export.export import export_model

            export_model(ledger, leaderboard, folder / MODEL)


def write_report(folder: Path, ledger: Ledger) -> None:
    """Write ``leaderboard.csv``, ``report.html``, ``report.md`` and the figures; of a sweep ``sweep.json`` too."""
    records, comparison = ledger.records(), ledger.get_info("study")
    leaderboard = read_leaderboard(ledger, records)
    write_text_atomic(folder / "leaderboard.csv", leaderboard.to_csv())
    response = response_of(records, comparison)
    if response is not None:
        text = json.dumps(response.to_dict(), indent=2, allow_nan=False, ensure_ascii=False)
        write_text_atomic(folder / "sweep.json", text)
    render.write(folder, leaderboard.to_dict(), records, comparison)
