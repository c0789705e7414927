"""The verdict: which recipe, how strong, how sure - and never more than the intervals carry."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from regzoo.report import board as boards
from regzoo.report.board import Row, number
from regzoo.report.findings.diagnosis import Diagnosis, answer, diagnose, evidence, tops_baseline
from regzoo.report.findings.recommendations import next_steps
from regzoo.report.formatting import (
    code,
    decimals,
    interval,
    listing,
    percent,
    plural,
    probability,
    seconds,
    short,
    show,
)
from regzoo.stats.bootstrap import LEVEL
from regzoo.training.records import Record


@dataclass(frozen=True)
class Verdict:
    """One sentence to act upon, what stands behind it, and what to try next, a sentence each."""

    headline: str
    details: tuple[str, ...] = ()
    next: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join([self.headline, *self.details, *self.next])


def verdict(board: dict[str, Any], comparison: dict[str, Any], records: Sequence[Record] = ()) -> Verdict:
    """Return what the board says about ``comparison``; with the records also whether a regularizer is needed at all."""
    rows = boards.measured(board)
    if not rows:
        return Verdict("No verdict yet: no recipe has a finished replicate.", _unfinished(board))
    winner, baseline = rows[0], boards.find(board, board["baseline"])
    found = diagnose(board, records, comparison)
    details = (
        answer(found, board, places(board)),
        _sureness(board, winner),
        *_doubts(board, winner, baseline),
        *_luck(board, winner),
        *_cost(winner, baseline, mates(board, winner)),
        *evidence(found, board, places(board)),
        *_unfinished(board),
    )
    return Verdict(_headline(board, winner, baseline, found), tuple(filter(None, details)), next_steps(board, found))


def mates(board: dict[str, Any], winner: Row) -> list[Row]:
    """The recipes that share the winner's tier, itself left out."""
    rows = boards.measured(board)
    alike = [row for row in rows if row is not winner and winner["tier"] is not None and row["tier"] == winner["tier"]]
    return [row for row in alike if not boards.is_placebo(row)]


def places(board: dict[str, Any]) -> int:
    """How many decimals the scores of this board deserve, and its gains, which paired runs may tell more finely."""
    rows = boards.measured(board)
    scores = [number(row["high"]) - number(row["low"]) for row in rows]
    gains = [number(row["gain_high"]) - number(row["gain_low"]) for row in rows]
    found = [decimals(width / 2 for width in widths) for widths in (scores, gains) if any(w > 0 for w in widths)]
    return max(found, default=decimals([]))


def _headline(board: dict[str, Any], winner: Row, baseline: Row | None, found: Diagnosis) -> str:
    name, base = quoted(winner), code(board["baseline"])
    best = f"the best mean validation {board['rank_by']}, {show(winner['mean'], places(board))}"
    best += f" ({boards.better(board['direction'])} is better)"
    surest = next((row for row in boards.measured(board) if row["name"] in found.better), None)
    if boards.is_placebo(winner):
        sure = _beats(board, surest, found) if surest is not None else f"Nothing beats {base} beyond doubt"
        return f"{sure}: {name}, a copy of it in disguise, has {best}."
    if winner is baseline and not found.tested:
        score = f"{show(winner['mean'], places(board))} ({boards.better(board['direction'])} is better)"
        return f"Only {base} has been measured: its mean validation {board['rank_by']} is {score}."
    if winner is baseline and found.need == "no":
        return f"No regularizer is needed: {base} has {best}."
    if winner is baseline:
        return f"Nothing beats {base} here: without a regularizer it has {best}."
    if baseline is None or not boards.known(baseline["mean"]) or not boards.known(winner["gain"]):
        return f"{name} has {best}, but {base} has no finished replicate to compare it with, so no gain is claimed."
    if surest is not None and surest is not winner and not tops_baseline(winner):
        return f"{_beats(board, surest, found)}; {name} has {best}, but its own gain is not proven."
    if winner["gain"] <= 0:
        return f"Nothing beats {base} for certain: {name} has {best}, but gains nothing over it in the paired runs."
    gain = f"{show(winner['gain'], places(board))} better than {base}"
    if not (boards.known(winner["gain_low"]) and boards.known(winner["gain_high"])):
        return f"{name} has {best}, {gain}, but too few replicates finished to say how sure that is."
    gain += f" (95 % interval of the gain {interval(winner['gain_low'], winner['gain_high'], places(board))})"
    if winner["verdict"] == "equivalent":
        return f"Nothing beats {base} in practice: {name} has {best}, {gain}, which counts as no difference."
    if baseline in mates(board, winner) and found.need == "no":
        return f"No regularizer is needed: {name} has {best}, {gain}, but the data cannot tell the two apart."
    if baseline in mates(board, winner):
        return f"Nothing beats {base} beyond doubt: {name} has {best}, {gain}, but the data cannot tell the two apart."
    if not _sure(winner):
        return f"{name} has {best}, {gain}; that is a hint, not a proof."
    return f"Use {name}: it has {best}, {gain}{_equals(board, winner)}."


