"""Diagnosis of overfitting: whether the task needs a regularizer at all, from the baseline's own runs.

Two signs of overfitting are measured: how much the validation score declines until the last epoch, and how far the
training score is ahead of the validation score. Each is expressed as a share of what the baseline learns (from its
first to its best validation score) and as a share of what it leaves to learn (from there to a perfect score); the
smaller share counts. An easy task is learned in the first epoch: every fluctuation is then a large share of the little
that is learned later, but a small share of what is left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Literal

from scipy import stats

from regzoo.comparison.leaderboard import Leaderboard, Row
from regzoo.core.formatting import (
    float_or_nan,
    format_code,
    format_count,
    format_fixed,
    format_integer,
    format_number,
    format_percent,
    format_short_list,
    is_known,
)
from regzoo.report.curves import Curve, average_curves
from regzoo.report.runs import select_replicates
from regzoo.storage.info import ComparisonInfo
from regzoo.training.records import Record

DECLINE, GAP = 0.05, 0.15
"""The baseline overfits if its decline, or its gap, is at least this share."""

PERFECT = {"min": 0.0, "max": 1.0}
"""The best possible score, by direction."""

UNBOUNDED = ("gaussian_nll",)
"""Metrics without a best possible score."""

LATE = 0.95
"""A best epoch beyond this share of all epochs counts as the last: the model was still improving."""

Need = Literal["yes", "no", "perhaps", "unknown"]


@dataclass(frozen=True)
class Diagnosis:
    """Findings from the baseline's finished replicates; NaN where a number cannot be known.

    Attributes:
        need: of a regularizer: ``yes`` if one beats the baseline, ``no`` if none does and the baseline does not
            overfit, ``perhaps`` if it overfits and yet none beats it, ``unknown`` before there are curves.
        overfits: whether one of the two signs is there; None if unknown.
        gap: validation minus training score of the finished model, positive where training is better.
        gap_share: the gap as a share of what was learned, or of what is left, whichever is smaller.
        best_epoch: the epoch, from 1, at which the mean validation score is best.
        epochs: number of epochs trained.
        decline: how much worse the mean validation score is after the last epoch than at its best.
        decline_share: the decline as such a share.
        stopping_gain: gain of stopping every baseline run at its own best epoch: optimistic, as validation chose it.
        stopping_share: ``stopping_gain`` as a share of the winner's gain, NaN unless that is positive.
        ece: expected calibration error on validation.
        overconfidence: mean confidence minus accuracy; negative if the model is underconfident.
        parameters, rows: trainable parameters and training rows.
        better: recipes that are conclusively better than the baseline.
        tested: number of recipes that were compared with it.
    """

    need: Need
    overfits: bool | None
    gap: float
    gap_share: float
    best_epoch: float
    epochs: float
    decline: float
    decline_share: float
    stopping_gain: float
    stopping_share: float
    ece: float
    overconfidence: float
    parameters: float
    rows: int
    better: tuple[str, ...]
    tested: int

    @property
    def still_improving(self) -> bool:
        """Whether the validation score was best at the end of training."""
        return self.best_epoch >= LATE * self.epochs


def diagnose(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> Diagnosis:
    """Return what the baseline's runs show."""
    metric, direction = leaderboard.rank_by, leaderboard.direction
    base = leaderboard.find(leaderboard.baseline)
    runs = select_replicates(records, base.name) if base else []
    sign = 1.0 if direction == "min" else -1.0
    curves = [_read_curve(run, metric, sign) for run in runs]
    perfect = math.nan if metric in UNBOUNDED else sign * PERFECT[direction]
    shape = _read_shape([curve for curve in curves if curve], perfect)
    last = sign * _read_metric(base, "validation", metric)
    gap = last - sign * _read_metric(base, "train", metric)
    gap_share = _smaller_share(gap, shape.learned, last - perfect) if shape.learned > 0 else math.nan
    others = [row for row in leaderboard.measured if not leaderboard.is_baseline(row) and not row.is_placebo]
    better = tuple(row.name for row in others if row.beats_baseline)
    overfits = None if math.isnan(shape.decline_share) else shape.decline_share >= DECLINE or gap_share >= GAP
    winner = next((row for row in leaderboard.measured if not row.is_placebo), None)
    gain = float_or_nan(winner.gain) if winner is not None else math.nan
    return Diagnosis(
        _judge_need(overfits, better),
        overfits,
        gap,
        gap_share,
        shape.best_epoch,
        shape.epochs,
        shape.decline,
        shape.decline_share,
        shape.stopping_gain,
        shape.stopping_gain / gain if gain > 0 else math.nan,
        _read_metric(base, "validation", "ece"),
        _measure_overconfidence(runs),
        float_or_nan(base.parameters) if base else math.nan,
        comparison.data.train,
        better,
        len(others),
    )


