"""`Dataset`: checked raw inputs and targets, frozen, with a digest of their content; and the task they imply."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from regzoo.core.categorical_features import Groups
from regzoo.core.errors import InputError
from regzoo.data.catalog import ROLES
from regzoo.data.different import number_rows
from regzoo.data.facts import RareFacts
from regzoo.data.input_form import InputForm
from regzoo.data.inputs import Array as Array
from regzoo.data.inputs import NamedInputs
from regzoo.data.numbers import pack_numbers
from regzoo.data.reading.reading import Reading
from regzoo.data.table import Table

TaskName = Literal["classification", "multilabel", "regression", "reconstruction"]

TASKS: tuple[TaskName, ...] = ("classification", "multilabel", "regression", "reconstruction")

_MAX_CLASSES = 20
_FEW_COLUMNS = 64  # of more, a digest of each row takes less time


@dataclass(frozen=True, eq=False)
class Dataset:
    """Raw inputs and targets, before any split; the arrays are read-only.

    Attributes:
        x: numbers in the dtype that they came in, (n, features) for rows, (n, height, width, channels) for images or
            (n, steps, channels) for sequences, not standardized; or a `Table`, if columns are not all numbers or cells
            are missing; or `NamedInputs`, for a user's own model, for tokens and for text.
        y: (n,) the user's own labels (integers, text, booleans) or numbers; (n, labels) booleans, if a row has
            several labels, each true or false; None if there are only inputs.
        columns: names of the features, for tables; else None.
        name: name of the data in messages and reports.
        target: name of the target, if it has one.
        labels: names of the columns of y, if it has several; else empty.
        group: (n,) text or numbers: rows of one group, such as one patient's, stay in one part.
        time: (n,) numbers or dates: earlier rows train, later ones validate and test.
        part: (n,) ``train``, ``validation``, ``test``, or empty text where the split may choose.
        weight: (n,) float32 above 0: weight of each row.
        notes: what was done to the data while it was read, in sentences for the report.
        warnings: oddities that were seen while it was read, in sentences for the report.
        rare: what was done with rare classes; None if nothing was.
        categories: the columns of each category in an array of rows, which are not standardized.
        readings: how the text of a column of a `Table` is read, by its name; of others as Python and ISO 8601 write it.
        form: how the one input of `NamedInputs`, text or tokens, becomes what a model looks up; None for other inputs.
    """

    x: Array | Table | NamedInputs
    y: Array | None
    columns: tuple[str, ...] | None
    name: str
    target: str | None
    labels: tuple[str, ...] = ()
    group: Array | None = None
    time: Array | None = None
    part: Array | None = None
    weight: Array | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    rare: RareFacts | None = None
    categories: Groups = ()
    readings: Mapping[str, Reading] = field(default_factory=dict)
    form: InputForm | None = None

    @property
    def kind(self) -> Literal["rows", "images", "sequences", "inputs"]:
        """Kind of the inputs: ``rows`` of features, ``images``, ``sequences`` of numbers, or ``inputs`` by name."""
        if isinstance(self.x, NamedInputs):
            return "inputs"
        kinds: dict[int, Literal["rows", "sequences", "images"]] = {2: "rows", 3: "sequences", 4: "images"}
        return kinds[len(self.x.shape)]

    @property
    def task(self) -> TaskName:
        """Task that the targets imply, see `infer_task`; without targets it is reconstruction."""
        return "reconstruction" if self.y is None else infer_task(self.y)

    def resolve_task(self, requested: TaskName | None) -> TaskName:
        """Return the task to learn: ``requested``, or by default the one that the targets imply.

        Raises:
            InputError: if the targets do not fit the task.
        """
        if requested is None and self.y is not None and self.labels and (self.y.sum(1) == 1).all():
            raise InputError(
                f"{self.name}: each row has exactly one of the {len(self.labels)} labels, so they are classes: from "
                "one-hot rows take y.argmax(axis=1), one column of class labels; or ask for task: multilabel"
            )
        if requested in (None, "reconstruction") or requested == self.task:
            return requested or self.task
        if self.y is None:
            raise InputError(f"task: {requested} needs targets, {self.name} has inputs alone; take reconstruction")
        if requested == "multilabel":
            raise InputError(f"task: multilabel takes several columns of 0 and 1, {self.name} has one target a row")
        if self.labels:
            received = (
                f"{self.name} has {len(self.labels)} labels, each true or false; take multilabel, or give one of them"
            )
            raise InputError(f"task: {requested} takes one target a row, {received}")
        if requested == "regression" and self.y.dtype.kind in "bU":
            raise InputError(
                f"task: regression needs numbers, the targets of {self.name} are {self.y.tolist()[0]!r}, ..."
            )
        if requested == "classification" and not np.array_equal(self.y, np.floor(self.y)):
            raise InputError(f"task: classification needs labels, the targets of {self.name} are no whole numbers")
        return requested

    @functools.cached_property
    def content_codes(self) -> Array:
        """(n,) int64, equal for rows with equal inputs and an equal target."""
        targets = [] if self.y is None else [self.y] if self.y.ndim == 1 else list(self.y.T)
        if isinstance(self.x, Table):
            columns = sorted(self.x.values, key=lambda values: values.dtype.kind == "O")  # hardly two numbers are equal
        elif isinstance(self.x, NamedInputs):
            columns = list(self.x.cell_codes().T)
        else:
            columns = _list_bits(self.x)
        return number_rows([*columns, *targets])

    @functools.cached_property
    def digest(self) -> str:
        """16 hexadecimal digits, equal for equal numbers, labels, roles and column names."""
        digest = hashlib.blake2b(digest_size=8)
        kind, targets = (None, None) if self.y is None else (self.y.dtype.kind, self.y.tolist())
        for value in (self.x.shape, self.columns, self.labels or self.target, kind):
            digest.update(repr(value).encode() + b"\x1e")
        if isinstance(self.x, Table):
            digest.update(repr(self.x.kinds).encode())
        if isinstance(self.x, NamedInputs):
            digest.update(self.x.content)
        for values in _list_values(self.x):
            for piece in [repr(values.tolist()).encode()] if values.dtype.kind == "O" else pack_numbers(values):
                digest.update(piece)
        digest.update(b"\x1e" + repr(targets).encode())
        for role in ROLES:
            values = getattr(self, role)
            if values is not None:
                digest.update(f"\x1e{role}={values.tolist()!r}".encode())
        return digest.hexdigest()


def _list_bits(x: Array) -> list[Array]:
    """Return columns (n,) that are equal where all bits of a row of ``x`` (n, ...) are."""
    bits = np.ascontiguousarray(x).reshape(len(x), -1)
    if bits.shape[1] <= _FEW_COLUMNS and bits.dtype.itemsize <= 8:
        return list(bits.view(f"i{bits.dtype.itemsize}").T)
    seen: dict[bytes, int] = {}
    digests = (hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in bits)
    return [np.array([seen.setdefault(digest, len(seen)) for digest in digests], dtype=np.int64)]


def _list_values(x: Array | Table | NamedInputs) -> tuple[Array, ...]:
    """Return the arrays of numbers or text in ``x``; named inputs have a content of their own."""
    if isinstance(x, NamedInputs):
        return ()
    return x.values if isinstance(x, Table) else (x,)


def infer_task(y: Array) -> TaskName:
    """Return the task that ``y`` (n,) implies: classification or regression; multilabel for (n, labels).

    Text and booleans are classes. Numbers that are not all whole are quantities. Whole numbers, as integers or as
    floats, are classes if there are few of them: at most max(20, sqrt(n)) different ones, each occurring at least twice
    on average. scikit-learn's `type_of_target` is similar, but takes every whole number for a class, which would give
    the 214 values of its own diabetes data 214 classes. To have many integers read as classes, write them as text.

    >>> infer_task(np.array(["a", "b"])), infer_task(np.array([0, 1, 1, 0])), infer_task(np.array([0.5, 1.0]))
    ('classification', 'classification', 'regression')
    """
    if y.ndim == 2:
        return "multilabel"
    if y.dtype.kind in "bU":
        return "classification"
    if y.dtype.kind == "f" and not np.array_equal(y, np.floor(y)):
        return "regression"
    different = len(np.unique(y))
    few = different <= max(_MAX_CLASSES, np.sqrt(len(y))) and 2 * different <= len(y)
    return "classification" if few else "regression"
