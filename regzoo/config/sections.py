"""The sections ``data``, ``split`` and ``search`` of a config, with their keys and defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, field_validator, model_validator

from regzoo.config import values
from regzoo.config.feature_values import accept_categorical_features
from regzoo.config.rare_values import accept_rare
from regzoo.config.reading_values import accept_words
from regzoo.core.categorical_features import Groups, read_categorical_features
from regzoo.data.catalog import ARRAYS, BUNDLED, KERAS, ROLES, SEPARATORS, Target, list_columns
from regzoo.data.input_form import FORMS, InputForm, InputForms
from regzoo.data.rare_classes import RareClasses
from regzoo.data.reading.reading import DATE_ORDERS, DECIMALS, THOUSANDS, DateOrder, ReadingKeys
from regzoo.training.own_model.own_model import WEIGHTS, Weights

TUNERS = ("random", "latin_hypercube", "grid", "bayesian", "hyperband")
PRUNERS = ("none", "median")
STANDARDIZE: Literal["standardize"] = "standardize"
SCALES = ("none", STANDARDIZE)

_SUM_TOLERANCE = 1e-9
_SOURCES = {
    "source": "{source: digits}",
    "csv": "{csv: path, target: column}",
    "parquet": "{parquet: path, target: column}",
    "npz": "{npz: path}",
    "images": "{images: folder}",
    "idx": "{idx: folder}",
    "keras": "{keras: fashion_mnist}",
}
OF_TEXT = ("decimal", "thousands", "dates", "missing")
"""Keys about how cells of text are read."""

_ALLOWED_WITH = {
    "target": ("csv", "parquet"),
    "drop": ("csv", "parquet"),
    "separator": ("csv",),
    "encoding": ("csv",),
    "size": ("images",),
    "download": ("keras",),
    **dict.fromkeys(("kind", "max_tokens", "sequence_length"), ("csv", "parquet", "npz", ARRAYS)),
    **dict.fromkeys(OF_TEXT, ("csv", "parquet", ARRAYS)),
}

Share = Annotated[float, PlainValidator(values.accept_number("(0, 1)"))]
Count = Annotated[int, PlainValidator(values.accept_integer("[1, inf)"))]
OptionalText = Annotated[str | None, PlainValidator(values.optional(values.accept_text))]
OptionalPath = Annotated[Path | None, PlainValidator(values.optional(values.accept_path))]
OptionalColumns = Annotated[Target, PlainValidator(values.optional(values.accept_columns))]


class Section(BaseModel):
    """A frozen group of keys; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class DataConfig(Section):
    """Source of the data: one of ``source``, ``csv``, ``parquet``, ``npz``, ``images``, ``idx`` and ``keras``.

    ``target`` names the column of a table to predict, or lists columns that are several labels; ``drop`` names one or
    several columns to leave out. ``separator`` and ``encoding`` describe a CSV file where they cannot be guessed.
    ``decimal``, ``thousands``, ``dates`` (``day first``, ``month first`` or ``year first``) and ``missing`` (further
    words for a missing value) say how text is read where its cells leave it open.
    ``group``, ``time``, ``part`` and ``weight`` name columns of a table, or arrays of an archive, that are no inputs;
    ``validation`` and ``test`` are further files of the same kind that hold these parts. ``size`` is the height and
    width of images. ``download`` permits fetching the data sets of Keras. ``scale: none`` hands over inputs and numeric
    targets as they are, for a model that prepares its own inputs; by default (``standardize``) numbers are
    standardized. ``categorical_features`` names columns of an array, counted from 0, that are booleans or one-hot
    encoded categories: ``3..5, 6`` is a category of three columns and a boolean. They are not standardized, and
    regularizers of the batch change a category as a whole. A table's own words and booleans need no mention.
    ``kind`` says what the inputs are where their shape does not tell, see `InputForm`: ``rows``, ``images``,
    ``sequences``, ``tokens`` or ``text``. For text, ``max_tokens`` limits the vocabulary, and ``sequence_length`` the
    words that are read of each text. ``rare`` drops classes with few rows, or merges them into one, see `RareClasses`:
    ``{below: 5, do: drop}``.
    """

    source: Annotated[
        str | None, PlainValidator(values.optional(values.accept_word(tuple(BUNDLED), unlisted=(ARRAYS,))))
    ] = None
    csv: OptionalPath = None
    target: OptionalColumns = None
    drop: OptionalColumns = None
    npz: OptionalPath = None
    parquet: OptionalPath = None
    separator: Annotated[str | None, PlainValidator(values.optional(values.accept_word(SEPARATORS)))] = None
    encoding: OptionalText = None
    decimal: Annotated[str | None, PlainValidator(values.optional(values.accept_word(DECIMALS)))] = None
    thousands: Annotated[str | None, PlainValidator(values.optional(values.accept_word(THOUSANDS)))] = None
    dates: Annotated[DateOrder | None, PlainValidator(values.optional(values.accept_word(DATE_ORDERS)))] = None
    missing: Annotated[tuple[str, ...], PlainValidator(accept_words)] = ()
    images: OptionalPath = None
    size: Annotated[tuple[int, int] | None, PlainValidator(values.optional(values.accept_size))] = None
    idx: OptionalPath = None
    keras: Annotated[str | None, PlainValidator(values.optional(values.accept_word(tuple(KERAS))))] = None
    download: Annotated[bool, PlainValidator(values.accept_flag)] = False
    validation: OptionalPath = None
    test: OptionalPath = None
    group: OptionalText = None
    time: OptionalText = None
    part: OptionalText = None
    weight: OptionalText = None
    scale: Annotated[Literal["none", "standardize"], PlainValidator(values.accept_word(SCALES))] = STANDARDIZE
    categorical_features: Annotated[str | None, PlainValidator(values.optional(accept_categorical_features))] = None
    rare: Annotated[RareClasses | None, PlainValidator(values.optional(accept_rare))] = None
    kind: Annotated[InputForms | None, PlainValidator(values.optional(values.accept_word(FORMS)))] = None
    max_tokens: Annotated[
        int | None, PlainValidator(values.optional(values.accept_integer("[3, inf)", largest=10**7)))
    ] = None
    sequence_length: Annotated[
        int | None, PlainValidator(values.optional(values.accept_integer("[1, inf)", largest=10**6)))
    ] = None

    @property
    def categories(self) -> Groups:
        """The columns of each category among the ``categorical_features``."""
        return read_categorical_features(self.categorical_features)

    @property
    def form(self) -> InputForm:
        """Kind of the inputs and the limits of text, as far as the config says it."""
        keys = ReadingKeys(self.decimal, self.thousands, self.dates, self.missing)
        return InputForm(self.kind, self.max_tokens, self.sequence_length, keys)

    def roles(self) -> dict[str, str]:
        """Return the names of columns or arrays by role: group, time, part, weight."""
        named = {role: getattr(self, role) for role in ROLES}
        return {role: name for role, name in named.items() if name is not None}

    def part_files(self) -> dict[str, Path]:
        """Return the separate files of the validation and the test part."""
        files = {"validation": self.validation, "test": self.test}
        return {part: path for part, path in files.items() if path is not None}

    @model_validator(mode="after")
    def _require_one_source(self) -> DataConfig:
        given = [key for key in _SOURCES if getattr(self, key) is not None]
        if len(given) != 1:
            received = " and ".join(given) or "none of them"
            raise ValueError(f"takes one of {', '.join(_SOURCES.values())}, received {received}")
        source = ARRAYS if self.source == ARRAYS else given[0]
        for key, sources in _ALLOWED_WITH.items():
            if source not in sources and getattr(self, key) not in (None, False, ()):
                named = " or ".join(each for each in sources if each != ARRAYS)
                raise ValueError(f"{key} goes with {named}, received it with {source}; take it out")
        if self.decimal is not None and self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}; a mark means one of them")
        return self

    @model_validator(mode="after")
    def _require_one_role_per_column(self) -> DataConfig:
        roles, files = self.roles(), self.part_files()
        if self.csv is None and self.parquet is None and self.npz is None and (roles or files):
            named = ", ".join((*files, *roles))
            raise ValueError(f"{named} must go with csv, parquet or npz; name such a file, or take it out")
        lists = {"target": self.target, "drop": self.drop}
        columns = [*roles.items(), *((key, column) for key, names in lists.items() for column in list_columns(names))]
        for key, column in columns:
            twins = [other for other, name in columns if name == column and other != key]
            if twins:
                raise ValueError(f"{key} and {twins[0]} are both {column!r}; a column has one role")
        if self.part is not None and files:
            raise ValueError(f"part and {' and '.join(files)} both say which rows are which part; keep one of them")
        return self