def _judge_need(overfits: bool | None, better: tuple[str, ...]) -> Need:
    if better:
        return "yes"
    if overfits is None:
        return "unknown"
    return "perhaps" if overfits else "no"


@dataclass(frozen=True)
class _CurveShape:
    """Findings from the validation curves, see `Diagnosis`."""

    learned: float
    best_epoch: float
    epochs: float
    decline: float
    decline_share: float
    stopping_gain: float


def _read_shape(curves: Sequence[Curve], perfect: float) -> _CurveShape:
    """Read curves in which less is better; ``perfect`` is the best possible score, NaN if there is none."""
    mean = average_curves(curves)
    if len(mean) < 2 or not all(map(math.isfinite, mean)):
        return _CurveShape(*[math.nan] * 6)
    best = min(range(len(mean)), key=lambda epoch: mean[epoch])
    learned, decline = mean[0] - mean[best], mean[-1] - mean[best]
    significant = decline > 0 and _declines(curves)
    return _CurveShape(
        learned,
        best + 1,
        len(mean),
        decline,
        _smaller_share(decline, learned, mean[best] - perfect) if significant else 0.0,
        fmean(curve[-1] - min(filter(math.isfinite, curve)) for curve in curves if math.isfinite(curve[-1])),
    )


def _smaller_share(value: float, learned: float, left: float) -> float:
    """Return ``value`` as a share of what was learned or of what is left, the smaller; infinite if both are 0."""
    return min((value / whole for whole in (learned, left) if whole > 0), default=math.inf)


def _declines(curves: Sequence[Curve]) -> bool:
    """Return True if the runs get worse from their best epoch to the last: a one-sided t test at 2.5 %.

    In a flat, noisy curve some epoch is always the best, so each run is read at the epoch that was best in the mean
    of the others. Curves of pure noise still pass 7 to 8 times in 100 (5 and 10 runs of 40 epochs, 1,000
    simulations), because the last epoch is common to all tests. A single run has nothing to be checked against.
    """
    losses = []
    for place, curve in enumerate(curves):
        others = average_curves([other for i, other in enumerate(curves) if i != place]) or curve
        best = min(range(min(len(others), len(curve))), key=lambda epoch: others[epoch])
        losses.append(curve[-1] - curve[best])
    if len(losses) == 1:
        return True
    critical = float(stats.t.ppf(0.975, len(losses) - 1))
    return fmean(losses) > critical * stdev(losses) / math.sqrt(len(losses))


def _read_curve(run: Record, metric: str, sign: float) -> Curve:
    """Return the validation curve with less being better."""
    return tuple(sign * float_or_nan(value) for value in run.history.get("validation", {}).get(metric, []))


def _read_metric(row: Row | None, part: str, name: str) -> float:
    return math.nan if row is None else row.metric(part, name)


def _measure_overconfidence(runs: Sequence[Record]) -> float:
    """Return mean confidence minus accuracy, over all rows of all runs."""
    bins = [each for run in runs for each in run.reliability or ()]
    rows = sum(count for _, _, count in bins)
    return sum((confidence - right) * count for confidence, right, count in bins) / rows if rows else math.nan


