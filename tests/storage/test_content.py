"""What is in a ledger is checked before it is used: anyone can write an SQLite file."""

from __future__ import annotations

import dataclasses

from regzoo.storage.content import _RecordJson, _RunJson
from regzoo.training.records import Record, Run


def test_every_field_of_a_record_is_checked() -> None:
    assert {field.name for field in dataclasses.fields(Record)} == set(_RecordJson.model_fields)
    renamed = {"recipe_text": "recipe", "setup": "study"}
    assert {renamed.get(field.name, field.name) for field in dataclasses.fields(Run)} == set(_RunJson.model_fields)
