"""`Run`, one training to make, and `Record`, what it left. Frozen, printable and JSON; no TensorFlow."""

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
from regzoo.core.registry import registered_classes
from regzoo.core.seeds import derive

PartMetrics = dict[str, dict[str, float | None]]
"""``{"validation": {"nll": 0.1, ...}, "train": {...}, "test": {...}}``; None where a number is not finite."""

PartCurves = dict[str, dict[str, list[float | None]]]
"""As `PartMetrics`, with one number for each epoch."""


@dataclass(frozen=True)
class Run:
    """One training, with all strengths fixed.

    Attributes:
        stage: a ``trial`` of the search, a ``replicate`` on a fresh seed, or a ``member`` of an ensemble.
        name: the recipe as the config writes it: ``dropout + l2``.
        recipe_text: the recipe with numbers, as it is written: ``dropout(0.31) + l2(0.0002)``. A ledger may hold
            regularizers that are not registered here, so the text is kept and `recipe` is read when it is needed.
        number: position among the recipe's trials or replicates, from 0.
        seed: the seed from which every stream of the run is derived.
        learning_rate: the optimizer's.
        epochs: at most this many.
        setup: digest of what all runs of a comparison share (data, split, backbone, training).
        bar: what a pruner wants at least: the best validation score after each epoch; empty without a pruner.
        fold: number of the cut into training and validation rows, from 0; with k folds, cut i is fold i mod k of
            repetition i // k.
    """

    stage: Literal["trial", "replicate", "member"]
    name: str
    recipe_text: str
    number: int
    seed: int
    learning_rate: float
    epochs: int
    setup: str
    bar: tuple[float, ...] = ()
    fold: int = 0

    @property
    def recipe(self) -> Recipe:
        """The recipe with numbers; each text is parsed once.

        Raises:
            InputError: if a regularizer of it is unknown here, because it was registered elsewhere.
        """
        return _read_recipe(self.recipe_text, registered_classes())

    @property
    def identity(self) -> dict[str, Any]:
        """What makes two runs the same, as JSON values; the same identity means the same result.

        The keys are spelled out, not taken from the fields, and a key that was added later goes in only where it
        differs from its default: so a new key retrains no older comparison, and ledgers written before it go on.
        """
        added_later = {"bar": self.bar, "fold": self.fold}
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
        """Hash of the training itself: runs with equal ones differ in name only, and share the weights."""
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
    """Return the trainings that ``run`` combines, as runs of their own; ``run`` itself if it is one training.

    The first member has the run's own seed, so it trains exactly as the recipe without its `AfterTraining` parts does.
    """
    recipe = run.recipe
    alone = recipe.without_post_training()
    if alone == recipe:
        return [run]
    one = replace(run, stage="member", name=str(alone), recipe_text=str(alone), number=0)
    return [replace(one, seed=member_seed(run.seed, member)) for member in range(recipe.n_models())]


def member_seed(seed: int, member: int) -> int:
    """Return the seed of a member; the first has the run's own."""
    return seed if member == 0 else derive(seed, "member", member)


@functools.lru_cache(maxsize=8192)
def _read_recipe(text: str, _classes: tuple[type[Regularizer], ...]) -> Recipe:
    """Parse ``text``; again if the user has registered other classes since."""
    return parse(text)


@dataclass(frozen=True)
class Record:
    """What a run left behind.

    Attributes:
        status: ``ok``, ``diverged`` (a loss or weight became NaN or infinite), ``failed`` (it raised) or ``pruned``
            (a trial that was stopped, far behind the others of its recipe).
        metrics: penalty-free, hard-label metrics of the finished model; ``test`` only for replicates.
        history: the same after each epoch, on ``train`` and ``validation``.
        epochs: epochs trained.
        best_epoch: the epoch, from 1, after which the ranking metric on validation was best.
        steps: optimizer steps taken, all members together.
        fit_seconds: wall time of the training, tracing not counted.
        measure_seconds: wall time of measuring the finished model, on all rows of each part.
        predict_ms: milliseconds to predict 1,000 rows.
        parameters: trainable parameters, all members together.
        error: why it failed, else None.
        reliability: of a replicate that classifies, on validation; see `regzoo.training.engine.diagnostics`.
        spread: of a replicate: see `regzoo.training.engine.diagnostics.compute_weight_histogram`, of its first member.
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

    def score(self, metric: str, part: str = "validation") -> float:
        """The metric of a finished run; NaN if it diverged, failed or was pruned."""
        value = self.metrics.get(part, {}).get(metric)
        return math.nan if value is None or self.status != "ok" else value

    def to_json(self) -> str:
        """Strict JSON: null, never NaN."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return json.dumps(replace_nonfinite({**fields, "run": self.run.to_json()}), allow_nan=False)

    @staticmethod
    def from_json(text: str) -> Record:
        """Read what `to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        return Record(run=Run.from_json(fields.pop("run")), **fields)


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
