"""Leaderboards and records made by hand, ordinary and awkward."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regzoo.comparison.leaderboard import Leaderboard, Row, build_leaderboard
from regzoo.comparison.nested_recipes import find_nested_recipes
from regzoo.comparison.sweep import make_sweep
from regzoo.config import from_keywords
from regzoo.report.render import render_files
from regzoo.stats.scores import Direction
from regzoo.storage.info import ComparisonInfo, DataInfo, SplitInfo
from regzoo.training.records import Record, Run

Content = tuple[Leaderboard, list[Record], ComparisonInfo]
"""What a report is made from."""

SPREAD = {
    "edges": [-6 + 0.25 * i for i in range(29)],
    "counts": [0] * 10 + [1, 2, 4, 8, 16, 8, 4, 2] + [0] * 10,
    "small": 0.125,
}


def _make_row(name: str, **given: Any) -> Row:
    """Return a pending recipe; ``given`` fills in what is known."""
    unknown: dict[str, Any] = {field.name: None for field in dataclasses.fields(Row)}
    counts = {"replicates": 5 if "mean" in given else 0, "diverged": 0, "failed": 0}
    status = {"status": "ok" if "mean" in given else "pending"}
    metrics: dict[str, Any] = {"metrics": {"validation": {}, "train": {}, "test": {}}}
    return Row(**{**unknown, "name": name, "recipe": name, **counts, **status, **metrics, **given})


def _make_leaderboard(rows: Sequence[Row], direction: Direction = "min", rank_by: str = "nll") -> Leaderboard:
    winner = next((row.recipe for row in rows if row.rank == 1 and row.mean is not None), None)
    return Leaderboard(rank_by, direction, winner, "none", None, None, tuple(rows))


def _make_record(name: str, score: float | None, *, recipe: str | None = None, **given: Any) -> Record:
    """Return a finished replicate of ``name``; ``score`` is its validation nll."""
    run = {"stage": "replicate", "number": 0, "seed": 7, "learning_rate": 0.001, "epochs": 4, "setup": "s",
           "search": 0}  # fmt: skip
    run |= {key: given.pop(key) for key in tuple(given) if key in run and key != "epochs"}
    metrics = {part: {"nll": score} for part in ("train", "validation")}
    fields: dict[str, Any] = {"status": "ok", "metrics": metrics, "fit_seconds": 2.0, "epochs": 4, "best_epoch": 3}
    if run["stage"] == "replicate":
        fields |= {"reliability": [[0.3, 0.25, 10], [0.99, 0.95, 90]], "spread": SPREAD}
    return Record(run=Run(name=name, recipe_text=recipe or name, **run), **(fields | given))  # type: ignore[arg-type]


DATA = DataInfo(
    source="digits", digest="0123abcd", rows=1797, train=1078, validation=360, test=359, inputs="64 columns",
    task="classification", labels=tuple(str(i) for i in range(10)), split=SplitInfo("stratified"),
)  # fmt: skip


def _make_comparison(**given: Any) -> ComparisonInfo:
    """Return what is known of a comparison on the digits."""
    comparison = ComparisonInfo(
        name="digits",
        rank_by="nll",
        direction="min",
        data=DATA,
        config="name: digits\nrecipes: [none, dropout]\n",
        versions={"regzoo": "0.1.0", "keras": "3.15.1", "python": "3.11.2"},
        seconds=131.0,
        command="regzoo compare configs/quickstart.yaml",
        trials=6,
        tuner="random",
        replicates=5,
        notes=("Two rows are the same in train and test.",),
    )
    return replace(comparison, **given)


QUICK = (
    # name, recipe, tier, mean, sd, gain, gain_low, gain_high, p_holm, seconds
    ("dropout + l2", "dropout(0.31) + l2(0.000213)", 1, 0.0912, 0.0061, 0.0311, 0.0214, 0.0402, 0.004, 2.4),
    ("ensemble", "ensemble(5)", 1, 0.0931, 0.0042, 0.0292, 0.0201, 0.0388, 0.004, 9.1),
    ("dropout", "dropout(0.42)", 1, 0.0957, 0.0070, 0.0266, 0.0150, 0.0371, 0.011, 2.1),
    ("dropout + early_stopping", "dropout(0.28) + early_stopping(12)", 2, 0.1031, 0.0083, 0.0192, 0.0071, 0.0305,
     0.041, 1.2),
    ("batch_norm", "batch_norm(0.95)", 2, 0.1102, 0.0101, 0.0121, -0.0012, 0.0262, 0.21, 2.6),
    ("gaussian_noise", "gaussian_noise(0.21)", 2, 0.1142, 0.0076, 0.0081, -0.0031, 0.0193, 0.34, 1.9),
    ("l2", "l2(0.000112)", 3, 0.1191, 0.0071, 0.0032, -0.0061, 0.0122, 0.7, 1.8),
    ("weight_decay", "weight_decay(0.0113)", 3, 0.1203, 0.0092, 0.0020, -0.0075, 0.0114, 0.7, 1.8),
    ("none", "none", 3, 0.1223, 0.0098, 0.0, 0.0, 0.0, None, 1.7),
)  # fmt: skip

_RANGES = {"rate": (0.05, 0.7), "strength": (1e-6, 1e-2), "stddev": (0.01, 0.5), "momentum": (0.9, 0.99)}


def _quick() -> tuple[Leaderboard, list[Record]]:
    """Return what has the shape of the quickstart: nine recipes, six trials and five replicates each."""
    rng = np.random.default_rng(1)
    rows, records = [], []
    for rank, (name, recipe, tier, mean, sd, gain, low, high, p, seconds) in enumerate(QUICK, start=1):
        known = name != "none"
        rows.append(
            _make_row(
                name, recipe=recipe, rank=rank, tier=tier, mean=mean, sd=sd, low=mean - sd, high=mean + 0.8 * sd,
                iqm=mean - 0.001, gain=gain if known else None, gain_low=low if known else None,
                gain_high=high if known else None, p_holm=p, p_better=0.98 if known else None,
                p_better_low=0.61 if known else None, p_better_high=1.0 if known else None,
                verdict=None if p is None else "conclusive" if p < 0.05 else "inconclusive",
                replicates_needed=None if p is None or p < 0.05 else 23, epochs=30.0,
                best_epoch=18.2, fit_seconds=seconds, predict_ms=0.41, parameters=85002,
                metrics={
                    "train": {"nll": mean * 0.2, "error": 0.001},
                    "validation": {"nll": mean, "error": mean / 4, "ece": 0.01},
                    "test": {"nll": mean * 1.1, "error": mean / 3.5},
                },
            )
        )  # fmt: skip
        records += _runs(rng, name, recipe, mean, sd, seconds)
    return _make_leaderboard(rows), records


def _runs(rng: np.random.Generator, name: str, recipe: str, mean: float, sd: float, seconds: float) -> list[Record]:
    trials = []
    for number in range(6):
        text = _trial(rng, name)
        lr = float(10 ** rng.uniform(-3.5, -2))
        lost = number == 3 and name in ("l2", "dropout + l2")
        score = None if lost else mean * float(rng.uniform(0.9, 2.2))
        trials.append(
            _make_record(
                name, score, recipe=text, stage="trial", number=number, learning_rate=lr,
                status="diverged" if lost else "ok", error="the loss became NaN in epoch 3" if lost else None,
            )
        )  # fmt: skip
    done = []
    for number in range(5):
        score = float(rng.normal(mean, sd))
        length = 30 if "early" not in name else int(rng.integers(12, 30))
        history = _history(rng, score, length)
        done.append(
            _make_record(
                name, score, recipe=recipe, number=number, seed=100 + number, learning_rate=0.002, history=history,
                epochs=length, best_epoch=min(length, 18), fit_seconds=seconds,
            )
        )  # fmt: skip
    return trials + done


def _trial(rng: np.random.Generator, name: str) -> str:
    def numbers(word: str) -> str:
        if word in ("ensemble", "early_stopping"):
            return f"{word}({rng.integers(3, 12)})"
        field = {"gaussian_noise": "stddev", "batch_norm": "momentum", "dropout": "rate"}.get(word, "strength")
        low, high = _RANGES[field]
        value = math.exp(rng.uniform(math.log(low), math.log(high))) if field == "strength" else rng.uniform(low, high)
        return f"{word}({value})"

    return "none" if name == "none" else " + ".join(numbers(word) for word in name.split(" + "))


def _history(rng: np.random.Generator, score: float, length: int) -> dict[str, dict[str, list[float | None]]]:
    epochs = np.arange(1, length + 1)
    train = 2.0 * np.exp(-epochs / 3) + 0.01
    validation = 2.0 * np.exp(-epochs / 3) + score + 0.002 * np.maximum(epochs - 18, 0) + rng.normal(0, 0.004, length)
    return {"train": {"nll": train.tolist()}, "validation": {"nll": validation.tolist()}}


def _searched(searches: int = 5, replicates: int = 10, search_sd: float = 0.002, **given: Any) -> Content:
    """Return five searches for each of three recipes: dropout beats the baseline, and l2, which nests it, loses to it.

    Each search has three trials, of which two are confirmed, and replicate i belongs to search i mod 5.
    """
    rng = np.random.default_rng(4)
    records: list[Record] = []
    for name, mean in {"none": 0.30, "dropout": 0.25, "l2": 0.32}.items():
        texts = ["none"] * 3 if name == "none" else [f"dropout({0.27 + 0.02 * i:.2f})" for i in range(15)]
        texts = [f"l2({10.0 ** -(i % 4 + 2):g})" for i in range(15)] if name == "l2" else texts
        for search in range(searches):
            own = [texts[(3 * search + i) % len(texts)] for i in range(3)]
            shift = float(rng.normal(0, search_sd))
            made = {"stage": "trial", "search": search, "seed": 1}
            records += [
                _make_record(name, mean + 0.1 * i, recipe=own[i], number=i, learning_rate=0.01 * (i + 1), **made)
                for i in range(3)
            ]
            records += [
                _make_record(name, mean + 0.1 * i, recipe=own[i], number=i, learning_rate=0.01 * (i + 1),
                             **made | {"stage": "confirmation", "seed": 2})
                for i in range(2)
            ]  # fmt: skip
            records += [
                _make_record(name, mean + shift + float(rng.normal(0, 0.003)), recipe=own[0], number=number,
                             seed=100 + number, learning_rate=0.01, search=search, history=_history(rng, mean, 5))
                for number in range(search, replicates, searches)
            ]  # fmt: skip
    known = {"trials": 3, "tuner": "latin_hypercube", "replicates": replicates, "vary": ("seed", "search")}
    comparison = _make_comparison(**known | {"searches": searches, "confirm": 2} | given)
    names = ["none", "dropout", "l2"]
    nested = find_nested_recipes(names, comparison.searches)
    return build_leaderboard(records, "nll", "min", names, nested=nested), records, comparison


@pytest.fixture
def searched() -> Callable[..., Content]:
    """Return the function that makes a comparison of several searches: its leaderboard, records and comparison."""
    return _searched


LONG = "dropout(rate=linear(0.5, 0.0, epochs=20)"  # 40 characters, with a bracket too few on purpose


def _awkward(direction: Direction = "min", size: float = 1.0, runaway: float = 1.0) -> tuple[Leaderboard, list[Record]]:
    """Return fifteen long names: near ties, one runaway, one diverged, one failed and two pending."""
    rng = np.random.default_rng(2)
    rows, records = [], []
    for index in range(11):
        name = (
            "none"
            if index == 4
            else (f"{LONG} + activation_noise(0.1) {index}" if index < 8 else f"l2(0.{index}) " * 4)
        )
        name = name[:36] + f" {index}" if index != 4 else name
        mean = size * (0.1 + 0.0001 * index) * (runaway if index == 10 else 1.0)
        sd = 0.01 * abs(mean)
        rows.append(
            _make_row(
                name, rank=index + 1, tier=1 + index // 4, mean=mean, low=mean - sd, high=mean + sd, sd=sd,
                gain=0.0, fit_seconds=2.0 + 0.001 * index, diverged=2 if index == 3 else 0, epochs=4.0,
                best_epoch=3.0,
                metrics={"train": {"nll": 0.3 * mean}, "validation": {"nll": mean}, "test": {"nll": 1.1 * mean}},
            )
        )  # fmt: skip
        for number in range(5):
            score = float(rng.normal(mean, sd))
            curve: list[float | None] = [3 * score, None, 2 * score, score]
            history = {"train": {"nll": [0.5 * v if v else None for v in curve]}, "validation": {"nll": curve}}
            records.append(_make_record(name, score, number=number, history=history))
            trial = f"dropout({0.1 + 0.1 * number}) + l2({10.0 ** -(number + 1)})"
            status = "diverged" if number == 2 else "ok"
            lr = 10.0 ** -(number + 1)
            records.append(
                _make_record(name, score, recipe=trial, stage="trial", number=number, status=status, learning_rate=lr)
            )
    lost = [("diverged recipe with a very long name xxxxx", "failed", 5, 0), ("l1", "failed", 0, 5)]
    rows += [_make_row(name, rank=12, status=s, replicates=5, diverged=d, failed=f) for name, s, d, f in lost]
    rows += [_make_row("ensemble + " * 3 + "dropout"), _make_row("weight_decay")]
    for name, _, diverged, _ in lost:
        status = "diverged" if diverged else "failed"
        records.append(_make_record(name, None, status=status, error="ValueError: <b>no</b>\nsecond line"))
    return _make_leaderboard(rows, direction), records


def _swept(
    over: Sequence[str],
    score: Callable[..., float],
    values: Sequence[Sequence[float]] = (),
    direction: Direction = "min",
    seeds: int = 5,
    lost: Sequence[float] = (),
    pending: int = 0,
) -> Content:
    """Return a sweep whose mean at each value is ``score`` of it, and 1 for the baseline.

    The last ``pending`` values have no runs.

    At values in ``lost`` (of the first strength) two replicates diverged.
    """
    experiment, sweep = make_sweep(from_keywords(backbone="mlp", recipes=["none"]), over, values)
    rng = np.random.default_rng(3)
    records = [_make_record("none", 1.0 + 0.01 * k, number=k, seed=k) for k in range(seeds)]
    for name, point in list(sweep.combinations().items())[: len(sweep.recipes) - pending]:
        for k in range(seeds):
            gone = point[0] in lost and k < 2
            found = score(*point) * float(rng.normal(1.0, 0.02))
            records.append(
                _make_record(name, None if gone else found, number=k, seed=k, status="diverged" if gone else "ok")
            )
    rows = [_make_row(name, rank=i, mean=1.0, replicates=seeds) for i, name in enumerate(experiment.recipes, start=1)]
    return _make_leaderboard(rows, direction), records, _make_comparison(direction=direction, sweep=sweep.to_dict())


@pytest.fixture
def swept() -> Callable[..., Content]:
    """Return the function that makes a sweep: its leaderboard, records and comparison."""
    return _swept


@pytest.fixture
def make_row() -> Callable[..., Row]:
    """Return the function that makes one recipe of a leaderboard."""
    return _make_row


@pytest.fixture
def make_leaderboard() -> Callable[..., Leaderboard]:
    """Return the function that makes a leaderboard of rows."""
    return _make_leaderboard


@pytest.fixture
def make_record() -> Callable[..., Record]:
    """Return the function that makes a record."""
    return _make_record


@pytest.fixture
def make_comparison() -> Callable[..., ComparisonInfo]:
    """Return the function that makes what is known of a comparison."""
    return _make_comparison


@pytest.fixture
def quick() -> tuple[Leaderboard, list[Record]]:
    """A leaderboard and its records as the quickstart leaves them."""
    return _quick()


@pytest.fixture
def awkward() -> Callable[..., tuple[Leaderboard, list[Record]]]:
    """Return the function that makes a leaderboard that is hard to draw, and its records."""
    return _awkward


def _write_page(folder: Path, *content: Any) -> None:
    """Write the files of a report into ``folder``, which is made."""
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for name, text in render_files(*content).items():
        if text is not None:
            (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture(scope="session")
def write_page() -> Callable[..., None]:
    """Write a report without a ledger."""
    return _write_page
