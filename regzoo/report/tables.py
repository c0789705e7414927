"""The tables of the report, as text ready to print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from regzoo.report import board as boards
from regzoo.report.board import Row, known, metric, number
from regzoo.report.findings import strengths
from regzoo.report.findings.audit import Audit
from regzoo.report.findings.verdict import places
from regzoo.report.formatting import MISSING, interval, plural, probability, seconds, short, show, strength
from regzoo.stats.power import CAP
from regzoo.training.records import Record

MOST_FAILURES = 50
"""So many failed runs are listed; the rest is counted."""


@dataclass(frozen=True)
class Line:
    """A row of a table; ``mark`` is ``winner``, ``baseline``, ``missing`` or nothing."""

    cells: tuple[str, ...]
    mark: str = ""


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        caption: what it shows, in a sentence.
        head: the columns' titles; the column called ``recipe`` heads its rows.
        lines: its rows.
        words: titles of the columns that hold words; the others hold numbers.
    """

    caption: str
    head: tuple[str, ...]
    lines: tuple[Line, ...]
    words: tuple[str, ...] = ("recipe",)


def leaderboard(board: dict[str, Any]) -> Table:
    """The ranking with its intervals."""
    name, digits = board["rank_by"], places(board)
    head = ("rank", "tier", "recipe", name, "95 % interval", f"gain over {board['baseline']}", "95 % interval of gain",
            "p (Holm)", "P(better)", "verdict", f"test {name}", "replicates")  # fmt: skip
    lines = [
        Line(
            (
                _whole(row["rank"]),
                _whole(row["tier"]),
                called(row),
                show(row["mean"], digits),
                interval(row["low"], row["high"], digits) or MISSING,
                show(row["gain"], digits) if not boards.is_baseline(board, row) else MISSING,
                (interval(row["gain_low"], row["gain_high"], digits) if not boards.is_baseline(board, row) else "")
                or MISSING,
                probability(row["p_holm"]),
                _chance(row),
                _said(row),
                show(metric(row, "test", name), digits),
                boards.state(row) or _whole(row["replicates"]),
            ),
            _mark(board, row),
        )
        for row in _rows(board)
    ]
    caption = (
        f"Ranked by mean validation {name}, {boards.better(board['direction'])} is better; gains are positive where a "
        "recipe is better than the baseline; recipes of one tier cannot be told from its first. "
        "P(better) is the share of paired runs in which a recipe beats the baseline, with its 95 % interval; a number "
        "in the verdict says about how many replicates in all would settle it."
    )
    return Table(caption, head, tuple(lines), ("recipe", "verdict", "replicates"))


def details(board: dict[str, Any]) -> Table:
    """Spread, gap and cost."""
    name, digits = board["rank_by"], places(board)
    head = ("recipe", "sd", "interquartile mean", f"train {name}", "gap", "epochs", "best epoch", "training time",
            "ms per 1,000 predictions", "parameters")  # fmt: skip
    lines = [
        Line(
            (
                called(row),
                show(row["sd"], digits + 1),
                show(row["iqm"], digits),
                show(metric(row, "train", name), digits),
                show(metric(row, "validation", name) - metric(row, "train", name), digits),
                show(row["epochs"], 0),
                show(row["best_epoch"], 1),
                seconds(row["fit_seconds"]),
                _two_digits(row["predict_ms"]),
                f"{round(row['parameters']):,}" if known(row["parameters"]) else MISSING,
            ),
            _mark(board, row),
        )
        for row in _rows(board)
    ]
    caption = "Spread over the replicates, gap from train to validation, and cost; means over the finished replicates."
    return Table(caption, head, tuple(lines))


def metrics(board: dict[str, Any], part: str) -> Table:
    """Every metric on ``part``, ``validation`` or ``test``."""
    rows = boards.measured(board)
    names = tuple(dict.fromkeys(name for row in rows for name in ((row["metrics"] or {}).get(part) or {})))
    lines = [Line((called(row), *(show(metric(row, part, name)) for name in names)), _mark(board, row)) for row in rows]
    caption = f"All metrics on the {part} part, means over the finished replicates."
    return Table(caption, ("recipe", *names), tuple(lines))


