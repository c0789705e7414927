"""Config: a YAML file or keywords become an `Experiment`; every problem is said at once, with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from regzoo.config import values
from regzoo.config.yaml_source import Document, KeyPath, Nested, compose
from regzoo.core.backbone import Backbone
from regzoo.core.errors import ConfigError, ConfigProblem, did_you_mean
from regzoo.core.parsing import parse, read_backbone
from regzoo.core.ranges import Choice, Float
from regzoo.core.regularizer import Recipe
from regzoo.data.catalog import ARRAYS, BUNDLED, KERAS, ROLES, SEPARATORS, Target, list_columns
from regzoo.data.dataset import TASKS, TaskName
from regzoo.training.metrics import METRICS
from regzoo.training.setup import OPTIMIZERS

TUNERS = ("random", "grid", "bayesian", "hyperband")
PRUNERS = ("none", "median")
AUTO = "auto"
CLASS_WEIGHTS = ("none", "balanced")

_SUM_TOLERANCE = 1e-9

Share = Annotated[float, PlainValidator(values.number("(0, 1)"))]
Count = Annotated[int, PlainValidator(values.whole("[1, inf)"))]
EmptyText = Annotated[str | None, PlainValidator(values.optional(values.text))]
EmptyPath = Annotated[Path | None, PlainValidator(values.optional(values.path))]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


_FORMS = {
    "source": "{source: digits}",
    "csv": "{csv: path, target: column}",
    "parquet": "{parquet: path, target: column}",
    "npz": "{npz: path}",
    "images": "{images: folder}",
    "idx": "{idx: folder}",
    "keras": "{keras: fashion_mnist}",
}
_GOES_WITH = {
    "target": ("csv", "parquet"),
    "drop": ("csv", "parquet"),
    "separator": ("csv",),
    "encoding": ("csv",),
    "size": ("images",),
    "download": ("keras",),
}


class DataConfig(_Section):
    """Where the data comes from: one of ``source``, ``csv``, ``parquet``, ``npz``, ``images``, ``idx`` and ``keras``.

    ``target`` names the column of a table to predict, or lists columns that are several labels; ``drop`` names one or
    several that are left out. ``separator`` and ``encoding`` go with csv, for files that are not what they look like.
    ``group``, ``time``, ``part`` and ``weight``
    name columns of a table, or arrays of an archive, which are no inputs; ``validation`` and ``test`` are further files
    of the same kind that hold these parts. ``size`` is the height and width of images, ``download`` lets Keras's data
    be fetched.
    """

    source: Annotated[str | None, PlainValidator(values.optional(values.word(tuple(BUNDLED), unlisted=(ARRAYS,))))] = (
        None
    )
    csv: EmptyPath = None
    target: Annotated[Target, PlainValidator(values.optional(values.columns))] = None
    drop: Annotated[Target, PlainValidator(values.optional(values.columns))] = None
    npz: EmptyPath = None
    parquet: EmptyPath = None
    separator: Annotated[str | None, PlainValidator(values.optional(values.word(SEPARATORS)))] = None
    encoding: EmptyText = None
    images: EmptyPath = None
    size: Annotated[tuple[int, int] | None, PlainValidator(values.optional(values.size))] = None
    idx: EmptyPath = None
    keras: Annotated[str | None, PlainValidator(values.optional(values.word(tuple(KERAS))))] = None
    download: Annotated[bool, PlainValidator(values.flag)] = False
    validation: EmptyPath = None
    test: EmptyPath = None
    group: EmptyText = None
    time: EmptyText = None
    part: EmptyText = None
    weight: EmptyText = None

    def roles(self) -> dict[str, str]:
        """Names of columns or arrays by role: group, time, part, weight."""
        named = {role: getattr(self, role) for role in ROLES}
        return {role: name for role, name in named.items() if name is not None}

    def part_files(self) -> dict[str, Path]:
        """Files of their own for the validation and the test part."""
        files = {"validation": self.validation, "test": self.test}
        return {part: path for part, path in files.items() if path is not None}

    @model_validator(mode="after")
    def _one(self) -> DataConfig:
        given = [key for key in _FORMS if getattr(self, key) is not None]
        if len(given) != 1:
            received = " and ".join(given) or "none of them"
            raise ValueError(f"takes one of {', '.join(_FORMS.values())}, received {received}")
        for key, owners in _GOES_WITH.items():
            if given[0] not in owners and getattr(self, key) not in (None, False):
                raise ValueError(f"{key} goes with {' or '.join(owners)}, received it with {given[0]}; take it out")
        return self

    @model_validator(mode="after")
    def _rows(self) -> DataConfig:
        roles, parts = self.roles(), self.part_files()
        if self.csv is None and self.parquet is None and self.npz is None and (roles or parts):
            named = ", ".join((*parts, *roles))
            raise ValueError(f"{named} must go with csv, parquet or npz; name such a file, or take it out")
        several = {"target": self.target, "drop": self.drop}
        columns = [*roles.items(), *((key, column) for key, names in several.items() for column in list_columns(names))]
        for key, column in columns:
            twins = [other for other, name in columns if name == column and other != key]
            if twins:
                raise ValueError(f"{key} and {twins[0]} are both {column!r}; a column has one role")
        if self.part is not None and parts:
            raise ValueError(f"part and {' and '.join(parts)} both say which rows are which part; keep one of them")
        return self


class SplitConfig(_Section):
    """The shares of the three parts, folds, how many training rows to keep, the share of wrong training labels.

    ``folds``: 1 for one validation part, or k: all but the test part is cut into k, and replicate i validates on
    piece i mod k. ``duplicates``: ``together`` keeps equal rows in one part, ``anywhere`` leaves them to chance.
    """

    train: Share = 0.6
    validation: Share = 0.2
    test: Share = 0.2
    folds: Count = 1
    train_size: Annotated[int | None, PlainValidator(values.optional(values.whole("[2, inf)")))] = None
    label_noise: Annotated[float, PlainValidator(values.number("[0, 1)"))] = 0.0
    duplicates: Annotated[str, PlainValidator(values.word(("anywhere", "together")))] = "anywhere"

    @model_validator(mode="after")
    def _sum(self) -> SplitConfig:
        total = self.train + self.validation + self.test
        if abs(total - 1.0) > _SUM_TOLERANCE:
            parts = f"{self.train} + {self.validation} + {self.test} = {round(total, 12)}"
            raise ValueError(f"train + validation + test must be 1, received {parts}")
        return self


class TrainingConfig(_Section):
    """How every run is trained; ``sgd`` has momentum 0.9.

    ``class_weight: balanced`` lets each class count alike, however rare. ``jit_compile``: whether XLA compiles the
    training steps; it makes some models faster and others slower.
    """

    epochs: Count = 60
    batch_size: Count = 32
    optimizer: Annotated[str, PlainValidator(values.word(OPTIMIZERS))] = "adam"
    class_weight: Annotated[str, PlainValidator(values.word(CLASS_WEIGHTS))] = "none"
    jit_compile: Annotated[bool, PlainValidator(values.jit_compile)] = False
    learning_rate: Annotated[float | Float | Choice, PlainValidator(values.searchable("(0, inf)"))] = Float(3e-4, 1e-2)


class SearchConfig(_Section):
    """How strengths are looked for: the tuner, its trials for each recipe, and whether hopeless ones are cut short."""

    tuner: Annotated[str, PlainValidator(values.word(TUNERS))] = "random"
    trials: Count = 8
    pruner: Annotated[str, PlainValidator(values.word(PRUNERS))] = "none"


def _backbone(value: Any) -> str:
    if isinstance(value, Backbone):
        return str(value)
    return str(read_backbone(values.text(value)))


class Experiment(_Section):
    """A comparison, with everything decided that can be decided before the data is seen.

    ``backbone`` and ``recipes`` are in their normal form, the one in which reports show them.

    >>> from_keywords(backbone="mlp", recipes=["dropout( rate = .5 )"]).recipes
    ('none', 'dropout(0.5)')
    """

    name: Annotated[str, PlainValidator(values.folder)] = Field(description="a folder name such as digits")
    task: Annotated[TaskName | None, PlainValidator(values.optional(values.word(TASKS)))] = None
    data: DataConfig = Field(description="where it comes from, such as {source: digits}")
    split: SplitConfig = SplitConfig()
    backbone: Annotated[str, PlainValidator(_backbone)] = Field(description="a model such as mlp(widths=[64, 64])")
    recipes: Annotated[tuple[str, ...], PlainValidator(values.recipes)] = Field(
        description="a list such as [none, dropout, l2]"
    )
    training: TrainingConfig = TrainingConfig()
    search: SearchConfig = SearchConfig()
    replicates: Annotated[int | Literal["auto"], PlainValidator(values.whole_or("[2, inf)", AUTO))] = 5
    rope: Annotated[float | None, PlainValidator(values.optional(values.number("(0, inf)")))] = None
    placebo: Annotated[int, PlainValidator(values.whole("[0, 10]"))] = 0
    budget: Annotated[float | None, PlainValidator(values.optional(values.duration))] = None
    run_limit: Annotated[float, PlainValidator(values.duration)] = 3600.0
    rank_by: Annotated[
        str | None, PlainValidator(values.optional(values.word(tuple(dict.fromkeys(sum(METRICS.values(), ()))))))
    ] = None
    seed: Annotated[int, PlainValidator(values.whole("[0, inf)"))] = 0

    @field_validator("data")
    @classmethod
    def _predicted(cls, data: DataConfig, others: ValidationInfo) -> DataConfig:
        kind = "csv" if data.csv is not None else "parquet"
        if getattr(data, kind) is not None and data.target is None and others.data.get("task") != "reconstruction":
            form = f"{{{kind}: path, target: column}}"
            raise ValueError(
                f"{kind} needs the column to predict: {form}, received no target (or task: reconstruction)"
            )
        return data

    @field_validator("replicates")
    @classmethod
    def _countable(cls, replicates: int | str, others: ValidationInfo) -> int | str:
        split = others.data.get("split")
        if replicates == AUTO and split is not None and split.folds > 1:
            raise ValueError(f"auto does not go with split.folds: {split.folds}, whose cuts are counted; give a number")
        return replicates

    def built_recipes(self) -> tuple[Recipe, ...]:
        """The recipes that the texts in ``recipes`` describe, in order; the baseline is one of them."""
        return tuple(parse(text) for text in self.recipes)

    def to_yaml(self) -> str:
        """Everything written out, paths absolute; `read_config` gives an equal experiment back."""
        written = {key: dict(value) if isinstance(value, _Section) else value for key, value in self}
        given = {key: value for key, value in self.data if value not in (None, False)}
        written["data"] = {key: str(value) if isinstance(value, Path) else value for key, value in given.items()}
        written["recipes"] = list(self.recipes)
        rate = self.training.learning_rate
        written["training"]["learning_rate"] = rate if isinstance(rate, float) else str(rate)
        return yaml.safe_dump(written, sort_keys=False, allow_unicode=True, width=110)


def load_config(path: str | Path) -> Experiment:
    """Read the config file at ``path``.

    Raises:
        ConfigError: with every problem, also when there is no such file or it is no UTF-8 text.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig") if path.is_file() else None
    except UnicodeDecodeError as error:
        line, before = error.object[: error.start].count(b"\n") + 1, error.object.rfind(b"\n", 0, error.start)
        said = f"not UTF-8 text: byte 0x{error.object[error.start]:02x}; save the file as UTF-8"
        raise ConfigError(str(path), [ConfigProblem(line, error.start - before, said)]) from None
    except OSError as error:
        raise ConfigError(str(path), [ConfigProblem(0, 0, f"cannot be read: {error.strerror}")]) from None
    if text is None:
        raise ConfigError(str(path), [ConfigProblem(0, 0, _no_file(path))])
    return read_config(text, str(path))


