"""What is in a ledger is checked before it is used: anyone can write an SQLite file, digests and all."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from regzoo.cli.app import main
from regzoo.core import InputError
from regzoo.storage.content import MAX_RECIPES, _RecordJson, _RunJson, read_note, read_record
from regzoo.storage.info import HELD_OUT, PREPROCESSOR
from regzoo.storage.ledger import FILE, Ledger
from regzoo.storage.sqlite.formats import NOTES, RECORDS, TableSchema
from regzoo.storage.sqlite.store import Store
from regzoo.training.records import Record, Run

FIXTURES = Path(__file__).parents[1] / "fixtures"
REMOVED = object()
ABSURD: list[Any] = [
    *(None, True, -1, 0, 2**70, 0.5, -1e300, 1e300, float("nan"), float("inf")),
    *("", "x", "\x1b[31mred", "<b>", "inf", "x" * 20_000, "\ud800"),
    *([], [[]], [None], ["x"], [-1], {}, {"a": 1}, REMOVED),
]
"""What may stand in the place of any value."""

Path_ = tuple[Any, ...]
Document = tuple[TableSchema, tuple[Any, ...], Any]


def list_places(value: Any, place: Path_ = ()) -> Iterator[Path_]:
    """Yield where the values in a JSON document are, the first ones of lists."""
    yield place
    if isinstance(value, dict):
        for key in value:
            yield from list_places(value[key], (*place, key))
    elif isinstance(value, list):
        for index in range(min(2, len(value))):
            yield from list_places(value[index], (*place, index))


def put(value: Any, place: Path_, new: Any) -> Any:
    """Return a copy with ``new`` at ``place``."""
    if not place:
        return new
    copied = json.loads(json.dumps(value))
    inner = copied
    for key in place[:-1]:
        inner = inner[key]
    if new is REMOVED:
        del inner[place[-1]]
    else:
        inner[place[-1]] = new
    return copied


def call(*arguments: object) -> tuple[int, str]:
    """Call ``regzoo`` in this process: its exit code, and what it prints."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(sys, "argv", ["regzoo", *map(str, arguments)])
        with pytest.raises(SystemExit) as exited:
            main()
    return int(exited.value.code or 0), out.getvalue() + err.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison in the newest format, of which a sweep is said."""
    folder = tmp_path_factory.mktemp("content") / "mine"
    shutil.copytree(FIXTURES / "format_1_folds", folder)
    with Ledger(folder, create=True) as ledger:
        facts = ledger.get_comparison_info()
        assert facts is not None
        over = [{"name": "dropout.rate", "values": ["0.1", "0.2"], "neutral": "0.0", "log": False}]
        sweep = {"over": over, "recipes": list(ledger.get_recipe_names()[:2])}
        ledger.set_comparison_info(dataclasses.replace(facts, sweep=sweep, rope=0.1, budget=9.0))
    return folder


def read_documents(folder: Path) -> list[Document]:
    """Return the notes that reading commands use and a record, with the row's other columns."""
    with Ledger(folder) as ledger:
        notes, records = ledger._store.read_all(NOTES), ledger._store.read_all(RECORDS)
    used = [row for row in notes if row[0].rpartition("/")[2] not in (PREPROCESSOR, HELD_OUT)]
    replicate = next(row for row in records if row[2] == "replicate")
    return [
        *((NOTES, row, json.loads(row[-1])) for row in used if "/" not in row[0]),
        (RECORDS, replicate, json.loads(replicate[-1])),
    ]


def attack(folder: Path, elsewhere: Path, share: float) -> str:
    """Put every absurd value in every place; return what the commands do wrong."""
    draw, wrong = random.Random(0), []
    commands = (
        ("leaderboard", folder, "--json"),
        ("leaderboard", folder),
        ("failures", folder),
        ("compare-runs", folder, FIXTURES / "format_1_folds"),
        ("report", folder),
    )
    with contextlib.closing(Store(folder / FILE)) as store:
        for table, row, document in read_documents(folder):
            for place in list_places(document):
                for new in ABSURD:
                    if draw.random() > share or (new is REMOVED and not place):
                        continue
                    with store.commit() as rows:
                        rows.put(table, (*row[:-1], json.dumps(put(document, place, new))))
                    command = draw.choice(commands[:4] if draw.random() < 0.97 else commands)
                    code, printed = call(*command)
                    if code not in (0, 2) or "defect" in printed or "Traceback" in printed or "\x1b" in printed:
                        wrong.append(f"{row[0]} {place} {str(new)[:20]!r}: {command[0]}: {code} {printed[-300:]}")
            with store.commit() as rows:
                rows.put(table, row)
    return "\n".join(wrong)


@pytest.mark.slow
def test_any_absurd_content_ends_with_a_sentence(folder: Path, tmp_path: Path) -> None:
    assert attack(folder, tmp_path, share=0.15) == ""  # share=1.0 takes two minutes and finds no more


@pytest.mark.parametrize(
    ("key", "body", "words"),
    [
        ("names", json.dumps(["none"] * (MAX_RECIPES + 1)), f"at most {MAX_RECIPES} items"),
        ("names", "[" * 100_000, "note names: Invalid JSON"),
        ("names", '"none"', "note names: Input should be a valid array"),
        ("seconds", "-1", "greater than or equal to 0"),
        ("seconds", "1e999", "note seconds: "),
        ("3/data", "{}", "note 3/data: source: "),
    ],
)
def test_the_message_says_what_is_wrong_where(key: str, body: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_note(key, body)


def test_a_record_that_is_filed_as_another_is_refused() -> None:
    record = Record(Run("trial", "none", "none", 0, 1, 0.1, 1, "s"), "ok")
    row = (7, record.run.key, "trial", "none", "ok", record.to_json())
    assert read_record(row) == record
    for place, other in ((2, "replicate"), (3, "l2"), (4, "failed")):
        with pytest.raises(InputError, match="record 7: it is filed as"):
            read_record((*row[:place], other, *row[place + 1 :]))
    with pytest.raises(InputError, match=r"record 7: metrics\.validation\.nll: Input should be a valid number"):
        read_record((*row[:-1], record.to_json().replace('"metrics": {', '"metrics": {"validation": {"nll": "a"}')))


def test_every_field_of_a_record_is_checked() -> None:
    assert {field.name for field in dataclasses.fields(Record)} == set(_RecordJson.model_fields)
    renamed = {"recipe_text": "recipe", "setup": "study"}
    assert {renamed.get(field.name, field.name) for field in dataclasses.fields(Run)} == set(_RunJson.model_fields)
