"""Verdict: which recipe to use, how strong, how certain - never more than the intervals support."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.comparison.chosen_strengths import read_chosen_strengths
from regzoo.comparison.coverage import Coverage, read_coverage
from regzoo.comparison.leaderboard import Leaderboard, Row
from regzoo.core.formatting import (
    float_or_nan,
    format_code,
    format_count,
    format_duration,
    format_fixed,
    format_interval,
    format_list,
    format_number,
    format_p_value,
    format_percent,
    format_short_list,
    format_significant,
)
from regzoo.report.descriptions import (
    choose_leaderboard_decimals,
    describe_losses,
    describe_nested_ties,
    format_direction,
    format_recipe,
)
from regzoo.report.findings import sweep
from regzoo.report.findings.diagnosis import Diagnosis, answer_need, describe_evidence, diagnose
from regzoo.report.findings.recommendations import recommend
from regzoo.report.findings.spread import find_purchase, measure_spread
from regzoo.report.findings.strengths import read_ranges
from regzoo.stats.bootstrap import LEVEL
from regzoo.stats.paired import name_verdict
from regzoo.storage.info import ComparisonInfo
from regzoo.training.records import Record


@dataclass(frozen=True)
class ComparisonVerdict:
    """A sentence to act on, the details behind it, and recommendations, a sentence each."""

    headline: str
    details: tuple[str, ...] = ()
    recommendations: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join([self.headline, *self.details, *self.recommendations])


def make_verdict(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> ComparisonVerdict:
    """Return the verdict on the recipes; of a sweep, what the response to the strength shows comes first."""
    verdict, response = judge_recipes(leaderboard, records, comparison), sweep.read_response(records, comparison)
    if response is None or response.best is None:
        return verdict
    details = (*sweep.describe_response(response), verdict.headline, *verdict.details)
    return ComparisonVerdict(sweep.make_headline(response), details, verdict.recommendations)


def judge_recipes(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> ComparisonVerdict:
    """Return the verdict on the recipes; without records it leaves out whether a regularizer is needed at all."""
    if not leaderboard.measured:
        return ComparisonVerdict(
            "No verdict yet: no recipe has a finished replicate.", _describe_unfinished(leaderboard)
        )
    winner, baseline = leaderboard.measured[0], leaderboard.find(leaderboard.baseline)
    diagnosis = diagnose(leaderboard, records, comparison)
    decimals, coverage = choose_leaderboard_decimals(leaderboard), read_coverage(leaderboard, comparison)
    details = (
        answer_need(diagnosis, leaderboard, decimals),
        _describe_certainty(leaderboard, winner, coverage),
        coverage.explain_limits() if len(leaderboard.measured) > 1 else "",
        *_describe_strengths(leaderboard, winner, records, older=comparison.steps is None),
        *describe_nested_ties(leaderboard, comparison),
        *_describe_doubts(leaderboard, winner, baseline),
        *_describe_luck(leaderboard, winner, decimals, coverage),
        *_describe_cost(winner, baseline, leaderboard.tier_mates(winner)),
        *describe_evidence(diagnosis, leaderboard, decimals),
        *_describe_unfinished(leaderboard),
    )
    headline = _make_headline(leaderboard, winner, baseline, diagnosis, decimals, coverage)
    purchase = find_purchase(leaderboard, measure_spread(leaderboard, records, comparison), coverage, comparison)
    best = next((row for row in leaderboard.measured if not row.is_placebo), winner)
    rate = read_chosen_strengths(records, best.name, leaderboard.rank_by, leaderboard.direction).learning_rate
    advice = recommend(leaderboard, diagnosis, coverage, purchase, rate, comparison.steps)
    return ComparisonVerdict(headline, tuple(filter(None, details)), advice)


def _make_headline(
    leaderboard: Leaderboard,
    winner: Row,
    baseline: Row | None,
    diagnosis: Diagnosis,
    decimals: int,
    coverage: Coverage,
) -> str:
    name, base = format_recipe(winner), format_code(leaderboard.baseline)
    score = f"{format_number(winner.mean, decimals)} ({format_direction(leaderboard.direction)})"
    best = f"the best mean validation {leaderboard.rank_by}, {score}"
    proven = next((row for row in leaderboard.measured if row.name in diagnosis.better), None)
    if winner.is_placebo:
        claim = (
            _claim_proven(leaderboard, proven, diagnosis, decimals, coverage)
            if proven
            else f"Nothing beats {base} beyond doubt"
        )
        return f"{claim}: {name}, a disguised copy of it, has {best}."
    if winner is baseline and not diagnosis.tested:
        return f"Only {base} has been measured: its mean validation {leaderboard.rank_by} is {score}."
    if winner is baseline and diagnosis.need == "no":
        return f"No regularizer is needed: {base} has {best}."
    if winner is baseline:
        return f"Nothing beats {base} here: without a regularizer it has {best}."
    if baseline is None or baseline.mean is None or winner.gain is None:
        return f"{name} has {best}, but {base} has no finished replicate to compare it with, so no gain is claimed."
    if proven is not None and proven is not winner and not winner.beats_baseline:
        claim = _claim_proven(leaderboard, proven, diagnosis, decimals, coverage)
        return f"{claim}; {name} has {best}, but whether it beats {base} itself is open."
    if winner.gain <= 0:
        return f"Nothing beats {base} for certain: {name} has {best}, but gains nothing over it in the paired runs."
    best += f", {format_number(winner.gain, decimals)} better than {base}"
    interval = format_interval(winner.gain_low, winner.gain_high, decimals)
    if not interval:
        return f"{name} has {best}, but too few replicates finished to say how sure that is."
    mates = leaderboard.tier_mates(winner)
    return _state_gain(winner, baseline, mates, diagnosis, f"{best} (95 % interval of the gain {interval}, {coverage})")


def _state_gain(winner: Row, baseline: Row, mates: Sequence[Row], diagnosis: Diagnosis, best: str) -> str:
    """Return the headline of a winner whose gain is positive and has an interval; ``best`` states both."""
    name, base = format_recipe(winner), format_code(baseline.recipe)
    if winner.verdict == "equivalent":
        return f"Nothing beats {base} in practice: {name} has {best}, which counts as no difference."
    if baseline in mates:
        claim = "No regularizer is needed" if diagnosis.need == "no" else f"Nothing beats {base} beyond doubt"
        return f"{claim}: {name} has {best}, but the data cannot tell the two apart."
    if not _is_significant(winner):
        return f"{name} has {best}; that is a hint, not a proof."
    equals = f"; the data cannot tell it from {format_list([*map(format_recipe, mates)], 'or')}" if mates else ""
    return f"Use {name}: it has {best}{equals}."


def _claim_proven(leaderboard: Leaderboard, row: Row, diagnosis: Diagnosis, decimals: int, coverage: Coverage) -> str:
    """Name the best recipe that conclusively beats the baseline, where another one has the best mean."""
    gain = f"{format_number(row.gain, decimals)} better"
    interval = format_interval(row.gain_low, row.gain_high, decimals)
    claim = f"{format_recipe(row)} conclusively beats {format_code(leaderboard.baseline)}: "
    claim += f"it is {gain} (95 % interval {interval}, {coverage})"
    others = len(diagnosis.better) - 1
    if not others:
        return claim
    return f"{claim}, and {format_count(others, 'more recipe')} {'beats' if others == 1 else 'beat'} the baseline too"


def _is_significant(winner: Row) -> bool:
    return float_or_nan(winner.p_holm) < LEVEL and float_or_nan(winner.gain_low) > 0


def _describe_certainty(leaderboard: Leaderboard, winner: Row, coverage: Coverage) -> str:
    """Say in how many of the paired runs the winner beats the baseline."""
    if leaderboard.is_baseline(winner) or winner.is_placebo or winner.p_better is None:
        return ""
    beats = f"{format_recipe(winner)} beats {format_code(leaderboard.baseline)}"
    text = f"{beats} in {format_percent(winner.p_better)} of the paired runs"
    if winner.p_better_low is not None and winner.p_better_high is not None:
        low, high = format_percent(winner.p_better_low), format_percent(winner.p_better_high)
        text += f" (95 % interval of this probability {low} to {high}, {coverage})"
    if winner.is_meaningful:
        text += ", a meaningful share (75 % or more, and surely more than half: Bouthillier et al. 2021)"
    verdict = name_verdict(winner.verdict, winner.gain) if winner.verdict != "inconclusive" else ""
    return f"{text}; the verdict is {f'`{verdict}`' if verdict else 'open'}."


def _describe_strengths(
    leaderboard: Leaderboard, winner: Row, records: Sequence[Record], older: bool
) -> tuple[str, ...]:
    """Say how far the searches agree on the winner's strengths; nothing if there was one search, or none to find."""
    chosen = read_chosen_strengths(records, winner.name, leaderboard.rank_by, leaderboard.direction)
    if chosen.searches < 2:
        return ()
    searched = [key for key in read_ranges(winner.name, older) if key in chosen.spans]
    ranges = [f"{format_code(key)} {chosen.describe_range(key)}" for key in searched]
    if not ranges:
        return ()
    return (f"How strong: {format_list(ranges)}; the numbers of {format_recipe(winner)} are those of the best search.",)