def chosen(board: dict[str, Any], records: Sequence[Record]) -> Table:
    """The strengths that the search chose, and whether they lie at the edge of what was searched."""
    lines = []
    for row in _rows(board):
        tried = boards.trials(records, row["name"], finished=False)
        lost = sum(trial.status != "ok" for trial in tried)
        done = boards.replicates(records, row["name"], finished=False)
        rate = strength(done[0].run.learning_rate) if done else MISSING
        values = strengths.read(row["recipe"]) if done or known(row["mean"]) else {}
        trials = f"{len(tried)} ({lost} without a score)" if lost else f"{len(tried)}"
        lines.append(Line((row["name"], _values(row["name"], values), rate, trials), _mark(board, row)))
    caption = "Chosen by validation score among the trials of each recipe; a value at the edge asks for a wider range."
    return Table(caption, ("recipe", "strengths", "learning rate", "trials"), tuple(lines), ("recipe", "strengths"))


def accounts(audit: Audit) -> Table:
    """What every recipe was given, and what became of its runs."""
    head = ("recipe", "trials", "distinct settings", "epochs at most", "looks at validation", "search time",
            "replicates", "pruned", "diverged", "failed", "collapsed")  # fmt: skip
    lines = [
        Line(
            (a.name, str(a.trials), str(a.points), f"{a.epochs:,}", f"{a.looks:,}", seconds(a.seconds),
             *(str(count) for count in (a.replicates, a.pruned, a.diverged, a.failed, a.collapsed)))
        )
        for a in audit.accounts
    ]  # fmt: skip
    caption = (
        "What each recipe was given, counted in the records: the validation part is looked at after each epoch of a "
        "trial; collapsed runs predict no better than a constant."
    )
    return Table(caption, head, tuple(lines))


def failures(board: dict[str, Any], records: Sequence[Record]) -> Table | None:
    """The runs without a score, with the reason; None if there are none."""
    order = {row["name"]: index for index, row in enumerate(_rows(board))}
    lost = [record for record in records if record.status != "ok"]
    lost.sort(key=lambda r: (order.get(r.run.name, len(order)), r.run.stage, r.run.number))
    if not lost:
        return None
    lines = [
        Line(
            (
                short(r.run.recipe_text),
                f"{r.run.stage} {r.run.number + 1}",
                r.status,
                _reason(r),
                strength(r.run.learning_rate),
                str(r.run.seed),
            )
        )
        for r in lost[:MOST_FAILURES]
    ]
    more = f", the first {MOST_FAILURES} listed" if len(lost) > MOST_FAILURES else ""
    caption = f"{plural(len(lost), 'run')} of {len(records):,} ended without a score{more}."
    words = ("recipe", "run", "status", "reason")
    return Table(caption, (*words, "learning rate", "seed"), tuple(lines), words)


def called(row: Row) -> str:
    """The recipe with its strengths; a placebo by its name."""
    return f"{row['name']} (none in disguise)" if boards.is_placebo(row) else short(row["recipe"] or row["name"])


def _chance(row: Row) -> str:
    """``0.90 (0.60 to 0.98)``."""
    between = interval(row["p_better_low"], row["p_better_high"], 2)
    return f"{show(row['p_better'], 2)} ({between})" if between else show(row["p_better"], 2)


def _said(row: Row) -> str:
    """The verdict, and how many replicates would settle an open one."""
    if not known(row["replicates_needed"]):
        return row["verdict"] or MISSING
    needed = row["replicates_needed"]
    return f"{row['verdict']}, {f'{CAP:,}+' if needed >= CAP else f'{needed:.0f}'} needed"


def _rows(board: dict[str, Any]) -> list[Row]:
    return [*boards.measured(board), *boards.unmeasured(board)]


def _mark(board: dict[str, Any], row: Row) -> str:
    if not known(row["mean"]):
        return "missing"
    if row is boards.measured(board)[0]:
        return "winner"
    return "baseline" if boards.is_baseline(board, row) else ""


def _whole(value: Any) -> str:
    return f"{number(value):.0f}" if known(value) else MISSING


def _two_digits(value: Any) -> str:
    """``0.41``, ``13``, ``150``."""
    return f"{float(f'{number(value):.2g}'):,g}" if known(value) else MISSING


def _values(name: str, values: dict[str, float]) -> str:
    ranges = strengths.searched(name)
    said = []
    for key, value in values.items():
        text = f"{key} = {strength(value)}"
        if key in ranges:
            edge = ", at the edge" if ranges[key].edge(value) else ""
            text += f" (searched {ranges[key]}{edge})"
        said.append(text)
    return "; ".join(said) or MISSING


def _reason(record: Record) -> str:
    """The first line of the error, at most 300 characters."""
    lines = (record.error or "").strip().splitlines()
    reason = lines[0] if lines else f"a loss or weight was not finite after {plural(record.epochs, 'epoch')}"
    return reason if len(reason) <= 300 else reason[:299] + "…"
