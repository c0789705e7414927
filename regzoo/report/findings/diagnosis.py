"""The diagnosis: do I need a regularizer at all? The baseline's own runs answer.

Two signs of overfitting: how far validation turns back until the last epoch, and how far training runs ahead of
validation. Each is a share of what the baseline learns (the way from its first to its best validation score) and of
what it leaves to be learnt (the way from there to a perfect score); the smaller share counts. An easy task is learnt
in the first epoch: every wiggle is then a large share of the rest, but a small one of what is left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any, Literal

from scipy import stats

from regzoo.report import board as boards
from regzoo.report.board import Row, number
from regzoo.report.curves import average
from regzoo.report.formatting import code, listing, percent, plural, show
from regzoo.training.records import Record

TURNED, AHEAD = 0.05, 0.15
"""From these shares on, validation turns back, and training runs ahead."""

PERFECT = {"min": 0.0, "max": 1.0}
"""The best score there can be, by direction."""

ENDLESS = ("gaussian_nll",)
"""Metrics without a best score."""

LATE = 0.95
"""A best epoch beyond this share of all epochs is the last: the model was still learning."""

Need = Literal["yes", "no", "perhaps", "unknown"]


@dataclass(frozen=True)
class Diagnosis:
    """What the baseline's finished replicates show; numbers are NaN where they do not tell.

    Attributes:
        need: of a regularizer: ``yes`` if one beats the baseline, ``no`` if none does and the baseline does not
            overfit, ``perhaps`` if it overfits and yet none beats it, ``unknown`` before there are curves.
        overfits: one of the two signs is there; None if unknown.
        gap: validation minus training score of the finished model, positive where training is better.
        ahead: the gap as a share of what was learnt, or of what is left, whichever is less.
        turn: the epoch, from 1, at which the mean validation score is best.
        epochs: how many were trained.
        lost: how much worse the mean validation score is after the last epoch than at its best.
        turned: that as such a share.
        stopping: gain of ending every baseline run at its own best epoch: optimistic, as validation chose it.
        explained: ``stopping`` as a share of the winner's gain, NaN unless that is positive.
        ece: expected calibration error on validation.
        confidence: mean confidence minus share right, positive if the model is too sure of itself.
        parameters, rows: trainable parameters and training rows.
        better: recipes that are told apart from the baseline and better.
        tested: recipes that were compared with it.
    """

    need: Need
    overfits: bool | None
    gap: float
    ahead: float
    turn: float
    epochs: float
    lost: float
    turned: float
    stopping: float
    explained: float
    ece: float
    confidence: float
    parameters: float
    rows: int
    better: tuple[str, ...]
    tested: int


def diagnose(board: dict[str, Any], records: Sequence[Record], comparison: dict[str, Any]) -> Diagnosis:
    """Return what the baseline's runs say."""
    base = boards.find(board, board["baseline"])
    runs = boards.replicates(records, base["name"]) if base else []
    sign = 1.0 if board["direction"] == "min" else -1.0
    curves = [_curve(run, "validation", board["rank_by"], sign) for run in runs]
    perfect = math.nan if board["rank_by"] in ENDLESS else sign * PERFECT[board["direction"]]
    signs = _signs([curve for curve in curves if curve], perfect)
    last = sign * _metric(base, "validation", board["rank_by"])
    gap = last - sign * _metric(base, "train", board["rank_by"])
    ahead = _share(gap, signs.learnt, last - perfect) if signs.learnt > 0 else math.nan
    better, tested = _better(board)
    overfits = None if math.isnan(signs.turned) else signs.turned >= TURNED or ahead >= AHEAD
    winner = next((row for row in boards.measured(board) if not boards.is_placebo(row)), None)
    gain = number(winner["gain"]) if winner is not None else math.nan
    return Diagnosis(
        _need(overfits, better),
        overfits,
        gap,
        ahead,
        signs.turn,
        signs.epochs,
        signs.lost,
        signs.turned,
        signs.stopping,
        signs.stopping / gain if gain > 0 else math.nan,
        _metric(base, "validation", "ece"),
        _confidence(runs),
        number(base["parameters"]) if base else math.nan,
        comparison["data"]["train"],
        better,
        tested,
    )


