"""The methods section says what was done, the limitations what the numbers do not show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from regzoo.comparison.leaderboard import Leaderboard
from regzoo.report.findings.methods_section import write_limitations, write_methods
from regzoo.storage.info import ModelInfo, SplitInfo
from regzoo.training.records import Record

Ranked = tuple[Leaderboard, list[Record]]
"""A leaderboard and its records."""


def test_it_names_budget_selection_test_and_statistics(quick: Ranked, make_comparison: Any) -> None:
    text = " ".join(write_methods(*quick, make_comparison()))
    for phrase in (
        "a random search tried 6 settings of its strengths and the learning rate: the same number for every recipe",
        "trained 5 times with its chosen strengths on fresh random seeds",
        "bootstrap-t intervals",
        "two-sided p-values of the same bootstrap against `none`, Holm-adjusted",
        "The test part was read once",
        "1,078 rows for training, 360 for validation and 359 for testing",
    ):
        assert phrase in text


def test_numbers_have_no_hard_labels(quick: Ranked, make_comparison: Any) -> None:
    text = " ".join(
        write_methods(*quick, make_comparison(data=replace(make_comparison().data, task="regression", labels=())))
    )
    assert "The metric is computed without penalty terms" in text
    assert "computed on hard labels and without penalty terms" in " ".join(write_methods(*quick, make_comparison()))


def test_a_fixed_learning_rate_is_not_called_searched(
    make_leaderboard: Any, make_row: Any, make_record: Any, make_comparison: Any
) -> None:
    trials = [make_record("l2", 0.1, recipe=f"l2({n})", stage="trial", number=n) for n in (1, 2)]
    text = " ".join(write_methods(make_leaderboard([make_row("l2"), make_row("none")]), trials, make_comparison()))
    assert "with the learning rate fixed at 0.001" in text


def test_unequal_numbers_of_trials_are_admitted(
    make_leaderboard: Any, make_row: Any, make_record: Any, make_comparison: Any
) -> None:
    trials = [make_record("l2", 0.1, stage="trial", number=n) for n in (0, 1)] + [
        make_record("none", 0.1, stage="trial")
    ]
    text = " ".join(write_methods(make_leaderboard([make_row("l2"), make_row("none")]), trials, make_comparison()))
    assert "fewer where there was less to search" in text


def test_it_counts_the_replicates_that_a_budget_left_and_says_what_placebos_are(
    make_leaderboard: Any, make_row: Any, make_comparison: Any
) -> None:
    rows = [
        make_row(name, rank=i, mean=1.0, replicates=2) for i, name in enumerate(["l2", "none", "placebo 1"], start=1)
    ]
    text = " ".join(write_methods(make_leaderboard(rows), [], make_comparison(budget=60.0)))
    assert "Every recipe was then trained 2 times" in text
    assert "`placebo 1` is a copy of `none` under another name, with its own seeds" in text


def test_the_winners_curse_is_worked_out(make_leaderboard: Any, make_row: Any, make_comparison: Any) -> None:
    """Two recipes: 0.564 standard errors of 0.4 / sqrt(4) = 0.2, so 0.113."""
    rows = [
        make_row("l2", rank=1, mean=1.0, sd=0.4, replicates=4, low=0.9, high=1.1),
        make_row("none", rank=2, mean=1.1),
    ]
    text = " ".join(write_limitations(make_leaderboard(rows), make_comparison()))
    assert "0.56 standard errors of a mean (here about 0.11 nll)" in text
    assert "this split" in text


def test_one_recipe_has_no_curse(make_leaderboard: Any, make_row: Any, make_comparison: Any) -> None:
    assert len(write_limitations(make_leaderboard([make_row("none", rank=1, mean=1.0)]), make_comparison())) == 1


def test_folds_are_described(quick: Ranked, make_comparison: Any) -> None:
    data = replace(make_comparison().data, split=SplitInfo("stratified", folds=5))
    folded = make_comparison(folds=5, test_train_ratio=0.25, data=data)
    text = " ".join(write_methods(*quick, folded))
    for phrase in (
        "359 rows were held out for testing, and the others were split into 5 stratified folds",
        "In the first fold, 1,078 rows train and 360 validate",
        "were chosen on the first fold",
        "each time on the next fold, with the same seeds and folds for every recipe",
        "corrected variance of repeated splits (Nadeau and Bengio 2003; 0.25 validation rows for each training row)",
    ):
        assert phrase in text
    assert "bootstrap" not in text
    assert "split once" not in text
    ordered = replace(folded, data=replace(data, split=SplitInfo("time-ordered", folds=5)))
    assert (
        "5 folds in time order; one fold validates, and all rows before it train" in write_methods(*quick, ordered)[0]
    )
    assert "between splits of these rows" in write_limitations(quick[0], folded)[0]


def test_options_beyond_the_defaults_are_described(quick: Ranked, make_comparison: Any) -> None:
    plain = " ".join(write_methods(*quick, make_comparison()))
    asked = {
        "interim_analyses": (5, 10, 20, 40),
        "rope": 0.01,
        "budget": 600.0,
        "pruner": "median",
        "class_weight": "balanced",
    }
    text = " ".join(write_methods(*quick, make_comparison(**asked)))
    for phrase in (
        "as decided in interim analyses after 5, 10, 20 and 40 replicates; every p-value is multiplied by 4",
        "Time was limited to 10 min 0 s: all recipes advanced in step",
        "fell behind the median of the same recipe's earlier trials",
        "all classes have equal weight, however rare",
        "within 0.01 of zero counts as equivalent",
    ):
        assert phrase in text
        assert phrase not in plain


MODEL = ModelInfo(
    backbone="mlp(widths=[64], activation=relu)", epochs=40, batch_size=32, optimizer="sgd",
    learning_rate="0.0003..0.01", train_size=500, label_noise=0.2, seed=7,
)  # fmt: skip


def test_a_reviewer_learns_the_model_its_training_and_what_was_done_to_the_data(
    quick: Ranked, make_comparison: Any
) -> None:
    data = replace(make_comparison().data, split=SplitInfo("stratified", marked=("test",)))
    text = " ".join(write_methods(*quick, make_comparison(model=MODEL, data=data)))
    for phrase in (
        "split once (stratified, the test part as marked in the data) into 1,078 rows for training (a random subset",
        "20 % of the training labels were replaced by another class, each with the same probability",
        "use the model `mlp(widths=[64], activation=relu)` (85,002 parameters with `none`), trained with sgd (momentum "
        "0.9) on the cross-entropy, in batches of 32, for 40 epochs",
        "scored with its final weights, not with those of its best epoch",
        "its strengths and the learning rate (0.0003 to 0.01)",
        "We used regzoo 0.1.0, keras 3.15.1 and python 3.11.2; all random numbers derive from the seed 7.",
    ):
        assert phrase in text


def test_another_loss_and_optimizer_are_named(quick: Ranked, make_comparison: Any) -> None:
    model = replace(MODEL, optimizer="sgd(momentum=0.5)", loss="categorical_focal_crossentropy(gamma=1.0)")
    text = " ".join(write_methods(*quick, make_comparison(model=model)))
    assert "trained with `sgd(momentum=0.5)` on the loss `categorical_focal_crossentropy(gamma=1.0)`, in" in text


def test_what_was_not_done_is_not_mentioned(quick: Ranked, make_comparison: Any) -> None:
    plain = replace(MODEL, train_size=None, label_noise=0.0)
    folds = replace(make_comparison().data, split=SplitInfo("random", folds=5))
    for made in (
        make_comparison(model=plain),
        make_comparison(model=plain, folds=5, test_train_ratio=0.25, data=folds),
    ):
        text = " ".join(write_methods(*quick, made))
        assert "labels were replaced" not in text
        assert "a random subset" not in text
    text = " ".join(write_methods(*quick, make_comparison(model=MODEL, folds=5, test_train_ratio=0.25, data=folds)))
    assert "1,078 rows (a random subset; the rest was not used) train and 360 validate. 20 % of the training" in text


def test_where_tiers_end(quick: Ranked, make_comparison: Any, searched: Any) -> None:
    one, several = " ".join(write_methods(*quick, make_comparison())), " ".join(write_methods(*searched()))
    assert "Recipes share a tier if their paired difference from the tier's best recipe is not significant" in one
    assert "share a tier" not in several
    assert "from every recipe below is significant at 5 %, adjusted over all pairs of recipes (Shaffer 1986)" in several
