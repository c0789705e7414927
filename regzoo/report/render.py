"""The report of a comparison: one offline HTML page, the same in Markdown, and the figures as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from regzoo.comparison.coverage import read_coverage
from regzoo.comparison.leaderboard import Leaderboard
from regzoo.core.escaping import escape_markdown
from regzoo.core.formatting import format_count, format_duration, format_integer
from regzoo.report import markup, tables
from regzoo.report.descriptions import describe_task
from regzoo.report.figures import FigureInfo, FigureModule, load_figures
from regzoo.report.figures._output import format_svg_file, render_svg
from regzoo.report.findings.audit import Audit, audit_comparison
from regzoo.report.findings.methods_section import write_limitations, write_methods
from regzoo.report.findings.spread import describe_spread, measure_spread
from regzoo.report.findings.verdict import ComparisonVerdict, describe_placebos, make_verdict
from regzoo.report.references import list_statistics, make_bibtex
from regzoo.report.seal import add_seal
from regzoo.report.spread_table import build_spread_table
from regzoo.storage.info import ComparisonInfo
from regzoo.storage.public_info import make_public_info
from regzoo.training.records import Record

TEMPLATES = Path(__file__).parent / "templates"
HTML, MARKDOWN = "report.html", "report.md"

MOST_WARNINGS = 5
"""Warnings about the data that the verdict shows."""


@dataclass(frozen=True)
class RenderedFigure:
    """A figure on the page; if there is nothing to draw, ``svg`` is empty and ``missing`` says why."""

    name: str
    title: str
    reading: str
    svg: Markup
    missing: str


@dataclass(frozen=True)
class PageContent:
    """The variables of the templates."""

    comparison: ComparisonInfo
    facts: Sequence[str]
    verdict: ComparisonVerdict
    placebos: Sequence[str]
    audit: Audit
    audit_table: tables.ReportTable
    leaderboard_table: tables.ReportTable
    details_table: tables.ReportTable
    metrics_tables: Mapping[str, tables.ReportTable]
    strengths_table: tables.ReportTable
    spread_table: tables.ReportTable | None
    spread: str
    failures_table: tables.ReportTable | None
    figures: Sequence[RenderedFigure]
    methods: Sequence[str]
    data_warnings: Sequence[str]
    data_notes: Sequence[str]
    limitations: Sequence[str]
    bibtex: str


def render_files(
    leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo
) -> dict[str, str | None]:
    """Return the files of a report, by path: ``report.html``, ``report.md`` and ``figures/*.svg``.

    The same input gives the same text. A figure with nothing to draw is None: an earlier one is out of date.

    Args:
        leaderboard: recipes may be unfinished.
        records: all trials and replicates.
        comparison: what was compared, and how.
    """
    comparison = make_public_info(comparison)
    figures = _render_figures(leaderboard, records, comparison)
    content = _collect_content(leaderboard, records, comparison, figures)
    return {
        **{f"figures/{each.name}.svg": format_svg_file(each.svg) if each.svg else None for each in figures},
        **{name: _render_template(name, content) for name in (HTML, MARKDOWN)},
    }


def render_html(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> str:
    """Return the page that `render_files` returns as ``report.html``; it holds its figures and needs no other file."""
    comparison = make_public_info(comparison)
    figures = _render_figures(leaderboard, records, comparison)
    return _render_template(HTML, _collect_content(leaderboard, records, comparison, figures))


def _render_figures(
    leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo
) -> list[RenderedFigure]:
    infos = {name: (module, module.info(leaderboard, records, comparison)) for name, module in load_figures().items()}
    return [_render_figure(name, module, info) for name, (module, info) in infos.items() if info.fits]


def _render_figure(name: str, module: FigureModule, info: FigureInfo) -> RenderedFigure:
    svg = "" if info.missing else render_svg(module.draw(info), name, module.TITLE, info.alternative)
    return RenderedFigure(name, module.TITLE, info.reading, Markup(svg), info.missing)


def _collect_content(
    leaderboard: Leaderboard,
    records: Sequence[Record],
    comparison: ComparisonInfo,
    figures: Sequence[RenderedFigure],
) -> PageContent:
    audit = audit_comparison(leaderboard, records, comparison)
    coverage, spreads = read_coverage(leaderboard, comparison), measure_spread(leaderboard, records, comparison)
    return PageContent(
        comparison=comparison,
        facts=_list_facts(leaderboard, records, comparison),
        verdict=make_verdict(leaderboard, records, comparison),
        placebos=describe_placebos(leaderboard),
        audit=audit,
        audit_table=tables.build_audit_table(audit),
        leaderboard_table=tables.build_leaderboard_table(leaderboard, comparison),
        details_table=tables.build_details_table(leaderboard, comparison),
        metrics_tables={part: tables.build_metrics_table(leaderboard, part) for part in ("validation", "test")},
        strengths_table=tables.build_strengths_table(leaderboard, records, comparison.steps),
        spread_table=build_spread_table(leaderboard, spreads, coverage, comparison),
        spread=describe_spread(leaderboard, spreads, coverage, comparison),
        failures_table=tables.build_failures_table(leaderboard, records),
        figures=figures,
        methods=write_methods(leaderboard, records, comparison),
        data_warnings=_list_warnings(comparison.data.warnings),
        data_notes=[*comparison.data.repairs, *comparison.data.warnings],
        limitations=write_limitations(leaderboard, comparison),
        bibtex=make_bibtex((row.name for row in leaderboard.recipes), list_statistics(comparison)),
    )


def _list_warnings(warnings: Sequence[str]) -> list[str]:
    """Return the first of ``warnings``, and how many more there are."""
    more = len(warnings) - MOST_WARNINGS
    return [*warnings[:MOST_WARNINGS], *([f"and {more} more: see Notes on the data"] if more > 0 else [])]


def _list_facts(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> list[str]:
    """Return what was compared on what, a few words each."""
    data = comparison.data
    runs = format_count(sum(record.run.stage != "member" for record in records), "run")
    rows = {"train": data.train, "validation": data.validation, "test": data.test}
    parts = ", ".join(f"{format_integer(count)} {part}" for part, count in rows.items())
    task = describe_task(data.task, data.labels)
    return [
        f"{data.source}: {format_count(data.rows, 'row')} ({parts}), {data.inputs}, {task}",
        f"{format_count(len(leaderboard.recipes), 'recipe')}, {len(leaderboard.measured)} measured",
        runs if comparison.seconds is None else f"{runs} in {format_duration(comparison.seconds)}",
    ]


def _render_template(name: str, content: PageContent) -> str:
    text = _make_environment().get_template(f"{name}.jinja").render(vars(content))
    return add_seal(text, "report") if name == HTML else text


@cache
def _make_environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=lambda name: name is not None and ".html" in name,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=markup.finalize,
    )
    environment.filters |= {
        "prose": markup.to_html,
        "heading": markup.heading_to_html,
        "table_cell": markup.cell_to_html,
        "markdown": markup.to_markdown,
        "markdown_cell": escape_markdown,
        "fence": markup.choose_fence,
    }
    return environment
