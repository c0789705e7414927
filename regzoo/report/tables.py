"""Tables of the report, as text ready to print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.comparison.chosen_strengths import ChosenStrengths, read_chosen_strengths
from regzoo.comparison.coverage import Coverage, read_coverage
from regzoo.comparison.leaderboard import Leaderboard, Row
from regzoo.core.formatting import (
    MISSING,
    format_count,
    format_duration,
    format_integer,
    format_interval,
    format_number,
    format_p_value,
    format_rough,
    format_strength,
    shorten_recipe,
)
from regzoo.report.descriptions import (
    TIE,
    choose_leaderboard_decimals,
    describe_losses,
    format_verdict,
    list_nested_ties,
)
from regzoo.report.findings.audit import Audit
from regzoo.report.findings.strengths import find_edges, read_ranges
from regzoo.report.runs import name_run, select_confirmations, select_trials
from regzoo.search.space import LEARNING_RATE
from regzoo.stats.paired import name_verdict
from regzoo.storage.info import ComparisonInfo
from regzoo.storage.public_info import hide_folders
from regzoo.training.records import Record

MAX_FAILURES = 50
"""Most failed runs that are listed; the others are only counted."""

MAX_REASON = 300
"""Most characters of an error message that are shown."""


@dataclass(frozen=True)
class ReportRow:
    """A row of a table; ``mark`` is ``winner``, ``baseline``, ``missing`` or nothing."""

    cells: tuple[str, ...]
    mark: str = ""


@dataclass(frozen=True)
class ReportTable:
    """A table.

    Attributes:
        caption: what it shows.
        headers: titles of the columns; the column called ``recipe`` names the rows.
        rows: its rows.
        text_columns: titles of the columns that hold words; the others hold numbers.
    """

    caption: str
    headers: tuple[str, ...]
    rows: tuple[ReportRow, ...]
    text_columns: tuple[str, ...] = ("recipe",)


def build_leaderboard_table(leaderboard: Leaderboard, comparison: ComparisonInfo) -> ReportTable:
    """Return the ranking with its intervals."""
    metric, decimals = leaderboard.rank_by, choose_leaderboard_decimals(leaderboard)
    ties = list_nested_ties(leaderboard, comparison)
    headers = ("rank", "tier", "recipe", metric, "95 % interval", f"gain over {leaderboard.baseline}",
               "95 % interval of gain", "p (Holm)", "P(better)", "verdict", f"test {metric}", "replicates")  # fmt: skip
    rows = [
        ReportRow(
            (
                format_number(row.rank, 0),
                format_number(row.tier, 0),
                _name_recipe(row),
                format_number(row.mean, decimals),
                format_interval(row.low, row.high, decimals) or MISSING,
                *_format_gain(row, leaderboard.is_baseline(row), decimals),
                format_p_value(row.p_holm),
                _format_chance(row),
                TIE if row in ties else _format_verdict(row),
                format_number(row.metric("test", metric), decimals),
                describe_losses(row) or format_number(row.replicates, 0),
            ),
            _mark_row(leaderboard, row),
        )
        for row in (*leaderboard.measured, *leaderboard.unmeasured)
    ]
    caption = _caption_leaderboard(leaderboard, read_coverage(leaderboard, comparison), bool(ties))
    return ReportTable(caption, headers, tuple(rows), ("recipe", "verdict", "replicates"))


def _caption_leaderboard(leaderboard: Leaderboard, coverage: Coverage, ties: bool) -> str:
    better = "lower" if leaderboard.direction == "min" else "higher"
    settled = "in total" + ", in more searches with as many replicates each as now," * (coverage.searches > 1)
    sentences = [
        f"Ranked by mean validation {leaderboard.rank_by}, {better} is better; a gain is positive where the recipe is "
        f"better than the baseline. All intervals are {coverage}.",
        coverage.explain_limits(),
        f"{coverage.explain_tiers()} P(better) is the share of paired runs in which the recipe beats the baseline, "
        "with its 95 % interval. The verdict says whether the recipe is better or worse "
        f'than the baseline; with "N needed" it is open: about N replicates {settled} would settle it.',
        f'A "{TIE}" lost here, but its search space holds the point of the baseline, so it loses only by an unlucky '
        "search." * ties,
    ]
    return " ".join(filter(None, sentences))


def build_details_table(leaderboard: Leaderboard, comparison: ComparisonInfo) -> ReportTable:
    """Return spread, gap and cost of each recipe."""
    metric, decimals = leaderboard.rank_by, choose_leaderboard_decimals(leaderboard)
    headers = ("recipe", "sd", "interquartile mean", f"train {metric}", "gap", "epochs", "best epoch", "training time",
               "ms per 1,000 predictions", "parameters")  # fmt: skip
    rows = [
        ReportRow(
            (
                _name_recipe(row),
                format_number(row.sd, decimals + 1),
                format_number(row.iqm, decimals),
                format_number(row.metric("train", metric), decimals),
                format_number(row.metric("validation", metric) - row.metric("train", metric), decimals),
                format_number(row.epochs, 0),
                format_number(row.best_epoch, 1),
                format_duration(row.fit_seconds),
                format_rough(row.predict_ms),
                format_integer(row.parameters),
            ),
            _mark_row(leaderboard, row),
        )
        for row in (*leaderboard.measured, *leaderboard.unmeasured)
    ]
    caption = (
        "Spread over the replicates, gap between training and validation, and cost; means over the finished "
        f"replicates: {read_coverage(leaderboard, comparison)}."
    )
    return ReportTable(caption, headers, tuple(rows))


def build_metrics_table(leaderboard: Leaderboard, part: str) -> ReportTable:
    """Return every metric on ``part``, ``validation`` or ``test``."""
    names = tuple(dict.fromkeys(name for row in leaderboard.measured for name in row.metrics.get(part, {})))
    rows = [
        ReportRow(
            (_name_recipe(row), *(format_number(row.metric(part, name)) for name in names)),
            _mark_row(leaderboard, row),
        )
        for row in leaderboard.measured
    ]
    caption = f"All metrics on the {part} part, means over the finished replicates."
    return ReportTable(caption, ("recipe", *names), tuple(rows))


def build_strengths_table(leaderboard: Leaderboard, records: Sequence[Record], steps: int | None = None) -> ReportTable:
    """Return the strengths that were chosen, and whether they lie at the edge; for ``steps`` see `find_edges`."""
    rows, most = [], 1
    for row in (*leaderboard.measured, *leaderboard.unmeasured):
        trials = select_trials(records, row.name, finished=False)
        again = select_confirmations(records, row.name, finished=False)
        lost = sum(trial.status != "ok" for trial in trials)
        chosen = read_chosen_strengths(records, row.name, leaderboard.rank_by, leaderboard.direction)
        most = max(most, chosen.searches)
        count = f"{len(trials)} ({lost} without a score)" if lost else f"{len(trials)}"
        cells = (row.name, _format_strengths(row.name, chosen, steps), _format_rate(chosen), count, str(len(again)))
        rows.append(ReportRow(cells, _mark_row(leaderboard, row)))
    confirmed = any(row.cells[-1] != "0" for row in rows)
    headers = ("recipe", "strengths", "learning rate", "trials", "confirmations")
    shown, caption = len(headers) - (not confirmed), _caption_strengths(most, confirmed, leaderboard.trials)
    rows = [ReportRow(row.cells[:shown], row.mark) for row in rows]
    return ReportTable(caption, headers[:shown], tuple(rows), ("recipe", "strengths"))


def _caption_strengths(searches: int, confirmed: bool, tried: int | None) -> str:
    several = "Chosen by validation score among the trials of each recipe"
    chosen = "There was one setting to try" if tried == 1 else several
    if confirmed:
        chosen += ", the best of which were run once more on a fresh seed (confirmations)"
    if searches > 1:
        chosen = (
            f"{chosen}, in each of {searches} independent searches by itself. Shown is what the best search chose, "
            "the one whose choice has the best score before the replicates, and in brackets the range of what all "
            "searches chose"
        )
    return f"{chosen}; a value at the edge suggests searching a wider range."


def build_audit_table(audit: Audit) -> ReportTable:
    """Return the budget of every recipe, and how its runs ended."""
    several = any(r.searches > 1 or r.confirmations for r in audit.recipes)
    headers = ("recipe", *(("searches",) if several else ()), "trials", *(("confirmations",) if several else ()),
               "distinct settings", "max epochs", "validation evaluations", "search time", "replicates", "pruned",
               "diverged", "failed", "collapsed")  # fmt: skip
    rows = [
        ReportRow(
            (r.name, *((str(r.searches),) if several else ()), str(r.trials),
             *((str(r.confirmations),) if several else ()), str(r.settings), format_integer(r.max_epochs),
             format_integer(r.evaluations), format_duration(r.seconds),
             *(str(count) for count in (r.replicates, r.pruned, r.diverged, r.failed, r.collapsed)))
        )
        for r in audit.recipes
    ]  # fmt: skip
    caption = (
        "Budget of each recipe and how its runs ended, counted in the records. The validation part is evaluated after "
        f"each epoch of a trial{' or confirmation' * several}; a collapsed run predicts no better than a constant."
    )
    return ReportTable(caption, headers, tuple(rows))


def build_failures_table(leaderboard: Leaderboard, records: Sequence[Record]) -> ReportTable | None:
    """Return the runs without a score, with the reason; None if there are none."""
    names = [row.name for row in (*leaderboard.measured, *leaderboard.unmeasured)]
    order = {name: index for index, name in enumerate(names)}
    lost = [record for record in records if record.status != "ok"]
    lost.sort(key=lambda r: (order.get(r.run.name, len(order)), r.run.stage, r.run.search, r.run.number))
    if not lost:
        return None
    several = any(record.run.search for record in records)
    rows = [
        ReportRow(
            (
                shorten_recipe(record.run.recipe_text),
                name_run(record.run, several),
                record.status,
                _format_reason(record),
                format_strength(record.run.learning_rate),
                str(record.run.seed),
            )
        )
        for record in lost[:MAX_FAILURES]
    ]
    more = f", the first {MAX_FAILURES} listed" if len(lost) > MAX_FAILURES else ""
    caption = f"{format_count(len(lost), 'run')} of {format_integer(len(records))} ended without a score{more}."
    text_columns = ("recipe", "run", "status", "reason")
    return ReportTable(caption, (*text_columns, "learning rate", "seed"), tuple(rows), text_columns)


def _name_recipe(row: Row) -> str:
    """Return the recipe with its strengths; a placebo by its name."""
    return f"{row.name} (none in disguise)" if row.is_placebo else shorten_recipe(row.recipe)


def _format_gain(row: Row, is_baseline: bool, decimals: int) -> tuple[str, str]:
    """Return gain and interval; the baseline has none over itself."""
    if is_baseline:
        return MISSING, MISSING
    return format_number(row.gain, decimals), format_interval(row.gain_low, row.gain_high, decimals) or MISSING


def _format_chance(row: Row) -> str:
    """Return P(better) as ``0.90 (0.60 to 0.98)``."""
    interval = format_interval(row.p_better_low, row.p_better_high, 2)
    return f"{format_number(row.p_better, 2)} ({interval})" if interval else format_number(row.p_better, 2)


def _format_verdict(row: Row) -> str:
    """Return the verdict, and how many replicates would settle an open one."""
    verdict = name_verdict(row.verdict, row.gain) or MISSING
    if row.replicates_needed is None:
        return verdict
    return f"{verdict}, {format_verdict(row.verdict, row.gain, row.replicates_needed)}"


def _mark_row(leaderboard: Leaderboard, row: Row) -> str:
    if row.mean is None:
        return "missing"
    if row is leaderboard.measured[0]:
        return "winner"
    return "baseline" if leaderboard.is_baseline(row) else ""


def _format_strengths(name: str, chosen: ChosenStrengths, steps: int | None) -> str:
    ranges, edges = read_ranges(name, steps is None), find_edges(name, chosen.values, chosen.learning_rate, steps)
    texts = []
    for key, value in chosen.values.items():
        notes = [chosen.describe_range(key)] if chosen.searches > 1 and key in ranges else []
        if key in ranges:
            notes.append(f"searched {ranges[key]}{', at the edge' if key in edges else ''}")
        texts.append(f"{key} = {format_strength(value)}" + (f" ({'; '.join(notes)})" if notes else ""))
    return "; ".join(texts) or MISSING


def _format_rate(chosen: ChosenStrengths) -> str:
    if LEARNING_RATE not in chosen.spans:
        return MISSING
    low, high = chosen.spans[LEARNING_RATE]
    text = format_strength(chosen.learning_rate)
    return text if low == high else f"{text} ({format_strength(low)} to {format_strength(high)})"


def _format_reason(record: Record) -> str:
    """Return the first line of the error, shortened."""
    lines = hide_folders(record.error or "").strip().splitlines()
    reason = lines[0] if lines else f"a loss or weight was not finite after {format_count(record.epochs, 'epoch')}"
    return reason if len(reason) <= MAX_REASON else reason[: MAX_REASON - 1] + "…"
