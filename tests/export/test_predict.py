"""Predictions for a file: an exported model answers row by row, and rejects cells that training would have rejected."""

from __future__ import annotations

import csv
import io
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import regzoo
from regzoo.cli import app as cli
from regzoo.core import InputError
from regzoo.export import input_rows
from regzoo.export import predict as predict_module
from regzoo.export.manifest import compute_digests
from regzoo.export.predict import _make_columns, predict_file
from regzoo.export.recipe_file import seal_recipe_json


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def source(mixed: Any) -> Path:
    return mixed.config.parent / "<b>visits.csv"


def change_row(source: Path, to: Path, row: int, **cells: str) -> Path:
    """Write a copy of the CSV file ``source`` with other ``cells`` in one row."""
    rows = read_table(source)
    rows[row] |= {column.replace("_", " "): cell for column, cell in cells.items()}
    with to.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return to


def test_a_csv_is_answered_in_the_order_of_its_rows(
    mixed: Any, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []
    assert predict_file(mixed.folder / "model", source, tmp_path / "whole.csv", notify=notes.append) == 120
    assert len(notes) == 1
    assert "ignored 'note', 'kind', which the model does not take" in notes[0]
    monkeypatch.setattr(input_rows, "CHUNK", 50)  # three chunks
    predict_file(mixed.folder / "model", source, tmp_path / "chunks.csv", notify=notes.append)
    whole, chunks = read_table(tmp_path / "whole.csv"), read_table(tmp_path / "chunks.csv")
    assert list(whole[0])[:2] == ["label", "probability_<i>b</i>"]
    assert [row["label"] for row in whole] == [row["label"] for row in chunks]
    for one, other in zip(whole, chunks, strict=True):
        assert float(one["probability_<i>b</i>"]) == pytest.approx(float(other["probability_<i>b</i>"]), abs=1e-6)
    monkeypatch.setattr(input_rows, "CHUNK", 7)
    predict_file(mixed.folder / "model", source, tmp_path / "answers.npz", notify=notes.append)
    with np.load(tmp_path / "answers.npz", allow_pickle=False) as answers:
        probabilities = answers["probabilities"]
        assert set(answers["label"]) <= set(mixed.table["kind"])  # unchanged: no spreadsheet reads an archive
    np.testing.assert_allclose(probabilities[:, 0], [float(row["probability_<i>b</i>"]) for row in whole], atol=1e-6)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers.npz", "chunks.csv", "whole.csv"]


def test_lines_that_are_no_rows_change_nothing(mixed: Any, source: Path, tmp_path: Path) -> None:
    header, *rows = source.read_text(encoding="utf-8").splitlines()
    rows = [f"{number},{row}" for number, row in enumerate(rows)]
    lines = ["sep=,", "# by hand", f",{header}", *rows[:70], f",{header}", "# a pause", *rows[70:], "", "120 rows"]
    (tmp_path / "in.csv").write_text("\n".join(lines), encoding="utf-8")
    notes: list[str] = []
    written = []
    for name in (source, tmp_path / "in.csv"):
        stream = io.StringIO()
        assert predict_file(mixed.folder / "model", name, stream, notify=notes.append) == 120
        written.append(stream.getvalue())
    assert written[0] == written[1]
    assert "ignored 'Unnamed: 0', 'note', 'kind', which the model does not take" in "".join(notes)
    assert "lines 2 and 75 are left out as comments" in "".join(notes)


def test_labels_that_a_spreadsheet_would_run_are_text(mixed: Any, source: Path, tmp_path: Path) -> None:
    predict_file(mixed.folder / "model", source, tmp_path / "out.csv", notify=lambda _: None)
    labels = {row["label"] for row in read_table(tmp_path / "out.csv")}
    assert labels <= {'\'=cmd|"/c calc"!A1', "<i>b</i>", "[bold]rare[/bold]"}
    assert '\'=cmd|"/c calc"!A1' in labels


def test_archives_hold_make_columns(mixed: Any, source: Path, tmp_path: Path) -> None:
    rows = read_table(source)
    arrays = {column: np.array([row[column] for row in rows]) for column in rows[0]}
    np.savez(tmp_path / "in.npz", **arrays)  # type: ignore[arg-type]  # the stub takes any keyword for allow_pickle
    arrays["age"] = np.array([float(cell or "nan") for cell in arrays["age"]])
    np.savez(tmp_path / "typed.npz", **arrays)  # type: ignore[arg-type]  # the stub takes any keyword for allow_pickle
    written = []
    for name in (source, tmp_path / "in.npz", tmp_path / "typed.npz"):
        stream = io.StringIO()
        assert predict_file(mixed.folder / "model", name, stream, notify=lambda _: None) == 120
        written.append(stream.getvalue())
    assert written[0] == written[1] == written[2]


def test_a_frame_is_answered_as_the_file_is(mixed: Any, source: Path, tmp_path: Path) -> None:
    model = mixed.folder / "model"
    predict_file(model, source, tmp_path / "out.csv", notify=lambda _: None)
    expected = pd.read_csv(tmp_path / "out.csv")
    frame = mixed.table.set_index(np.arange(1000, 1120))
    answers = regzoo.predict(model, frame)
    assert answers.index.tolist() == frame.index.tolist()
    assert answers["label"].tolist() == [label.removeprefix("'") for label in expected["label"]]
    np.testing.assert_allclose(answers.iloc[:, 1:], expected.iloc[:, 1:], atol=1e-6)
    for changed, message in (
        (frame.drop(columns="age"), "frame: the model takes 'age', which is not there"),
        (frame.iloc[:0], "frame: has no rows"),
        (frame.assign(member="maybe"), "frame: column 'member' takes true or false, received 'maybe' in row 1"),
        (frame["age"], "predict takes a DataFrame, received Series"),
    ):
        with pytest.raises(InputError) as caught:
            regzoo.predict(model, changed)
        assert message in str(caught.value)


@pytest.mark.parametrize(
    "reading",
    [3, {"decimal": ";"}, {"zoned": 1.5}, {"missing": "x"}, {"missing": [1]}, {"shoes": True}, {"percent": False}],
)
def test_a_reading_that_regzoo_does_not_write_is_rejected(reading: Any, tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_text("model")
    rule = {"kind": "date", "name": "a", "reading": reading}
    recipe = {"inputs": {"a": "a"}, "shapes": {"a": []}, "rules": [rule], "labels": []}
    text = seal_recipe_json({**recipe, "files": compute_digests(tmp_path)})
    (tmp_path / "recipe.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="is no recipe that regzoo wrote: reading takes how cells are read"):
        regzoo.predict(tmp_path, pd.DataFrame({"a": ["2024-01-01"]}))


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"age": "old"}, "column 'age' takes numbers, received 'old' in row 6"),
        ({"age": "1e99"}, "column 'age' takes numbers up to 1e+30, received 1e+99 in row 6"),
        ({"member": "yes"}, "column 'member' takes true or false, received 'yes' in row 6"),
        (
            {"first_seen": "2023-02-29"},
            "column 'first seen' takes dates such as 2024-01-31, received '2023-02-29' in row 6",
        ),
    ],
)
def test_cells_are_checked_as_in_training(
    cells: dict[str, str], message: str, mixed: Any, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_rows, "CHUNK", 4)  # the wrong row is in the second chunk
    wrong = change_row(source, tmp_path / "wrong.csv", 5, **cells)
    with pytest.raises(InputError) as caught:
        predict_file(mixed.folder / "model", wrong, tmp_path / "out.csv", notify=lambda _: None)
    assert message in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["wrong.csv"]