def _describe_luck(leaderboard: Leaderboard, winner: Row, decimals: int, coverage: Coverage) -> tuple[str, ...]:
    """Return the gain without the luck of the winner, and how the placebos did."""
    sentences = []
    shrunk, gain = leaderboard.shrunk_gain, format_number(winner.gain, decimals)
    is_recipe = not leaderboard.is_baseline(winner) and not winner.is_placebo
    if is_recipe and shrunk is not None and format_number(shrunk, decimals) != gain:
        sentences.append(
            f"{'In fresh searches' if coverage.searches > 1 else 'On fresh seeds'}, expect "
            f"{_name_gain(shrunk, decimals)} instead of {gain}: {format_recipe(winner)} was picked as the best of "
            "several recipes, so some of its gain is probably luck."
        )
    return (*sentences, *describe_placebos(leaderboard))


def _name_gain(gain: float, decimals: int) -> str:
    """Write a gain that may be a loss, or nothing within the shown decimals."""
    if float(format_fixed(gain, decimals)) == 0:
        return "no gain"
    return f"a {'gain' if gain > 0 else 'loss'} of {format_number(abs(gain), decimals)}"


def describe_placebos(leaderboard: Leaderboard) -> tuple[str, ...]:
    """Say how many disguised copies of the baseline were judged different from it; nothing if there are none."""
    placebos = [row for row in leaderboard.placebos if row.mean is not None]
    if not placebos:
        return ()
    misjudged = [row for row in placebos if row.verdict == "conclusive"]
    better = sum(row.beats_baseline for row in misjudged)
    copies = format_count(len(placebos), "disguised copy", "disguised copies")
    return (
        f"Placebos: {better} of {copies} of {format_code(leaderboard.baseline)} {'was' if better == 1 else 'were'} "
        f"judged better than it, {len(misjudged) - better} worse (at the 5 % level, one comparison in 20 may make a "
        "false claim).",
    )


