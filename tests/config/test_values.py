"""Values of a config: numbers, ranges, text, tasks, metrics and lengths of time."""

from __future__ import annotations

import pytest

from regzoo.config import ConfigError, read_config
from regzoo.core.ranges import Choice, Float
from regzoo.training.metrics import METRICS

GOOD = """\
name: digits
data: {source: digits}
backbone: mlp(widths=[8])
recipes:
  - dropout
"""


def problems(text: str) -> list[str]:
    """Return the lines of the error that ``text`` raises."""
    with pytest.raises(ConfigError) as caught:
        read_config(text, "c.yaml")
    return str(caught.value).split("\n")


def changed(key: str, value: str) -> str:
    """Return GOOD with ``key`` set to ``value``; the line of a new key is the last one."""
    lines = [line for line in GOOD.splitlines() if not line.startswith(f"{key}:")]
    if key == "recipes":
        lines = lines[:3]
    return "\n".join([*lines, f"{key}: {value}", ""])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0.001", 0.001),
        ("1e-4", 1e-4),
        ("1", 1.0),
        ("1e-4..1e-2", Float(1e-4, 1e-2)),
        ("1..3", Float(1.0, 3.0)),
        ("0.001|0.003", Choice((0.001, 0.003))),
        ("'0.001|0.003'", Choice((0.001, 0.003))),
    ],
)
def test_learning_rates(written: str, meant: float | Float | Choice) -> None:
    training = read_config(changed("training", f"{{learning_rate: {written}}}")).training
    assert training.learning_rate == meant
    assert type(training.learning_rate) is type(meant)


@pytest.mark.parametrize(
    "written",
    [
        "cosine(0.1, 0.0)",
        "cosine(0.001..0.1, 0.0)",
        "warmup(5, exponential(0.1|0.2, 0.001))",
        "step(0.1, 0.01, epochs=9)",
    ],
)
def test_schedules_of_the_learning_rate(written: str) -> None:
    experiment = read_config(changed("training", f"{{learning_rate: '{written}'}}"))
    assert str(experiment.training.learning_rate) == written
    assert read_config(experiment.to_yaml()).training == experiment.training
    assert experiment.training.schedule is not None
    start = experiment.training.start_rate
    assert start == {
        "cosine(0.001..0.1, 0.0)": Float(0.001, 0.1),
        "warmup(5, exponential(0.1|0.2, 0.001))": Choice((0.1, 0.2)),
    }.get(written, 0.1)


@pytest.mark.parametrize(
    ("key", "written", "meant"),
    [
        ("name", "2024", "2024"),
        ("name", "1e5", "1e5"),
        ("name", "2024-01-31", "2024-01-31"),
        ("name", "'no'", "no"),
        ("name", "007", "007"),
        ("seed", "1_000", 1000),
        ("seed", "1e3", 1000),
        ("replicates", "7.0", 7),
        ("rank_by", "null", None),
        ("rank_by", "", None),
    ],
)
def test_values_that_yaml_calls_numbers_dates_or_nothing(key: str, written: str, meant: object) -> None:
    assert getattr(read_config(changed(key, written)), key) == meant


def test_a_recipe_that_yaml_splits_at_its_commas_is_explained() -> None:
    first, *_ = problems(changed("recipes", "[dropout(linear(0.5, 0, epochs=9))]"))
    assert first.startswith("c.yaml:4:11: recipes[0]: cannot read 'dropout(linear(0.5': brackets do not match")
    assert "write one recipe a line after a dash, or use quotes" in first


def test_the_task_may_be_given_and_reconstruction_needs_no_target() -> None:
    assert read_config(GOOD).task is None
    assert read_config(changed("task", "regression")).task == "regression"
    experiment = read_config(changed("data", "{csv: a.csv}") + "task: reconstruction\n")
    assert (experiment.task, experiment.data.target) == ("reconstruction", None)
    with pytest.raises(ConfigError, match="task: takes one of classification, multilabel, regression, reconstruction"):
        read_config(changed("task", "regresion"))


@pytest.mark.parametrize(("written", "seconds"), [("90s", 90), ("10m", 600), ("1.5h", 5400), ("45", 45), ("2 m", 120)])
def test_lengths_of_time(written: str, seconds: float) -> None:
    assert read_config(changed("budget", written)).budget == seconds
    assert read_config(changed("run_limit", written)).run_limit == seconds


@pytest.mark.parametrize("written", ["10 minutes", "-1", "0", "m", "true", "1d"])
def test_no_length_of_time(written: str) -> None:
    with pytest.raises(ConfigError, match=r"budget: takes a length of time such as 90s, 10m or 1\.5h, received"):
        read_config(changed("budget", written))


def test_every_metric_may_be_ranked_by() -> None:
    for metrics in METRICS.values():
        assert [read_config(changed("rank_by", metric)).rank_by for metric in metrics] == list(metrics)
