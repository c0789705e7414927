"""`Experiment`: a config with all its sections, validated and frozen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, PlainValidator, PrivateAttr, ValidationInfo, field_validator

from regzoo.config import values
from regzoo.config.sections import (
    ONE_SEARCH,
    STANDARDIZE,
    BackboneConfig,
    DataConfig,
    SearchConfig,
    Section,
    SplitConfig,
)
from regzoo.config.training import TrainingConfig
from regzoo.config.yaml_source import Scalar
from regzoo.core.backbone import Backbone
from regzoo.core.older_ranges import with_older_ranges
from regzoo.core.parsing import parse, read_backbone
from regzoo.core.regularizer import Recipe
from regzoo.data.dataset import TASKS, TaskName
from regzoo.training.metrics import METRICS
from regzoo.training.optimizer_names import COMPILED
from regzoo.training.own_model.own_model import KEPT_MODEL as KEPT_MODEL
from regzoo.training.own_model.own_model import KEPT_SOURCE as KEPT_SOURCE

AUTO = "auto"

Varied = Literal["seed", "split", "search"]
"""What may be drawn again for each replicate."""

VARIED: tuple[Varied, ...] = ("seed", "split", "search")
"""The same, in the order in which a config lists it."""

_METRIC_NAMES = tuple(dict.fromkeys(name for names in METRICS.values() for name in names))


def _accept_backbone(value: Any, info: ValidationInfo) -> str | BackboneConfig:
    if isinstance(value, BackboneConfig):
        return value
    if isinstance(value, dict):
        return BackboneConfig.model_validate(value, context=info.context)
    if isinstance(value, Backbone):
        return str(value)
    if callable(value):  # a Keras model, or a function that builds one
        return BackboneConfig(given=value)
    text = str(value) if isinstance(value, Path) else values.accept_text(value)
    _reject_file(text.strip())
    return str(read_backbone(text))


def _reject_file(text: str) -> None:
    """Reject a file, or a function in one, that is written as a named backbone is."""
    if text.endswith(".keras"):
        raise ValueError(f"{text} is a file: write {{file: {text}}}")
    file, colon, _ = text.rpartition(":") if not text.endswith(".py") else (text, "", "")
    if file.endswith(".py"):
        function = text if colon else f"{text}:build"
        what = "a function in a file" if colon else "a file, whose function builds the model"
        raise ValueError(f"{text} is {what}: write {{function: {function}}}")


def _accept_vary(value: Any) -> tuple[Varied, ...]:
    form = "takes a list of seed and any of split and search, each once, such as [seed, search]"
    items = value if isinstance(value, list | tuple) else [value]
    if items is not value and not isinstance(value.value if isinstance(value, Scalar) else value, str):
        raise ValueError(f"{form}, received {values.describe_received(value)}")
    given = [values.accept_word(VARIED)(item) for item in items]
    if "seed" not in given or len(set(given)) < len(given):
        raise ValueError(f"{form}, received [{', '.join(given)}]")
    return tuple(name for name in VARIED if name in given)


class Experiment(Section):
    """A comparison, with everything decided that can be decided before the data is read.

    ``backbone`` and ``recipes`` are in normal form, as reports show them. ``vary`` names what is drawn again for each
    replicate: the ``seed`` of its training, the ``search`` that chose its strengths, and the ``split`` of the rows
    outside the test part into training and validation rows. An interval covers what is varied, nothing else.

    >>> from regzoo.config import from_keywords
    >>> from_keywords(backbone="mlp", recipes=["dropout( rate = .5 )"]).recipes
    ('none', 'dropout(0.5)')
    """

    name: Annotated[str, PlainValidator(values.accept_folder_name)] = Field(description="a folder name such as digits")
    task: Annotated[TaskName | None, PlainValidator(values.optional(values.accept_word(TASKS)))] = None
    data: DataConfig = Field(description="where it comes from, such as {source: digits}")
    split: SplitConfig = SplitConfig()
    backbone: Annotated[str | BackboneConfig, PlainValidator(_accept_backbone)] = Field(
        description="a model such as mlp(widths=[64, 64]), or your own: {file: my_model.keras}"
    )
    recipes: Annotated[tuple[str, ...], PlainValidator(values.accept_recipes)] = Field(
        description="a list such as [none, dropout, l2]"
    )
    training: TrainingConfig = TrainingConfig()
    vary: Annotated[tuple[Varied, ...], PlainValidator(_accept_vary)] = ("seed", "search")
    search: Annotated[SearchConfig, Field(validate_default=True)] = SearchConfig()
    replicates: Annotated[
        int | Literal["auto"], PlainValidator(values.accept_integer_or("[2, inf)", AUTO, values.MOST_RUNS))
    ] = 5
    rope: Annotated[float | None, PlainValidator(values.optional(values.accept_number("(0, inf)")))] = None
    placebo: Annotated[int, PlainValidator(values.accept_integer("[0, 10]"))] = 0
    budget: Annotated[float | None, PlainValidator(values.optional(values.accept_duration))] = None
    run_limit: Annotated[float, PlainValidator(values.accept_duration)] = 3600.0
    rank_by: Annotated[str | None, PlainValidator(values.optional(values.accept_word(_METRIC_NAMES)))] = None
    seed: Annotated[int, PlainValidator(values.accept_integer("[0, inf)", largest=10**100))] = 0

    _older_ranges: bool = PrivateAttr(default=False)

    @field_validator("data")
    @classmethod
    def _require_target(cls, data: DataConfig, others: ValidationInfo) -> DataConfig:
        kind = "csv" if data.csv is not None else "parquet"
        if getattr(data, kind) is not None and data.target is None and others.data.get("task") != "reconstruction":
            form = f"{{{kind}: path, target: column}}"
            raise ValueError(
                f"{kind} needs the column to predict: {form}, received no target (or task: reconstruction)"
            )
        return data

    @field_validator("training")
    @classmethod
    def _require_own_model(cls, training: TrainingConfig, others: ValidationInfo) -> TrainingConfig:
        backbone = others.data.get("backbone")
        for key in ("optimizer", "loss"):
            if getattr(training, key) == COMPILED and isinstance(backbone, str):
                raise ValueError(
                    f"{key}: {COMPILED} is what a model of your own was compiled with, and {backbone} is none; name "
                    f"the {key}, or leave it out"
                )
        return training

    @field_validator("search")
    @classmethod
    def _resolve_search(cls, search: SearchConfig, others: ValidationInfo) -> SearchConfig:
        return _resolve_search(search, others.data.get("vary", ()))

    @field_validator("replicates")
    @classmethod
    def _require_number_with_folds(cls, replicates: int | str, others: ValidationInfo) -> int | str:
        split = others.data.get("split")
        if replicates == AUTO and split is not None and split.folds > 1:
            raise ValueError(f"auto does not go with split.folds: {split.folds}, whose folds take turns; give a number")
        if replicates == AUTO and "split" in others.data.get("vary", ()):
            raise ValueError(
                "auto does not go with split in vary: the splits overlap, so more of them hardly narrow an interval; "
                "give a number"
            )
        return replicates

    def parse_recipes(self) -> tuple[Recipe, ...]:
        """Return the recipes that the texts in ``recipes`` describe, in order; one of them is the baseline."""
        recipes = tuple(parse(text) for text in self.recipes)
        return tuple(map(with_older_ranges, recipes)) if self.older_ranges else recipes

    @property
    def older_ranges(self) -> bool:
        """True if strengths without a range are searched as in earlier versions, which began this comparison."""
        return self._older_ranges

    def with_older_ranges(self, older: bool = True) -> Experiment:
        """Return the experiment with the ranges of earlier versions; see `regzoo.core.older_ranges`."""
        changed = self.model_copy()
        changed._older_ranges = older
        return changed

    def as_of_older_version(self) -> Experiment:
        """Return the experiment as versions before ``vary`` understood it, unless it says itself what varies."""
        if "vary" in self.model_fields_set or self.search.model_fields_set & {"repeats", "confirm", "seed"}:
            return self
        alone = ("seed",)
        return self.model_copy(update={"vary": alone, "search": _resolve_search(self.search, alone)})

    def with_kept_model(self, folder: Path) -> Experiment:
        """Return the experiment about the copy of the user's own model in ``folder``; itself if it has none."""
        if isinstance(self.backbone, str):
            return self
        kept = {"file": folder.absolute() / KEPT_MODEL, "function": None, "given": None}
        return self.model_copy(update={"backbone": self.backbone.model_copy(update=kept)})

    def to_yaml(self) -> str:
        """Return YAML with every key (of ``data``, those that are not at their default) and with absolute paths.

        `read_config` returns an equal experiment. The user's own model is written as in the comparison's folder, next
        to the config.
        """
        plain = {key: dict(value) if isinstance(value, Section) else value for key, value in self}
        given = {key: value for key, value in self.data if value not in (None, False, (), STANDARDIZE)}
        plain["data"] = {key: _to_plain(value) for key, value in given.items()}
        if self.data.rare is not None:
            plain["data"]["rare"] = self.data.rare.to_plain()
        plain |= {"recipes": list(self.recipes), "vary": list(self.vary)}
        if isinstance(self.backbone, BackboneConfig):
            plain["backbone"] = self.backbone.to_plain(KEPT_MODEL)
        rate = self.training.learning_rate
        plain["training"]["learning_rate"] = rate if isinstance(rate, float) else str(rate)
        return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=110)


def _to_plain(value: Any) -> Any:
    """Return a value of ``data`` as YAML writes it."""
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _resolve_search(search: SearchConfig, vary: Sequence[str]) -> SearchConfig:
    """Return ``search`` with the defaults of a single search where it is not varied."""
    if "search" in vary:
        return search
    if "repeats" in search.model_fields_set and search.repeats > 1:
        raise ValueError(
            f"repeats: {search.repeats} searches go with search in vary; add it there, or leave repeats out"
        )
    given = {key: value for key, value in search if key in search.model_fields_set}
    return type(search).model_construct(search.model_fields_set, **(dict(search) | ONE_SEARCH | given))
