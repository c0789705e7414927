"""`Run`, one training to make, and `Record`, its result. Frozen, printable and JSON; no TensorFlow."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from regzoo.core import Recipe, Regularizer, parse
from regzoo.core.json_values import replace_nonfinite
from regzoo.core.registry import list_registered_classes
from regzoo.core.seeds import derive

MOST_ATTEMPTS = 10
"""Earlier attempts at a run that its record lists."""

LONGEST_ERROR = 4_000
"""Characters of an error that a record keeps."""

Stage = Literal["trial", "confirmation", "replicate", "member"]

PartMetrics = dict[str, dict[str, float | None]]
"""``{"validation": {"nll": 0.1, ...}, "train": {...}, "test": {...}}``; None where a number is not finite."""

PartCurves = dict[str, dict[str, list[float | None]]]
"""As `PartMetrics`, with a list of one number per epoch."""


@dataclass(frozen=True)
class Run:
    """One training, with all strengths fixed.

    Attributes:
        stage: a ``trial`` of a search, a ``confirmation`` of one of its best trials with a new seed, a ``replicate`` of
            what it chose with a new seed, or a ``member`` of an ensemble.
        name: the recipe as the config writes it: ``dropout + l2``.
        recipe_text: the recipe with numbers: ``dropout(0.31) + l2(0.0002)``. It is parsed when `recipe` is first
            used, because a ledger may hold recipes of regularizers that are unknown here.
        number: position among the trials or confirmations of a search, or among the replicates of the recipe, from 0.
        seed: every random stream of the run is derived from it.
        learning_rate: the optimizer's learning rate.
        epochs: largest number of epochs.
        setup: digest of the `TrainingSetup` that all runs of a comparison share.
        bar: the best validation score that a pruner requires after each epoch; empty without a pruner.
        fold: number of the split into training and validation rows, from 0; with k folds, number i is fold i mod k of
            repetition i // k; see `regzoo.comparison.folds.choose_fold`.
        search: number of the recipe's search, from 0; for a replicate, the search that chose its strengths.
    """

    stage: Stage
    name: str
    recipe_text: str
    number: int
    seed: int
    learning_rate: float
    epochs: int
    setup: str
    bar: tuple[float, ...] = ()
    fold: int = 0
    search: int = 0

    @property
    def recipe(self) -> Recipe:
        """The recipe with numbers; equal texts are parsed once.

        Raises:
            InputError: if a regularizer is unknown here: registered in another script, or by another version.
        """
        return _read_recipe(self.recipe_text, list_registered_classes())

    @property
    def identity(self) -> dict[str, Any]:
        """The values that make two runs the same, as JSON: the same identity means the same result.

        The keys are listed here, not taken from the fields, and a key that was added later is included only where it
        differs from its default. So a new key retrains nothing, and ledgers written before it can be resumed.
        """
        added_later = {"bar": self.bar, "fold": self.fold, "search": self.search}
        return {
            "stage": self.stage,
            "name": self.name,
            "recipe": self.recipe_text,
            "number": self.number,
            "seed": self.seed,
            "learning_rate": self.learning_rate,
            "epochs": self.epochs,
            "study": self.setup,  # the key of format 1
            **{name: value for name, value in added_later.items() if value},
        }

    @property
    def key(self) -> str:
        """Hash of `identity`."""
        return _digest(self.identity)

    @property
    def training_key(self) -> str:
        """Hash of the training itself; runs for which it is equal differ in name only and share the weights."""
        values = (self.recipe_text, self.seed, self.learning_rate, self.epochs, self.setup, self.bar)
        return _digest({"training": (*values, self.fold) if self.fold else values})

    def to_json(self) -> dict[str, Any]:
        """Return JSON values that `from_json` reads."""
        return {**self.identity, "bar": self.bar, "fold": self.fold}

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Run:
        """Read what `to_json` returned, of this version or an older one."""
        given = dict(values)
        given |= {"recipe_text": given.pop("recipe"), "setup": given.pop("study"), "bar": tuple(given.get("bar", ()))}
        return Run(**given)


def list_members(run: Run) -> list[Run]:
    """Return the members that ``run`` combines, as runs of their own; ``run`` itself if it trains one model.

    The first member has the run's own seed, so it equals a run of the recipe without its `AfterTraining` regularizers.
    """
    recipe = run.recipe
    trained = recipe.without_post_training()
    if trained == recipe:
        return [run]
    first = replace(run, stage="member", name=str(trained), recipe_text=str(trained), number=0, search=0)
    return [replace(first, seed=derive_member_seed(run.seed, member)) for member in range(recipe.n_models())]


def derive_member_seed(seed: int, member: int) -> int:
    """Return the seed of a member; the first has the run's own."""
    return seed if member == 0 else derive(seed, "member", member)