def _need(overfits: bool | None, better: tuple[str, ...]) -> Need:
    if better:
        return "yes"
    if overfits is None:
        return "unknown"
    return "perhaps" if overfits else "no"


def _better(board: dict[str, Any]) -> tuple[tuple[str, ...], int]:
    rows = [r for r in boards.measured(board) if not boards.is_baseline(board, r) and not boards.is_placebo(r)]
    return tuple(row["name"] for row in rows if tops_baseline(row)), len(rows)


def tops_baseline(row: Row) -> bool:
    """True if a recipe is told apart from the baseline, and better."""
    return row["verdict"] == "conclusive" and number(row["gain"]) > 0


@dataclass(frozen=True)
class _Signs:
    """What the validation curves show; see `Diagnosis`."""

    learnt: float
    turn: float
    epochs: float
    lost: float
    turned: float
    stopping: float


def _signs(curves: Sequence[Sequence[float]], perfect: float) -> _Signs:
    """Read curves in which less is better, and ``perfect`` the best, NaN if there is none."""
    mean = average([tuple(curve) for curve in curves])
    if len(mean) < 2 or not all(map(math.isfinite, mean)):
        return _Signs(*[math.nan] * 6)
    best = min(range(len(mean)), key=lambda epoch: mean[epoch])
    learnt, lost = mean[0] - mean[best], mean[-1] - mean[best]
    sure = lost > 0 and _lasting(curves)
    return _Signs(
        learnt,
        best + 1,
        len(mean),
        lost,
        _share(lost, learnt, mean[best] - perfect) if sure else 0.0,
        fmean(curve[-1] - min(filter(math.isfinite, curve)) for curve in curves if math.isfinite(curve[-1])),
    )


def _share(of: float, learnt: float, left: float) -> float:
    """``of`` as a share of what was learnt and of what is left, the smaller; infinite where there is neither."""
    return min((of / whole for whole in (learnt, left) if whole > 0), default=math.inf)


def _lasting(curves: Sequence[Sequence[float]]) -> bool:
    """True if the runs lose something from their best epoch to the last: a t test at 2.5 %, one-sided.

    In a curve that stays flat and shakes, some epoch is always the best, so each run is read at the epoch that was
    best in the mean of the others. Curves of pure noise still pass 7 to 8 times in 100 (5 and 10 runs of 40 epochs,
    1,000 simulations), because the last epoch is common to all tests. One run alone has nothing to be checked against.
    """
    losses = []
    for place, curve in enumerate(curves):
        others = average([tuple(other) for i, other in enumerate(curves) if i != place]) or tuple(curve)
        best = min(range(min(len(others), len(curve))), key=lambda epoch: others[epoch])
        losses.append(curve[-1] - curve[best])
    if len(losses) == 1:
        return True
    most = float(stats.t.ppf(0.975, len(losses) - 1))
    return fmean(losses) > most * stdev(losses) / math.sqrt(len(losses))


def _curve(run: Record, part: str, metric: str, sign: float) -> list[float]:
    """The curve with less being better."""
    return [sign * number(value) for value in run.history.get(part, {}).get(metric, [])]


def _metric(row: Row | None, part: str, name: str) -> float:
    return math.nan if row is None else boards.metric(row, part, name)


def _confidence(runs: Sequence[Record]) -> float:
    """Mean confidence minus share right, over all rows of all runs."""
    bins = [each for run in runs for each in run.reliability or ()]
    rows = sum(count for _, _, count in bins)
    return sum((sure - right) * count for sure, right, count in bins) / rows if rows else math.nan