class BackboneConfig(Section):
    """The user's own Keras model in place of a named backbone: a ``file``, or a ``function`` that builds one.

    ``file`` is a ``.keras`` file. ``function`` is ``models.py:build``; ``build(input_shape, outputs)`` returns a Keras
    model. ``weights``: ``fresh`` draws the initial weights of every run by the layers' own initializers, ``keep``
    starts every run from the weights of the model. ``expand_nested``: whether regularizers also act on activations
    inside the models among its layers.

    Attributes:
        given: the model or the function itself, from Python.
    """

    file: OptionalPath = None
    function: Annotated[str | None, PlainValidator(values.optional(values.accept_function))] = None
    weights: Annotated[Weights, PlainValidator(values.accept_word(WEIGHTS))] = "fresh"
    expand_nested: Annotated[bool, PlainValidator(values.accept_flag)] = False
    given: Any = Field(default=None, exclude=True, repr=False)

    def to_plain(self, kept: str) -> dict[str, str | bool]:
        """Return the keys that are given; a file called ``kept`` lies next to the config."""
        file = {} if self.file is None else {"file": kept if self.file.name == kept else str(self.file)}
        function = {} if self.function is None else {"function": self.function}
        nested = {"expand_nested": True} if self.expand_nested else {}
        return {**file, **function, "weights": self.weights, **nested}

    @model_validator(mode="after")
    def _require_one_source(self) -> BackboneConfig:
        named = {"file": self.file, "function": self.function, "model": self.given}
        given = [key for key, value in named.items() if value is not None]
        if len(given) != 1:
            forms = "{file: my_model.keras} or {function: models.py:build}"
            raise ValueError(f"takes {forms}, received {' and '.join(given) or 'neither'}")
        return self


