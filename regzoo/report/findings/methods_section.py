"""Methods section: how the numbers were obtained, in words that can be pasted into a paper, and their limitations."""

from __future__ import annotations

import math
from collections.abc import Sequence

from regzoo.comparison.coverage import Coverage, read_coverage
from regzoo.comparison.leaderboard import Leaderboard
from regzoo.core.formatting import (
    compute_half_width,
    float_or_nan,
    format_code,
    format_count,
    format_duration,
    format_fixed,
    format_integer,
    format_list,
    format_number,
    format_percent,
    format_significant,
)
from regzoo.report.descriptions import choose_leaderboard_decimals, describe_task, format_recipe
from regzoo.report.findings.procedure_in_words import (
    count_replicates,
    describe_choice,
    describe_new_rows,
    describe_search,
    describe_sharing,
)
from regzoo.stats.winners_curse import compute_expected_maximum
from regzoo.storage.info import ComparisonInfo, DataInfo
from regzoo.training.records import Record

NORMAL = 1.96
"""Standard errors of a mean in half its 95 % interval."""

LOSSES = {"classification": "cross-entropy", "multilabel": "binary cross-entropy (mean over the labels)"}
"""The training loss of each task; for the others it is the mean squared error."""


def write_methods(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> list[str]:
    """Return the methods section, a paragraph each."""
    base, folds = format_code(leaderboard.baseline), comparison.folds
    own_folds = {"split", "search"} <= {*comparison.vary} and comparison.searches > 1
    first = (" on the fold of replicate k in search k" if own_folds else " on the first fold") if folds > 1 else ""
    targets = "on hard labels and " if comparison.data.task in LOSSES else ""
    shared = "each time on the next fold, with the same seeds and folds" if folds > 1 else "the same seeds"
    coverage = read_coverage(leaderboard, comparison)
    if coverage.new_rows:
        shared = "the same seeds and rows"
    return [
        _describe_data(leaderboard, comparison),
        *_describe_model(leaderboard, comparison),
        describe_search(leaderboard, records, comparison),
        f"{describe_choice(leaderboard, records, comparison, first)}. The metric is computed {targets}without penalty "
        "terms, so it means the same for every recipe. Models were fitted to the training part only, and choices were "
        "made on the validation part only.",
        f"Every recipe was then trained {count_replicates(leaderboard, comparison)} with its chosen strengths"
        f"{describe_sharing(coverage)} on fresh random seeds{describe_new_rows(coverage)}, {shared} for every recipe, "
        f"so gains over {base} are paired differences.",
        *_describe_placebos(leaderboard, base),
        *_describe_options(comparison),
        f"{_describe_statistics(base, comparison, coverage)} {_describe_tiers(base, coverage)}",
        "The test part was read once, with the chosen strengths; it was used for no choice.",
        "Runs that diverged or failed are counted and shown, never repeated or dropped; a recipe with such a "
        "replicate ranks below all recipes without one.",
        *_describe_software(comparison),
    ]


def write_limitations(leaderboard: Leaderboard, comparison: ComparisonInfo) -> list[str]:
    """Return what the numbers do not show, a paragraph each."""
    coverage = read_coverage(leaderboard, comparison)
    scope = f"{_describe_scope(coverage)} {coverage.explain_limits()}".strip()
    return [scope, *_describe_winners_curse(leaderboard, comparison)]


def _describe_scope(coverage: Coverage) -> str:
    sources = ["between random seeds"]
    if coverage.searches > 1:
        sources.append("between searches")
    if coverage.folds == 1 and not coverage.new_rows:
        return (
            f"The intervals describe this split of this data set ({coverage}): they cover the variation "
            f"{format_list(sources)}, not between splits or data sets."
        )
    sources.append("between splits of these rows")
    text = (
        f"The intervals ({coverage}) cover the variation {format_list(sources)} (the corrected variance allows for "
        "their overlap), not the variation between data sets."
    )
    split = "fold" if coverage.folds > 1 else "split"
    if coverage.new_rows and coverage.searches > 1:
        text += f" Each search chose its strengths on one {split}, whose training rows validate in other {split}s."
    elif coverage.searches:
        text += f" The strengths were chosen on the first {split}, whose training rows validate in other {split}s."
    return text


def _describe_winners_curse(leaderboard: Leaderboard, comparison: ComparisonInfo) -> list[str]:
    rows = leaderboard.measured
    if len(rows) < 2:
        return []
    luck = compute_expected_maximum(len(rows))
    share = 1 / max(1, rows[0].replicates) + (comparison.test_train_ratio or 0.0)
    error = float_or_nan(rows[0].sd) * share**0.5
    if comparison.searches > 1:  # the trainings of one search are no independent ones
        error = (compute_half_width(rows[0].low, rows[0].high) or math.nan) / NORMAL
    decimals = choose_leaderboard_decimals(leaderboard)
    here = f" (here about {format_number(luck * error, decimals)} {leaderboard.rank_by})" if error > 0 else ""
    return [
        f"The winner's curse: {format_recipe(rows[0])} was picked because it scored best, so its validation score is "
        f"optimistic. If all {len(rows)} recipes were equally good, the best of them would still look better than "
        f"their average by {format_fixed(luck, 2)} standard errors of a mean{here}. The test score was not used for "
        "the choice, so it does not have this bias.",
    ]


def _describe_data(leaderboard: Leaderboard, comparison: ComparisonInfo) -> str:
    data, folds = comparison.data, comparison.folds
    names = ", ".join(format_code(row.name) for row in leaderboard.recipes)
    task = describe_task(data.task, data.labels)
    compared = (
        f"We compared {format_count(len(leaderboard.recipes), 'regularization recipe')} ({names}) on {data.source} "
        f"({format_count(data.rows, 'row')}, {data.inputs}, {task}; digest {data.digest})"
    )
    model = comparison.model
    subset = " (a random subset; the rest was not used)" if model is not None and model.train_size else ""
    noise = model.label_noise if model is not None else 0.0
    noisy = "" if not noise else (
        f" {format_percent(noise)} of the training labels were replaced by another class, each with the same "
        "probability; validation and test labels were left unchanged."
    )  # fmt: skip
    train, validation, test = (format_integer(rows) for rows in (data.train, data.validation, data.test))
    if folds == 1:
        drawn, how = "split once", _describe_split(data)
        if "split" in comparison.vary:
            shared = "search k has the rows of replicate k" if comparison.searches > 1 else "trials have the first"
            drawn, how = "split again for each replicate, with the same test part", f"{how}; {shared}"
        return (
            f"{compared}, {drawn} ({how}) into {train} rows for training{subset}, "
            f"{validation} for validation and {test} for testing.{noisy}"
        )
    drawn = f"{data.split.kind} folds, redrawn after each full round; one fold validates and the others train"
    if data.split.kind == "time-ordered":
        drawn = "folds in time order; one fold validates, and all rows before it train"
    return (
        f"{compared}; {test} rows were held out for testing, and the others were split into {folds} {drawn}. "
        f"In the first fold, {train} rows{subset} train and {validation} validate.{noisy}"
    )


def _describe_split(data: DataInfo) -> str:
    return ", ".join([data.split.kind, *(f"the {part} part as marked in the data" for part in data.split.marked)])


def _describe_model(leaderboard: Leaderboard, comparison: ComparisonInfo) -> list[str]:
    """Say what was trained, and with which weights it was scored."""
    model, base = comparison.model, leaderboard.find(leaderboard.baseline)
    if model is None:
        return []
    name = format_code(leaderboard.baseline)
    size = f" ({format_integer(base.parameters)} parameters with {name})" if base and base.parameters else ""
    loss = LOSSES.get(comparison.data.task, "mean squared error")
    if model.loss is not None:
        loss = f"loss {format_code(model.loss)}"
    return [
        f"All recipes use the model {format_code(model.backbone)}{size}, trained with "
        f"{_describe_optimizer(model.optimizer)} on the {loss}, in batches of "
        f"{format_integer(model.batch_size)}, for {format_count(model.epochs, 'epoch')} unless the recipe itself stops "
        "earlier. A run is scored with its final weights, not with those of its best epoch, unless the recipe itself "
        "selects weights, as early stopping does."
    ]


def _describe_optimizer(text: str) -> str:
    """Return an optimizer in words: Keras's sgd has no momentum of its own."""
    return "sgd (momentum 0.9)" if text == "sgd" else format_code(text) if "(" in text else text


def _describe_placebos(leaderboard: Leaderboard, base: str) -> list[str]:
    names = [format_code(row.name) for row in leaderboard.placebos]
    if not names:
        return []
    copies, their = ("is a copy", "its") if len(names) == 1 else ("are copies", "their")
    return [
        f"{format_list(names)} {copies} of {base} under another name, with {their} own seeds: whether the comparison "
        f"judges one better or worse than {base} shows how far it can be trusted."
    ]


def _describe_options(comparison: ComparisonInfo) -> list[str]:
    """Return the options beyond the defaults, a sentence each."""
    sentences = []
    analyses = comparison.interim_analyses
    if len(analyses) > 1:
        sentences.append(
            "Recipes whose order was undecided got further seeds, as decided in interim analyses after "
            f"{format_list(list(map(str, analyses)))} replicates; every p-value is multiplied by {len(analyses)}, the "
            "number of analyses (Bonferroni)."
        )
    if comparison.budget:
        sentences.append(
            f"Time was limited to {format_duration(comparison.budget)}: all recipes advanced in step, first through "
            "their trials and then through their replicates."
        )
    if comparison.pruner == "median":
        sentences.append(
            "A trial was stopped when, after a third of its epochs or more, its best score fell behind the median of "
            "the same recipe's earlier trials at that epoch (Golovin et al. 2017)."
        )
    if comparison.class_weight == "balanced":
        sentences.append("In the training loss all classes have equal weight, however rare; in metrics all rows do.")
    if comparison.rope is not None:
        sentences.append(
            f"A gain whose interval lies within {format_significant(comparison.rope, 6)} of zero counts as equivalent: "
            "no difference in practice."
        )
    return sentences


def _describe_statistics(base: str, comparison: ComparisonInfo, coverage: Coverage) -> str:
    ratio = format_significant(float_or_nan(comparison.test_train_ratio), 3)
    corrected = f"variance of repeated splits (Nadeau and Bengio 2003; {ratio} validation rows for each training row)"
    if coverage.searches > 1:
        own = f"the {format_count(coverage.searches - 1, 'degree', 'degrees')} of freedom"
        also = "" if comparison.test_train_ratio is None else f", with the corrected {corrected}"
        return (
            f"We report means over the {coverage.searches} searches with 95 % intervals of a moderated t over searches "
            "(Smyth 2004: the variances of all recipes are shrunk towards their common value, which adds to "
            f"{own} of each){also}, paired gains with intervals of the same kind, "
            f"and two-sided p-values of the same t against {base}, Holm-adjusted over the recipes. P(better) is the "
            "share of the paired trainings that a recipe wins; 0.75 or more, and surely more than one half, is what "
            "Bouthillier et al. 2021 call a meaningful difference."
        )
    if comparison.test_train_ratio is None:
        return (
            "We report means over these replicates with 95 % bootstrap-t intervals, paired gains with intervals of the "
            f"same kind, and two-sided p-values of the same bootstrap against {base}, Holm-adjusted over the recipes; "
            "where there are enough pairs for it to reach significance, Wilcoxon's signed-rank test must agree before "
            "two recipes count as different."
        )
    return (
        "We report means over these replicates with 95 % t intervals, paired gains with intervals of the same kind, "
        f"and two-sided p-values of the same t against {base}, Holm-adjusted over the recipes, all with the corrected "
        f"{corrected}."
    )


def _describe_tiers(base: str, coverage: Coverage) -> str:
    rule = "Recipes share a tier if their paired difference from the tier's best recipe is not significant at 5 %"
    if coverage.searches > 1:
        rule = (
            "A tier ends at the widest gap between the means from which on the paired difference of its best recipe "
            "from every recipe below is significant at 5 %"
        )
        return (
            f"{rule}, adjusted over all pairs of recipes (Shaffer 1986); if it is the difference from {base}, "
            "Holm-adjusted over the recipes."
        )
    return f"{rule}, Holm-adjusted over all pairs of recipes; if it is the difference from {base}, over the recipes."


def _describe_software(comparison: ComparisonInfo) -> list[str]:
    if comparison.model is None:
        return []
    versions = format_list([f"{name} {version}" for name, version in comparison.versions.items()])
    seeds = f"all random numbers derive from the seed {comparison.model.seed}"
    if comparison.searches > 1:
        seeds += f", and those of the searches also from the search seed {comparison.search_seed}"
    return [f"We used {versions}; {seeds}."]
