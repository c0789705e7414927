"""Serving over HTTP: a SavedModel in a process without regzoo answers as the live model does."""

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
from regzoo.export.candidate import load_candidate
from regzoo.export.saved_model import predict_live
from regzoo.export.signature import split_inputs
from regzoo.export.verify import TOLERANCE
from regzoo.storage.ledger import Ledger
from regzoo.training.engine.make_model import load_finished_model

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(mixed: Any) -> Iterator[str]:
    """Serve a model of a table with words, dates, booleans and missing cells; yield its address."""
    command = [sys.executable, "-I", str(Path(__file__).with_name("serve.py")), str(mixed.folder / "model")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1/models/visits:predict"
        process.terminate()


def request(address: str, content: dict[str, Any]) -> dict[str, Any]:
    with urllib.request.urlopen(address, json.dumps(content).encode(), timeout=60) as response:
        return json.loads(response.read())


@pytest.mark.parametrize("batch", [1, 7])
def test_it_answers_over_http_as_the_live_model_does(batch: int, server: str, mixed: Any) -> None:
    with Ledger(mixed.folder) as ledger:
        leaderboard = read_leaderboard(ledger)
        candidate = load_candidate(ledger, leaderboard.recipes[0].name)
    model = load_finished_model(candidate.setup, candidate.record.run.recipe, candidate.weights)
    preprocessor, rows = candidate.preprocessor, candidate.raw[:batch]
    inputs = split_inputs(rows, preprocessor)
    answers = request(server, {"inputs": {name: values.tolist() for name, values in inputs.items()}})["outputs"]
    expected = predict_live(model, preprocessor, rows)
    np.testing.assert_allclose(answers["probabilities"], expected["probabilities"], atol=TOLERANCE)
    assert answers["label"] == [label.decode() for label in expected["label"]]
    assert set(answers["label"]) <= set(mixed.table["kind"])


def test_an_invalid_request_is_an_error_and_the_server_continues(server: str, mixed: Any) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        request(server, {"inputs": {"nothing": [1.0]}})
    test_it_answers_over_http_as_the_live_model_does(1, server, mixed)