def answer_need(found: Diagnosis, leaderboard: Leaderboard, decimals: int) -> str:
    """Answer in a sentence whether a regularizer is needed; empty if unknown."""
    if found.need == "unknown":
        return ""
    question, base = "Do you need a regularizer?", format_code(leaderboard.baseline)
    state = _describe_baseline(found, leaderboard.rank_by, decimals)
    if found.need == "yes":
        names = format_short_list([format_code(name) for name in found.better])
        beat = f"{names} conclusively {'beats' if len(found.better) == 1 else 'beat'}"
        if found.overfits is None:
            return f"{question} Yes: {beat} {base}."
        return f"{question} Yes: {base} {state}, {'and' if found.overfits else 'yet'} {beat} it."
    if not found.tested:
        return f"{question} {base} {state}; no other recipe has been measured."
    none = f"none of the {format_count(found.tested, 'other recipe')} is conclusively better"
    if found.tested == 1:
        none = "the only other recipe measured is not conclusively better"
    if found.need == "no":
        return f"{question} No: {base} {state}, and {none}."
    return f"{question} Perhaps: {base} {state}, but {none}."


def _describe_baseline(found: Diagnosis, metric: str, decimals: int) -> str:
    if not found.overfits:
        return f"does not overfit{' (and was still improving at the end)' if found.still_improving else ''}"
    signs = []
    if found.decline_share >= DECLINE:
        worse = f"{format_number(found.decline, decimals)} worse at the end"
        best = f"epoch {format_fixed(found.best_epoch, 0)} of {format_fixed(found.epochs, 0)}"
        signs.append(f"its validation {metric} is best after {best}, {worse}")
    if found.gap_share >= GAP:
        better = f"{format_number(found.gap, decimals)} better on training rows than on validation rows"
        signs.append(f"its final {metric} is {better}")
    return f"overfits ({'; '.join(signs)})"


def describe_evidence(found: Diagnosis, leaderboard: Leaderboard, decimals: int) -> tuple[str, ...]:
    """Return what else the baseline's runs show, a sentence each."""
    sentences = (
        _explain_stopping(found, leaderboard, decimals),
        _describe_calibration(found),
        _describe_capacity(found),
    )
    return tuple(filter(None, sentences))


def _explain_stopping(found: Diagnosis, leaderboard: Leaderboard, decimals: int) -> str:
    """Say whether early stopping alone may explain the winner's gain."""
    if not (found.overfits and found.stopping_gain > 0 and is_known(found.stopping_share)):
        return ""
    gain = f"up to {format_number(found.stopping_gain, decimals)} {leaderboard.rank_by}"
    stopping = f"stopping {format_code(leaderboard.baseline)} at its best epoch would gain {gain}"
    if found.stopping_share >= 1:
        return f"Early stopping alone may explain the gain: {stopping}, no less than the best recipe gains."
    share = format_percent(found.stopping_share)
    return f"Early stopping alone does not explain the gain: {stopping}, {share} of what the best recipe gains."


def _describe_calibration(found: Diagnosis) -> str:
    if not is_known(found.ece):
        return ""
    error = f"The baseline's expected calibration error is {format_fixed(found.ece, 3)}"
    if not is_known(found.overconfidence) or abs(found.overconfidence) < 0.02:
        return error + "."
    side, word = ("above", "overconfident") if found.overconfidence > 0 else ("below", "underconfident")
    points = f"{format_fixed(abs(found.overconfidence) * 100, 0)} percentage points"
    return f"{error}: its mean confidence is {points} {side} its accuracy ({word})."


def _describe_capacity(found: Diagnosis) -> str:
    if not is_known(found.parameters) or not found.rows:
        return ""
    parameters, rows = format_integer(found.parameters), format_integer(found.rows)
    size = f"The baseline has {parameters} parameters for {rows} training rows"
    if found.overfits and found.parameters > found.rows:
        return f"{size}, enough to memorize them: more data or a smaller model may also help."
    if not found.overfits and found.still_improving:
        return f"{size} and was still improving: more epochs or a larger model may help more than a regularizer."
    return f"{size}."
