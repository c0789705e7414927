"""Ledgers of format 1: every command reads them, and they go on when the config has learned a new key."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pydantic
import pytest

from regzoo.cli.app import main
from regzoo.comparison import runner
from regzoo.comparison.progress import SilentProgress
from regzoo.config import DataConfig, Experiment, SearchConfig, SplitConfig, TrainingConfig, load_config
from regzoo.config.values import accept_integer
from regzoo.core import InputError
from regzoo.execution.serial import SerialExecutor
from regzoo.result import Result
from regzoo.storage.folder import CONFIG

FIXTURES = Path(__file__).parents[1] / "fixtures"
NAMES = ["format_1", "format_1_folds"]

Command = Callable[..., str]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command line and return what it prints; it must succeed."""

    def run(*arguments: object) -> str:
        monkeypatch.setattr("sys.argv", ["regzoo", *map(str, arguments)])
        with pytest.raises(SystemExit) as done:
            main()
        printed = capsys.readouterr()
        assert (done.value.code or 0, printed.err) == (0, "")
        return printed.out

    return run


def copy(name: str, tmp_path: Path) -> Path:
    """Return a copy of a fixture."""
    return Path(shutil.copytree(FIXTURES / name, tmp_path / name))


@pytest.mark.parametrize("name", NAMES)
def test_the_reading_commands_read_it(name: str, command: Command, tmp_path: Path) -> None:
    folder, csv = copy(name, tmp_path), (FIXTURES / name / "leaderboard.csv").read_bytes()
    (folder / "leaderboard.csv").unlink()
    assert command("leaderboard", folder, "--csv").encode() == csv
    rows = json.loads(command("leaderboard", folder, "--json"))["recipes"]
    assert [row["recipe"] for row in rows] == [line.split(",")[0] for line in csv.decode().splitlines()[1:]]
    assert rows[0]["recipe"] in command("leaderboard", folder)
    assert command("failures", folder) == "no run failed or diverged\n"
    command("report", folder)
    assert (folder / "leaderboard.csv").read_bytes() == csv
    assert rows[0]["recipe"] in (folder / "report.md").read_text()
    assert name in (folder / "report.html").read_text()
    assert json.loads(command("compare-runs", folder, FIXTURES / name, "--json"))


@pytest.mark.parametrize("name", NAMES)
def test_reading_it_writes_nothing(
    name: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look() -> dict[str, object]:
        return {
            path.name: (path.stat().st_mtime_ns, path.stat().st_ino, path.read_bytes()) for path in folder.iterdir()
        }

    monkeypatch.setattr("regzoo.report.render.load_figures", dict)  # they take a second
    folder = copy(name, tmp_path)
    (folder / "ledger.sqlite").chmod(0o444)
    folder.chmod(0o555)
    before, touched = look(), folder.stat().st_mtime_ns
    try:
        for reading in (["leaderboard"], ["leaderboard", "--csv"], ["failures"]):
            assert command(*reading, folder)
        assert command("compare-runs", folder, FIXTURES / name)
        result = Result(folder)
        assert result.best is not None
        assert len(result.leaderboard) > 1
        assert result.verdict
        assert result.records
        result.report(tmp_path / "elsewhere.html")
        assert (look(), folder.stat().st_mtime_ns) == (before, touched)
    finally:
        folder.chmod(0o755)


@pytest.mark.parametrize("name", NAMES)
def test_models_are_exported_from_it(
    name: str, tensorflow: None, unverified: None, command: Command, tmp_path: Path
) -> None:
    folder = copy(name, tmp_path)
    for row in Result(folder).board.recipes:
        command("export", folder, "--recipe", row.name, "--to", tmp_path / row.name)
        written = json.loads((tmp_path / row.name / "recipe.json").read_text())
        assert written["recipe"] == row.recipe
        assert (tmp_path / row.name / "saved_model.pb").is_file()


SECTIONS: dict[str, type[pydantic.BaseModel]] = {
    "data": DataConfig,
    "split": SplitConfig,
    "training": TrainingConfig,
    "search": SearchConfig,
}


def with_new_key(section: str | None) -> type[Experiment]:
    """Return a class of experiments with one more key, ``added``, in ``section`` or at the top; by default 0."""
    added: Any = {"added": (Annotated[int, pydantic.PlainValidator(accept_integer("[0, inf)"))], 0)}
    if section is None:
        return pydantic.create_model("Extended", __base__=Experiment, **added)
    extended: Any = pydantic.create_model("ExtendedSection", __base__=SECTIONS[section], **added)
    default = pydantic.fields.FieldInfo() if section == "data" else extended()
    changed: Any = {section: (extended, default)}
    return pydantic.create_model("Extended", __base__=Experiment, **changed)


@pytest.mark.parametrize("section", [None, *SECTIONS])
@pytest.mark.parametrize("name", NAMES)
def test_a_key_that_is_added_at_its_default_makes_no_run_again(
    name: str, section: str | None, tensorflow: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a run is made again")

    def resume(config: Path) -> None:
        experiment = load_config(config)
        options: dict[str, Any] = {"progress": SilentProgress(), "workers": 0, "fresh": False, "command": "test"}
        runner.run_comparison(experiment, lambda inputs: runner.read_data(experiment, inputs), folder, **options)

    monkeypatch.setattr(SerialExecutor, "start", refuse)
    monkeypatch.setattr("regzoo.config.reader.Experiment", with_new_key(section))
    folder = copy(name, tmp_path)
    before = Result(folder).records
    resume(FIXTURES / f"{name}.yaml")
    assert Result(folder).records == before
    written = (folder / CONFIG).read_text()
    assert "added: 0\n" in written or section == "data"  # of data, only what is given is written
    other = written.replace("added: 0\n", "added: 1\n")
    if section == "data":
        other = written.replace("data:\n", "data:\n  added: 1\n")
    (tmp_path / "other.yaml").write_text(other)
    with pytest.raises(InputError, match=r"another config:\n(.*\n)*.*\+ *added: 1\n"):
        resume(tmp_path / "other.yaml")
    assert Result(folder).records == before