def _describe_doubts(leaderboard: Leaderboard, winner: Row, baseline: Row | None) -> tuple[str, ...]:
    sentences = []
    if winner is not baseline and float_or_nan(winner.gain_low) > 0 and float_or_nan(winner.p_holm) >= LEVEL:
        tests = format_count(sum(row.p_holm is not None for row in leaderboard.recipes), "comparison")
        chance = f"adjusted for {tests} it could be chance (p = {format_p_value(winner.p_holm)})"
        sentences.append(f"On its own, the interval of this gain excludes zero, but {chance}.")
    sharing = [row for row in leaderboard.measured if row.tier == winner.tier and (row is winner or not row.is_placebo)]
    if baseline is not None and not _is_significant(winner) and len(sharing) > 2:
        sentences.append(f"{format_count(len(sharing), 'recipe')} share the first tier.")
    for row in (winner, baseline):
        if row is not None and row.mean is not None and describe_losses(row):
            lost = f"Of the replicates of {format_recipe(row)}, {describe_losses(row)}"
            sentences.append(f"{lost}; gains count only finished pairs.")
    return tuple(dict.fromkeys(sentences))


def _describe_cost(winner: Row, baseline: Row | None, mates: Sequence[Row]) -> tuple[str, ...]:
    if winner.fit_seconds is None or winner.is_placebo:
        return ()
    text = f"One training run of {format_recipe(winner)} takes {format_duration(winner.fit_seconds)}"
    if baseline is not None and winner is not baseline:
        text += _compare_cost(winner, baseline)
    cheaper = [row for row in mates if float_or_nan(row.fit_seconds) < 0.8 * winner.fit_seconds]
    if cheaper:
        cheapest = min(cheaper, key=lambda row: float_or_nan(row.fit_seconds))
        text += f"; in the same tier, {format_recipe(cheapest)} takes {format_duration(cheapest.fit_seconds)}"
    return (f"{text}.", *_describe_serving_cost(winner, baseline))


def _compare_cost(winner: Row, baseline: Row) -> str:
    """Compare the winner's training time and best epoch with the baseline's."""
    text = ""
    if float_or_nan(baseline.fit_seconds) > 0:
        ratio = format_significant(float_or_nan(winner.fit_seconds) / float_or_nan(baseline.fit_seconds), 2)
        text += f", {'about' if ratio == '1' else ratio + ' times'} as long as {format_recipe(baseline)}"
    if float_or_nan(baseline.best_epoch) > 0:
        late, early = (format_fixed(float_or_nan(row.best_epoch), 0) for row in (winner, baseline))
        text += f", and its best epoch is {late} instead of {early}" if late not in (early, "nan") else ""
    return text


def _describe_serving_cost(winner: Row, baseline: Row | None) -> tuple[str, ...]:
    """Say what an ensemble costs at each prediction; measured times are too noisy for smaller differences."""
    base, parameters = (float_or_nan(row.parameters) if row else 0.0 for row in (baseline, winner))
    if baseline is None or not (base > 0 and parameters >= 1.5 * base):
        return ()
    ratio = format_significant(parameters / base, 2)
    return (f"Each of its predictions uses {ratio} times as many parameters as one of {format_recipe(baseline)}.",)


def _describe_unfinished(leaderboard: Leaderboard) -> tuple[str, ...]:
    rows = leaderboard.unmeasured
    pending = [format_code(row.name) for row in rows if row.status == "pending"]
    lost = [format_code(row.name) for row in rows if row.status != "pending"]
    sentences = []
    if pending:
        sentences.append(f"Not measured yet: {format_short_list(pending)}; the order may change.")
    if lost:
        sentences.append(f"No score, because every replicate diverged or failed: {format_short_list(lost)}.")
    return tuple(sentences)
