"""What TensorBoard reads back, with its own reader; and what is said where it is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from regzoo.core import EnvironmentFailure
from regzoo.report import tensorboard
from regzoo.report.tensorboard import FILE, run_name, write


def events(path: Path) -> list[Any]:
    """The events of a file, its checksums verified."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.tensorflow_stub.errors import OutOfRangeError
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New

    reader = PyRecordReader_New(str(path))
    found = []
    while True:
        try:
            reader.GetNext()
        except OutOfRangeError:
            return found
        found.append(Event.FromString(reader.record()))


def test_sessions_hyperparameters_and_curves(board: Any, row: Any, record: Any, tmp_path: Path) -> None:
    from tensorboard.plugins.hparams import metadata

    history = {"validation": {"nll": [0.5, None, 0.25]}}
    runs = [
        record("dropout", 0.25, recipe="dropout(0.5)", history=history, epochs=3, number=2),
        record("dropout", None, recipe="dropout(0.7)", stage="trial", status="diverged"),
        record("dropout", 0.25, stage="member"),
    ]
    assert write(tmp_path, board([row("dropout"), row("none")]), runs) == 2
    assert sorted(path.parent.relative_to(tmp_path).as_posix() for path in tmp_path.rglob(FILE)) == [
        ".", "dropout/replicate-2", "dropout/trial-0",
    ]  # fmt: skip
    values = [(e.step, v) for e in events(tmp_path / "dropout" / "replicate-2" / FILE) for v in e.summary.value]
    scalars = [(step, v.tag, v.simple_value) for step, v in values if v.WhichOneof("value") == "simple_value"]
    assert [(step, value) for step, tag, value in scalars if tag == "validation/nll"] == [
        (1, 0.5),
        (3, 0.25),
        (4, 0.25),
    ]
    start = next(v for _, v in values if v.tag == metadata.SESSION_START_INFO_TAG)
    session = metadata.parse_session_start_info_plugin_data(start.metadata.plugin_data.content)
    assert session.hparams["dropout.rate"].number_value == 0.5
    assert session.hparams["recipe"].string_value == "dropout"


def test_a_run_has_a_folder_of_its_own_whatever_its_name(record: Any) -> None:
    assert run_name(record("dropout(rate=0.5) + ../l2", 0.1, stage="trial", number=3)) == "dropoutrate=0.5+..l2/trial-3"


def test_without_tensorboard_it_says_what_to_install(
    board: Any, row: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorboard, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentFailure, match=r"pip install 'regzoo\[tensorboard\]'"):
        write(tmp_path / "log", board([row("none")]), [])
    assert not (tmp_path / "log").exists()


def test_it_imports_no_tensorflow(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from regzoo.report.tensorboard import write\n"
        f"write(Path({str(tmp_path)!r}), {{'rank_by': 'nll'}}, [])\n"
        "print('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
