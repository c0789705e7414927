"""Read the JSON in a ledger: types and ranges are checked first, since anyone can write an SQLite file."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import pydantic
from pydantic import AfterValidator, Field, model_validator

from regzoo.core import InputError
from regzoo.core.cells import Cells
from regzoo.storage import info
from regzoo.training.records import Record, Stage

MAX_RECIPES = 10_000
MAX_TEXT = 10_000
"""Characters of a recipe or a name."""

Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e100, le=1e100)]  # squares of larger ones are infinite
Seconds = Annotated[float, Field(allow_inf_nan=False, ge=0)]
Count = Annotated[int, Field(ge=0, lt=2**63)]
Text = Annotated[str, Field(max_length=MAX_TEXT)]
NumberText = Annotated[str, AfterValidator(lambda text: repr(float(text)))]
Part = Literal["train", "validation", "test"]
Metrics = dict[Text, Number | None]


_ABSENT: Any = None
"""Default of what older versions did not write; the values themselves are not used."""


class _Json(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True)


class _RunJson(_Json):
    stage: Stage
    name: Text
    recipe: Text
    number: Count
    seed: Count
    learning_rate: Seconds
    epochs: Count
    study: Text
    bar: list[Number] = _ABSENT
    fold: Count = _ABSENT
    search: Count = _ABSENT


class _SpreadJson(_Json):
    edges: list[Number]
    counts: list[Count]
    small: Number
    zero: Number = _ABSENT


class _AttemptJson(_Json):
    error: str | None
    seconds: Seconds | None


class _RecordJson(_Json):
    run: _RunJson
    status: Literal["ok", "diverged", "failed", "pruned"]
    metrics: dict[Part, Metrics] = _ABSENT
    history: dict[Part, dict[Text, list[Number | None]]] = _ABSENT
    epochs: Count = _ABSENT
    best_epoch: Count = _ABSENT
    steps: Count = _ABSENT
    fit_seconds: Seconds | None = _ABSENT
    measure_seconds: Seconds | None = _ABSENT
    predict_ms: Seconds | None = _ABSENT
    parameters: Count = _ABSENT
    error: str | None = _ABSENT
    reliability: list[tuple[Number, Number, Count]] | None = _ABSENT
    spread: _SpreadJson | None = _ABSENT
    attempts: list[_AttemptJson] = _ABSENT


class _TaskJson(_Json):
    kind: Text
    size: Count
    scale: Number | None = _ABSENT


class _CellsJson(_Json):
    owners: list[Count]
    flags: list[Literal[0, 1]]

    @model_validator(mode="after")
    def _require_cells(self) -> Self:
        Cells.from_json({"owners": self.owners, "flags": self.flags})
        return self


class _FoldJson(_Json):
    task: _TaskJson
    input_shape: list[Count]
    cells: _CellsJson = _ABSENT
    vocabulary_size: Count = _ABSENT


class _InputJson(_Json):
    name: Text
    shape: list[Count | None]
    dtype: Text


class _OwnModelJson(_Json):
    name: Text
    weights: Literal["fresh", "keep"]
    digest: Text
    classes: list[tuple[Text, Text]]
    parameters: Count
    compiled: str | None
    expand_nested: bool


class _SetupJson(_Json):
    """`TrainingSetup` is made from it for an export only, and asks for what is missing then."""

    backbone: Text = _ABSENT
    task: _TaskJson = _ABSENT
    input_shape: list[Count] = _ABSENT
    optimizer: Text = _ABSENT
    batch_size: Count = _ABSENT
    rank_by: Text = _ABSENT
    data: Annotated[Text, Field(pattern=r"^\S")] = _ABSENT
    class_weight: Text = _ABSENT
    jit_compile: bool = _ABSENT
    loss: Text | None = _ABSENT
    folds: list[_FoldJson] | None = None
    cuts: list[_FoldJson] | None = None
    inputs: list[_InputJson] = _ABSENT
    model: _OwnModelJson = _ABSENT
    cells: _CellsJson = _ABSENT
    vocabulary_size: Count = _ABSENT
    schedule: Text = _ABSENT


class _SweptJson(_Json):
    name: Text
    values: Annotated[list[NumberText], Field(min_length=1)]
    neutral: NumberText | None = _ABSENT
    log: bool = _ABSENT


class _SweepJson(_Json):
    over: Annotated[list[_SweptJson], Field(min_length=1, max_length=2)]
    recipes: list[Text]

    @pydantic.model_validator(mode="after")
    def _match(self) -> Self:
        if len(self.recipes) != math.prod(len(swept.values) for swept in self.over):
            raise ValueError("there must be one recipe for each value, or pair of values")
        return self


_Analyses = Annotated[list[info.Count], Field(min_length=1, max_length=1000)]

_NOTES: Mapping[str, Any] = {
    info.COMPARISON: info.ComparisonInfo,
    info.SETUP: _SetupJson,
    info.SECONDS: Seconds,
    info.NAMES: Annotated[list[Text], Field(max_length=MAX_RECIPES)],
    info.BUDGET: info.BudgetInfo,
    info.PREPROCESSOR: str,
    info.HELD_OUT: list[Any],
    info.DATA: info.DataInfo,
}
"""What each note holds."""


def read_record(row: tuple[Any, ...]) -> Record:
    """Return the record in a row of the table ``records``.

    Raises:
        InputError: if it is no record, or another than the row's other columns say.
    """
    number, _, stage, name, status, body = row
    where = f"record {number}"
    _check(body, _RecordJson, where)
    record = Record.from_json(body)
    if (record.run.stage, record.run.name, record.status) != (stage, name, status):
        raise InputError(f"{where}: it is filed as {stage} of {name}, {status}, which it is not")
    return record


def read_note(key: str, body: Any) -> Any:
    """Return the JSON value of a note.

    Raises:
        InputError: if it is not what is kept under ``key``.
    """
    where = f"note {key}"
    _check(body, _NOTES.get(key.rpartition("/")[2], Any), where)
    values = json.loads(body)
    if key == info.COMPARISON:
        if "looks" in values:  # as format 1 called it
            _check(json.dumps(values["looks"]), _Analyses, where)
        if values.get("sweep") is not None:
            _check(json.dumps(values["sweep"]), _SweepJson, where)
    return values


def _check(body: Any, kind: Any, where: str) -> None:
    try:
        _make_adapter(kind).validate_json(body, strict=True)
    except pydantic.ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, problem["loc"]))
        raise InputError(f"{where}: {place}: {problem['msg']}" if place else f"{where}: {problem['msg']}") from None


@functools.cache
def _make_adapter(kind: Any) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(kind)
