"""Model card of an exported model: ``README.md`` for people, ``recipe.json`` for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from regzoo.comparison.chosen_strengths import read_chosen_strengths
from regzoo.comparison.coverage import read_coverage
from regzoo.comparison.leaderboard import Leaderboard, Row
from regzoo.core.escaping import escape_control_characters, escape_markdown, format_code_span
from regzoo.core.formatting import format_count, format_list, format_percent, format_significant, format_strength
from regzoo.core.json_values import replace_nonfinite
from regzoo.data.columns import rule_to_json
from regzoo.data.preprocessor import Preprocessor
from regzoo.data.table import MISSING
from regzoo.export import snippets
from regzoo.export.candidate import Candidate
from regzoo.export.formats import Format
from regzoo.export.known_tokens import find_token_limits
from regzoo.export.signature import make_input_specs, name_inputs
from regzoo.export.verify import Parity
from regzoo.stats.hierarchical import estimate_over_searches
from regzoo.stats.paired import PairSettings, name_verdict
from regzoo.stats.scores import arrange_by_search
from regzoo.storage.info import ComparisonInfo, DataInfo
from regzoo.storage.public_info import make_public_data
from regzoo.training.records import Record
from regzoo.training.setup import TrainingSetup

TEMPLATES = Path(__file__).parent / "templates"

PACKAGES = ("regzoo", "tensorflow", "keras", "numpy")
"""Packages whose versions the card lists."""

_LIBRARIES = {"saved_model": "tensorflow", "onnx": "onnx", "litert": "tflite"}
_TAGS = {"saved_model": "saved-model", "onnx": "onnx", "litert": "litert, tflite"}
_PIPELINES = {
    ("rows", "classification"): "tabular-classification",
    ("rows", "multilabel"): "tabular-classification",
    ("rows", "regression"): "tabular-regression",
    ("images", "classification"): "image-classification",
    ("images", "multilabel"): "image-classification",
}
"""Names that model hubs have for a task; they have none for other tasks."""


@dataclass(frozen=True)
class Verification:
    """The format of an exported model, and how well it agrees with the live model."""

    format: Format
    parity: Parity

    @property
    def runtime(self) -> dict[str, str]:
        """The package that served it, with its version."""
        return {self.format.runtime: version(self.format.runtime)}


@dataclass(frozen=True, eq=False)
class CardContent:
    """Everything that a model card reports.

    Attributes:
        candidate: the model that was exported.
        seeds: seed of each of its members.
        data: the data as it was split for this training.
        row: the leaderboard's row of its recipe.
        leaderboard: the leaderboard of the comparison.
        replicates: all finished replicates of its recipe.
        comparison: what the ledger keeps of the comparison.
        verification: the format, and the agreement with the live model.
    """

    candidate: Candidate
    seeds: tuple[int, ...]
    data: DataInfo
    row: Row
    leaderboard: Leaderboard
    replicates: tuple[Record, ...]
    comparison: ComparisonInfo
    verification: Verification

    @property
    def public_data(self) -> DataInfo:
        """The data without the folders of this machine, because a model is given away."""
        return make_public_data(self.data)


def make_recipe_json(content: CardContent) -> dict[str, Any]:
    """Return the content of ``recipe.json``: recipe, data, seeds, versions and the agreement with the live model."""
    candidate, row, verification = content.candidate, content.row, content.verification
    record, setup, preprocessor = candidate.record, candidate.setup, candidate.preprocessor
    specs, limits = make_input_specs(preprocessor), find_token_limits(candidate)
    values = {
        "format": verification.format.name,
        "file": verification.format.file,
        "runtime": verification.runtime,
        "recipe": record.run.recipe_text,
        "written": record.run.name,
        "backbone": setup.backbone,
        "optimizer": setup.optimizer,
        **({} if setup.loss is None else {"loss": setup.loss}),
        "batch_size": setup.batch_size,
        "learning_rate": record.run.learning_rate,
        **({} if setup.schedule is None else {"schedule": setup.schedule}),
        "epochs": record.epochs,
        "seed": record.run.seed,
        "member_seeds": content.seeds,
        "members": len(content.seeds),
        "rank_by": setup.rank_by,
        "metrics": record.metrics,
        "refit": None if candidate.refit is None else candidate.refit.to_json(),
        "rank": row.rank,
        "mean": row.mean,
        "interval": [row.low, row.high],
        "gain": [row.gain, row.gain_low, row.gain_high],
        "covers": str(read_coverage(content.leaderboard, content.comparison)),
        "data": _data_to_json(content.public_data),
        "labels": preprocessor.labels,
        "inputs": name_inputs(preprocessor),
        "dtypes": {name: spec.dtype.name for name, spec in specs.items()},
        "shapes": {name: list(spec.shape)[1:] for name, spec in specs.items()},
        **({"own_inputs": True} if preprocessor.inputs else {}),
        **({"tokens": {name: limit.to_json() for name, limit in limits.items()}} if limits else {}),
        "rules": [rule_to_json(rule) for rule in preprocessor.rules],
        **({"missing": list(MISSING)} if preprocessor.rules else {}),
        "versions": {name: version(name) for name in PACKAGES},
        "parity": verification.parity.to_json(),
    }
    json_values: dict[str, Any] = replace_nonfinite(values)
    return json_values


def _data_to_json(data: DataInfo) -> dict[str, Any]:
    """Return ``data`` as JSON values, without the keys that do not apply to it."""
    values = data.to_json()
    if data.rare is None:
        del values["rare"]
    return {**values, "split": {key: value for key, value in values["split"].items() if value is not None}}


def render_readme(content: CardContent) -> str:
    """Return the model card in Markdown."""
    candidate, row, verification = content.candidate, content.row, content.verification
    record, preprocessor, format = candidate.record, candidate.preprocessor, verification.format
    data = content.public_data
    coverage = read_coverage(content.leaderboard, content.comparison)
    template = _make_environment().get_template("README.md.jinja")
    return template.render(
        name=escape_markdown(content.comparison.name),
        own_rows=content.comparison.folds > 1 or "split" in content.comparison.vary,
        splits=_describe_splits(content),
        coverage=coverage,
        ranges=_describe_ranges(content),
        verdict=name_verdict(row.verdict, row.gain) or "undecided",
        data=data,
        noise=format_percent(data.label_noise, unit="%") if data.label_noise else "",
        source=escape_markdown(data.source),
        repairs=[escape_markdown(sentence) for sentence in data.repairs],
        warnings=[escape_markdown(sentence) for sentence in data.warnings],
        setup=candidate.setup,
        rate=_describe_schedule(candidate.setup, record.run.learning_rate),
        recipe=record.run.recipe_text,
        rivals=_count_rivals(content),
        number=record.run.number + 1,
        row=row,
        baseline=content.leaderboard.baseline,
        ranked=sum(row.rank is not None for row in content.leaderboard.recipes),
        task=preprocessor.task,
        title=f"{'An' if format.title[0] in 'AEIO' else 'A'} {format.title}",
        library=_LIBRARIES[format.name],
        pipeline=_PIPELINES.get((preprocessor.kind, preprocessor.task)),
        tags=_TAGS[format.name],
        versions={name: version(name) for name in PACKAGES},
        runtime=" ".join(*verification.runtime.items()),
        purpose=_describe_purpose(preprocessor, data.target),
        call=snippets.make_call(preprocessor, format),
        request=snippets.make_request(preprocessor) if format.is_saved_model else "",
        passes=next((str(r) for r in record.run.recipe if r.name == "mc_dropout"), None),
        inputs=snippets.describe_inputs(preprocessor),
        outputs=snippets.describe_outputs(preprocessor, record.run.recipe, format),
        takes_missing=bool(preprocessor.rules) or any(rule.encoder for rule in preprocessor.inputs),
        refit=candidate.refit,
        metrics=_format_metrics(content),
        mean=_format_interval(row.mean, row.low, row.high),
        gain=None if row.gain is None else _format_interval(row.gain, row.gain_low, row.gain_high),
        parity=verification.parity,
        batches=format_list([str(batch) for batch in verification.parity.batches]),
        difference=format_significant(verification.parity.largest_difference, 2),
    )


def _make_environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        finalize=lambda value: escape_control_characters(value) if isinstance(value, str) else value,
    )


def _describe_schedule(setup: TrainingSetup, start: float) -> str | None:
    """Return the schedule of the learning rate from ``start``; None if it stayed the same."""
    schedule = setup.parse_schedule()
    return None if schedule is None else schedule.format(format_strength(start))


def _describe_splits(content: CardContent) -> str:
    """Return how many splits of the rows outside the test part were measured: ``one split``, ``3 folds``."""
    if content.comparison.folds > 1:
        return format_count(content.comparison.folds, "fold")
    different = len({replicate.run.fold for replicate in content.replicates})
    return "one split" if different < 2 else format_count(different, "split")


def _count_rivals(content: CardContent) -> str:
    """Return how many replicates the exported one was the best of: of its search, where there were several."""
    if content.comparison.searches < 2:
        return str(content.row.replicates)
    search = content.candidate.record.run.search
    made = sum(replicate.run.search == search for replicate in content.replicates)
    return f"the {made} that the best search has" if made > 1 else "the best search, which has no other"


def _describe_ranges(content: CardContent) -> str:
    """Write in which the searches differ, and how far: ``dropout.rate 0.27 to 0.55 in 5 searches``."""
    leaderboard, name = content.leaderboard, content.row.name
    chosen = read_chosen_strengths(content.replicates, name, leaderboard.rank_by, leaderboard.direction)
    if chosen.searches < 2:
        return ""
    different = [key for key, (low, high) in chosen.spans.items() if key in chosen.values and low < high]
    return format_list([f"`{key}` {chosen.describe_range(key)}" for key in different])


def _describe_purpose(preprocessor: Preprocessor, target: str | None) -> str:
    """Return the model's purpose, to follow a ``To``."""
    name = None if target is None else format_code_span(target)
    return {
        "classification": f"predict {name or 'the label'}, one of {snippets.list_labels(preprocessor)}",
        "multilabel": f"predict which of {snippets.list_labels(preprocessor)} apply",
        "regression": f"predict {name or 'a number'}",
        "reconstruction": "reconstruct its inputs, and so to detect inputs that are unlike the training data",
    }[preprocessor.task]