def _beats(board: dict[str, Any], row: Row, found: Diagnosis) -> str:
    """The best of the recipes that are told apart from the baseline, where another has the best mean."""
    gain = f"{show(row['gain'], places(board))} better"
    between = interval(row["gain_low"], row["gain_high"], places(board))
    said = f"{quoted(row)} conclusively beats {code(board['baseline'])}: it is {gain} (95 % interval {between})"
    others = len(found.better) - 1
    return said + (
        f", and {plural(others, 'more recipe')} {'beats' if others == 1 else 'beat'} it too" if others else ""
    )


def _equals(board: dict[str, Any], winner: Row) -> str:
    names = [quoted(row) for row in mates(board, winner)]
    return f"; the data cannot tell it from {listing(names, 'or')}" if names else ""


def _sure(winner: Row) -> bool:
    return number(winner["p_holm"]) < LEVEL and number(winner["gain_low"]) > 0


def _sureness(board: dict[str, Any], winner: Row) -> str:
    """How often the winner beats the baseline, run by run."""
    if boards.is_baseline(board, winner) or boards.is_placebo(winner) or not boards.known(winner["p_better"]):
        return ""
    said = f"{quoted(winner)} beats {code(board['baseline'])} in {percent(winner['p_better'])} of the paired runs"
    low, high = number(winner["p_better_low"]), number(winner["p_better_high"])
    sure = f" (95 % interval of the chance to do so {percent(low)} to {percent(high)})" if boards.known(low) else ""
    return f"{said}{sure}: {winner['verdict'] or 'undecided'}."


def _luck(board: dict[str, Any], winner: Row) -> tuple[str, ...]:
    """The gain without the luck of having been picked, and how the placebos fared."""
    said = []
    shrunk, gain = (show(value, places(board)) for value in (board["shrunk_gain"], winner["gain"]))
    real = not boards.is_baseline(board, winner) and not boards.is_placebo(winner)
    if real and boards.known(board["shrunk_gain"]) and shrunk != gain:
        said.append(
            f"On fresh seeds expect a gain of {shrunk} instead of {gain}: that takes off the luck {quoted(winner)} "
            "was picked for."
        )
    return (*said, *placebo_line(board))


def placebo_line(board: dict[str, Any]) -> tuple[str, ...]:
    """How many disguised copies of the baseline were told apart from it; nothing if there are none."""
    made = [row for row in boards.placebos(board) if boards.known(row["mean"])]
    if not made:
        return ()
    told = [row for row in made if row["verdict"] == "conclusive"]
    won = sum(number(row["gain"]) > 0 for row in told)
    return (
        f"Placebos: {won} of {plural(len(made), 'disguised copy', 'disguised copies')} of {code(board['baseline'])} "
        f"{'was' if won == 1 else 'were'} taken for better than it, {len(told) - won} for worse (the rules allow "
        "a false claim of any kind in one study of 20).",
    )


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
    if not boards.known(winner["fit_seconds"]) or boards.is_placebo(winner):
        return ()
    said = f"One training of {quoted(winner)} takes {seconds(winner['fit_seconds'])}"
    if baseline is not None and winner is not baseline and number(baseline["fit_seconds"]) > 0:
        ratio = f"{winner['fit_seconds'] / baseline['fit_seconds']:.2g}"
        said += f", {'about' if ratio == '1' else ratio + ' times'} as long as {quoted(baseline)}"
    if baseline is not None and winner is not baseline and number(baseline["best_epoch"]) > 0:
        late, early = f"{number(winner['best_epoch']):.0f}", f"{number(baseline['best_epoch']):.0f}"
        said += f", and is best after {late} epochs instead of {early}" if late not in (early, "nan") else ""
    timed = [row for row in equals if number(row["fit_seconds"]) < 0.8 * winner["fit_seconds"]]
    if timed:
        cheap = min(timed, key=lambda row: number(row["fit_seconds"]))
        said += f"; in the same tier, {quoted(cheap)} takes {seconds(cheap['fit_seconds'])}"
    return (said + ".", *_serving(winner, baseline))


def _serving(winner: Row, baseline: Row | None) -> tuple[str, ...]:
    """What an ensemble costs again with every prediction; measured times shake too much to tell of less."""
    plain = math.nan if baseline is None else number(baseline["parameters"])
    if baseline is None or not (plain > 0 and number(winner["parameters"]) >= 1.5 * plain):
        return ()
    size = f"{winner['parameters'] / plain:.2g}"
    return (f"Each of its predictions computes with {size} times as many parameters as one of {quoted(baseline)}.",)


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
    """The recipe with its strengths, marked as code; a placebo by its name."""
    return code(row["name"] if boards.is_placebo(row) else short(row["recipe"] or row["name"]))