def read_config(text: str, file: str = "config.yaml") -> Experiment:
    """Read a config; relative paths in it are relative to the folder of ``file``.

    Raises:
        ConfigError: with every problem, one line each: ``file:line:column: key: what``.
    """
    document = compose(text, file, sections=Experiment.model_fields)
    return _validated(document, file, Path(file).absolute().parent)


def from_keywords(**keywords: Any) -> Experiment:
    """The same from Python: every key of the config is a keyword of the same shape.

    Backbones and recipes may be objects as well as text. Without ``data``, arrays are handed over elsewhere;
    without ``name``, the comparison is called ``comparison``.

    Raises:
        ConfigError: with every problem, one line each: ``key: what``.
    """
    given = {"name": "comparison", "data": {"source": ARRAYS}, **keywords}
    return _validated(Document(values=given), "", Path.cwd())


def _no_file(path: Path) -> str:
    if path.exists():
        return "is a folder, not a config file" if path.is_dir() else "is not a file"
    beside = [other.name for other in path.parent.glob("*.yaml")] if path.parent.is_dir() else []
    return f"there is no such file.{did_you_mean(path.name, beside)}" if beside else "there is no such file"


def _validated(document: Document, file: str, base: Path) -> Experiment:
    problems = list(document.problems)
    try:
        experiment = Experiment.model_validate(document.values, context={"base": base})
        if not problems:
            return experiment
    except ValidationError as error:
        new = [
            detail for detail in error.errors() if not (isinstance(detail["input"], Nested) and detail["input"].known)
        ]
        problems += [_problem(detail, document, with_place=bool(file)) for detail in new]
    raise ConfigError(file, problems)


def _problem(detail: ErrorDetails, document: Document, with_place: bool) -> ConfigProblem:
    path, kind = detail["loc"], detail["type"]
    key = f"{path[0]}[{path[1]}]" if len(path) == 2 and isinstance(path[1], int) else ".".join(map(str, path))
    line, column = document.place(path, of_key=kind == "extra_forbidden") if with_place else (0, 0)
    return ConfigProblem(line, column, f"{key}: {_said(detail, path)}")


def _said(detail: ErrorDetails, path: KeyPath) -> str:
    kind, word = detail["type"], str(path[-1])
    section = Experiment.model_fields[str(path[0])].annotation if len(path) == 2 else Experiment
    known = section.model_fields if isinstance(section, type) and issubclass(section, BaseModel) else {}
    if kind in ("extra_forbidden", "invalid_key"):
        return f"there is no such key.{did_you_mean(word, known)}"
    if kind == "missing":
        return f"is missing; give {known[word].description}"
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    inner = Experiment.model_fields[word].annotation
    keys = ", ".join(inner.model_fields) if isinstance(inner, type) and issubclass(inner, BaseModel) else word
    return f"takes keys and values ({keys}), received {values.received(detail['input'])}"
