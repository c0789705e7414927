"""The protocol says what was done, and the caveats what the numbers do not say."""

from __future__ import annotations

from typing import Any

from regzoo.report.findings.methods_section import caveats, protocol


def test_it_names_budget_selection_test_and_statistics(quick: Any, comparison: Any) -> None:
    text = " ".join(protocol(*quick, comparison()))
    for said in (
        "a random search tried 6 settings of its strengths and the learning rate: the same number for every recipe",
        "trained 5 times with its chosen strengths on fresh random seeds",
        "bootstrap-t intervals",
        "two-sided p-values of the same bootstrap against `none`, Holm-adjusted",
        "The test part was read once",
        "1,078 rows for training, 360 for validation and 359 for the test",
    ):
        assert said in text


def test_numbers_have_no_hard_labels(quick: Any, comparison: Any) -> None:
    said = " ".join(protocol(*quick, comparison(data=comparison()["data"] | {"task": "regression", "labels": []})))
    assert "this metric is computed without any penalty term" in said
    assert "computed on hard labels and without any penalty term" in " ".join(protocol(*quick, comparison()))


def test_a_fixed_learning_rate_is_not_called_searched(board: Any, row: Any, record: Any, comparison: Any) -> None:
    trials = [record("l2", 0.1, recipe=f"l2({n})", stage="trial", number=n) for n in (1, 2)]
    text = " ".join(protocol(board([row("l2"), row("none")]), trials, comparison()))
    assert "with the learning rate fixed at 0.001" in text


def test_unequal_numbers_of_trials_are_admitted(board: Any, row: Any, record: Any, comparison: Any) -> None:
    trials = [record("l2", 0.1, stage="trial", number=n) for n in (0, 1)] + [record("none", 0.1, stage="trial")]
    text = " ".join(protocol(board([row("l2"), row("none")]), trials, comparison()))
    assert "fewer where there was less to search" in text


def test_it_counts_the_replicates_that_a_budget_left_and_says_what_placebos_are(
    board: Any, row: Any, comparison: Any
) -> None:
    rows = [row(name, rank=i, mean=1.0, replicates=2) for i, name in enumerate(["l2", "none", "placebo 1"], start=1)]
    text = " ".join(protocol(board(rows), [], comparison(budget=60.0)))
    assert "Every recipe was then trained 2 times" in text
    assert "`placebo 1` is a copy of `none` under another name, with seeds of its own" in text


def test_the_winners_curse_is_worked_out(board: Any, row: Any, comparison: Any) -> None:
    """Two recipes: 0.564 standard errors of 0.4 / sqrt(4) = 0.2, so 0.113."""
    rows = [row("l2", rank=1, mean=1.0, sd=0.4, replicates=4, low=0.9, high=1.1), row("none", rank=2, mean=1.1)]
    text = " ".join(caveats(board(rows), comparison()))
    assert "0.56 standard errors of a mean (here about 0.11 nll)" in text
    assert "this split" in text


def test_one_recipe_has_no_curse(board: Any, row: Any, comparison: Any) -> None:
    assert len(caveats(board([row("none", rank=1, mean=1.0)]), comparison())) == 1


def test_folds_are_told(quick: Any, comparison: Any) -> None:
    data = comparison()["data"] | {"split": {"kind": "stratified", "marked": [], "folds": 5}}
    cut = comparison(folds=5, test_train_ratio=0.25, data=data)
    text = " ".join(protocol(*quick, cut))
    for said in (
        "359 rows were set aside for the test, and the rest was cut into 5 stratified folds",
        "In the first cut 1,078 rows train and 360 validate",
        "were chosen on the first cut",
        "each on the next cut, with the same seeds and cuts for every recipe",
        "corrected variance of repeated splits (Nadeau and Bengio 2003; 0.25 validation rows for each training row)",
    ):
        assert said in text
    assert "bootstrap" not in text
    assert "split once" not in text
    ordered = cut | {"data": data | {"split": data["split"] | {"kind": "time-ordered"}}}
    assert "5 folds in the order of time; one validates, all rows before it train" in protocol(*quick, ordered)[0]
    assert "between cuts of these rows" in caveats(quick[0], cut)[0]


def test_what_was_asked_for_beyond_the_usual_is_said(quick: Any, comparison: Any) -> None:
    plain = " ".join(protocol(*quick, comparison()))
    asked = {"looks": [5, 10, 20, 40], "rope": 0.01, "budget": 600.0, "pruner": "median", "class_weight": "balanced"}
    text = " ".join(protocol(*quick, comparison() | asked))
    for said in (
        "decided at looks after 5, 10, 20 and 40 replicates; every p-value is multiplied by 4",
        "Time was limited to 10 min 0 s: every recipe was taken equally far",
        "fell behind the median of the same recipe's earlier trials",
        "every class counts alike, however rare",
        "within 0.01 of zero counts as equivalent",
    ):
        assert said in text
        assert said not in plain


MODEL: dict[str, Any] = {
    "backbone": "mlp(widths=[64], activation=relu)", "epochs": 40, "batch_size": 32, "optimizer": "sgd",
    "learning_rate": "0.0003..0.01", "train_size": 500, "label_noise": 0.2, "seed": 7,
}  # fmt: skip


def test_a_reviewer_learns_the_model_its_training_and_what_was_done_to_the_data(quick: Any, comparison: Any) -> None:
    data = comparison()["data"] | {"split": {"kind": "stratified", "marked": ["test"], "folds": 1}}
    text = " ".join(protocol(*quick, comparison(model=MODEL, data=data)))
    for said in (
        "split once (stratified, the test part as the data marks it) into 1,078 rows for training (chosen at random",
        "20 % of the training labels were replaced by another class, each as likely",
        "share the model `mlp(widths=[64], activation=relu)` (85,002 parameters as `none`), trained with sgd (momentum "
        "0.9) on the cross-entropy, in batches of 32, for 40 epochs",
        "scored with the weights it ends with, not with those of its best epoch",
        "its strengths and the learning rate (0.0003 to 0.01)",
        "Made with regzoo 0.1.0, keras 3.15.1 and python 3.11.2; all random streams follow from the seed 7.",
    ):
        assert said in text


def test_nothing_is_said_of_what_was_not_done(quick: Any, comparison: Any) -> None:
    plain = MODEL | {"train_size": None, "label_noise": 0.0}
    folds = comparison()["data"] | {"split": {"kind": "random", "marked": [], "folds": 5}}
    for made in (comparison(model=plain), comparison(model=plain, folds=5, test_train_ratio=0.25, data=folds)):
        text = " ".join(protocol(*quick, made))
        assert "labels were replaced" not in text
        assert "left out" not in text
    text = " ".join(protocol(*quick, comparison(model=MODEL, folds=5, test_train_ratio=0.25, data=folds)))
    assert "1,078 rows (chosen at random, the rest left out) train and 360 validate. 20 % of the training" in text
