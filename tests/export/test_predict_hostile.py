"""Damaged and hostile models and inputs: a sentence and exit code 2 or 3, or the right answer; never anything else."""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regzoo.cli import app as cli
from regzoo.core import EnvironmentFailure, InputError
from regzoo.core.errors import BusyError
from regzoo.export import predict as predict_module
from regzoo.export import recipe_file
from regzoo.export.manifest import compute_digests
from regzoo.export.recipe_file import seal_recipe_json
from regzoo.system.lock import lock_path

Predict = Callable[..., tuple[int, str]]


@pytest.fixture
def source(finished: Any, tmp_path: Path) -> Path:
    """A table of the columns of the model."""
    finished.table.head(5).to_csv(tmp_path / "rows.csv", index=False)
    return tmp_path / "rows.csv"


@pytest.fixture
def predict(source: Path) -> Predict:
    """Return a function that predicts a file and returns the exit code of ``regzoo predict`` and its message."""

    def run(folder: Path, rows: Path = source, trust: bool = False) -> tuple[int, str]:
        out, code, message = io.StringIO(), 0, ""
        try:
            assert predict_module.predict_file(folder, rows, out, notify=lambda _: None, trust=trust) > 0
        except (InputError, EnvironmentFailure, OSError) as error:  # anything else is a defect
            code, message = cli.find_exit_code(error), str(error)
        assert bool(message) == (code != 0)
        assert bool(out.getvalue()) == (code == 0)
        return code, message

    return run