def _format_metrics(content: CardContent) -> dict[str, dict[str, str]]:
    """Return the cells of the table of metrics, by metric."""
    metrics = content.candidate.record.metrics
    settings = PairSettings(test_train_ratio=content.comparison.test_train_ratio)
    table = {}
    for name in metrics["train"]:
        cells = {part: _format_number(metrics.get(part, {}).get(name)) for part in ("train", "validation", "test")}
        scores = [
            (r.run.search, score) for r in content.replicates if (score := r.metrics["test"].get(name)) is not None
        ]
        complete = scores and len(scores) == len(content.replicates)
        mean, low, high = _estimate_mean(scores, settings) if complete else (None, None, None)
        table[name] = {**cells, "mean": _format_interval(mean, *replace_nonfinite([low, high]))}
    return table


def _estimate_mean(scores: Sequence[tuple[int, float]], settings: PairSettings) -> tuple[float, float, float]:
    """Return the mean of ``scores``, each with the number of its search, and the ends of its 95 % interval.

    It is the mean of the means of the searches, as on the leaderboard, if there are several.
    """
    values, searches = np.array([score for _, score in scores]), [(str(search),) for search, _ in scores]
    if len(set(searches)) < 2:
        return float(values.mean()), *settings.interval(values)
    sample = arrange_by_search(values, searches, (0,))  # (searches, replicates)
    found = estimate_over_searches([sample], 1, settings.test_train_ratio)[0]
    return found.mean, found.low, found.high


def _format_interval(value: float | None, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return _format_number(value)
    return f"{_format_number(value)} ({_format_number(low)} to {_format_number(high)})"


def _format_number(value: float | None) -> str:
    return "-" if value is None else format_significant(value, 4)
