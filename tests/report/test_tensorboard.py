"""TensorBoard files, read back with TensorBoard's own reader; and the error where it is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from regzoo.core import EnvironmentFailure, InputError
from regzoo.report import tensorboard
from regzoo.report.tensorboard import FILE, name_run, write_tensorboard


def events(path: Path) -> list[Any]:
    """Return the events of a file; the reader verifies checksums."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.tensorflow_stub.errors import OutOfRangeError
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New

    reader = PyRecordReader_New(str(path))
    found: list[Any] = []
    while True:
        try:
            reader.GetNext()
        except OutOfRangeError:
            return found
        found.append(Event.FromString(reader.record()))


def test_sessions_hyperparameters_and_curves(
    make_leaderboard: Any, make_row: Any, make_record: Any, tmp_path: Path
) -> None:
    from tensorboard.plugins.hparams import metadata

    history = {"validation": {"nll": [0.5, None, 0.25]}}
    runs = [
        make_record("dropout", 0.25, recipe="dropout(0.5)", history=history, epochs=3, number=2),
        make_record("dropout", None, recipe="dropout(0.7)", stage="trial", status="diverged"),
        make_record("dropout", 0.25, stage="member"),
    ]
    assert write_tensorboard(tmp_path, runs, "nll") == 2
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


def test_a_run_has_a_folder_of_its_own_whatever_its_name(make_record: Any) -> None:
    assert (
        name_run(make_record("dropout(rate=0.5) + ../l2", 0.1, stage="trial", number=3))
        == "dropoutrate=0.5+..l2/trial-3"
    )


@pytest.mark.parametrize("name", ["..", ".", "../..", "/", "x" * 999, "é"])
def test_no_name_leads_out_of_the_folder(name: str, make_record: Any, tmp_path: Path) -> None:
    write_tensorboard(tmp_path / "log", [make_record(name, 0.1, recipe="none")], "nll")
    assert [path.name for path in tmp_path.iterdir()] == ["log"]
    assert len(list((tmp_path / "log").glob("*/*/*"))) == 1


@pytest.mark.parametrize("place", [FILE, f"none/replicate-0/{FILE}"])
def test_only_its_own_files_are_replaced(place: str, make_record: Any, tmp_path: Path) -> None:
    runs = [make_record("none", 0.1), make_record("l2(0.1)", 0.1)]
    for _ in range(2):
        assert write_tensorboard(tmp_path, runs, "nll") == 2
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(before) == 3
    (tmp_path / place).write_bytes(b"mine")
    with pytest.raises(InputError, match=rf"{place} exists and is not a TensorBoard run"):
        write_tensorboard(tmp_path, runs[1:] + runs, "nll")
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before | {tmp_path / place: b"mine"}


def test_a_file_is_no_folder(make_record: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="cannot be written: Not a directory"):
        write_tensorboard(tmp_path / "file", [make_record("none", 0.1)], "nll")


def test_half_written_files_are_not_taken_for_events(
    make_record: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tensorboard.backend.event_processing.io_wrapper import IsTensorFlowEventsFile

    listed: list[Path] = []
    write = Path.write_bytes

    def look(path: Path, content: bytes) -> int:
        listed.extend(tmp_path.rglob("*"))
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", look)
    for _ in range(2):
        write_tensorboard(tmp_path, [make_record("none", 0.1)], "nll")
    assert {path.name for path in listed if IsTensorFlowEventsFile(str(path))} == {FILE}
    assert len({path.name for path in listed}) > 3


def test_without_tensorboard_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorboard, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentFailure, match=r"pip install 'regzoo\[tensorboard\]'"):
        write_tensorboard(tmp_path / "log", [], "nll")
    assert not (tmp_path / "log").exists()


def test_it_imports_no_tensorflow(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from regzoo.report.tensorboard import write_tensorboard\n"
        f"write_tensorboard(Path({str(tmp_path)!r}), [], 'nll')\n"
        "print('tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
