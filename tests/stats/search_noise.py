"""Searches and replicates drawn from real trials: a smooth fit of the scores in ``tests/fixtures/search_noise``."""

from __future__ import annotations

import functools
import itertools
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from regzoo.stats.scores import Array

FIXTURE = Path(__file__).parents[1] / "fixtures" / "search_noise" / "trials.csv"
DATASETS = ("digits", "wine", "breast_cancer", "diabetes")
SEEDS = 5
LOGARITHMIC = ("learning_rate", "l2.strength", "weight_decay.decay")
AXES = {
    "none": (),
    "dropout": ("dropout.rate",),
    "l2": ("l2.strength",),
    "weight_decay": ("weight_decay.decay",),
    "gaussian_noise": ("gaussian_noise.stddev",),
    "batch_norm": ("batch_norm.momentum",),
    "dropout + l2": ("dropout.rate", "l2.strength"),
    "dropout + early_stopping": ("dropout.rate", "early_stopping.patience"),
    "ensemble(3)": (),
}
"""What is searched for each recipe, next to the learning rate."""


@functools.cache
def draw_searches(dataset: str, searches: int = 2000, trials: int = 5) -> Array:
    """Return the scores on five seeds of the point that each search chooses: (searches, recipes, seeds).

    A search draws a Latin hypercube, the same values of an axis for all recipes, trains every point on one seed, trains
    the best two once more and chooses the better mean. The score of a point is a Gaussian process's fit of the log of
    the mean scores of 30 real trials, times the residual of the nearest one on that seed, scaled by sqrt(5 / 4) because
    residuals around the mean of five vary less than the errors.
    """
    rng = np.random.default_rng(0)
    frame = pd.read_csv(FIXTURE).query("dataset == @dataset")
    steps = np.tile(np.arange(trials), (searches, 1))
    design = {
        axis: (rng.permuted(steps, axis=1) + rng.random((searches, trials))) / trials
        for axis in ("learning_rate", *dict.fromkeys(itertools.chain(*AXES.values())))
    }
    seed, again = rng.integers(SEEDS, size=(2, searches))
    chosen = []
    for recipe, own in AXES.items():
        axes = ("learning_rate", *own)
        observed = np.stack([_scale(frame[axis].to_numpy(float), axis in LOGARITHMIC) for axis in axes], axis=1)
        scores = np.log(frame[[f"{recipe}: {number}" for number in range(SEEDS)]].to_numpy(float))  # (points, seeds)
        drawn = np.stack([design[axis] for axis in axes], axis=2)  # (searches, trials, axes)
        found = _predict(observed, scores, drawn)  # (searches, trials, seeds)
        rows = np.arange(searches)
        first = found[rows, :, seed]
        best = np.argsort(first, axis=1)[:, :2]
        means = first[rows[:, None], best] + found[rows[:, None], best, again[:, None]]
        chosen.append(found[rows, best[rows, means.argmin(axis=1)]])
    return np.stack(chosen, axis=1)


def _scale(values: Array, logarithmic: bool) -> Array:
    values = np.log(values) if logarithmic else values
    return (values - values.min()) / np.ptp(values)


def _predict(observed: Array, scores: Array, drawn: Array) -> Array:
    """Return the score of each drawn point on each seed, from the log ``scores`` (points, seeds) at ``observed``."""
    kernel = ConstantKernel(1) * Matern(np.ones(observed.shape[1]), (0.1, 10), nu=2.5) + WhiteKernel(1e-2, (1e-5, 1))
    process = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=1, random_state=0)
    flat = drawn.reshape(-1, drawn.shape[2])
    mean = np.log(np.exp(scores).mean(axis=1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a length scale at its bound
        smooth = process.fit(observed, mean).predict(flat)
    nearest = ((flat[:, None] - observed) ** 2).sum(axis=2).argmin(axis=1)
    residuals = np.sqrt(SEEDS / (SEEDS - 1)) * (scores - mean[:, None])
    found: Array = np.exp(smooth[:, None] + residuals[nearest])
    return found.reshape(*drawn.shape[:2], SEEDS)


def draw_replicates(
    population: Array, rng: np.random.Generator, searches: int, replicates: int, paired: bool = True
) -> Array:
    """Return the scores of one comparison: (recipes, searches, runs of a search).

    Args:
        population: what `draw_searches` returns, (searches, recipes, seeds).
        rng: source of randomness.
        searches: number of searches.
        replicates: number of runs of each recipe, a multiple of ``searches``.
        paired: True if the recipes share searches and seeds, as in a comparison; else each draws its own.
    """
    recipes, runs = population.shape[1], replicates // searches
    search = rng.integers(len(population), size=(1 if paired else recipes, searches, 1))
    seed = rng.integers(SEEDS, size=(len(search), searches, runs))
    return population[search, np.arange(recipes)[:, None, None], seed]


def make_frame(scores: Array) -> pd.DataFrame:
    """Return the table that `rank` takes; the first recipe is ``none``, the others ``r1``, ``r2``, ..."""
    recipes, searches = scores.shape[:2]
    recipe, search, run = np.indices(scores.shape).reshape(3, -1)
    names = np.array(["none", *(f"r{number}" for number in range(1, recipes))])
    return pd.DataFrame(
        {"recipe": names[recipe], "search": search, "seed": run * searches + search, "score": scores.ravel()}
    )
