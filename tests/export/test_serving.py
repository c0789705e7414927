"""Serving: a SavedModel behind HTTP, in a process without regzoo, answers like the live model."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regzoo.comparison.leaderboard import read_leaderboard
from regzoo.data.preprocessor import Preprocessor
from regzoo.export import saved_model
from regzoo.export.export import load_setup
from regzoo.storage.ledger import Ledger
from regzoo.training.engine.trainer import load_finished_model as build_from

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(mixed: Any) -> Iterator[str]:
    """The address of the model of a table with words, dates, booleans and gaps."""
    command = [sys.executable, "-I", str(Path(__file__).with_name("serve.py")), str(mixed.folder / "model")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1/models/visits:predict"
        process.terminate()


def ask(address: str, request: dict[str, Any]) -> dict[str, Any]:
    with urllib.request.urlopen(address, json.dumps(request).encode(), timeout=60) as answer:
        return json.loads(answer.read())


@pytest.mark.parametrize("batch", [1, 7])
def test_it_answers_over_http_as_the_live_model_does(batch: int, server: str, mixed: Any) -> None:
    with Ledger(mixed.folder) as ledger:
        preprocessor = Preprocessor.from_json(ledger.get_info("preparation"))
        board = read_leaderboard(ledger)
        record, weights = ledger.weights(board.recipes[0].name)
        model = build_from(load_setup(ledger), record.run.recipe, weights)
        rows = preprocessor.inputs_from_json(ledger.get_info("held_out"))[:batch]
    given = saved_model.named_inputs(rows, preprocessor)
    answers = ask(server, {"inputs": {name: values.tolist() for name, values in given.items()}})["outputs"]
    expected = saved_model.live(model, preprocessor, rows)
    np.testing.assert_allclose(answers["probabilities"], expected["probabilities"], atol=1e-5)  # the export's own
    assert answers["label"] == [label.decode() for label in expected["label"]]
    assert set(answers["label"]) <= set(mixed.table["kind"])


def test_what_is_no_row_is_an_error_and_the_server_goes_on(server: str, mixed: Any) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        ask(server, {"inputs": {"nothing": [1.0]}})
    test_it_answers_over_http_as_the_live_model_does(1, server, mixed)