def test_missing_cells_and_new_words_are_answered(mixed: Any, source: Path, tmp_path: Path) -> None:
    new = change_row(source, tmp_path / "new.csv", 0, age="", town="Atlantis", member="?", first_seen="")
    assert predict_file(mixed.folder / "model", new, tmp_path / "out.csv", notify=lambda _: None) == 120


def test_missing_columns_and_wrong_paths_are_reported(mixed: Any, source: Path, tmp_path: Path) -> None:
    model = mixed.folder / "model"
    (tmp_path / "few.csv").write_text("age,twon,member\n1,a,true\n", encoding="utf-8")
    (tmp_path / "empty.csv").write_text("age,town,member,first seen,<b>code</b>\n", encoding="utf-8")
    (tmp_path / "existing.csv").write_text("years of work", encoding="utf-8")
    out = tmp_path / "out.csv"
    for path, given, to, message in (
        (
            model,
            tmp_path / "few.csv",
            out,
            "takes 'town', 'first seen', '<b>code</b>', which are not there. Did you mean 'twon'",
        ),
        (model, tmp_path / "empty.csv", out, "has a header and no rows"),
        (model, tmp_path / "none.csv", out, f"{tmp_path / 'none.csv'}: there is no such file"),
        (model, tmp_path / "rows.parquet", out, "there is no such file"),
        (model, source, tmp_path / "out.parquet", "and writes CSV files and .npz archives, no .parquet files"),
        (model, source, tmp_path / "out.xlsx", "writes CSV files and .npz archives, no .xlsx files"),
        (model, source, tmp_path / "existing.csv", "exists: nothing was overwritten"),
        (model, source, tmp_path / "no" / "out.csv", "there is no folder"),
        (mixed.folder, source, out, f"recipe.json is missing); did you mean {model}?"),
        (tmp_path, source, out, "holds no exported model"),
    ):
        with pytest.raises(InputError) as caught:
            predict_file(path, given, to, notify=lambda _: None)
        assert message in str(caught.value)
    assert (tmp_path / "existing.csv").read_text(encoding="utf-8") == "years of work"
    assert not out.exists()