@functools.lru_cache(maxsize=2**16)
def _read_recipe(text: str, _classes: tuple[type[Regularizer], ...]) -> Recipe:
    """Parse ``text``; again if the user has registered other classes since."""
    return parse(text)


@dataclass(frozen=True)
class Record:
    """The result of a run.

    Attributes:
        run: the run.
        status: ``ok``, ``diverged`` (a metric or weight became NaN or infinite), ``failed`` (an exception) or
            ``pruned`` (a trial that was stopped because it was far behind the others of its recipe).
        metrics: metrics of the finished model, without penalties and with hard labels; ``test`` only for replicates.
        history: the same after each epoch, on ``train`` and ``validation``.
        epochs: epochs trained.
        best_epoch: the epoch, from 1, after which the ranking metric on validation was best.
        steps: optimizer steps, all members together.
        fit_seconds: wall time of the training, without tracing.
        measure_seconds: wall time of evaluating the finished model on all rows of each part.
        predict_ms: milliseconds to predict 1,000 rows.
        parameters: trainable parameters, all members together.
        error: why it failed, diverged or was pruned, shortened to some `LONGEST_ERROR` characters; else None.
        reliability: bins of confidence and accuracy on validation, of a replicate of a classification; see
            `regzoo.training.engine.diagnostics.compute_reliability`.
        spread: histogram of the weights of a replicate's first member; see
            `regzoo.training.engine.diagnostics.compute_weight_histogram`.
        attempts: error and seconds of each earlier attempt that failed, oldest first; only the last `MOST_ATTEMPTS`.
    """

    run: Run
    status: Literal["ok", "diverged", "failed", "pruned"]
    metrics: PartMetrics = field(default_factory=dict)
    history: PartCurves = field(default_factory=dict)
    epochs: int = 0
    best_epoch: int = 0
    steps: int = 0
    fit_seconds: float = 0.0
    measure_seconds: float = 0.0
    predict_ms: float | None = None
    parameters: int = 0
    error: str | None = None
    reliability: list[list[float]] | None = None
    spread: dict[str, Any] | None = None
    attempts: tuple[dict[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if self.error is not None:
            object.__setattr__(self, "error", shorten_error(self.error))

    def after(self, failed: Record) -> Record:
        """Return this record with the trace of ``failed``, an earlier attempt at the same run."""
        attempt = {"error": failed.error, "seconds": failed.fit_seconds}
        return replace(self, attempts=(*failed.attempts, attempt, *self.attempts)[-MOST_ATTEMPTS:])

    def score(self, metric: str, part: str = "validation") -> float:
        """Return a metric of a finished run; NaN if the run diverged, failed or was pruned."""
        value = self.metrics.get(part, {}).get(metric)
        return math.nan if value is None or self.status != "ok" else value

    def to_json(self) -> str:
        """Return strict JSON that `from_json` reads: null, never NaN; ``attempts`` only where there are any."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        if not self.attempts:
            del fields["attempts"]
        return json.dumps(replace_nonfinite({**fields, "run": self.run.to_json()}), allow_nan=False)

    @staticmethod
    def from_json(text: str) -> Record:
        """Read what `to_json` returned."""
        fields: dict[str, Any] = json.loads(text)
        attempts = tuple(fields.pop("attempts", ()))
        return Record(run=Run.from_json(fields.pop("run")), attempts=attempts, **fields)


def shorten_error(text: str) -> str:
    """Return ``text`` without its middle if it is long: the beginning says what, the end where.

    >>> len(shorten_error("x" * 5_000_000)) < 4_100
    True
    >>> shorten_error(shorten_error("x" * 9_999)) == shorten_error("x" * 9_999)
    True
    """
    mark = "\n... {:,} characters left out ...\n"
    if len(text) <= LONGEST_ERROR + len(mark) + 20:
        return text
    half = LONGEST_ERROR // 2
    return text[:half] + mark.format(len(text) - 2 * half) + text[-half:]


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
