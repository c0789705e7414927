"""Leaderboard of a comparison: one row per recipe, as objects, JSON, DataFrame or CSV."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from regzoo.comparison.best_search import find_best_recipes
from regzoo.comparison.nested_recipes import find_nested_recipes
from regzoo.comparison.replicates import (
    PART_NAMES,
    check_metric,
    group_replicates,
    make_score_frame,
    mean_metrics,
    mean_or_none,
)
from regzoo.core.errors import InputError, did_you_mean
from regzoo.core.escaping import escape_formula
from regzoo.core.json_values import replace_nonfinite
from regzoo.stats.intervals import is_meaningful_share
from regzoo.stats.paired import Contrast, Verdict
from regzoo.stats.rank import AGAINST_BASELINE, Ranking, rank
from regzoo.stats.recipe_pairs import RecipePair
from regzoo.stats.scores import Direction
from regzoo.storage.ledger import Ledger
from regzoo.training.choice import count_trials
from regzoo.training.records import PartMetrics, Record

FROM_RANKING = ("rank", "tier", "mean", "sd", "iqm", "low", "high", *AGAINST_BASELINE)
TEXT_COLUMNS = ["recipe", "name", "verdict", "status"]
CLOCK_COLUMNS = ["fit_seconds", "predict_ms"]
INTEGER_COLUMNS = ["rank", "tier", "replicates_needed", "replicates", "diverged", "failed", "parameters"]


@dataclass(frozen=True)
class Row:
    """Results of one recipe; None for what is unknown.

    Attributes:
        recipe: the recipe with numbers, those of its best search; as the config writes it while they are searched.
        name: the recipe as the config writes it.
        rank: from 1; None before the first replicate.
        tier: from 1, see `regzoo.stats.tiers.assign_tiers`. None if no replicate finished.
        mean, sd, iqm, low, high: of the ranking metric on validation; low and high are the ends of the mean's 95 %
            interval.
        gain, gain_low, gain_high, p_holm, p_wilcoxon, p_better, p_better_low, p_better_high, verdict,
            replicates_needed: comparison with the baseline, see `Ranking`.
        replicates: number of replicates made, those that ``diverged`` or ``failed`` included.
        metrics: means over the finished replicates; None if one of them lacks the number.
        epochs, best_epoch: mean number of epochs trained, and mean best epoch.
        fit_seconds: mean wall time of a training.
        predict_ms: mean milliseconds to predict 1,000 rows.
        parameters: number of trainable parameters.
        status: ``ok``, ``diverged`` (some replicates have no score), ``failed`` (none has) or ``pending`` (none yet).
    """

    recipe: str
    name: str
    rank: int | None
    tier: int | None
    mean: float | None
    sd: float | None
    iqm: float | None
    low: float | None
    high: float | None
    gain: float | None
    gain_low: float | None
    gain_high: float | None
    p_holm: float | None
    p_wilcoxon: float | None
    p_better: float | None
    p_better_low: float | None
    p_better_high: float | None
    verdict: Verdict | None
    replicates_needed: int | None
    replicates: int
    diverged: int
    failed: int
    metrics: PartMetrics
    epochs: float | None
    best_epoch: float | None
    fit_seconds: float | None
    predict_ms: float | None
    parameters: int | None
    status: str

    @property
    def is_placebo(self) -> bool:
        """Whether it is a placebo, a disguised copy of the baseline."""
        return is_placebo(self.name)

    @property
    def beats_baseline(self) -> bool:
        """Whether its gain over the baseline is positive and conclusive."""
        return self.verdict == "conclusive" and self.gain is not None and self.gain > 0

    @property
    def is_meaningful(self) -> bool:
        """Whether it beats the baseline in at least three of four pairs, and surely in more than half of them."""
        return is_meaningful_share(self.p_better, self.p_better_low)

    def metric(self, part: str, name: str) -> float:
        """Return the mean of a metric on ``train``, ``validation`` or ``test``; NaN if unknown."""
        value = self.metrics.get(part, {}).get(name)
        return math.nan if value is None else value


@dataclass(frozen=True)
class Leaderboard:
    """The ranking of a comparison, finished or not.

    Attributes:
        rank_by: the metric that ranks, on the validation part.
        direction: ``min`` if small is good, else ``max``.
        winner: the recipe of rank 1 with its numbers; None while nothing finished.
        baseline: the recipe that gains refer to.
        lead: the winner against the recipe of rank 2, by name; None while fewer than two finished.
        shrunk_gain: the winner's gain without selection bias, see `Ranking`.
        recipes: one row per recipe, in rank order; those without a replicate last.
        pairs: every pair of recipes of which replicates finished, by name, and whether the data tell them apart.
        trials: the most trials that a search of a recipe made; None if unknown.
    """

    rank_by: str
    direction: Direction
    winner: str | None
    baseline: str
    lead: Contrast | None
    shrunk_gain: float | None
    recipes: tuple[Row, ...]
    pairs: tuple[RecipePair, ...] = ()
    trials: int | None = None

    @property
    def measured(self) -> tuple[Row, ...]:
        """The recipes with a mean score, best first."""
        rows = [row for row in self.recipes if row.mean is not None]
        return tuple(sorted(rows, key=lambda row: math.inf if row.rank is None else row.rank))

    @property
    def unmeasured(self) -> tuple[Row, ...]:
        """The recipes without a mean score: pending, diverged or failed."""
        return tuple(row for row in self.recipes if row.mean is None)

    @property
    def placebos(self) -> tuple[Row, ...]:
        """The disguised copies of the baseline."""
        return tuple(row for row in self.recipes if row.is_placebo)

    def find(self, name: str) -> Row | None:
        """Return the recipe called ``name``, as the config writes it or with numbers; None if there is none."""
        by_name = (row for row in self.recipes if row.name == name)
        by_recipe = (row for row in self.recipes if row.recipe == name)
        return next(itertools.chain(by_name, by_recipe), None)

    def is_baseline(self, row: Row) -> bool:
        """Return True for the recipe that gains refer to."""
        return row is self.find(self.baseline)

    def tier_mates(self, row: Row) -> tuple[Row, ...]:
        """Return the other recipes of the row's tier that do not differ significantly from it, but no placebos."""
        different = [{pair.recipe, pair.other} for pair in self.pairs if pair.significant]
        others = [each for each in self.measured if each is not row and not each.is_placebo and row.tier == each.tier]
        return tuple(other for other in others if {row.name, other.name} not in different)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for strict JSON, None for what is unknown."""
        values: dict[str, Any] = replace_nonfinite(asdict(self))
        return values

    def to_json(self) -> str:
        """Return strict JSON, with null in place of NaN."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False, ensure_ascii=False)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per recipe in rank order, with metrics as columns such as ``test_nll``."""
        rows = [asdict(row) for row in self.recipes]
        metrics = [row.pop("metrics") for row in rows]
        for part in PART_NAMES:
            names = dict.fromkeys(name for parts in metrics for name in parts[part])  # in order, once each
            for row, parts in zip(rows, metrics, strict=True):
                row |= {f"{part}_{name}": parts[part].get(name) for name in names}
        frame = pd.DataFrame(rows)
        numbers = [column for column in frame.columns if column not in TEXT_COLUMNS]
        return frame.astype({column: "Int64" if column in INTEGER_COLUMNS else "float64" for column in numbers})

    def to_csv(self) -> str:
        """Return CSV without times, so that equal comparisons give equal bytes.

        An apostrophe precedes text that a spreadsheet would run as a formula.
        """
        frame = self.to_frame().drop(columns=CLOCK_COLUMNS)
        for column in TEXT_COLUMNS:
            frame[column] = frame[column].map(escape_formula, na_action="ignore")
        return frame.to_csv(index=False, lineterminator="\n")


