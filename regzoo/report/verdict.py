"""The verdict: which recipe, how strong, how sure - and never more than the intervals carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regzoo.comparison.bootstrap import LEVEL
from regzoo.report import board as boards
from regzoo.report.board import Row, number
from regzoo.report.words import code, decimals, interval, listing, plural, probability, seconds, short, show


@dataclass(frozen=True)
class Verdict:
    """One sentence to act upon, and what stands behind it, a sentence each."""

    headline: str
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join([self.headline, *self.details])


def verdict(board: dict[str, Any], study: dict[str, Any]) -> Verdict:
    """Return what the board says about ``study``."""
    rows = boards.measured(board)
    if not rows:
        return Verdict("No verdict yet: no recipe has a finished replicate.", _unfinished(board))
    winner, baseline = rows[0], boards.find(board, board["baseline"])
    details = (*_doubts(board, winner, baseline), *_cost(winner, baseline, mates(board, winner)), *_unfinished(board))
    return Verdict(_headline(board, winner, baseline), details)


def mates(board: dict[str, Any], winner: Row) -> list[Row]:
    """The recipes that share the winner's tier, itself left out."""
    rows = boards.measured(board)
    return [row for row in rows if row is not winner and winner["tier"] is not None and row["tier"] == winner["tier"]]


def places(board: dict[str, Any]) -> int:
    """How many decimals the scores of this board deserve."""
    rows = boards.measured(board)
    return decimals((number(row["high"]) - number(row["low"])) / 2 for row in rows)


def _headline(board: dict[str, Any], winner: Row, baseline: Row | None) -> str:
    name, base = quoted(winner), code(board["baseline"])
    best = f"the best mean validation {board['rank_by']}, {show(winner['mean'], places(board))}"
    best += f" ({boards.better(board['direction'])} is better)"
    if winner is baseline:
        return f"Nothing beats {base} here: without a regularizer it has {best}."
    if baseline is None or not boards.known(baseline["mean"]) or not boards.known(winner["gain"]):
        return f"{name} has {best}, but {base} has no finished replicate to compare it with, so no gain is claimed."
    if winner["gain"] <= 0:
        return f"Nothing beats {base} for certain: {name} has {best}, but gains nothing over it in the paired runs."
    gain = f"{show(winner['gain'], places(board))} better than {base}"
    if not (boards.known(winner["gain_low"]) and boards.known(winner["gain_high"])):
        return f"{name} has {best}, {gain}, but too few replicates finished to say how sure that is."
    gain += f" (95 % interval of the gain {interval(winner['gain_low'], winner['gain_high'], places(board))})"
    if baseline in mates(board, winner):
        return f"Nothing beats {base} beyond doubt: {name} has {best}, {gain}, but the data cannot tell the two apart."
    if not _sure(winner):
        return f"{name} has {best}, {gain}; that is a hint, not a proof."
    return f"Use {name}: it has {best}, {gain}{_equals(board, winner)}."


def _equals(board: dict[str, Any], winner: Row) -> str:
    names = [quoted(row) for row in mates(board, winner)]
    return f"; the data cannot tell it from {listing(names, 'or')}" if names else ""


def _sure(winner: Row) -> bool:
    return number(winner["p_holm"]) < LEVEL and number(winner["gain_low"]) > 0


def _doubts(board: dict[str, Any], winner: Row, baseline: Row | None) -> tuple[str, ...]:
    said = []
    others = sum(boards.known(row["p_holm"]) for row in board["recipes"])
    if winner is not baseline and number(winner["gain_low"]) > 0 and number(winner["p_holm"]) >= LEVEL:
        adjusted = (
            f"adjusted for {plural(others, 'comparison')} it could be chance (p = {probability(winner['p_holm'])})"
        )
        said.append(f"The interval of this one gain leaves out zero, but {adjusted}.")
    if baseline is not None and not _sure(winner) and len(mates(board, winner)) > 1:
        said.append(f"{plural(len(mates(board, winner)) + 1, 'recipe')} share the first tier.")
    for row in (winner, baseline):
        if row is not None and boards.known(row["mean"]) and boards.state(row):
            said.append(f"Of the replicates of {quoted(row)}, {boards.state(row)}; gains count only finished pairs.")
    return tuple(dict.fromkeys(said))


def _cost(winner: Row, baseline: Row | None, equals: list[Row]) -> tuple[str, ...]:
    if not boards.known(winner["fit_seconds"]):
        return ()
    said = f"One training of {quoted(winner)} takes {seconds(winner['fit_seconds'])}"
    if baseline is not None and winner is not baseline and number(baseline["fit_seconds"]) > 0:
        ratio = f"{winner['fit_seconds'] / baseline['fit_seconds']:.2g}"
        said += f", {'about' if ratio == '1' else ratio + ' times'} as long as {quoted(baseline)}"
    timed = [row for row in equals if number(row["fit_seconds"]) < 0.8 * winner["fit_seconds"]]
    if timed:
        cheap = min(timed, key=lambda row: number(row["fit_seconds"]))
        said += f"; in the same tier, {quoted(cheap)} takes {seconds(cheap['fit_seconds'])}"
    return (said + ".",)


def _unfinished(board: dict[str, Any]) -> tuple[str, ...]:
    missing = boards.unmeasured(board)
    pending = [row["name"] for row in missing if row["status"] == "pending"]
    lost = [row["name"] for row in missing if row["status"] != "pending"]
    said = []
    if pending:
        said.append(f"Unfinished: {_named(pending)} not measured yet, so the order may change.")
    if lost:
        said.append(f"Without a score, because every replicate diverged or failed: {_named(lost)}.")
    return tuple(said)


def _named(names: list[str]) -> str:
    shown = [code(name) for name in names]
    return listing(shown if len(shown) <= 4 else [*shown[:3], f"{len(shown) - 3} more"])


def quoted(row: Row) -> str:
    """The recipe with its strengths, marked as code."""
    return code(short(row["recipe"] or row["name"]))