def answer(found: Diagnosis, board: dict[str, Any], places: int) -> str:
    """Do I need a regularizer at all? In a sentence or two."""
    base = code(board["baseline"])
    if found.need == "unknown":
        return ""
    state = _state(found, board, places)
    if found.need == "yes":
        named = [code(name) for name in found.better]
        who = listing(named if len(named) <= 4 else [*named[:3], f"{len(named) - 3} more"])
        beat = f"{who} conclusively {'beats' if len(named) == 1 else 'beat'}"
        if found.overfits is None:
            return f"Do you need a regularizer? Yes: {beat} {base}."
        return f"Do you need a regularizer? Yes: {base} {state}, {'and' if found.overfits else 'yet'} {beat} it."
    if not found.tested:
        return f"Do you need a regularizer? {base} {state}; nothing else was measured."
    none = f"none of the {plural(found.tested, 'other recipe')} is told apart from it as better"
    if found.tested == 1:
        none = "the one other recipe that was measured is not told apart from it as better"
    if found.need == "no":
        return f"Do you need a regularizer? No: {base} {state}, and {none}."
    return f"Do you need a regularizer? Perhaps: {base} {state}, but {none}."


def _state(found: Diagnosis, board: dict[str, Any], places: int) -> str:
    name = board["rank_by"]
    if not found.overfits:
        still = " (and was still learning at the end)" if found.turn >= LATE * found.epochs else ""
        return f"does not overfit{still}"
    signs = []
    if found.turned >= TURNED:
        signs.append(
            f"its validation {name} is best after epoch {found.turn:.0f} of {found.epochs:.0f} and "
            f"{show(found.lost, places)} worse at the end"
        )
    if found.ahead >= AHEAD:
        signs.append(f"it is {show(found.gap, places)} better on the rows it was trained on than on validation")
    return f"overfits ({listing(signs)})"


def evidence(found: Diagnosis, board: dict[str, Any], places: int) -> tuple[str, ...]:
    """Return what else the baseline's runs show, a sentence each."""
    return tuple(filter(None, (_stopping(found, board, places), _calibration(found), _capacity(found))))


def _stopping(found: Diagnosis, board: dict[str, Any], places: int) -> str:
    if not (found.overfits and found.stopping > 0 and boards.known(found.explained)):
        return ""
    base, gain = code(board["baseline"]), f"at most {show(found.stopping, places)} {board['rank_by']}"
    if found.explained >= 1:
        return (
            f"Early stopping alone may explain the gain: ending {base} at its best epoch would gain {gain}, no less "
            "than the best recipe does."
        )
    return (
        f"Early stopping alone does not explain the gain: ending {base} at its best epoch would gain {gain}, "
        f"{percent(found.explained)} of what the best recipe gains."
    )


def _calibration(found: Diagnosis) -> str:
    if not boards.known(found.ece):
        return ""
    said = f"The plain model's expected calibration error is {found.ece:.3f}"
    if not boards.known(found.confidence) or abs(found.confidence) < 0.02:
        return said + "."
    side, sure = ("above", "too sure of itself") if found.confidence > 0 else ("below", "not sure enough")
    points = f"{abs(found.confidence) * 100:.0f} percentage points"
    return f"{said}: its mean confidence is {points} {side} the share it gets right ({sure})."


def _capacity(found: Diagnosis) -> str:
    if not boards.known(found.parameters) or not found.rows:
        return ""
    ratio = found.parameters / found.rows
    size = f"{found.parameters:,.0f} parameters for {found.rows:,} training rows"
    if found.overfits and ratio > 1:
        more = "enough to learn them by heart: more rows or a smaller model may help as well"
        return f"The plain model has {size}, {more}."
    if not found.overfits and found.turn >= LATE * found.epochs:
        more = "was still learning: more epochs or a larger model may gain more than a regularizer"
        return f"The plain model has {size} and {more}."
    return f"The plain model has {size}."