@pytest.mark.parametrize(
    ("file", "left", "message"),
    [
        ("variables/variables.data-00000-of-00001", 100, "is not the file that was exported"),
        ("saved_model.pb", None, "is missing"),
    ],
)
def test_a_damaged_copy_of_a_model_answers_nothing(
    file: str, left: int | None, message: str, mixed: Any, source: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "model"
    shutil.copytree(mixed.folder / "model", copy)
    if left is None:
        (copy / file).unlink()
    else:
        (copy / file).write_bytes((copy / file).read_bytes()[:left])
    with pytest.raises(InputError, match=f"{copy}: {file} {message}. A model is a program .* Copy the folder again"):
        predict_file(copy, source, tmp_path / "out.csv", notify=lambda _: None)


def write_recipe(folder: Path, kind: str, shape: list[int], labels: list[str]) -> Path:
    """Write the recipe of an exported model that takes an array, and a file in place of the model."""
    folder.mkdir()
    (folder / "saved_model.pb").write_text("model")
    recipe = {"inputs": {kind: kind}, "shapes": {kind: shape}, "rules": [], "labels": labels}
    text = seal_recipe_json({**recipe, "files": compute_digests(folder)})
    (folder / "recipe.json").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def summing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the model by one that returns the sum of its inputs."""
    monkeypatch.setattr(
        predict_module,
        "predict_chunks",
        lambda folder, chunks: ({"prediction": next(iter(c.values())).sum(axis=1)} for c in chunks),
    )


@pytest.mark.usefixtures("summing")
def test_models_of_arrays_take_rows_in_order(tmp_path: Path) -> None:
    model = write_recipe(tmp_path / "model", "rows", [3], [])
    (tmp_path / "in.csv").write_text("a;b;c\n1;2;3\n4;5;6\n", encoding="utf-8")
    predict_file(model, tmp_path / "in.csv", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "prediction\n6.0\n15.0\n"
    np.savez(tmp_path / "in.npz", x=np.arange(6).reshape(2, 3))
    predict_file(model, tmp_path / "in.npz", tmp_path / "out2.csv")
    assert (tmp_path / "out2.csv").read_text() == "prediction\n3.0\n12.0\n"
    (tmp_path / "few.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="has 2 columns, the model takes 3, in order"):
        predict_file(model, tmp_path / "few.csv", tmp_path / "no.csv")
    (tmp_path / "gap.csv").write_text("a,b,c\n1,2,3\n1,,3\n", encoding="utf-8")
    with pytest.raises(InputError, match="column 'b' takes numbers, received '' in row 2"):
        predict_file(model, tmp_path / "gap.csv", tmp_path / "no.csv")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros((2, 9, 8))}, r"x takes numbers of shape \(n, 8, 8, 1\), received float64 \(2, 9, 8, 1\)"),
        ({"x": np.full((2, 8, 8), np.nan)}, "x takes numbers up to 1e.30, received nan in row 1"),
        ({"x": np.zeros((0, 8, 8))}, "needs the same number of rows"),
        ({"images": np.zeros((2, 8, 8))}, "the model takes 'x', which is not there"),
        ({"x": np.array([["a"]])}, "received <U1"),
    ],
)
def test_images_are_taken_from_an_archive(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    model = write_recipe(tmp_path / "model", "images", [8, 8, 1], [])
    np.savez(tmp_path / "in.npz", **arrays)
    with pytest.raises(InputError, match=message):
        predict_file(model, tmp_path / "in.npz", tmp_path / "out.csv")
    with pytest.raises(InputError, match="the model takes images; give them as the array x"):
        predict_file(model, tmp_path / "in.csv", tmp_path / "out.csv")


def test_large_images_are_predicted_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory for a model's layers grows with the image; 1,024 photographs at once would fill most machines."""
    sizes: list[int] = []

    def predict_chunks(folder: Path, chunks: Any) -> Any:
        for chunk in chunks:
            sizes.append(len(chunk["images"]))
            yield {"prediction": chunk["images"].sum(axis=(1, 2, 3))}

    monkeypatch.setattr(predict_module, "predict_chunks", predict_chunks)
    monkeypatch.setattr(input_rows, "CHUNK_VALUES", 200)
    model = write_recipe(tmp_path / "model", "images", [8, 8, 1], [])
    np.savez(tmp_path / "in.npz", x=np.ones((7, 8, 8)))
    assert predict_file(model, tmp_path / "in.npz", tmp_path / "out.csv") == 7
    assert sizes == [3, 3, 1]
    assert (tmp_path / "out.csv").read_text() == "prediction\n" + "64.0\n" * 7


def test_outputs_that_no_csv_file_holds_are_rejected() -> None:
    with pytest.raises(InputError, match=r"reconstruction has shape \(8, 8, 1\) in each row, .* use --out answers.npz"):
        _make_columns("reconstruction", np.zeros((2, 8, 8, 1)), ())
    assert [name for name, _ in _make_columns("reconstruction", np.zeros((2, 3)), ())] == [
        f"reconstruction_{n}" for n in (1, 2, 3)
    ]


def test_the_command_writes_a_file_once(
    mixed: Any, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def call() -> int:
        command = ["regzoo", "predict", mixed.folder / "model", source, "--out", tmp_path / "out.csv"]
        monkeypatch.setattr(sys, "argv", [*map(str, command)])
        with pytest.raises(SystemExit) as done:
            cli.main()
        return int(done.value.code or 0)

    assert call() == 0
    assert capfd.readouterr().out == f"{tmp_path / 'out.csv'}: 120 rows\n"
    before = (tmp_path / "out.csv").read_bytes()
    assert call() == 2
    assert "exists: nothing was overwritten" in capfd.readouterr().err
    assert (tmp_path / "out.csv").read_bytes() == before