def is_placebo(name: str) -> bool:
    """Return True for the name of a placebo; no recipe can be written like that."""
    return re.fullmatch(r"placebo \d+", name) is not None


def read_leaderboard(ledger: Ledger, records: Sequence[Record] | None = None) -> Leaderboard:
    """Return the leaderboard as far as ``ledger`` reaches; ``records`` are its own, if they have been read before.

    Raises:
        InputError: if the comparison has only just begun.
    """
    info = ledger.get_comparison_info()
    if info is None:
        raise InputError("the comparison has only just begun: there is nothing to show yet; look again in a moment")
    names = ledger.get_recipe_names()
    return build_leaderboard(
        ledger.records() if records is None else records,
        info.rank_by,
        info.direction,
        names,
        rope=info.rope,
        test_train_ratio=info.test_train_ratio,
        analyses=len(info.interim_analyses),
        nested=find_nested_recipes(names, info.searches),
    )


def build_leaderboard(
    records: Iterable[Record],
    rank_by: str,
    direction: Direction,
    recipes: Sequence[str],
    baseline: str = "none",
    rope: float | None = None,
    test_train_ratio: float | None = None,
    analyses: int = 1,
    nested: Collection[str] = (),
) -> Leaderboard:
    """Rank the replicates among ``records``; each recipe is written with the strengths of its best search.

    Records of other recipes are left out; of several records of one run the last one counts.

    Args:
        records: the records in the ledger.
        rank_by: a metric of the validation part.
        direction: ``min`` if small is good, else ``max``.
        recipes: names as the config writes them; their order breaks ties.
        baseline: one of ``recipes``.
        rope: the largest gain or loss that makes no difference in practice, in the metric's units.
        test_train_ratio: validation rows per training row, if the replicates are repeated splits of the same rows.
        analyses: number of interim analyses, the last included.
        nested: names of the recipes that cannot truly lose to the baseline, see `regzoo.stats.rank.rank`.

    Raises:
        InputError: if the baseline is none of the recipes, or the replicates lack the metric.
    """
    if baseline not in recipes:
        raise InputError(f"baseline: {baseline!r} is none of the recipes.{did_you_mean(baseline, recipes)}")
    replicates = group_replicates(records := list(records), recipes)
    check_metric(rank_by, replicates)
    frame = make_score_frame(replicates, rank_by)
    options: dict[str, Any] = {"test_train_ratio": test_train_ratio, "rope": rope, "looks": analyses}
    base, options["nested"] = baseline if baseline in replicates else None, {*nested} & {*replicates}
    ranking = None if frame.empty else rank(frame, direction, base, **options)
    ranked = [] if ranking is None else [str(name) for name in ranking.table.index]
    order = [*ranked, *(name for name in recipes if name not in replicates)]
    texts = find_best_recipes(records, recipes, rank_by, direction)
    rows = [_make_row(name, texts[name], replicates.get(name, []), rank_by, ranking) for name in order]
    winner = rows[0].recipe if ranking and ranking.winner else None
    lead, shrunk, pairs = (ranking.lead, ranking.shrunk_gain, ranking.pairs) if ranking else (None, None, ())
    rest = (lead, shrunk, tuple(rows), pairs, count_trials(records))
    return Leaderboard(rank_by, direction, winner, texts[baseline], *rest)


def _make_row(name: str, recipe: str, records: Sequence[Record], rank_by: str, ranking: Ranking | None) -> Row:
    ranked: dict[str, Any] = dict.fromkeys(FROM_RANKING) | {"status": "pending"}
    if ranking is not None and records:
        columns = ranking.table.loc[name, [*FROM_RANKING, "status"]].to_dict()
        ranked = {str(key): None if pd.isna(value) else replace_nonfinite(value) for key, value in columns.items()}
    finished = [record for record in records if math.isfinite(record.score(rank_by))]
    failed = sum(record.status == "failed" for record in records)
    return Row(
        recipe=recipe,
        name=name,
        **ranked,
        replicates=len(records),
        diverged=len(records) - len(finished) - failed,
        failed=failed,
        metrics=mean_metrics(finished),
        epochs=mean_or_none(record.epochs for record in finished),
        best_epoch=mean_or_none(record.best_epoch for record in finished),
        fit_seconds=mean_or_none(record.fit_seconds for record in finished),
        predict_ms=mean_or_none(record.predict_ms for record in finished),
        parameters=finished[0].parameters if finished else None,
    )