@pytest.fixture
def exact(finished: Any, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Replace TensorFlow by a model that answers if what is loaded is the original, to the byte; the folders asked."""
    asked: list[Path] = []
    original = compute_digests(finished.folder / "model")

    def answer(folder: Path, chunks: Iterator[Any]) -> Iterator[Any]:
        assert compute_digests(folder).items() <= original.items()
        assert "saved_model.pb" in compute_digests(folder)
        asked.append(folder)
        for chunk in chunks:
            yield {"label": np.zeros(len(next(iter(chunk.values()))))}

    monkeypatch.setattr(predict_module, "predict_chunks", answer)
    return asked


@pytest.mark.slow
def test_each_damage_to_each_file_is_refused_or_changes_no_answer(
    finished: Any, predict: Predict, exact: list[Path], damaged_copies: Any
) -> None:
    outcomes = {}
    for copy, file, kind in damaged_copies(finished.folder / "model"):
        code, message = predict(copy)
        outcomes[file, kind] = code
        if code:
            assert file in message, (file, kind)
            assert code in (2, 3)
    assert len(outcomes) > 200
    answered = {file for (file, _), code in outcomes.items() if code == 0}
    assert answered == {"README.md"}  # nobody runs it
    assert len(exact) == list(outcomes.values()).count(0)
    assert not any(folder.exists() for folder in exact)


def test_what_is_added_to_a_model_is_not_loaded(
    finished: Any, predict: Predict, exact: list[Path], tmp_path: Path
) -> None:
    copy = shutil.copytree(finished.folder / "model", tmp_path / "model")
    for name in ("saved_model.cpb", "saved_model.pbtxt", "variables/more", "assets/words.txt", "notes.txt"):
        (copy / name).parent.mkdir(exist_ok=True)
        (copy / name).write_text("hostile")
    assert predict(copy)[0] == 0
    assert len(exact) == 1


def test_links_to_the_same_content_are_answered(
    finished: Any, predict: Predict, exact: list[Path], tmp_path: Path
) -> None:
    """Caches of model hubs keep the files elsewhere."""
    copy = shutil.copytree(finished.folder / "model", tmp_path / "model")
    for file in [path for path in copy.rglob("*") if path.is_file()]:
        blob = tmp_path / f"{len(list(tmp_path.iterdir()))}.blob"
        file.rename(blob)
        file.symlink_to(blob)
    assert predict(copy)[0] == 0


TEXTS = {
    "empty": b"",
    "list": b"[]",
    "text": b'"recipe"',
    "null": b"null",
    "NaN": b'{"inputs": NaN}',
    "infinity": b'{"inputs": -Infinity}',
    "large number": b'{"inputs": 1e999}',
    "long number": b'{"inputs": ' + b"1" * 10_000 + b"}",
    "nested lists": b"[" * 200_000,
    "nested objects": b'{"a":' * 200_000,
    "closed nesting": b"[" * 100_000 + b"]" * 100_000,
    "not UTF-8": b'{"inputs": "\xff"}',
    "UTF-16": '{"inputs": {}}'.encode("utf-16"),
    "NUL": b'{"inputs": "\0"}',
    "NULs": b"\0" * 1000,
    "half a surrogate pair": b'{"inputs": "\\ud800"}',
    "half a surrogate pair as a key": b'{"\\ud800": 1}',
    "cut off": b'{"inputs": {"a": ',
    "two documents": b"{}{}",
    "a comment": b"{} // recipe",
}


@pytest.mark.parametrize("trust", [False, True])
def test_a_recipe_that_is_no_recipe_is_refused(trust: bool, predict: Predict, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    for text in TEXTS.values():
        (tmp_path / "model" / "recipe.json").write_bytes(text)
        code, message = predict(tmp_path / "model", trust=trust)
        assert code == 2
        assert "recipe.json: is no recipe that regzoo wrote: " in message
        assert len(message) < 500


def test_a_large_recipe_is_refused_before_it_is_read(
    predict: Predict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model").mkdir()
    with (tmp_path / "model" / "recipe.json").open("wb") as file:
        file.truncate(2**40)  # sparse
    code, message = predict(tmp_path / "model")
    assert code == 2
    assert f"it has more than {recipe_file.MAX_BYTES:,} bytes" in message


KINDS: tuple[Any, ...] = (None, [], "text", "rows")

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 2**70, 1e308, "", "a", "../a", "/etc/passwd", "\0", "\x1b[31m", "=1", "x" * 10**5),
    *(
        [],
        {},
        [[]],
        [{}],
        [None],
        [1, "a"],
        ["a"] * 1000,
        [-1],
        [0],
        [2**70],
        [1.5],
        [True],
        [[1]],
        [{"kind": "numeric"}],
    ),
    *({"": ""}, {"a": None}, {"a": []}, {"a": [2]}, {"rows": [3]}, {"images": [8, 8, 1]}, {"rows": "rows"}, {"a": "b"}),
    *({"../../a": "0" * 64}, {"/etc/passwd": "0" * 64}, {"saved_model.pb": "0" * 64}, {"a/b": 1}, {".": "0" * 64}),
    *([{"kind": kind}] for kind in KINDS),
    json.loads("[" * 100 + "]" * 100),
)


@pytest.mark.parametrize("key", ["version", "format", "inputs", "shapes", "rules", "labels", "files", "digest"])
def test_each_value_of_another_shape_is_refused_or_answered(
    key: str, finished: Any, predict: Predict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digests are right: a hostile author computes them as well."""

    def answer(_: Path, chunks: Iterator[Any]) -> Iterator[Any]:
        for chunk in chunks:
            rows = len(next(iter(chunk.values())))
            yield {"probabilities": np.full((rows, 3), 1 / 3), "label": np.zeros(rows)}

    monkeypatch.setattr(predict_module, "predict_chunks", answer)
    copy = shutil.copytree(finished.folder / "model", tmp_path / "model")
    values = json.loads((copy / "recipe.json").read_text(encoding="utf-8"))
    del values["version"], values["digest"]
    (copy / "recipe.json").write_text(seal_recipe_json({name: v for name, v in values.items() if name != key}))
    assert predict(copy)[0] == (0 if key in ("version", "digest", "format") else 2)
    legal: dict[str, list[Any]] = {"rules": [[]], "labels": [[], ["a"] * 1000]}
    for value, trust in itertools.product(VALUES, (False, True)):
        (copy / "recipe.json").write_text(seal_recipe_json({**values, key: value}), encoding="utf-8")
        code, message = predict(copy, trust=trust)
        assert len(message) < 700
        assert code in (0, 2) if trust or key == "digest" or value in legal.get(key, []) else code == 2, (
            value,
            message,
        )


def make_places(folder: Path) -> dict[str, Path]:
    """Return paths that are no model's folder."""
    (folder / "file").write_text("years of work")
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to("loop")
    (folder / "nowhere").symlink_to("gone")
    (folder / "empty").mkdir()
    recipes: dict[str, Callable[[Path], object]] = {
        "recipe is a folder": Path.mkdir,
        "recipe is a pipe": os.mkfifo,
        "recipe is a loop": lambda path: path.symlink_to(path.name),
        "recipe is a device": lambda path: path.symlink_to("/dev/zero"),
        "recipe is nowhere": lambda path: path.symlink_to("gone"),
        "recipe is elsewhere": lambda path: path.symlink_to("/etc/hosts"),
    }
    for name, make in recipes.items():
        (folder / name).mkdir()
        make(folder / name / "recipe.json")
    names = ("file", "pipe", "loop", "nowhere", "empty", "gone", "x" * 300, "file/model", *recipes)
    return {name: folder / name for name in names} | {"device": Path("/dev/null"), "root": Path("/")}


def test_what_is_no_folder_of_a_model_is_refused(predict: Predict, tmp_path: Path) -> None:
    (tmp_path / "places").mkdir()
    for path in make_places(tmp_path / "places").values():
        for trust in (False, True):
            code, message = predict(path, trust=trust)
            assert code in (2, 3)
            assert str(path)[:200] in message


def test_a_pipe_in_place_of_a_recipe_never_waits(source: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    os.mkfifo(tmp_path / "model" / "recipe.json")
    command = [sys.executable, "-m", "regzoo", "predict", str(tmp_path / "model"), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(
        r"Error: .*/recipe.json: is not a file, so this is no model that regzoo exported\n", done.stderr
    )


@pytest.mark.usefixtures("exact")
def test_damaged_inputs_are_refused_or_answered(
    finished: Any, predict: Predict, source: Path, damaged_copies: Any, tmp_path: Path
) -> None:
    (tmp_path / "inputs").mkdir()
    shutil.copy(source, tmp_path / "inputs" / "rows.csv")
    table = finished.table.drop(columns="kind")
    np.savez(tmp_path / "inputs" / "rows.npz", x=table.to_numpy())
    cases = 0
    for folder, file, _ in damaged_copies(tmp_path / "inputs"):
        code, _ = predict(finished.folder / "model", folder / file)
        assert code in (0, 2, 3)
        cases += 1
    assert cases > 80


@pytest.mark.usefixtures("exact")
def test_inputs_that_are_no_files_are_refused(finished: Any, predict: Predict, tmp_path: Path) -> None:
    (tmp_path / "inputs").mkdir()
    os.mkfifo(tmp_path / "inputs" / "pipe")
    os.mkfifo(tmp_path / "inputs" / "pipe.npz")
    (tmp_path / "inputs" / "loop.csv").symlink_to("loop.csv")
    names = ("pipe", "pipe.npz", "loop.csv", "gone.csv", "gone.npz", "", "x" * 300 + ".csv")
    for path in (*(tmp_path / "inputs" / name for name in names), Path("/dev/zero"), Path("/dev/null"), Path("/")):
        assert predict(finished.folder / "model", path)[0] in (2, 3)


def reseal(folder: Path) -> None:
    """Give a changed model the digests of its files."""
    values = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    digests = {name: digest for name, digest in compute_digests(folder).items() if name != "recipe.json"}
    rest = {key: value for key, value in values.items() if key not in ("version", "digest", "files")}
    (folder / "recipe.json").write_text(seal_recipe_json({**rest, "files": digests}), encoding="utf-8")


@pytest.mark.usefixtures("tensorflow")
def test_tensorflows_errors_about_a_model_are_sentences(
    finished: Any, mixed: Any, predict: Predict, tmp_path: Path
) -> None:
    variables = next((finished.folder / "model" / "variables").glob("*.data*")).name
    for number, (file, damage) in enumerate(
        itertools.product(
            ("saved_model.pb", "variables/variables.index", f"variables/{variables}"), ("cut", "noise", "gone", "other")
        )
    ):
        copy = shutil.copytree(finished.folder / "model", tmp_path / f"model{number}")
        content = (copy / file).read_bytes()
        if damage == "gone":
            (copy / file).unlink()
        elif damage == "other":
            shutil.copy(mixed.folder / "model" / file, copy / file)
        else:
            (copy / file).write_bytes(content[: len(content) // 2] if damage == "cut" else bytes(range(256)) * 10)
        assert predict(copy)[0] == 2
        code, message = predict(copy, trust=True)
        assert code == 2, (file, damage)
        assert "the model cannot be loaded: " in message or "does not take the inputs of its recipe.json" in message
        reseal(copy)
        assert predict(copy)[0] == 2


def test_a_model_without_digests_needs_trust(finished: Any, predict: Predict, tmp_path: Path) -> None:
    copy = shutil.copytree(finished.folder / "model", tmp_path / "model")
    values = json.loads((copy / "recipe.json").read_text(encoding="utf-8"))
    (copy / "recipe.json").write_text(json.dumps({**values, "digest": None}), encoding="utf-8")
    code, message = predict(copy)
    assert code == 2
    assert "recipe.json is not the file that was exported. A model is a program that runs with your rights" in message
    for key in ("digest", "files", "version"):
        del values[key]
    (copy / "recipe.json").write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    code, message = predict(copy)
    assert code == 2
    assert "lists no digests of the model's files. A model is a program that runs with your rights: use only" in message
    assert "--trust" in message
    assert predict(copy, trust=True)[0] == 0


@pytest.mark.usefixtures("tensorflow")
def test_trust_names_what_is_changed(finished: Any, source: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(finished.folder / "model", tmp_path / "model")
    notes: list[str] = []
    for model in (copy, copy):
        predict_module.predict_file(model, source, io.StringIO(), notify=notes.append, trust=True)
        (copy / "fingerprint.pb").write_bytes(b"")
    assert [note for note in notes if "ignored" not in note] == [next(n for n in notes if "fingerprint.pb is not" in n)]


@pytest.mark.usefixtures("exact")
def test_paths_for_the_answers_that_cannot_be_written_are_refused(finished: Any, source: Path, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to("gone")
    (tmp_path / "file").write_text("years of work")
    for out in ("link.csv", "file", "file/out.csv", "x" * 300, "", "gone/out.csv", "a\0b.csv", "out.xlsx"):
        with pytest.raises(InputError):
            predict_module.predict_file(finished.folder / "model", source, tmp_path / out, notify=lambda _: None)
    with lock_path(tmp_path / "out.csv"), pytest.raises(BusyError):
        predict_module.predict_file(finished.folder / "model", source, tmp_path / "out.csv", notify=lambda _: None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link.csv", "rows.csv"]


@pytest.mark.usefixtures("exact")
def test_a_file_that_appears_while_answers_are_written_is_kept(
    finished: Any, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.csv"

    def answer(_: Path, chunks: Iterator[Any]) -> Iterator[Any]:
        out.write_text("years of work")
        yield {"label": np.zeros(len(next(iter(next(chunks).values()))))}

    monkeypatch.setattr(predict_module, "predict_chunks", answer)
    with pytest.raises(InputError, match="exists: nothing was overwritten"):
        predict_module.predict_file(finished.folder / "model", source, out, notify=lambda _: None)
    assert out.read_text() == "years of work"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "rows.csv"]


def test_help_and_card_say_that_a_model_is_a_program(
    finished: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["regzoo", "predict", "--help"])
    with pytest.raises(SystemExit):
        cli.main()
    shown = " ".join(re.sub(r"[│\n]", " ", capfd.readouterr().out).split())
    assert "A model is a program that runs with your rights: use only models from sources you trust" in shown
    card = (finished.folder / "model" / "README.md").read_text(encoding="utf-8")
    assert "A model is a program" in card
