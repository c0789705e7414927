"""Effects that the literature reports, by direction, on 300 digits; the papers' effect sizes do not carry over.

Each comparison is paired over five seeds and must hold in all of them, which happens by chance once in 32. Effects 4
and 5 are tested with Monte Carlo dropout and with the autoencoder.
"""

from __future__ import annotations

import functools
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_digits

from regzoo.core import Linear, Objective, Schedule, parse
from regzoo.training.engine.program import Program
from regzoo.training.model.build import build_model
from regzoo.training.task import Task

pytestmark = pytest.mark.slow

SEEDS = range(5)
WIDE, TINY = "mlp([128, 128])", "mlp([8, 8])"

Rows = tuple[np.ndarray, np.ndarray]
Curves = dict[str, np.ndarray]


@functools.cache
def digits(rows: int, wrong: float) -> tuple[Rows, Rows]:
    """Return training rows, a fraction of them with wrong labels, and 700 rows to validate on."""
    x, y = load_digits(return_X_y=True)
    draw = np.random.default_rng(0)
    order = draw.permutation(len(x))
    x, y = ((x - x.mean()) / x.std()).astype(np.float32)[order], y[order]
    labels = y[:rows].copy()
    flipped = draw.random(rows) < wrong
    labels[flipped] = (labels[flipped] + draw.integers(1, 10, flipped.sum())) % 10
    return (x[:rows], labels), (x[-700:], y[-700:])


@functools.cache
def program(backbone: str, recipe: str, rows: int, wrong: float) -> Program:
    """Return a program, traced once for all strengths and seeds."""
    model = build_model(backbone, parse(recipe), Task("classification", 10), (64,))
    model.compile(keras.optimizers.Adam())
    return Program(model, *digits(rows, wrong), 32)


@functools.cache
def curves(
    backbone: str, name: str, strength: float | Schedule, rows: int = 300, wrong: float = 0.2, epochs: int = 60
) -> Curves:
    """Return ``train`` and ``validation`` NLL, and validation ``error``, of five runs: (seeds, epochs) each."""
    (dial,) = parse(f"{name}(0.5)").regularizers[0].dials()
    traced = program(backbone, f"{name}(0.5)", rows, wrong)
    runs = [
        traced.train(
            strengths={f"{name}.{dial}": strength},
            seed=seed,
            learning_rate=2e-3,
            epochs=epochs,
            objective=Objective("nll", "min"),
        ).history
        for seed in SEEDS
    ]
    wanted = {"train": ("train", "nll"), "validation": ("validation", "nll"), "error": ("validation", "error")}
    return {key: np.array([run[part][metric] for run in runs]) for key, (part, metric) in wanted.items()}


def test_m1_error_against_keep_is_worst_when_very_small_and_training_error_rises() -> None:
    """Srivastava 2014, figure 9a."""
    found = [curves(WIDE, "dropout", rate) for rate in (0.0, 0.2, 0.5, 0.8, 0.95)]
    train = np.array([one["train"][:, -1] for one in found])  # (rates, seeds)
    assert (np.diff(train, axis=0) > 0).all()
    error = np.array([one["error"][:, -1] for one in found])
    assert (error.argmax(0) == 4).all()
    assert (error[2] < error[0]).all()  # a U: its lowest point lies inside


def test_m7_long_training_ends_above_its_own_minimum_and_above_dropouts() -> None:
    """Garbin 2020."""
    plain, dropout = (curves(WIDE, "dropout", rate)["validation"] for rate in (0.0, 0.5))
    assert (plain[:, -1] > plain.min(1)).all()
    assert (plain[:, -1] > dropout[:, -1]).all()


def test_m8_dropout_hurts_small_nets_and_helps_large_ones() -> None:
    for backbone, better in ((TINY, 0.0), (WIDE, 0.5)):
        error = {rate: curves(backbone, "dropout", rate)["error"][:, -1] for rate in (0.0, 0.5)}
        assert (error[better] < error[0.5 - better]).all(), (backbone, error)


def test_m9_wrong_labels_make_the_last_epoch_worse_than_the_best_and_less_so_with_dropout_or_mixup() -> None:
    """Zhang 2018: 20 % wrong labels, last and best epoch 12.7/16.6 against 8.8/10.4 and 5.9/6.4."""

    def loss_after_the_best(name: str, strength: float, wrong: float = 0.2) -> np.ndarray:
        validation = curves(WIDE, name, strength, wrong=wrong)["validation"]
        return validation[:, -1] - validation.min(1)

    plain = loss_after_the_best("dropout", 0.0)
    assert (plain > loss_after_the_best("dropout", 0.0, wrong=0.0)).all()
    assert (plain > loss_after_the_best("dropout", 0.5)).all()
    assert (plain > loss_after_the_best("mixup", 0.5)).all()


def test_m10_an_ensembles_nll_falls_with_its_members_and_half_of_it_by_the_second() -> None:
    """Lakshminarayanan 2017: 0.959 0.867 0.836 0.809 0.789 for 1 2 3 5 10 members, 0.54 of the decrease by two.

    Averaged over all subsets of ten models it must fall (Jensen). For a squared loss the second member brings exactly
    (1 - 1/2) / (1 - 1/10) = 0.56 of the decrease; for others about as much, if their curvature is nearly constant.
    """
    traced, (_, (x, y)) = program("mlp([32])", "dropout(0.5)", 300, 0.0), digits(300, 0.0)
    members = []
    for seed in range(10):
        traced.train(
            strengths={"dropout.rate": 0.0},
            seed=seed,
            learning_rate=5e-3,
            epochs=40,
            objective=Objective("nll", "min"),
        )
        members.append(tf.nn.softmax(traced.logits(x)).numpy().astype(np.float64))

    def nll(count: int) -> float:
        chosen = itertools.combinations(members, count)
        return float(np.mean([-np.log(np.mean(subset, 0)[np.arange(len(y)), y]).mean() for subset in chosen]))

    falls = [nll(count) for count in (1, 2, 3, 5, 10)]
    assert (np.diff(falls) < 0).all()
    assert 0.45 < (falls[0] - falls[1]) / (falls[0] - falls[4]) < 0.67


def test_m12_early_dropout_lowers_the_training_loss_of_an_underfitting_net() -> None:
    """Liu 2023: compared with dropout that stays on."""
    early = Linear(0.3, 0.0, epochs=10)
    losses = [curves("mlp([16, 16])", "dropout", rate, 1000, 0.0, 30)["train"][:, -1] for rate in (0.3, early)]
    assert (losses[1] < losses[0]).all()


def test_m14_dropout_takes_more_epochs_to_its_best() -> None:
    """Srivastava 2014: two to three times as many."""
    plain, dropout = (curves(WIDE, "dropout", rate)["validation"].argmin(1) + 1 for rate in (0.0, 0.5))
    assert (dropout > plain).all()
    assert np.median(dropout / plain) > 2