class SplitConfig(Section):
    """Split of the rows: shares of the parts, folds, number of training rows, share of wrong training labels.

    ``folds``: 1 for a single validation part; with k folds, all rows outside the test part are divided into k, and
    replicate i validates on fold i mod k. ``split`` in ``vary`` draws new training and validation rows for each
    replicate where ``folds`` is 1; more folds vary anyway. ``duplicates``: ``together`` keeps equal rows in one part,
    ``anywhere`` leaves them to chance.
    """

    train: Share = 0.6
    validation: Share = 0.2
    test: Share = 0.2
    folds: Count = 1
    train_size: Annotated[
        int | None, PlainValidator(values.optional(values.accept_integer("[2, inf)", largest=10**12)))
    ] = None
    label_noise: Annotated[float, PlainValidator(values.accept_number("[0, 1)"))] = 0.0
    duplicates: Annotated[str, PlainValidator(values.accept_word(("anywhere", "together")))] = "anywhere"

    @model_validator(mode="after")
    def _require_sum_of_one(self) -> SplitConfig:
        total = self.train + self.validation + self.test
        if abs(total - 1.0) > _SUM_TOLERANCE:
            shares = f"{self.train} + {self.validation} + {self.test} = {round(total, 12)}"
            raise ValueError(f"train + validation + test must be 1, received {shares}")
        return self


class SearchConfig(Section):
    """Search for strengths: the tuner, its trials for each recipe, and whether hopeless trials stop early.

    ``repeats``: independent searches for each recipe, among which its replicates are shared out. ``confirm``: number
    of the best trials of each search that are run again on a fresh seed before one is chosen; 0 chooses the best trial
    as it is. ``seed``: seed of the searches, apart from that of everything else.

    The defaults are those of an experiment that varies the search, see `Experiment.vary`; they were chosen by
    simulation, see `regzoo/ARCHITECTURE.md`. Where the search is not varied, they are `ONE_SEARCH`.
    """

    tuner: Annotated[str, PlainValidator(values.accept_word(TUNERS))] = "latin_hypercube"
    trials: Annotated[int, PlainValidator(values.accept_integer("[1, inf)", largest=values.MOST_RUNS))] = 5
    pruner: Annotated[str, PlainValidator(values.accept_word(PRUNERS))] = "none"
    repeats: Annotated[int, PlainValidator(values.accept_integer("[1, inf)", largest=values.MOST_SEARCHES))] = 5
    confirm: Annotated[int, PlainValidator(values.accept_integer("[0, inf)", largest=values.MOST_RUNS))] = 2
    seed: Annotated[int, PlainValidator(values.accept_integer("[0, inf)", largest=10**100))] = 0

    @field_validator("confirm")
    @classmethod
    def _require_a_choice(cls, confirm: int) -> int:
        if confirm == 1:
            raise ValueError("takes 2 or more, among which one is chosen, or 0 for none; received 1")
        return confirm


ONE_SEARCH: dict[str, Any] = {"tuner": "random", "trials": 8, "repeats": 1, "confirm": 0}
"""Defaults of `SearchConfig` where the search is not varied."""
