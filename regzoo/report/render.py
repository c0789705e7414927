"""The report of a comparison: one offline page, the same in Markdown, and the figures as files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from regzoo.report import board as boards
from regzoo.report import markup, tables
from regzoo.report.figures import FigureFile, Info, figures
from regzoo.report.figures._style import svg
from regzoo.report.findings.audit import audit
from regzoo.report.findings.methods_section import caveats, protocol
from regzoo.report.findings.sweep import verdict_of
from regzoo.report.findings.verdict import placebo_line
from regzoo.report.formatting import listing, plural, seconds, task
from regzoo.report.references import bibtex
from regzoo.storage.folder import write_text_atomic
from regzoo.training.records import Record

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Picture:
    """A figure on the page; ``svg`` is empty and ``missing`` says why if there is nothing to draw."""

    name: str
    title: str
    reading: str
    svg: Markup
    missing: str


def write(folder: Path, board: dict[str, Any], records: list[Record], comparison: dict[str, Any]) -> None:
    """Write ``report.html``, ``report.md`` and ``figures/*.svg`` into ``folder``; each appears complete or not at all.

    The same input gives the same bytes.

    Args:
        folder: of the comparison; made if it is not there.
        board: the leaderboard as ``regzoo leaderboard --json`` gives it; recipes may be unfinished.
        records: all trials and replicates.
        comparison: what was compared and how: name, data, config, versions, command, trials, replicates, notes.

    Raises:
        OSError: the folder cannot be written.
    """
    infos = {name: file.info(board, records, comparison) for name, file in figures().items()}
    pictures = [_picture(name, figures()[name], info) for name, info in infos.items() if info.fits]
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        path = folder / "figures" / f"{picture.name}.svg"
        if picture.svg:
            write_text_atomic(path, f'<?xml version="1.0" encoding="utf-8"?>\n{picture.svg}')
        else:
            path.unlink(missing_ok=True)  # of an earlier report
    content = _content(board, records, comparison, pictures)
    for name in ("report.html", "report.md"):
        write_text_atomic(folder / name, _environment().get_template(f"{name}.jinja").render(content))


def _picture(name: str, file: FigureFile, info: Info) -> Picture:
    drawn = "" if info.missing else svg(file.draw(info), name, file.TITLE, info.alternative)
    return Picture(name, file.TITLE, info.reading, Markup(drawn), info.missing)


def _content(
    board: dict[str, Any], records: Sequence[Record], comparison: dict[str, Any], pictures: list[Picture]
) -> dict[str, Any]:
    found = audit(board, records, comparison)
    return {
        "comparison": comparison,
        "facts": _facts(board, records, comparison),
        "findings": [*comparison["data"].get("repairs", ()), *comparison["data"].get("warnings", ())],
        "verdict": verdict_of(board, records, comparison),
        "unfair": found.heading,
        "placebos": placebo_line(board),
        "audit": found.findings,
        "accounts": tables.accounts(found),
        "bibtex": bibtex(row["name"] for row in board["recipes"]),
        "leaderboard": tables.leaderboard(board),
        "details": tables.details(board),
        "metrics": {part: tables.metrics(board, part) for part in ("validation", "test")},
        "chosen": tables.chosen(board, records),
        "failures": tables.failures(board, records),
        "pictures": pictures,
        "protocol": protocol(board, records, comparison),
        "caveats": caveats(board, comparison),
    }


def _facts(board: dict[str, Any], records: Sequence[Record], comparison: dict[str, Any]) -> list[str]:
    """What was compared on what, in a few words each."""
    data = comparison["data"]
    made = plural(sum(record.run.stage != "member" for record in records), "run")
    parts = f"{data['train']:,} train, {data['validation']:,} validation, {data['test']:,} test"
    return [
        f"{data['source']}: {plural(data['rows'], 'row')} ({parts}), {data['inputs']}, {task(data)}",
        f"{plural(len(board['recipes']), 'recipe')}, {len(boards.measured(board))} measured",
        made if not boards.known(comparison["seconds"]) else f"{made} in {seconds(comparison['seconds'])}",
    ]


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=lambda name: name is not None and ".html" in name,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "prose": markup.html,
        "heading": markup.heading,
        "entry": markup.entry,
        "markdown": markup.markdown,
        "cell": markup.cell,
        "fence": markup.fence,
        "listing": listing,
    }
    return environment
