"""The protocol: how the numbers came about, in words that can be pasted into a paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regzoo.report import board as boards
from regzoo.report.board import number
from regzoo.report.findings.verdict import places, quoted
from regzoo.report.formatting import code, listing, percent, plural, seconds, show, strength, task
from regzoo.stats.winners_curse import compute_expected_maximum
from regzoo.training.records import Record

LOSSES = {"classification": "cross-entropy", "multilabel": "binary cross-entropy (mean over the labels)"}
"""The training loss of each task; of the others it is the mean squared error."""

OPTIMIZERS = {"sgd": "sgd (momentum 0.9)"}
"""Those with a setting that their name does not say."""


def protocol(board: dict[str, Any], records: Sequence[Record], comparison: dict[str, Any]) -> list[str]:
    """Return the protocol, a sentence or two each."""
    base = code(board["baseline"])
    return [
        _data(board, comparison),
        *_model(board, comparison),
        _search(board, records, comparison),
        f"The strengths with the best validation {board['rank_by']} were chosen{_on_first(comparison)}; this metric is "
        f"computed {_on(comparison)}, so it means the same for every recipe. The training part alone was fitted, the "
        "validation part alone decided.",
        f"Every recipe was then trained {_times(board, comparison)} with its chosen strengths on fresh random "
        f"seeds, {_shared(comparison)} for every recipe, so that gains over {base} are paired differences.",
        *_disguised(board, base),
        *_departures(comparison),
        f"{_statistics(base, comparison)} "
        "Recipes share a tier if their paired difference from the tier's leader is not significant at 5 %, "
        f"Holm-adjusted over all pairs of recipes, or over the recipes where it is the difference from {base}.",
        "The test part was read once, for the chosen strengths; no choice has seen it.",
        "Runs that diverged or failed are counted and shown, never repeated or dropped; a recipe with such a "
        "replicate ranks after all without.",
        *_software(comparison),
    ]


def _disguised(board: dict[str, Any], base: str) -> list[str]:
    """What the placebos are, where there are any."""
    names = [code(row["name"]) for row in boards.placebos(board)]
    if not names:
        return []
    what = "is a copy" if len(names) == 1 else "are copies"
    return [
        f"{listing(names)} {what} of {base} under another name, with seeds of {'its' if len(names) == 1 else 'their'} "
        f"own: whether the study takes one for better or worse than {base} shows how far it can be trusted."
    ]


def _departures(comparison: dict[str, Any]) -> list[str]:
    """What was asked for beyond the usual, a sentence each."""
    said = []
    looks, rope, budget = (
        comparison.get("interim_analyses") or comparison.get("looks", ()),
        comparison.get("rope"),
        comparison.get("budget"),
    )
    if len(looks) > 1:
        said.append(
            f"Recipes whose order was open got further seeds, decided at looks after {listing(list(map(str, looks)))} "
            f"replicates; every p-value is multiplied by {len(looks)}, the number of looks (Bonferroni)."
        )
    if budget:
        said.append(
            f"Time was limited to {seconds(budget)}: every recipe was taken equally far, first in its trials and then "
            "in its replicates."
        )
    if comparison.get("pruner") == "median":
        said.append(
            "A trial was stopped when, after a third of its epochs or more, its best score fell behind the median of "
            "the same recipe's earlier trials at that epoch (Golovin et al. 2017)."
        )
    if comparison.get("class_weight") == "balanced":
        said.append("In the training loss every class counts alike, however rare; metrics count every row alike.")
    if rope is not None:
        said.append(
            f"A gain whose interval lies within {rope:g} of zero counts as equivalent: no difference in practice."
        )
    return said


def caveats(board: dict[str, Any], comparison: dict[str, Any]) -> list[str]:
    """Return what the numbers do not say."""
    said = [
        "The intervals hold the variation between random seeds and between cuts of these rows, whose overlap the "
        "corrected variance allows for, not that between data sets. The strengths were chosen on the first cut, whose "
        "training rows validate in other cuts."
        if _folds(comparison) > 1
        else "The intervals say how sure the order is for this split of these data: they hold the variation between "
        "random seeds, not that between splits or data sets."
    ]
    rows = boards.measured(board)
    if len(rows) < 2:
        return said
    luck = compute_expected_maximum(len(rows))
    share = 1 / max(1.0, number(rows[0]["replicates"])) + (comparison.get("test_train_ratio") or 0.0)
    error = number(rows[0]["sd"]) * share**0.5
    about = f" (here about {show(luck * error, places(board))} {board['rank_by']})" if error > 0 else ""
    return [
        *said,
        f"The winner's curse: {quoted(rows[0])} was picked because it scored best, so its validation score is "
        f"optimistic. If all {len(rows)} recipes were equally good, the best of them would still look better than "
        f"their average by {luck:.2f} standard errors of a mean{about}. The test score took no part in the choice "
        "and does not carry this bias.",
    ]


def _data(board: dict[str, Any], comparison: dict[str, Any]) -> str:
    data, names = comparison["data"], [code(row["name"]) for row in board["recipes"]]
    compared = (
        f"We compared {plural(len(names), 'recipe')} of regularizers ({', '.join(names)}) on {data['source']} "
        f"({plural(data['rows'], 'row')}, {data['inputs']}, {task(data)}; digest {data['digest']})"
    )
    if _folds(comparison) == 1:
        return (
            f"{compared}, split once{_kind(data)} into {data['train']:,} rows for training{_kept(comparison)}, "
            f"{data['validation']:,} for validation and {data['test']:,} for the test.{_noise(comparison)}"
        )
    kind, folds = data["split"]["kind"], _folds(comparison)
    cut = f"{kind} folds, anew whenever all have had their turn; one validates, the others train"
    if kind == "time-ordered":
        cut = "folds in the order of time; one validates, all rows before it train"
    return (
        f"{compared}; {data['test']:,} rows were set aside for the test, and the rest was cut into {folds} {cut}. In "
        f"the first cut {data['train']:,} rows{_kept(comparison)} train and {data['validation']:,} validate.{_noise(comparison)}"
    )


def _software(comparison: dict[str, Any]) -> list[str]:
    if "model" not in comparison:
        return []
    used = [f"{name} {version}" for name, version in comparison["versions"].items()]
    return [f"Made with {listing(used)}; all random streams follow from the seed {comparison['model']['seed']}."]


def _kind(data: dict[str, Any]) -> str:
    """How the rows were parted; reports of older comparisons do not say."""
    if "split" not in data:
        return ""
    marked = [f"the {part} part as the data marks it" for part in data["split"]["marked"]]
    return f" ({', '.join([data['split']['kind'], *marked])})"


def _kept(comparison: dict[str, Any]) -> str:
    return " (chosen at random, the rest left out)" if comparison.get("model", {}).get("train_size") else ""


def _noise(comparison: dict[str, Any]) -> str:
    share = comparison.get("model", {}).get("label_noise", 0.0)
    if not share:
        return ""
    return (
        f" {percent(share)} of the training labels were replaced by another class, each as likely; those of validation "
        "and test were left as they are."
    )


def _model(board: dict[str, Any], comparison: dict[str, Any]) -> list[str]:
    """What was trained, and with which weights it was scored."""
    model, base = comparison.get("model"), boards.find(board, board["baseline"])
    if model is None:
        return []
    size = (
        f" ({base['parameters']:,.0f} parameters as {code(board['baseline'])})" if base and base["parameters"] else ""
    )
    loss = LOSSES.get(comparison["data"]["task"], "mean squared error")
    optimizer = OPTIMIZERS.get(model["optimizer"], model["optimizer"])
    return [
        f"All recipes share the model {code(model['backbone'])}{size}, trained with {optimizer} on the "
        f"{loss}, in batches of {model['batch_size']:,}, for {plural(model['epochs'], 'epoch')} unless the recipe "
        "itself stops earlier. A run is scored with the weights it ends with, not with those of its best epoch, unless "
        "the recipe itself chooses, as early stopping does."
    ]


def _folds(comparison: dict[str, Any]) -> int:
    """1 for a single split, which is also what reports of older comparisons say."""
    folds: int = comparison.get("folds", 1)
    return folds


def _on_first(comparison: dict[str, Any]) -> str:
    return " on the first cut" if _folds(comparison) > 1 else ""


def _on(comparison: dict[str, Any]) -> str:
    labels = comparison["data"]["task"] in LOSSES
    return ("on hard labels and " if labels else "") + "without any penalty term"


def _shared(comparison: dict[str, Any]) -> str:
    return "the same seeds" if _folds(comparison) == 1 else "each on the next cut, with the same seeds and cuts"


def _statistics(base: str, comparison: dict[str, Any]) -> str:
    if _folds(comparison) == 1:
        return (
            "We report means over these replicates with 95 % bootstrap-t intervals, paired gains with intervals of the "
            f"same kind, and two-sided p-values of the same bootstrap against {base}, Holm-adjusted over the recipes; "
            "where there are pairs enough for it to speak, Wilcoxon's signed ranks must agree before two are told "
            "apart."
        )
    return (
        "We report means over these replicates with 95 % t intervals, paired gains with intervals of the same kind, "
        f"and two-sided p-values of the same t against {base}, Holm-adjusted over the recipes, all with the corrected "
        f"variance of repeated splits (Nadeau and Bengio 2003; {comparison['test_train_ratio']:.3g} validation rows for "
        "each training row)."
    )


def _search(board: dict[str, Any], records: Sequence[Record], comparison: dict[str, Any]) -> str:
    found = {row["name"]: boards.trials(records, row["name"], finished=False) for row in board["recipes"]}
    counts = {len(trials) for trials in found.values() if trials}
    same = "the same number for every recipe" if len(counts) < 2 else "fewer where there was less to search"
    rates = {trial.run.learning_rate for trials in found.values() for trial in trials}
    if len(rates) == 1:
        rate = f"its strengths, with the learning rate fixed at {strength(rates.pop())}"
    else:
        between = comparison.get("model", {}).get("learning_rate", "").replace("..", " to ").replace("|", " or ")
        rate = f"its strengths and the learning rate{f' ({between})' if between else ''}"
    return (
        f"For each recipe, a {comparison['tuner']} search tried {plural(comparison['trials'], 'setting')} of {rate}: {same}, "
        f"the baseline {code(board['baseline'])} included."
    )


def _times(board: dict[str, Any], comparison: dict[str, Any]) -> str:
    """How often each recipe was trained at least: a budget may end before all replicates are made."""
    made = [boards.count(row, "replicates") for row in boards.measured(board)]
    count = min(filter(None, made), default=comparison["replicates"])
    return "once" if count == 1 else f"{count} times"
